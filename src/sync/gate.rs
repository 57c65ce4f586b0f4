//! Judges a whole plan before its first write. Pure.

use crate::model::entity::Entity;
use crate::model::plan::Tallies;

/// How much a plan may end without being held.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// The share of the known records of a kind that may retire, 0 to 1.
    pub retire_share: f64,
    /// So many may always retire, whatever their share.
    pub retire_count: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { retire_share: 0.1, retire_count: 20 }
    }
}

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

/// Every kind whose retirements exceed both the count and the share. `known` tells how many records of a kind stand.
pub fn judge(plan: &Tallies, known: impl Fn(Entity) -> u64, limits: &Limits) -> Vec<Held> {
    let mut held = Vec::new();
    for (&entity, tally) in plan {
        let known = known(entity);
        if tally.retire > limits.retire_count && exceeds(tally.retire, known, limits.retire_share) {
            held.push(Held { entity, retire: tally.retire, known });
        }
    }
    held
}

#[expect(clippy::cast_precision_loss, reason = "shares of head counts need no more than 52 bits")]
fn exceeds(part: u64, whole: u64, share: f64) -> bool {
    part as f64 > whole as f64 * share
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::plan::Tally;

    fn held(retire: u64, known: u64) -> bool {
        let plan = Tallies::from([(Entity::Employee, Tally { retire, ..Tally::default() })]);
        !judge(&plan, |_| known, &Limits::default()).is_empty()
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
            judge(&Tallies::from([(Entity::Employee, tally)]), |_| 10, &Limits::default()),
            []
        );
    }
}
