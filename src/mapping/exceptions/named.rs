//! Whom exceptions name, and whom stored records show.
//!
//! Not here: where records come from. The invariant: an exception is only called one about nobody when every record that
//! could be meant was looked at, and it was clear which external id each has.

use std::collections::BTreeSet;

use super::{Exception, ExceptionState};
use crate::mapping::fault::{Fault, Severity};
use crate::mapping::generation::Generation;
use crate::model::draft::{Content, Fields};
use crate::model::entity::Entity;
use crate::model::ids::{ConnectionId, ExternalId, SourceId};

/// Ids that one finding names.
const NAMED: usize = 3;

/// Which of the records that exceptions name were seen.
#[derive(Clone, Debug, Default)]
pub struct Sightings {
    wanted: BTreeSet<String>,
    seen: BTreeSet<String>,
    /// What has records at all: kind and connection.
    stocked: BTreeSet<(Entity, String)>,
    /// Kinds whose external ids only a mapping knows that nothing could watch.
    unclear: BTreeSet<Entity>,
}

impl Sightings {
    /// Takes in a stored record by the id that it has unless its mapping gives it another one.
    pub fn see(&mut self, connection: &ConnectionId, entity: Entity, id: &SourceId) {
        if self.wanted.is_empty() {
            return;
        }
        self.see_id(ExternalId::of(connection, entity, id.as_str()).as_str());
        if !self.stocked.iter().any(|(kind, of)| *kind == entity && of == connection.as_str()) {
            self.stocked.insert((entity, connection.as_str().to_owned()));
        }
    }

    /// Takes note that the mapping of a kind could not be watched.
    pub fn unclear(&mut self, entity: Entity) {
        self.unclear.insert(entity);
    }

    /// Takes in what the mapping made of a record: its id and its departments.
    pub(crate) fn see_fields(&mut self, fields: &Fields<'_>) {
        if let Some(Content::Text(id)) = fields.value("external_id") {
            self.see_id(id);
        }
        if let Some(Content::List(departments)) = fields.value("department_external_ids") {
            for department in departments {
                if let Content::Text(id) = department {
                    self.see_id(id);
                }
            }
        }
    }

    fn see_id(&mut self, id: &str) {
        if self.wanted.contains(id) && !self.seen.contains(id) {
            self.seen.insert(id.to_owned());
        }
    }

    /// Whether it is certain that no stored record has this id.
    fn is_nobody(&self, id: &str) -> bool {
        let mut parts = id.splitn(3, ':');
        let of = parts.next().unwrap_or_default();
        let Some(kind) = parts.next().and_then(Entity::parse) else { return false };
        let stocked = self.stocked.contains(&(kind, of.to_owned()));
        stocked && !self.unclear.contains(&kind) && !self.seen.contains(id)
    }
}

impl Generation {
    /// What to look for in stored records: whom the exceptions name that have not ended.
    pub fn sightings(&self) -> Sightings {
        let ids = self.lasting().flat_map(|exception| exception.whom.ids());
        Sightings { wanted: ids.cloned().collect(), ..Sightings::default() }
    }

    /// Exceptions about people and departments that no stored record knows.
    pub fn strangers(&self, sightings: &Sightings) -> Vec<Fault> {
        let faults = self.lasting().filter_map(|exception| stranger(exception, sightings));
        let mut faults: Vec<Fault> = faults.collect();
        faults.sort_by_key(|fault| fault.place().line);
        faults
    }

    /// The exceptions that are in force or will be.
    pub(crate) fn lasting(&self) -> impl Iterator<Item = &Exception> {
        let waiting = self.idle.iter().filter(|one| one.state == ExceptionState::Waiting);
        self.mappings.values().flat_map(|mapping| &mapping.exceptions).chain(waiting)
    }
}

fn stranger(exception: &Exception, sightings: &Sightings) -> Option<Fault> {
    let ids = exception.whom.ids();
    let nobody: Vec<&str> =
        ids.iter().map(String::as_str).filter(|id| sightings.is_nobody(id)).collect();
    let first = nobody.first()?;
    let named: Vec<String> = nobody.iter().take(NAMED).map(|id| format!("`{id}`")).collect();
    let more = if nobody.len() > NAMED { ", .." } else { "" };
    let message = format!("no stored record is {}{more}", named.join(" or "));
    let text = exception.file().text.as_str();
    let block = text.get(exception.block.clone()).unwrap_or_default();
    let at = block.find(first).map(|at| exception.block.start + at);
    let fault = Fault::of(
        exception.file(),
        Some(at.unwrap_or(exception.block.start)),
        "mapping::exception_nobody",
        message,
    );
    Some(fault.severe(Severity::Warning).label("not known").help(
        "`rollcall explain` with a name or number shows the external id; keep it if the record is still to come",
    ))
}
