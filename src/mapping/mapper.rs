//! The mappings of one connection, ready to run: records in, drafts out.
//!
//! Not here: loading (`generation`). The invariant: the outcome of a record depends on the record and on the digest,
//! on nothing else; one bad record never touches the next.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use rhai::{Dynamic, Engine, Position};

use super::compiled::{Halt, Program, Target, Unsupported};
use super::engine::LIMITS;
use super::exceptions::Exception;
use super::explain::{Cause, End, explain, reject};
use super::interpret::{Room, given};
use super::library::Env;
use super::projection::Projection;
use super::script::Script;
use super::tape::{Doc, Held, Tape};
use super::trace;
use super::value::Value;
use crate::model::draft::{Content, Draft, Fields, Violation};
use crate::model::entity::Entity;
use crate::model::hash::ContentHash;
use crate::model::ids::ExternalId;
use crate::model::record::Record;
use crate::model::schema;
use crate::model::sheet::Sheet;
use crate::model::sources::{LayerKind, Sources};
use crate::port::mapper::{Mapped, Mapper, Place, Reject, Traced};

/// The scripts of one entity, the base first.
#[derive(Debug)]
pub(crate) struct Mapping {
    pub(crate) scripts: Vec<Script>,
    /// Where each comes from.
    pub(crate) layers: Vec<LayerKind>,
    /// The exceptions in force, in the order in which they apply.
    pub(crate) exceptions: Vec<Exception>,
    /// What the interpreter reads of a record.
    pub(crate) projection: Projection,
    /// The fast path, if every script has one.
    pub(crate) fast: Result<Fast, Slow>,
}

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
struct NotFast;

/// The mapper of one connection.
pub(crate) struct ConnectionMapper {
    pub(crate) mappings: Arc<BTreeMap<Entity, Mapping>>,
    pub(crate) digests: BTreeMap<Entity, ContentHash>,
    pub(crate) sources: Sources,
    pub(crate) env: Arc<Env>,
    pub(crate) engine: Engine,
}

impl Mapper for ConnectionMapper {
    fn entities(&self) -> Vec<Entity> {
        self.mappings.keys().copied().collect()
    }

    fn digest(&self, entity: Entity) -> Option<ContentHash> {
        self.digests.get(&entity).copied()
    }

    fn sources(&self) -> Option<&Sources> {
        Some(&self.sources)
    }

    fn place(&self, entity: Entity, field: &str) -> Option<Place> {
        let scripts = &self.mappings.get(&entity)?.scripts;
        scripts.iter().rev().find_map(|script| script.place_of(field))
    }

    fn trace(&self, entity: Entity, record: &Record) -> Vec<Traced> {
        let mapping = self.mappings.get(&entity);
        mapping.map(|mapping| trace::fields(self, entity, mapping, record)).unwrap_or_default()
    }

    fn skipped_at(&self, entity: Entity, record: &Record) -> Option<Place> {
        trace::skipped_at(self, self.mappings.get(&entity)?, record)
    }

    fn map(&self, entity: Entity, records: &[Record]) -> Vec<Mapped> {
        let Some(mapping) = self.mappings.get(&entity) else {
            return vec![Mapped::Skipped; records.len()];
        };
        let room = Room::new(&self.env.zone_name);
        let sheet = Sheet::new(entity);
        let mut desk = Desk { tape: Tape::default(), text: String::new(), room, sheet };
        records
            .iter()
            .map(|record| match self.one(mapping, entity, record, &mut desk) {
                Ok(draft) => Mapped::Draft(draft),
                Err(End::Skipped) => Mapped::Skipped,
                Err(End::Rejected(reject)) => Mapped::Rejected(*reject),
            })
            .collect()
    }
}

/// What is used again for every record of a batch.
struct Desk {
    tape: Tape,
    text: String,
    room: Room,
    sheet: Sheet,
}

impl ConnectionMapper {
    fn one(
        &self,
        mapping: &Mapping,
        entity: Entity,
        record: &Record,
        desk: &mut Desk,
    ) -> Result<Draft, End> {
        let text = simdutf8::basic::from_utf8(&record.payload).map_err(|_| {
            payload("the record is no UTF-8; the connector handed over something else")
        })?;
        if let Ok(fast) = &mapping.fast
            // If not, the interpreter tells what is wrong, if anything is.
            && let Ok(end) = self.fast(mapping, fast, (entity, record, text), desk)
        {
            return end;
        }
        let Desk { tape, room, .. } = desk;
        let doc =
            tape.parse(text, &mapping.projection).map_err(|error| payload(error.to_string()))?;
        let mut fields = Fields::new(entity);
        for script in &mapping.scripts {
            self.fill(script, &doc, room, &mut fields)?;
        }
        let own = self.own_id(entity, record);
        for exception in &mapping.exceptions {
            if exception.is_about(&fields, own.as_str()) {
                self.fill(&exception.script, &doc, room, &mut fields)?;
            }
        }
        self.finish(mapping, entity, record, fields)
    }

