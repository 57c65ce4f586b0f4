//! The objects that a targeted run looks at. Pure.
//!
//! What this is not: an order to write or to retire; only what the platform says of these objects counts. The one invariant:
//! each object is there once, however many hints named it.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::entity::Entity;
use crate::model::hint::Hint;
use crate::model::ids::SourceId;

/// Objects by kind; for attendance kinds the people whose attendance is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Targets(BTreeMap<Entity, BTreeSet<SourceId>>);

impl Targets {
    /// Adds what a hint names. That it is gone changes nothing: it is looked at all the same.
    pub fn add(&mut self, hint: Hint) {
        self.0.entry(hint.entity).or_default().insert(hint.id);
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.0.values().map(BTreeSet::len).sum()
    }

    /// Whether there is nothing to look at.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The objects of a kind, in order.
    pub fn of(&self, entity: Entity) -> impl Iterator<Item = &SourceId> {
        self.0.get(&entity).into_iter().flatten()
    }

    /// The attendance kinds and the people of each.
    pub fn attendance(&self) -> impl Iterator<Item = (Entity, &BTreeSet<SourceId>)> {
        let people = |(&entity, people)| match entity {
            Entity::Department | Entity::Employee => None,
            Entity::CheckIn | Entity::AttendanceDay | Entity::Leave => Some((entity, people)),
        };
        self.0.iter().filter_map(people)
    }
}

impl FromIterator<Hint> for Targets {
    fn from_iter<I: IntoIterator<Item = Hint>>(hints: I) -> Self {
        let mut targets = Self::default();
        hints.into_iter().for_each(|hint| targets.add(hint));
        targets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint(entity: Entity, id: &str, gone: bool) -> Hint {
        Hint { entity, id: SourceId::parse(id).unwrap(), gone }
    }

    #[test]
    fn hints_of_one_object_make_one_target() {
        let targets: Targets = [
            hint(Entity::Employee, "u1", false),
            hint(Entity::Employee, "u1", true),
            hint(Entity::CheckIn, "u1", false),
        ]
        .into_iter()
        .collect();
        assert_eq!(targets.len(), 2);
        assert_eq!(targets.of(Entity::Employee).count(), 1);
        assert_eq!(
            targets.attendance().map(|(entity, _)| entity).collect::<Vec<_>>(),
            [Entity::CheckIn]
        );
        assert!(Targets::default().is_empty());
    }
}
