//! Every error code of the platform that this connector may meet, in one table: what kind of fault it is, what happened
//! and what an administrator does (WeCom fact sheet, sections 1, 2.4, 3.5, 4 and 7).
//!
//! What this is not: reading an answer; `failure` does that. The one invariant: a code stands in the table once.

use rollcall_sdk::codes::{self, Class, Row, one, row};

/// The row of a code, if the table has it.
pub(crate) fn look_up(code: i64) -> Option<&'static Row> {
    codes::find(TABLE, code)
}

/// The answer would be too large.
pub(crate) const TOO_LARGE: i64 = 45_029;
/// Too many calls; what is exceeded in a minute is refused for a minute.
pub(crate) const FREQUENCY: i64 = 45_009;
/// How long a call that exceeds the limit of a minute is refused.
pub(crate) const FREQUENCY_WAIT_MS: u32 = 60_000;
/// How long to leave a platform alone that has too much to do at once.
pub(crate) const CROWD_WAIT_MS: u32 = 1_000;
/// The address of this machine is not trusted.
pub(crate) const UNTRUSTED_ADDRESS: i64 = 60_020;
/// The app may not call this.
pub(crate) const NOT_CALLABLE: i64 = 48_002;
/// One of the people asked for does not exist.
pub(crate) const BAD_PERSON: i64 = 301_021;
/// The span of time is not accepted.
pub(crate) const BAD_SPAN: i64 = 301_024;

const REPORT: &str =
    "report this with the hint; until then check that the plugin's version is the newest";
const DATA: &str = "correct the record that is written, then repeat";
const SECRET: &str = "copy the Secret again from the page it belongs to (the app's own, or 管理工具 - 通讯录同步), check that the app is enabled and that `corp_id` is the same company's";
const CORP: &str = "set `corp_id` from the admin console, page 我的企业";
const TOKEN: &str = "the token is refused even after it was asked for again: copy the Secret again, and check that the app is enabled";
const VISIBLE: &str =
    "let an administrator widen the app's visible range (应用管理 - the app - 可见范围)";
const CHECK_IN: &str = "let an administrator put the app on the list 打卡 - 可调用接口的应用; system apps no longer count for companies that began after December 2023";
const APPROVAL: &str = "let an administrator put the app on the list 审批 - 可调用接口的应用";
const TRUSTED: &str = "add this machine's public address to 企业可信IP of the app (contacts sync has a list of its own), then wait a minute";
const LATER: &str =
    "wait: the call is repeated; if it lasts, ask the platform's support with the hint";
const SIGN_IN: &str = "let the person sign in again";
const DOMAIN: &str =
    "set the app's trusted domain to exactly the host and port people come back to";

