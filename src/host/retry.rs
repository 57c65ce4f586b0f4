//! Repeating a call that met a busy or failing platform.
//!
//! The invariant: attempts and total time are bounded, and a wait is never shorter than the platform asked.

use std::time::Duration;

use tokio::time::Instant;

use super::limits::RetryLimits;
use super::random::{Randomness, share};

/// The attempts of one call.
pub(super) struct Attempts {
    limits: RetryLimits,
    made: u32,
    until: Instant,
}

impl Attempts {
    pub(super) fn begin(limits: RetryLimits) -> Self {
        Self { limits, made: 1, until: Instant::now() + limits.total }
    }

    /// How long to wait before the next attempt; `None` when there is none.
    pub(super) fn next(
        &mut self,
        asked: Option<Duration>,
        random: &dyn Randomness,
    ) -> Option<Duration> {
        if self.made >= self.limits.attempts {
            return None;
        }
        let step =
            self.limits.first.saturating_mul(1 << (self.made - 1).min(16)).min(self.limits.longest);
        self.made += 1;
        // Half fixed, half spread: many connections do not come back at the same moment.
        let own = step.mul_f64(0.5 + share(random) / 2.0);
        let wait = match asked {
            Some(asked) => asked + self.limits.first.min(asked).mul_f64(share(random) / 2.0),
            None => own,
        };
        (Instant::now() + wait <= self.until).then_some(wait)
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

    const LIMITS: RetryLimits = RetryLimits {
        attempts: 5,
        first: Duration::from_millis(500),
        longest: Duration::from_secs(2),
        total: Duration::from_mins(1),
    };

    fn waits(limits: RetryLimits, asked: Option<Duration>, random: u8) -> Vec<Duration> {
        let mut attempts = Attempts::begin(limits);
        std::iter::from_fn(|| attempts.next(asked, &Always(random))).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn waits_double_up_to_the_longest_and_are_spread() {
        let ms = |all: &[u64]| all.iter().map(|&it| Duration::from_millis(it)).collect::<Vec<_>>();
        assert_eq!(waits(LIMITS, None, 0xff), ms(&[500, 1000, 2000, 2000]));
        assert_eq!(waits(LIMITS, None, 0), ms(&[250, 500, 1000, 1000]));
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_platform_asks_is_honoured_and_never_shortened() {
        let asked = Duration::from_secs(7);
        for random in [0, 0xff] {
            let waits = waits(LIMITS, Some(asked), random);
            assert_eq!(waits.len(), 4);
            assert!(
                waits.iter().all(|&wait| wait >= asked && wait < asked + Duration::from_secs(1))
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn no_wait_begins_that_would_outlast_the_total() {
        assert_eq!(waits(LIMITS, Some(Duration::from_secs(61)), 0), vec![]);
        let limits = RetryLimits { attempts: 1, ..LIMITS };
        assert_eq!(waits(limits, None, 0), vec![]);
    }
}
