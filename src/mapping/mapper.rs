//! The mappings of one connection, ready to run: records in, drafts out.
//!
//! Not here: loading (`generation`), and records with trees (`fast`). The invariant: the outcome of a record depends on the
//! record and on the digest, on nothing else; one bad record never touches the next.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use rhai::{Dynamic, Engine, Position};

use super::exceptions::Exception;
use super::explain::{Cause, End, explain, reject};
use super::fast::{Fast, Slow};
use super::interpret::Room;
use super::library::Env;
use super::projection::Projection;
use super::script::Script;
use super::tape::{Doc, Tape};
use super::trace;
use super::value::Value;
use crate::model::draft::{Content, Draft, Fields, Violation};
use crate::model::entity::Entity;
use crate::model::hash::ContentHash;
use crate::model::ids::ExternalId;
use crate::model::record::Record;
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
pub(super) struct Desk {
    pub(super) tape: Tape,
    pub(super) text: String,
    pub(super) room: Room,
    pub(super) sheet: Sheet,
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

    pub(super) fn is_own(&self, id: &ExternalId) -> bool {
        id.is_from(&self.env.connection)
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
