//! Request budgets per endpoint, over two windows, as platforms keep them.
//!
//! Not back-off: it only says no, and for how long. The invariant: hitting either window refuses the request and
//! does not use up the other.

use std::collections::HashMap;
use std::time::Duration;

use crate::endpoint::Endpoint;

/// Which budgets are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RateLimits {
    /// None; for benchmarks.
    #[default]
    Off,
    /// The ones that the platform documents.
    Documented,
    /// The same for every endpoint that needs a token.
    Each {
        /// Requests a second.
        per_second: u32,
        /// Requests a minute.
        per_minute: u32,
    },
}

/// A refused request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exceeded {
    pub limit: u32,
    /// Seconds until the window ends, at least 1.
    pub reset: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Limiter {
    windows: HashMap<(Endpoint, u64), Window>,
}

/// One window's number and what was used in it.
#[derive(Clone, Copy, Debug, Default)]
struct Window {
    number: u64,
    used: u32,
}

/// What an endpoint may be asked: window lengths in seconds, each with its number of requests.
pub(crate) type Budget = [(u64, u32); 2];

/// No limit at all.
pub(crate) const UNLIMITED: Budget = [(1, u32::MAX), (60, u32::MAX)];

impl RateLimits {
    fn of(self, endpoint: Endpoint, documented: Budget) -> Budget {
        match self {
            _ if endpoint.hands_out_tokens() => UNLIMITED,
            Self::Each { per_second, per_minute } => [(1, per_second), (60, per_minute)],
            Self::Documented => documented,
            Self::Off => UNLIMITED,
        }
    }
}

impl Limiter {
    pub(crate) fn admit(
        &mut self,
        limits: RateLimits,
        endpoint: Endpoint,
        documented: Budget,
        uptime: Duration,
    ) -> Result<(), Exceeded> {
        if limits == RateLimits::Off {
            return Ok(());
        }
        let windows = limits.of(endpoint, documented);
        let second = uptime.as_secs();
        for (length, limit) in windows {
            let window = self.window(endpoint, length, second);
            if window.used >= limit {
                return Err(Exceeded { limit, reset: length - second % length });
            }
        }
        for (length, _) in windows {
            self.window(endpoint, length, second).used += 1;
        }
        Ok(())
    }

    fn window(&mut self, endpoint: Endpoint, length: u64, second: u64) -> &mut Window {
        let window = self.windows.entry((endpoint, length)).or_default();
        if window.number != second / length {
            *window = Window { number: second / length, used: 0 };
        }
        window
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Endpoint = Endpoint::new("one", 0, false);
    const TOKEN: Endpoint = Endpoint::new("token", 1, true);

    fn admit(limiter: &mut Limiter, at: u64) -> Result<(), Exceeded> {
        let limits = RateLimits::Each { per_second: 2, per_minute: 3 };
        limiter.admit(limits, ONE, UNLIMITED, Duration::from_secs(at))
    }

    #[test]
    fn either_window_refuses() {
        let mut limiter = Limiter::default();
        assert_eq!(admit(&mut limiter, 0), Ok(()));
        assert_eq!(admit(&mut limiter, 0), Ok(()));
        assert_eq!(admit(&mut limiter, 0), Err(Exceeded { limit: 2, reset: 1 }));
        assert_eq!(admit(&mut limiter, 1), Ok(()));
        assert_eq!(admit(&mut limiter, 20), Err(Exceeded { limit: 3, reset: 40 }));
        assert_eq!(admit(&mut limiter, 60), Ok(()));
    }

    #[test]
    fn documented_limits_spare_undocumented_calls_and_tokens() {
        let mut limiter = Limiter::default();
        let mut passed = |endpoint, documented| {
            let mut ask = |_: &u32| {
                limiter.admit(RateLimits::Documented, endpoint, documented, Duration::ZERO).is_ok()
            };
            (0..2_000).filter(&mut ask).count()
        };
        let budget = [(1, 50), (60, 1_000)];
        assert_eq!(passed(ONE, budget), 50);
        assert_eq!(passed(TOKEN, budget), 2_000);
        assert_eq!(passed(Endpoint::new("other", 2, false), UNLIMITED), 2_000);
    }
}
