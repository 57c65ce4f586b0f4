//! Two mappings in one: the edited one for a canary, the one in force for everybody else.
//!
//! | record | goes by |
//! |---|---|
//! | department, employee | its own id |
//! | punch, day, leave | the employee that the mapping in force gives it |
//! | the same, which the mapping in force rejects or leaves out | the employee that the edited mapping gives it, if it does |
//!
//! A kind that only one of the two maps stays as it is in force: it begins or ends with the approval.

use std::sync::Arc;

use serde::Deserialize;

use crate::model::canary::Canary;
use crate::model::entity::Entity;
use crate::model::hash::ContentHash;
use crate::model::ids::{ConnectionId, ExternalId};
use crate::model::record::Record;
use crate::model::sources::Sources;
use crate::port::mapper::{Mapped, Mapper, Place, Traced};

/// The mapper of a connection while a canary runs.
pub struct CanaryMapper {
    connection: ConnectionId,
    in_force: Arc<dyn Mapper>,
    edited: Arc<dyn Mapper>,
    canary: Canary,
    id: ContentHash,
}

/// Whose a record is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    Canary,
    Others,
    /// The mapping in force does not tell.
    Untold,
}

#[derive(Deserialize)]
struct Owner {
    employee_external_id: ExternalId,
}

impl CanaryMapper {
    /// Maps the records of `canary` by `edited` and all others by `in_force`.
    pub fn new(
        connection: ConnectionId,
        in_force: Arc<dyn Mapper>,
        edited: Arc<dyn Mapper>,
        canary: Canary,
    ) -> Self {
        let id = canary.id();
        Self { connection, in_force, edited, canary, id }
    }

    /// The digests of a kind that both map, each in its own way.
    fn both(&self, entity: Entity) -> Option<[ContentHash; 2]> {
        let digests = [self.in_force.digest(entity)?, self.edited.digest(entity)?];
        (digests[0] != digests[1]).then_some(digests)
    }

    /// Whose a record is, of which the mapping in force makes `mapped`.
    fn whose(&self, entity: Entity, record: &Record, mapped: &Mapped) -> Whose {
        let here = match entity {
            Entity::Department => self.canary.departments.contains(record.id.as_str()),
            Entity::Employee => self.canary.people.contains(record.id.as_str()),
            Entity::CheckIn | Entity::AttendanceDay | Entity::Leave => match mapped {
                Mapped::Draft(_) => self.names_one(mapped),
                Mapped::Skipped | Mapped::Rejected(_) => return Whose::Untold,
            },
        };
        if here { Whose::Canary } else { Whose::Others }
    }

    /// Whether a draft of attendance names somebody of the canary.
    fn names_one(&self, mapped: &Mapped) -> bool {
        let Mapped::Draft(draft) = mapped else { return false };
        serde_json::from_slice::<Owner>(draft.json()).is_ok_and(
            |Owner { employee_external_id: id }| {
                let source = id.source();
                id == ExternalId::of(&self.connection, Entity::Employee, source)
                    && self.canary.people.contains(source)
            },
        )
    }

    /// The one of the two mappings that a record goes by.
    fn side(&self, entity: Entity, record: &Record) -> &dyn Mapper {
        if self.in_canary(entity, record) { &*self.edited } else { &*self.in_force }
    }
}

impl Mapper for CanaryMapper {
    fn entities(&self) -> Vec<Entity> {
        self.in_force.entities()
    }

    fn digest(&self, entity: Entity) -> Option<ContentHash> {
        match self.both(entity) {
            Some([old, new]) => Some(ContentHash::of_parts([&old.0[..], &new.0, &self.id.0])),
            None => self.in_force.digest(entity),
        }
    }

    fn sources(&self) -> Option<&Sources> {
        self.in_force.sources()
    }

    fn canary(&self) -> Option<&Canary> {
        Some(&self.canary)
    }

    fn in_canary(&self, entity: Entity, record: &Record) -> bool {
        if self.both(entity).is_none() {
            return false;
        }
        let one = |mapper: &dyn Mapper| mapper.map(entity, std::slice::from_ref(record)).pop();
        let old = one(&*self.in_force).unwrap_or(Mapped::Skipped);
        match self.whose(entity, record, &old) {
            Whose::Canary => true,
            Whose::Others => false,
            Whose::Untold => one(&*self.edited).is_some_and(|new| self.names_one(&new)),
        }
    }

    fn place(&self, entity: Entity, field: &str) -> Option<Place> {
        self.in_force.place(entity, field)
    }

    fn trace(&self, entity: Entity, record: &Record) -> Vec<Traced> {
        self.side(entity, record).trace(entity, record)
    }

    fn skipped_at(&self, entity: Entity, record: &Record) -> Option<Place> {
        self.side(entity, record).skipped_at(entity, record)
    }

    fn map(&self, entity: Entity, records: &[Record]) -> Vec<Mapped> {
        let mut mapped = self.in_force.map(entity, records);
        if self.both(entity).is_none() {
            return mapped;
        }
        let mut at = Vec::new();
        let mut tried = Vec::new();
        for (nth, (record, old)) in records.iter().zip(&mapped).enumerate() {
            let whose = self.whose(entity, record, old);
            if whose != Whose::Others {
                at.push((nth, whose));
                tried.push(record.clone());
            }
        }
        for ((nth, whose), new) in at.into_iter().zip(self.edited.map(entity, &tried)) {
            if whose == Whose::Canary || self.names_one(&new) {
                mapped[nth] = new;
            }
        }
        mapped
    }
}

#[cfg(test)]
mod tests;
