//! What is counted beyond the budgets of endpoints: the month's metered calls, and calls from one address.
//!
//! Not the budgets of single endpoints. The invariant: a call that is refused is not counted against the month.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::calendar::{civil, day_of};

const WINDOW_SECONDS: u64 = 20;
const BLOCK: Duration = Duration::from_mins(5);

/// Both counts.
#[derive(Debug, Default)]
pub(crate) struct Meter(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    month: (i64, i64),
    used: u64,
    window: u64,
    asked: u32,
    blocked_until: Duration,
}

impl Meter {
    /// Counts a metered call; `false` when the month has none left.
    pub(crate) fn admit_metered(&self, now: i64, most: u64) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (year, month, _) = civil(day_of(now));
        if state.month != (year, month) {
            (state.month, state.used) = ((year, month), 0);
        }
        let left = state.used < most;
        state.used += u64::from(left);
        left
    }

    /// Counts a call from the one address there is; `false` while it is blocked.
    pub(crate) fn admit_address(&self, uptime: Duration, most: u32) -> bool {
        if most == u32::MAX {
            return true;
        }
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if uptime < state.blocked_until {
            return false;
        }
        let window = uptime.as_secs() / WINDOW_SECONDS;
        if state.window != window {
            (state.window, state.asked) = (window, 0);
        }
        state.asked += 1;
        if state.asked > most {
            state.blocked_until = uptime + BLOCK;
            return false;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::{midnight, parse_date};

    #[test]
    fn a_month_is_used_up_until_the_next() {
        let meter = Meter::default();
        let at = |date| midnight(parse_date(date).unwrap());
        assert!(
            meter.admit_metered(at("2026-03-30"), 2) && meter.admit_metered(at("2026-03-31"), 2)
        );
        assert!(!meter.admit_metered(at("2026-03-31"), 2));
        assert!(meter.admit_metered(at("2026-04-01"), 2));
    }

    #[test]
    fn an_address_that_asks_too_much_is_blocked_for_five_minutes() {
        let meter = Meter::default();
        let at = |second| meter.admit_address(Duration::from_secs(second), 2);
        assert!(at(0) && at(1) && !at(2) && !at(100));
        assert!(at(303));
    }
}
