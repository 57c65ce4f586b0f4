//! The section `gate`: when a plan is held back before its first write.

use serde::{Deserialize, Serialize};

use super::units::Percent;

/// How many records may end at once. The rule, for each connection and entity of a plan on its own, with *known* the records
/// that were in force before the plan and *ending* those of them that it retires: the plan is held when
///
/// 1. *ending* is greater than `retire_count` **and** greater than `retire_share` of *known*, or
/// 2. *ending* is all of *known*, and that is more than one record.
///
/// A held plan writes nothing at all, of no entity. `retire_share: 100%` switches the gate off, both lines of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Gate {
    /// The share of the known records that may end.
    pub retire_share: Percent,
    /// The number of records that may end whatever their share.
    pub retire_count: u64,
}

impl Default for Gate {
    fn default() -> Self {
        Self { retire_share: Percent::whole(10), retire_count: 20 }
    }
}

impl Gate {
    /// Whether a plan that ends `ending` of `known` records of one entity is held.
    pub fn holds(&self, ending: u64, known: u64) -> bool {
        if self.retire_share >= Percent::whole(100) {
            return false;
        }
        let share = u128::from(self.retire_share.hundredths());
        let above_share = u128::from(ending) * 10_000 > share * u128::from(known);
        let everyone = ending >= known && ending > 1;
        (ending > self.retire_count && above_share) || everyone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(share: &str, count: u64) -> Gate {
        Gate { retire_share: share.parse().unwrap(), retire_count: count }
    }

    #[test]
    fn a_plan_is_held_above_both_share_and_count() {
        let gate = gate("10%", 20);
        assert!(gate.holds(21, 209));
        assert!(!gate.holds(21, 210), "exactly the share passes");
        assert!(!gate.holds(20, 21), "exactly the count passes");
        assert!(!gate.holds(400, 4_410));
        assert!(gate.holds(442, 4_410));
    }

    #[test]
    fn a_plan_that_ends_everyone_is_held_even_in_a_small_firm() {
        assert!(gate("10%", 20).holds(12, 12));
        assert!(gate("10%", 20).holds(2, 2));
        assert!(!gate("10%", 20).holds(1, 1));
        assert!(!gate("10%", 20).holds(0, 0));
    }

    #[test]
    fn a_share_of_the_whole_switches_the_gate_off() {
        assert!(!gate("100%", 0).holds(4_410, 4_410));
    }

    #[test]
    fn zero_and_zero_hold_every_retirement() {
        assert!(gate("0%", 0).holds(1, 100_000));
        assert!(gate("0%", 0).holds(u64::MAX, u64::MAX));
    }
}