#[rustfmt::skip]
static TABLE: &[Row] = &[
    // Tokens and the app (1).
    one(40_001, Class::Token, "the secret or the token is wrong, or the app is disabled", SECRET),
    one(40_014, Class::Token, "the token is not accepted", TOKEN),
    one(42_001, Class::Token, "the token has expired", TOKEN),
    one(40_013, Class::Unauthorized, "the company's id is wrong", CORP),
    one(41_001, Class::Invalid, "the request carried no token", REPORT),
    one(41_002, Class::Unauthorized, "the company's id is missing", CORP),
    one(41_004, Class::Unauthorized, "the secret is missing", SECRET),
    one(40_091, Class::Unauthorized, "the secret belongs to another company", SECRET),
    one(50_003, Class::Unauthorized, "the app is disabled", "let an administrator enable the app on its page"),
    one(40_056, Class::Unauthorized, "the app's id is wrong", "set `agent_id` from the page of the app whose secret is `app_secret`"),
    one(301_002, Class::Unauthorized, "the app's id belongs to another app", "set `agent_id` from the page of the app whose secret is `app_secret`"),
    one(48_010, Class::Forbidden, "the platform does not take this version of TLS", "check the proxy in between, which must speak TLS 1.2 or newer"),
    // What the platform has too much of (1, 7).
    one(-1, Class::Unavailable, "the platform is busy", LATER),
    one(6_000, Class::RateLimited, "two writes met", LATER),
    one(FREQUENCY, Class::RateLimited, "too many calls", LATER),
    one(45_033, Class::RateLimited, "too many calls at once", LATER),
    one(45_035, Class::RateLimited, "two edits at once", LATER),
    one(TOO_LARGE, Class::Invalid, "the answer would be too large", "spread the people over more departments"),
    // Allow-lists and permissions (2.3, 7).
    one(UNTRUSTED_ADDRESS, Class::Forbidden, "this machine's address is not trusted", TRUSTED),
    one(NOT_CALLABLE, Class::Forbidden, "the app may not make this call", "for attendance let an administrator put the app on the list 打卡 - 可调用接口的应用; for `contacts_secret` let them enable 通讯录同步 - API接口同步"),
    one(48_006, Class::Forbidden, "the permission was withdrawn after long disuse", "let an administrator enable it again on the app's page"),
    one(48_009, Class::Forbidden, "contacts sync may read ids only, from an address that is new to the platform", "set `app_secret` of a self-built app whose visible range is the root department: it reads names and titles"),
    one(60_011, Class::Forbidden, "a department, person or tag is not for this app", VISIBLE),
    one(60_021, Class::Forbidden, "a person is outside the app's visible range", VISIBLE),
    one(50_002, Class::Forbidden, "a person is outside the app's visible range", VISIBLE),
    one(92_000, Class::Forbidden, "a person is outside the app's visible range", VISIBLE),
    one(81_013, Class::Forbidden, "nobody of those addressed is visible to the app", VISIBLE),
    one(301_055, Class::Forbidden, "the app has no right to approvals", APPROVAL),
    one(301_062, Class::Forbidden, "the app has no right to leave", APPROVAL),
    one(301_088, Class::Forbidden, "the app has no right to check-in", CHECK_IN),
    // Objects (2, 7).
    one(40_003, Class::NotFound, "there is no such person", "list the people again"),
    one(60_111, Class::NotFound, "there is no such person, or not for this app", "list the people again"),
    one(46_004, Class::NotFound, "there is no such person", "list the people again"),
    one(60_003, Class::NotFound, "there is no such department", "list the departments again"),
    one(60_123, Class::NotFound, "there is no such department", "list the departments again"),
    // Requests (7).
    row(40_031..=40_032, Class::Invalid, "the list of people is not accepted, or too long", REPORT),
    one(40_035, Class::Invalid, "a parameter is not accepted", REPORT),
    one(40_058, Class::Invalid, "a parameter is not accepted", REPORT),
    one(40_063, Class::Invalid, "a parameter is empty", REPORT),
    one(40_089, Class::Invalid, "the result of the job is no longer kept", "run the job again"),
    one(45_026, Class::Invalid, "the import would delete too many people", "import in smaller steps"),
    one(45_004, Class::Invalid, "a text is too long", DATA),
    // Writing (2.4).
    one(60_001, Class::Invalid, "the department's name has the wrong length", DATA),
    one(60_005, Class::Invalid, "the department still has members", "move or remove its members first"),
    one(60_006, Class::Invalid, "the department still has departments below it", "move or remove these first"),
    one(60_007, Class::Invalid, "the root department cannot be deleted", DATA),
    one(60_008, Class::Invalid, "the department exists already", DATA),
    one(60_010, Class::Invalid, "the departments would form a loop", DATA),
    one(60_102, Class::Invalid, "the account exists already", DATA),
    one(60_104, Class::Invalid, "the mobile number is taken", DATA),
    one(60_106, Class::Invalid, "the mail address is taken", DATA),
    one(60_110, Class::Invalid, "the person is in too many departments", DATA),
    one(60_129, Class::Invalid, "mobile number and mail address are both missing", DATA),
    one(60_257, Class::Invalid, "the person has too many managers", DATA),
    one(301_005, Class::Invalid, "the creator of the company cannot be deleted", DATA),
    one(301_036, Class::Invalid, "the account can be renamed once only", DATA),
    one(302_008, Class::RateLimited, "another import is running", LATER),
    // Signing in (4).
    one(40_029, Class::Unauthorized, "the code is wrong, used or expired", SIGN_IN),
    one(42_003, Class::Unauthorized, "the code has expired", SIGN_IN),
    one(42_022, Class::Unauthorized, "the code was used before", SIGN_IN),
    row(84_014..=84_015, Class::Unauthorized, "the ticket of the sign-in is wrong or expired", SIGN_IN),
    one(50_001, Class::Forbidden, "the address people come back to is not trusted", DOMAIN),
    one(80_001, Class::Forbidden, "the trusted domain is not verified", DOMAIN),
    one(84_025, Class::Invalid, "the state of the sign-in has other characters than letters and digits", REPORT),
    // Check-in and approvals (3.5).
    one(BAD_PERSON, Class::Invalid, "a person is unknown", "list the people again"),
    one(301_022, Class::Unavailable, "check-in failed inside", LATER),
    one(301_023, Class::Invalid, "the list of people is empty, or longer than 100", REPORT),
    one(BAD_SPAN, Class::Invalid, "the span of time is not accepted", REPORT),
    one(301_025, Class::Invalid, "a parameter of the approval call is not accepted", REPORT),
    one(301_026, Class::Unavailable, "approvals failed inside", LATER),
    one(301_070, Class::Unavailable, "check-in failed inside", LATER),
    one(301_075, Class::Invalid, "a parameter is not accepted", REPORT),
    one(301_089, Class::Invalid, "the rule does not exist", "look at the rules in the check-in app"),
    one(301_112, Class::Invalid, "the span of time holds too many approvals", REPORT),
];

#[cfg(test)]
mod tests {
    use rollcall_sdk::codes::overlap;

    use super::TABLE;

    #[test]
    fn a_code_stands_in_the_table_once() {
        assert!(overlap(TABLE).is_none());
    }
}
