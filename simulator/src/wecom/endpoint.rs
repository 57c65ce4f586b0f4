//! The calls of WeCom that the simulator answers, and how a path names one.
//!
//! Not their answers. The invariant: every known path belongs to exactly one endpoint and one method.

use crate::endpoint::endpoints;
use crate::exchange::Verb;

endpoints! {
    tokens: [Token];
    /// `GET gettoken`.
    Token = "token",
    /// `GET department/list`.
    Departments = "departments",
    /// `GET department/simplelist`.
    DepartmentIds = "department_ids",
    /// `GET department/get`.
    Department = "department",
    /// `GET user/list`.
    Users = "users",
    /// `GET user/simplelist`.
    UserNames = "user_names",
    /// `GET user/get`.
    User = "user",
    /// `POST user/list_id`.
    UserIds = "user_ids",
    /// `POST user/getuserid`.
    UserByMobile = "user_by_mobile",
    /// `GET agent/get`.
    Agent = "agent",
    /// `POST checkin/getcheckindata`.
    CheckIns = "check_ins",
    /// `POST checkin/getcheckin_daydata`.
    DayReports = "day_reports",
    /// `POST checkin/getcheckinoption`.
    Rules = "rules",
    /// `POST hardware/get_hardware_checkin_data`.
    DevicePunches = "device_punches",
    /// `GET getcallbackip`.
    CallbackAddresses = "callback_addresses",
    /// Any other path.
    Unknown = "unknown",
}

/// A path, understood; `None` for one that the platform does not have.
pub(crate) fn route(path: &str) -> Option<(Endpoint, Verb)> {
    use Endpoint as E;
    Some(match path.strip_prefix("/cgi-bin/")? {
        "gettoken" => (E::Token, Verb::Get),
        "department/list" => (E::Departments, Verb::Get),
        "department/simplelist" => (E::DepartmentIds, Verb::Get),
        "department/get" => (E::Department, Verb::Get),
        "user/list" => (E::Users, Verb::Get),
        "user/simplelist" => (E::UserNames, Verb::Get),
        "user/get" => (E::User, Verb::Get),
        "user/list_id" => (E::UserIds, Verb::Post),
        "user/getuserid" => (E::UserByMobile, Verb::Post),
        "agent/get" => (E::Agent, Verb::Get),
        "checkin/getcheckindata" => (E::CheckIns, Verb::Post),
        "checkin/getcheckin_daydata" => (E::DayReports, Verb::Post),
        "checkin/getcheckinoption" => (E::Rules, Verb::Post),
        "hardware/get_hardware_checkin_data" => (E::DevicePunches, Verb::Post),
        "getcallbackip" => (E::CallbackAddresses, Verb::Get),
        _ => return None,
    })
}
