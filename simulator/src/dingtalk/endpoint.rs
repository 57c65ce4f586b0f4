//! The calls of DingTalk that the simulator answers, of both generations, and how a path names one.
//!
//! Not their answers. The invariant: every known path belongs to exactly one endpoint, one method and one generation.

use crate::endpoint::endpoints;
use crate::exchange::Verb;

endpoints! {
    tokens: [GetToken, AccessToken, OpenConnection];
    /// `GET gettoken`.
    GetToken = "gettoken",
    /// `POST v1.0/oauth2/accessToken`.
    AccessToken = "access_token",
    /// `GET auth/scopes`.
    Scopes = "scopes",
    /// `POST topapi/v2/department/listsub`.
    Children = "listsub",
    /// `POST topapi/v2/department/listsubid`.
    ChildIds = "listsubid",
    /// `POST topapi/v2/department/get`.
    Department = "department",
    /// `POST topapi/v2/department/listparentbydept`.
    DepartmentParents = "listparentbydept",
    /// `POST topapi/v2/user/list`.
    Users = "user_list",
    /// `POST topapi/user/listsimple`.
    UsersSimple = "listsimple",
    /// `POST topapi/user/listid`.
    UserIds = "listid",
    /// `POST topapi/v2/user/get`.
    User = "user",
    /// `POST topapi/v2/user/getbymobile`.
    UserByMobile = "getbymobile",
    /// `POST topapi/user/getbyunionid`.
    UserByUnion = "getbyunionid",
    /// `POST topapi/user/count`.
    UserCount = "user_count",
    /// `GET v1.0/contact/empLeaveRecords`.
    LeaveRecords = "leave_records",
    /// `POST attendance/list`: one result for each planned punch.
    Results = "attendance_list",
    /// `POST attendance/listRecord`: the swipes themselves.
    Swipes = "list_record",
    /// `POST topapi/attendance/getleavestatus`.
    LeaveStatus = "leave_status",
    /// `POST topapi/smartwork/hrm/employee/queryonjob`.
    OnJob = "queryonjob",
    /// `POST v1.0/hrm/rosters/lists/query`.
    Roster = "roster",
    /// `POST v1.0/gateway/connections/open`: a ticket for a long connection.
    OpenConnection = "open_connection",
    /// The long connection itself.
    Stream = "stream",
    /// Any other path.
    Unknown = "unknown",
}

/// Which of the two generations of the API a path belongs to: they differ in tokens, envelopes and statuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Generation {
    /// `topapi/...`, behind the gateway that wraps its own errors in code 88.
    Gateway,
    /// Other old paths: the code stands alone.
    Plain,
    /// `v1.0/...`.
    New,
}

/// A path, understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub endpoint: Endpoint,
    pub verb: Verb,
}

impl Generation {
    pub(crate) fn of(path: &str) -> Self {
        match path.trim_start_matches('/').split('/').next() {
            Some("v1.0") => Self::New,
            Some("topapi") => Self::Gateway,
            _ => Self::Plain,
        }
    }
}

impl Route {
    /// `None` for a path that the platform does not have.
    pub(crate) fn of(path: &str) -> Option<Self> {
        use Endpoint as E;
        let get = |endpoint| Some(Self { endpoint, verb: Verb::Get });
        let post = |endpoint| Some(Self { endpoint, verb: Verb::Post });
        match path {
            "/gettoken" => get(E::GetToken),
            "/v1.0/oauth2/accessToken" => post(E::AccessToken),
            "/v1.0/gateway/connections/open" => post(E::OpenConnection),
            "/auth/scopes" => get(E::Scopes),
            "/topapi/v2/department/listsub" => post(E::Children),
            "/topapi/v2/department/listsubid" => post(E::ChildIds),
            "/topapi/v2/department/get" => post(E::Department),
            "/topapi/v2/department/listparentbydept" => post(E::DepartmentParents),
            "/topapi/v2/user/list" => post(E::Users),
            "/topapi/user/listsimple" => post(E::UsersSimple),
            "/topapi/user/listid" => post(E::UserIds),
            "/topapi/v2/user/get" => post(E::User),
            "/topapi/v2/user/getbymobile" => post(E::UserByMobile),
            "/topapi/user/getbyunionid" => post(E::UserByUnion),
            "/topapi/user/count" => post(E::UserCount),
            "/v1.0/contact/empLeaveRecords" => get(E::LeaveRecords),
            "/attendance/list" => post(E::Results),
            "/attendance/listRecord" => post(E::Swipes),
            "/topapi/attendance/getleavestatus" => post(E::LeaveStatus),
            "/topapi/smartwork/hrm/employee/queryonjob" => post(E::OnJob),
            "/v1.0/hrm/rosters/lists/query" => post(E::Roster),
            _ => None,
        }
    }
}

/// Whether a call counts against the month: attendance does, contacts, tokens and the roster do not.
pub(crate) const fn is_metered(endpoint: Endpoint) -> bool {
    matches!(endpoint, Endpoint::Results | Endpoint::Swipes | Endpoint::LeaveStatus)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_tells_its_generation() {
        assert_eq!(Generation::of("/topapi/v2/user/get"), Generation::Gateway);
        assert_eq!(Generation::of("/attendance/list"), Generation::Plain);
        assert_eq!(Generation::of("/v1.0/oauth2/accessToken"), Generation::New);
        assert_eq!(Route::of("/topapi/user/get"), None);
    }
}