    /// Maps a record with trees.
    fn fast(
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

    /// The external id of a record whose mapping sets none.
    pub(super) fn own_id(&self, entity: Entity, record: &Record) -> ExternalId {
        ExternalId::of(&self.env.connection, entity, record.id.as_str())
    }

    pub(super) fn finish(
        &self,
        mapping: &Mapping,
        entity: Entity,
        record: &Record,
        mut fields: Fields<'_>,
    ) -> Result<Draft, End> {
        if !fields.has("external_id") {
            let own = self.own_id(entity, record);
            fields.set("external_id", Content::Text(Cow::Owned(own.as_str().to_owned())));
        }
        let draft = Draft::try_new(&fields).map_err(|violations| parked(mapping, &violations))?;
        if self.is_own(draft.external_id()) {
            Ok(draft)
        } else {
            Err(parked(mapping, &[foreign(&self.env)]))
        }
    }

    /// Evaluates a script and puts its fields over those of the scripts before.
    pub(super) fn fill(
        &self,
        script: &Script,
        doc: &Doc<'_>,
        room: &mut Room,
        fields: &mut Fields<'static>,
    ) -> Result<(), End> {
        let value = room
            .evaluate(&self.engine, &script.ast, doc)
            .map_err(|error| explain(script, &error))?;
        if value.is_unit() {
            return Err(End::Skipped);
        }
        let Some(map) = value.clone().try_cast::<rhai::Map>() else {
            return Err(no_map(script, &value));
        };
        for (name, value) in map {
            set(script, fields, &name, value)?;
        }
        Ok(())
    }

    fn is_own(&self, id: &ExternalId) -> bool {
        id.is_from(&self.env.connection)
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

fn set(
    script: &Script,
    fields: &mut Fields<'static>,
    name: &str,
    value: Dynamic,
) -> Result<(), End> {
    match Value::from_dynamic(value).into_content() {
        Ok(Some(content)) => fields.set(name, content),
        Ok(None) => fields.unset(name),
        Err(kind) => {
            let cause = Cause {
                code: "mapping::type",
                message: format!("the field's value is {kind}; call it, or use its result"),
            };
            let mut reject = reject(script, Position::NONE, Position::NONE, cause);
            reject.field = Some(name.to_owned());
            reject.place = script.place_of(name);
            return Err(End::Rejected(Box::new(reject)));
        }
    }
    Ok(())
}

fn no_map(script: &Script, value: &Dynamic) -> End {
    let cause = Cause {
        code: "mapping::no_value",
        message: format!(
            "the script's value is {}; it has to be the fields, `#{{ .. }}`, or `()` to leave the record out",
            Value::of(value).kind()
        ),
    };
    End::Rejected(Box::new(reject(script, Position::NONE, Position::NONE, cause)))
}

fn payload(message: impl Into<String>) -> End {
    End::Rejected(Box::new(Reject {
        code: "mapping::payload".to_owned(),
        field: None,
        message: message.into(),
        place: None,
    }))
}

fn foreign(env: &Env) -> Violation {
    Violation {
        code: "schema::id",
        field: "external_id".to_owned(),
        problem: format!(
            "belongs to another connection than `{}`; use `id(..)` to make one",
            env.connection
        ),
    }
}

/// What the schema refuses, all of it in one rejection, at the line of the first field.
fn parked(mapping: &Mapping, violations: &[Violation]) -> End {
    let messages: Vec<String> = violations.iter().map(ToString::to_string).collect();
    let first = violations.first();
    let field = first.map(|violation| violation.field.clone());
    let place = field
        .as_deref()
        .and_then(|field| mapping.scripts.iter().rev().find_map(|script| script.place_of(field)));
    End::Rejected(Box::new(Reject {
        code: first.map_or("schema::type", |violation| violation.code).to_owned(),
        field,
        message: messages.join("; "),
        place,
    }))
}
