//! Feishu's documented request budgets.
//!
//! Not their keeping. The invariant: a call without a documented limit has none.

use super::Endpoint;
use crate::limits::{Budget, UNLIMITED};

/// 1,000 a minute and 50 a second for `find_by_department`, 50 a second for punches and day results.
pub(crate) const fn documented(endpoint: Endpoint) -> Budget {
    match endpoint {
        Endpoint::UsersByDepartment => [(1, 50), (60, 1_000)],
        Endpoint::UserFlows | Endpoint::UserFlow | Endpoint::UserTasks => [(1, 50), (60, u32::MAX)],
        _ => UNLIMITED,
    }
}
