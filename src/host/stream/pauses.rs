//! How long to wait before a connection is tried again.
//!
//! The invariant: a wait is bounded from below and above, and many connections do not come back at the same moment.

use std::time::Duration;

use crate::host::random::{Randomness, share};

/// The waits while a platform cannot be reached: doubling, half fixed, half spread.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_mins(1);
/// While somebody has to change something first.
const FOR_PEOPLE: Duration = Duration::from_mins(5);
/// A connection that lived so long was a good one.
pub(super) const GOOD: Duration = Duration::from_secs(30);

/// The waits of one connection.
#[derive(Default)]
pub(super) struct Pauses {
    failures: u32,
}

impl Pauses {
    /// The next connection may be tried without delay.
    pub(super) fn went_well(&mut self) {
        self.failures = 0;
    }

    /// The wait after a connection that could not be made.
    pub(super) fn after_failure(
        &mut self,
        needs_people: bool,
        random: &dyn Randomness,
    ) -> Duration {
        let step = if needs_people {
            FOR_PEOPLE
        } else {
            FIRST.saturating_mul(1 << self.failures.min(16)).min(LONGEST)
        };
        self.failures = self.failures.saturating_add(1);
        step.mul_f64(0.5 + share(random) / 2.0)
    }

    /// The wait after a connection that was lost: as after a failure, spread as the platform asks.
    pub(super) fn after_loss(&mut self, spread: Duration, random: &dyn Randomness) -> Duration {
        self.after_failure(false, random).max(spread.mul_f64(share(random)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Always(u8);
    impl Randomness for Always {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    #[test]
    fn waits_double_to_a_minute_and_begin_anew_after_a_good_connection() {
        let mut pauses = Pauses::default();
        let mut wait = || pauses.after_failure(false, &Always(0xff)).as_secs();
        assert_eq!([(); 8].map(|()| wait()), [1, 2, 4, 8, 16, 32, 60, 60]);
        pauses.went_well();
        assert_eq!(pauses.after_failure(false, &Always(0)), FIRST / 2);
    }

    #[test]
    fn what_people_must_mend_is_not_hammered() {
        let mut pauses = Pauses::default();
        assert_eq!(pauses.after_failure(true, &Always(0)), FOR_PEOPLE / 2);
    }

    #[test]
    fn a_loss_is_spread_as_the_platform_asks() {
        let spread = Duration::from_secs(30);
        assert_eq!(Pauses::default().after_loss(spread, &Always(0xff)), spread);
        assert_eq!(Pauses::default().after_loss(spread, &Always(0)), FIRST / 2);
    }
}
