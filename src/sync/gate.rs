//! Judges a whole plan before its first write. Pure.

use crate::config::Gate;
use crate::model::entity::Entity;
use crate::model::plan::{Tallies, Tally};

/// Why a plan is held.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Held {
    /// The kind of record.
    pub entity: Entity,
    /// How many would end.
    pub retire: u64,
    /// Of how many.
    pub known: u64,
}

impl std::fmt::Display for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { entity, retire, known } = self;
        write!(
            f,
            "{retire} of {known} {entity} records would be retired, more than the gate allows"
        )
    }
}

/// Every kind that the gate holds. `known` tells how many records of a kind stand.
pub fn judge(plan: &Tallies, known: impl Fn(Entity) -> u64, gate: &Gate) -> Vec<Held> {
    let mut held = Vec::new();
    for (&entity, &Tally { retire, .. }) in plan {
        let known = known(entity);
        if gate.holds(retire, known) {
            held.push(Held { entity, retire, known });
        }
    }
    held
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(retire: u64, known: u64) -> bool {
        let plan = Tallies::from([(Entity::Employee, Tally { retire, ..Tally::default() })]);
        !judge(&plan, |_| known, &Gate::default()).is_empty()
    }

    #[test]
    fn a_few_leavers_pass_in_a_small_company() {
        assert!(!held(5, 8));
    }

    #[test]
    fn a_usual_share_passes_in_a_large_company() {
        assert!(!held(400, 4_410));
    }

    #[test]
    fn a_listing_that_lost_four_fifths_is_held() {
        assert!(held(3_528, 4_410));
    }

    #[test]
    fn creations_and_updates_are_never_held() {
        let tally = Tally { create: 1_000, update: 1_000, retire: 0 };
        assert_eq!(
            judge(&Tallies::from([(Entity::Employee, tally)]), |_| 10, &Gate::default()),
            []
        );
    }
}
