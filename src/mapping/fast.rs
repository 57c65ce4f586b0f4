//! A record on the fast path: parsed onto a tape, its fields given by trees.
//!
//! Not here: what a tree does (`compiled`), and what goes wrong in one: the interpreter is asked then. The invariant: an
//! end that is given here is the one that the interpreter comes to.

use std::borrow::Cow;
use std::sync::Arc;

use super::compiled::{Halt, Program, Target, Unsupported};
use super::engine::LIMITS;
use super::explain::End;
use super::interpret::{Room, given};
use super::mapper::{ConnectionMapper, Desk, Mapping};
use super::projection::Projection;
use super::tape::{Doc, Held};
use super::value::Value;
use crate::model::draft::{Content, Draft, Fields};
use crate::model::entity::Entity;
use crate::model::record::Record;
use crate::model::schema;
use crate::model::sheet::Sheet;

/// Scripts as expression trees.
#[derive(Debug)]
pub(crate) struct Fast {
    /// One for each script.
    pub(crate) programs: Vec<Program>,
    /// What they read of a record.
    pub(crate) projection: Arc<Projection>,
    /// Whether the interpreter has a part in any.
    pub(crate) mixed: bool,
}

/// Why there is no fast path: a script, by its number, and what in it.
#[derive(Clone, Debug)]
pub(crate) struct Slow {
    pub(crate) script: usize,
    pub(crate) reason: Unsupported,
}

/// The fast path has no answer.
pub(super) struct NotFast;

impl ConnectionMapper {
    /// Maps a record with trees.
    pub(super) fn fast(
        &self,
        mapping: &Mapping,
        fast: &Fast,
        (entity, record, text): (Entity, &Record, &str),
        desk: &mut Desk,
    ) -> Result<Result<Draft, End>, NotFast> {
        let Desk { tape, text: own, room, sheet } = desk;
        if !fast.mixed {
            let doc = tape.parse(text, &fast.projection).map_err(|_| NotFast)?;
            if mapping.exceptions.is_empty()
                && let Ok(end) = self.write(fast, (entity, record), &doc, sheet)
            {
                return Ok(end);
            }
            // What the schema refuses is told by trees too.
            return self.draft(mapping, fast, (entity, record), (&doc, None), room);
        }
        let buffers = (std::mem::take(tape), std::mem::take(own));
        let held = Held::parse(buffers, text, &fast.projection).map_err(|_| NotFast)?;
        let held = Arc::new(held);
        let end = self.draft(mapping, fast, (entity, record), (&held.doc(), Some(&held)), room);
        room.clear();
        (*tape, *own) = Arc::into_inner(held).map(Held::into_buffers).unwrap_or_default();
        end
    }

    /// Writes the draft while trees give its fields, where nothing else of the mapping asks for them.
    fn write(
        &self,
        fast: &Fast,
        (entity, record): (Entity, &Record),
        doc: &Doc<'_>,
        sheet: &mut Sheet,
    ) -> Result<Result<Draft, End>, NotFast> {
        sheet.clear(entity);
        within_limits(doc)?;
        for program in &fast.programs {
            let outcome = program.run(doc, &self.env, |target, value| note(sheet, target, value));
            match outcome {
                Ok(true) => {}
                Ok(false) | Err(Halt::Skip) => return Ok(Err(End::Skipped)),
                Err(Halt::Fail) => return Err(NotFast),
            }
        }
        if !sheet.is_named() {
            let own = self.own_id(entity, record);
            sheet.set_at(0, &Content::Text(own.as_str().into())).map_err(|_| NotFast)?;
        }
        let draft = sheet.finish().map_err(|_| NotFast)?;
        if self.is_own(draft.external_id()) { Ok(Ok(draft)) } else { Err(NotFast) }
    }

