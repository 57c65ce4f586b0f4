//! WeCom's documented request budgets.
//!
//! Not their keeping, and not the minute for which an exceeded one stays closed: a window's end reopens it. The
//! invariant: a call without a limit of its own has the one that all calls of a company have.

use super::Endpoint;
use crate::limits::Budget;

const fn a_minute(calls: u32) -> Budget {
    [(1, u32::MAX), (60, calls)]
}

/// 600 a minute for punches, 100 for day reports, 60 for rules, 10,000 for everything else. None is stated for the
/// log of machines.
pub(crate) const fn documented(endpoint: Endpoint) -> Budget {
    match endpoint {
        Endpoint::CheckIns => a_minute(600),
        Endpoint::DayReports => a_minute(100),
        Endpoint::Rules => a_minute(60),
        _ => a_minute(10_000),
    }
}
