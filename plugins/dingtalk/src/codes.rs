//! Every error code of the platform that this connector may meet, in one table: what kind of fault it is, what happened
//! and what an administrator does (DingTalk fact sheet, sections 1.5 and 7.2).
//!
//! What this is not: reading an answer; `failure` does that. The one invariant: a code stands in the table once.

use rollcall_sdk::codes::{self, Class, Row, one, row};

/// The row of a code, if the table has it.
pub(crate) fn look_up(code: i64) -> Option<&'static Row> {
    codes::find(TABLE, code)
}

/// The row of a code of the new generation, which speaks in words.
pub(crate) fn look_up_word(word: &str) -> Option<&'static Row> {
    let found = WORDS.iter().find(|(known, _)| word.eq_ignore_ascii_case(known));
    found.and_then(|(_, code)| look_up(*code))
}

/// The person has left, is still to join, or never was: no member.
pub(crate) fn gone_person(code: i64) -> bool {
    matches!(code, 60_121 | 33_012 | 40_003 | 60_111)
}

/// The department is not there any more.
pub(crate) fn gone_department(code: i64) -> bool {
    matches!(code, 60_003 | 40_009)
}

/// The person or department is none of those that the app may see.
pub(crate) fn outside_range(code: i64) -> bool {
    matches!(code, 50_002 | 50_004)
}

const REPORT: &str =
    "report this with the request id; until then check that the plugin's version is the newest";
const CREDENTIALS: &str = "set `client_id` and the secret `client_secret` from the app's page `Credentials and Basic Information`";
const TOKEN: &str = "the token is refused even after it was asked for again: check that `api_host`, `oapi_host` and `client_id` belong to one app in one tenant";
const APP_OFF: &str = "let an administrator of the tenant enable the app in the admin console";
const PERMISSION: &str = "enable the permission on the app's page `Permissions` in the developer console; a sensitive one needs an administrator who manages all contacts";
const RANGE: &str = "set the address-book range on the app's page `Permissions` to all staff, or to the departments that are to be synced";
const ADDRESS: &str = "add the address to the server egress addresses in the app's security settings; a machine may have several, also of IPv6";
const LATER: &str =
    "wait: the call is repeated; if it lasts, ask the platform's support with the request id";
const MONTH: &str = "run attendance less often (`schedule`, `lookback_days`), or let an administrator buy calls or raise the tenant's edition; the count begins anew with the month";
const RELIST: &str = "list the departments and people again";

#[rustfmt::skip]
static TABLE: &[Row] = &[
    // Tokens and the app (1.5).
    one(40_014, Class::Token, "the token is not accepted", TOKEN),
    one(42_001, Class::Token, "the token has expired", TOKEN),
    one(40_001, Class::Token, "the token or the secret is not accepted", TOKEN),
    one(41_001, Class::Invalid, "the request carried no token", REPORT),
    one(40_000, Class::Invalid, "a parameter or the token is missing", REPORT),
    one(40_089, Class::Unauthorized, "the app's id or secret is wrong", CREDENTIALS),
    one(40_096, Class::Unauthorized, "the app's id or secret is wrong", CREDENTIALS),
    one(33_001, Class::Unauthorized, "the token belongs to another tenant", CREDENTIALS),
    one(40_082, Class::Unauthorized, "the token of the suite is not accepted", CREDENTIALS),
    one(48_003, Class::Unauthorized, "the suite is not authorised by this tenant", CREDENTIALS),
    one(70_001, Class::Unauthorized, "the tenant has been dissolved or disabled", "remove the connection"),
    one(50_003, Class::Unauthorized, "the app is stopped in this tenant", APP_OFF),
    one(50_005, Class::Unauthorized, "the tenant has been disabled", "let an administrator of the tenant ask the platform's support"),
    // Permissions and ranges (7.2).
    one(60_011, Class::Scope, "the app lacks a permission", PERMISSION),
    one(43_007, Class::Scope, "the app needs an authorisation", PERMISSION),
    one(60_020, Class::Address, "this machine's address is not on the app's allow-list", ADDRESS),
    one(50_002, Class::Forbidden, "a person is outside the app's address-book range", RANGE),
    one(50_004, Class::Forbidden, "a department is outside the app's address-book range", RANGE),
    one(60_019, Class::Unavailable, "the department's people could not be read", LATER),
    // Objects.
    one(60_121, Class::NotFound, "there is no such person in this tenant", RELIST),
    one(33_012, Class::NotFound, "there is no such person in this tenant", RELIST),
    one(40_003, Class::NotFound, "a person's id is not valid", RELIST),
    one(60_111, Class::NotFound, "a person's id is not valid", RELIST),
    one(60_003, Class::NotFound, "there is no such department", RELIST),
    one(40_009, Class::NotFound, "a department's id is not valid", RELIST),
    one(60_004, Class::NotFound, "the parent department does not exist", RELIST),
    // Parameters.
    one(40_035, Class::Invalid, "a parameter is not accepted", REPORT),
    one(400_002, Class::Invalid, "a parameter is not accepted", REPORT),
    one(40_068, Class::StaleCursor, "the place in the listing does not hold", "the listing starts again"),
    one(40_069, Class::Invalid, "the page size is not accepted", REPORT),
    one(41_041, Class::Invalid, "the span of days is longer than 7", REPORT),
    one(41_100, Class::Invalid, "a date is not accepted", REPORT),
    one(850_015, Class::Invalid, "a column of the attendance report does not exist", REPORT),
    one(22, Class::Invalid, "there is no such address in the API", "check `oapi_host`"),
    one(404, Class::Invalid, "there is no such address in the API", "check `oapi_host`"),
    one(43_002, Class::Invalid, "the address does not take this method", "check `oapi_host`"),
    // Limits (7.1).
    one(90_020, Class::Month, "the tenant's calls of this month are used up", MONTH),
    row(90_001..=90_014, Class::RateLimited, "too many calls", LATER),
    row(90_017..=90_018, Class::RateLimited, "too many calls", LATER),
    // The platform itself.
    one(-1, Class::Unavailable, "the platform is busy", LATER),
    one(15, Class::Unavailable, "the platform failed inside", LATER),
];

/// The words of the new generation, by the codes that mean the same.
static WORDS: &[(&str, i64)] = &[
    ("InvalidAuthentication", 40_014),
    ("AuthenticationFailed.MissingParameter", 41_001),
    ("invalidClientIdOrSecret", 40_096),
    ("invalidParameter", 40_035),
    ("MissingParameter", 40_035),
    ("Forbidden.AccessDenied.AccessTokenPermissionDenied", 60_011),
    ("Forbidden.AccessDenied.IpNotInWhiteList", 60_020),
    ("Forbidden.AccessDenied.QpsLimitForAppkeyAndApi", 90_018),
    ("Forbidden.AccessDenied.QpmLimitForAppkeyAndApi", 90_018),
    ("Forbidden.AccessDenied.QpsLimitForApi", 90_002),
    ("Forbidden.AccessDenied.ApiCountLimitForOrg", 90_020),
    ("InvalidAction.NotFound", 404),
    ("ServiceUnavailable", -1),
];

#[cfg(test)]
mod tests {
    use rollcall_sdk::codes::overlap;

    use super::{TABLE, WORDS, look_up};

    #[test]
    fn a_code_stands_in_the_table_once_and_every_word_means_one() {
        assert!(overlap(TABLE).is_none());
        assert!(WORDS.iter().all(|(_, code)| look_up(*code).is_some()));
    }
}