    fn draft(
        &self,
        mapping: &Mapping,
        fast: &Fast,
        (entity, record): (Entity, &Record),
        (doc, held): (&Doc<'_>, Option<&Arc<Held>>),
        room: &mut Room,
    ) -> Result<Result<Draft, End>, NotFast> {
        let mut fields = Fields::new(entity);
        if !self.trees(fast, (doc, held), room, &mut fields)? {
            return Ok(Err(End::Skipped));
        }
        self.fast_exceptions(mapping, record, doc, room, &mut fields)?;
        Ok(self.finish(mapping, entity, record, fields))
    }

    /// Evaluates the scripts as trees; `false` when they leave the record out.
    fn trees<'a>(
        &'a self,
        fast: &'a Fast,
        (doc, held): (&'a Doc<'a>, Option<&Arc<Held>>),
        room: &mut Room,
        fields: &mut Fields<'a>,
    ) -> Result<bool, NotFast> {
        within_limits(doc)?;
        let mut whole = true;
        for program in &fast.programs {
            whole &= program.rest.is_none();
            let outcome = if program.is_mixed() {
                // The next script runs in the same room: nothing may be borrowed from it.
                let show = &mut |target: &Target, value: Value<'_>| {
                    put(fields, target, content(value)?.map(Content::into_owned));
                    Ok(())
                };
                room.mixed((&self.engine, &self.env), program, held.ok_or(NotFast)?, show)
            } else {
                program.run(doc, &self.env, |target, value| {
                    put(fields, target, content(value)?);
                    Ok(())
                })
            };
            match outcome {
                Ok(true) => {}
                // A field that is left to the interpreter could have failed before.
                Ok(false) | Err(Halt::Skip) if whole => return Ok(false),
                Ok(false) | Err(Halt::Skip | Halt::Fail) => return Err(NotFast),
            }
        }
        Ok(true)
    }

    /// Puts the exceptions over what trees have made.
    fn fast_exceptions(
        &self,
        mapping: &Mapping,
        record: &Record,
        doc: &Doc<'_>,
        room: &mut Room,
        fields: &mut Fields<'_>,
    ) -> Result<(), NotFast> {
        if mapping.exceptions.is_empty() {
            return Ok(());
        }
        let own = self.own_id(fields.entity(), record);
        for exception in &mapping.exceptions {
            if exception.is_about(fields, own.as_str()) {
                let value = room.evaluate(&self.engine, &exception.script.ast, doc);
                let show = &mut |target: &Target, value: Value<'_>| {
                    put(fields, target, content(value)?.map(Content::into_owned));
                    Ok(())
                };
                given(value.map_err(|_| NotFast)?, show).map_err(|_| NotFast)?;
            }
        }
        Ok(())
    }
}

/// A record that is larger than what the interpreter may hold is left to it.
fn within_limits(doc: &Doc<'_>) -> Result<(), NotFast> {
    let (values, bytes) = doc.size();
    let fits = values <= LIMITS.elements.min(LIMITS.entries) && bytes <= LIMITS.text_bytes;
    if fits { Ok(()) } else { Err(NotFast) }
}

/// Puts a field on the sheet; what does not fit fails, and is told by whoever puts the fields together.
#[inline]
fn note(sheet: &mut Sheet, target: &Target, value: Value<'_>) -> Result<(), Halt> {
    let at = match target {
        Target::Field(at) => Some(*at),
        Target::Name(name) => schema::position(sheet.entity(), name),
    };
    if let (Some(at), Value::Text(text)) = (at, &value) {
        let content = Content::Text(Cow::Borrowed(text));
        return sheet.set_at(at, &content).map_err(|_| Halt::Fail);
    }
    match (at, content(value)?) {
        (Some(at), Some(content)) => sheet.set_at(at, &content).map_err(|_| Halt::Fail),
        (Some(at), None) => {
            sheet.unset_at(at);
            Ok(())
        }
        (None, Some(_)) => Err(Halt::Fail),
        (None, None) => Ok(()),
    }
}

fn content(value: Value<'_>) -> Result<Option<Content<'_>>, Halt> {
    value.into_content().map_err(|_| Halt::Fail)
}

fn put<'a>(fields: &mut Fields<'a>, target: &Target, content: Option<Content<'a>>) {
    match (target, content) {
        (Target::Field(at), Some(content)) => fields.set_at(*at, content),
        (Target::Field(at), None) => fields.unset_at(*at),
        (Target::Name(name), Some(content)) => fields.set(name, content),
        (Target::Name(name), None) => fields.unset(name),
    }
}
