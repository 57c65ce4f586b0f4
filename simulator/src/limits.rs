//! Request budgets per endpoint, a second and a minute, as the platform keeps them.
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
    /// The documented ones: 1,000 a minute and 50 a second for `find_by_department`, 50 a second for punches and
    /// day results.
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

impl RateLimits {
    /// Window lengths in seconds, each with its limit.
    fn of(self, endpoint: Endpoint) -> [(u64, u32); 2] {
        const NONE: u32 = u32::MAX;
        let exempt =
            matches!(endpoint, Endpoint::TenantToken | Endpoint::AppToken | Endpoint::Unknown);
        match (self, endpoint) {
            _ if exempt => [(1, NONE), (60, NONE)],
            (Self::Each { per_second, per_minute }, _) => [(1, per_second), (60, per_minute)],
            (Self::Documented, Endpoint::UsersByDepartment) => [(1, 50), (60, 1_000)],
            (Self::Documented, Endpoint::UserFlows | Endpoint::UserFlow | Endpoint::UserTasks) => {
                [(1, 50), (60, NONE)]
            }
            (Self::Documented | Self::Off, _) => [(1, NONE), (60, NONE)],
        }
    }
}

impl Limiter {
    pub(crate) fn admit(
        &mut self,
        limits: RateLimits,
        endpoint: Endpoint,
        uptime: Duration,
    ) -> Result<(), Exceeded> {
        if limits == RateLimits::Off {
            return Ok(());
        }
        let windows = limits.of(endpoint);
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

    fn admit(limiter: &mut Limiter, at: u64) -> Result<(), Exceeded> {
        let limits = RateLimits::Each { per_second: 2, per_minute: 3 };
        limiter.admit(limits, Endpoint::Children, Duration::from_secs(at))
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
    fn documented_limits_spare_undocumented_calls() {
        let mut limiter = Limiter::default();
        let mut passed = |endpoint| {
            (0..2_000)
                .filter(|_| limiter.admit(RateLimits::Documented, endpoint, Duration::ZERO).is_ok())
                .count()
        };
        assert_eq!(passed(Endpoint::UserFlows), 50);
        assert_eq!(passed(Endpoint::UsersByDepartment), 50);
        assert_eq!(passed(Endpoint::Children), 2_000);
    }
}
