//! Every error code of the platform that this connector may meet, in one table: what kind of fault it is, what happened
//! and what an administrator does (Feishu fact sheet, sections 1.5, 2.8, 3.9 and 7.4).
//!
//! What this is not: reading an answer; `failure` does that. The one invariant: a code stands in the table once.

use rollcall_sdk::codes::{self, Class, Row, one, row};

/// The row of a code, if the table has it.
pub(crate) fn look_up(code: i64) -> Option<&'static Row> {
    codes::find(TABLE, code)
}

/// The department is too large to be listed with everything below it (43010; 40162 in the older form).
pub(crate) fn refuses_recursion(code: i64) -> bool {
    matches!(code, 43010 | 40162)
}

/// The department is outside the app's contact range.
pub(crate) const OUTSIDE_RANGE: i64 = 40004;
/// One of the people asked for is missing or outside the attendance data range.
pub(crate) const BAD_PERSON: i64 = 1_220_004;
/// The app has no attendance data range.
pub(crate) const NO_DATA_RANGE: i64 = 1_220_005;

const REPORT: &str =
    "report this with the log id; until then check that the plugin's version is the newest";
const DATA: &str = "correct the record that is written, then repeat";
const CREDENTIALS: &str =
    "set `app_id` and the secret `app_secret` from the app's page `Credentials & Basic Info`";
const TOKEN: &str = "the token is refused even after it was asked for again: check that `open_host`, `app_id` and `app_secret` belong to one app in one tenant";
const APP_OFF: &str =
    "let an administrator of the tenant enable the app or install it, in the admin console";
const PERMISSION: &str = "request the permission in the developer console, publish a version of the app and let an administrator approve it";
const RANGE: &str = "widen the app's contact range in the developer console, publish a version and let an administrator approve it";
const LICENCE: &str = "let an administrator of the tenant free or buy seats";
const LATER: &str =
    "wait: the call is repeated; if it lasts, ask the platform's support with the log id";
const ID_TYPE: &str = "check `user_id_type` and `department_id_type`, and that the ids were read with this same app in this same tenant";

#[rustfmt::skip]
static TABLE: &[Row] = &[
    // Tokens and the app (1.5).
    one(99_991_661, Class::Invalid, "the request carried no token, or in the wrong form", REPORT),
    one(99_991_663, Class::Token, "the tenant token is not accepted", TOKEN),
    one(99_991_664, Class::Token, "the app token is not accepted", TOKEN),
    one(99_991_671, Class::Token, "the token has the wrong form", TOKEN),
    one(99_991_665, Class::Unauthorized, "the token belongs to another tenant", "check that `app_id` and `open_host` belong to this tenant"),
    one(99_991_668, Class::Unauthorized, "a user token is not accepted here", "let the person sign in again; server jobs use the tenant token"),
    one(99_991_669, Class::Unauthorized, "the refresh token is not accepted", "let the person sign in again"),
    one(99_991_677, Class::Unauthorized, "the user token has expired", "let the person sign in again"),
    one(99_991_543, Class::Unauthorized, "the app id or the app secret is wrong", CREDENTIALS),
    one(10_003, Class::Unauthorized, "the app id or the app secret has the wrong form", CREDENTIALS),
    one(10_014, Class::Unauthorized, "the app is disabled", APP_OFF),
    one(10_015, Class::Unauthorized, "the app secret is wrong", CREDENTIALS),
    one(99_991_662, Class::Unauthorized, "the app is stopped in this tenant", APP_OFF),
    one(99_991_673, Class::Unauthorized, "the app is not installed in this tenant", APP_OFF),
    one(99_991_401, Class::Forbidden, "this machine's address is not on the app's allow-list", "add the egress address to the app's IP allow-list in the developer console, under security settings"),
    // Generic (7.4).
    one(99_991_400, Class::RateLimited, "too many calls", LATER),
    one(99_991_672, Class::Scope, "the app lacks a permission", PERMISSION),
    one(99_991_676, Class::Scope, "the token lacks a permission", PERMISSION),
    one(99_991_679, Class::Scope, "the person has not consented to a permission", "let the person authorize the app again, with that permission"),
    row(99_991_674..=99_991_675, Class::Invalid, "the type of user, or of its id, does not fit the token", ID_TYPE),
    one(99_992_361, Class::Invalid, "the open_id belongs to another app", ID_TYPE),
    one(99_992_364, Class::Invalid, "the user_id belongs to another tenant", ID_TYPE),
    one(99_992_381, Class::Invalid, "the union_id belongs to another tenant", ID_TYPE),
    row(99_992_351..=99_992_360, Class::Invalid, "an id does not exist, or is none of this app's", ID_TYPE),
    row(99_992_362..=99_992_363, Class::Invalid, "an id does not exist, or is none of this app's", ID_TYPE),
    one(99_992_402, Class::Invalid, "a field of the request did not pass the platform's check", REPORT),
    one(99_991_201, Class::Invalid, "there is no such address in the open API", "check `open_host`"),
    one(99_991_301, Class::Invalid, "the address does not take this method", "check `open_host`"),
    one(11_225, Class::Forbidden, "the app is not visible to the person", "add the person to the app's availability range"),
    one(10_010, Class::Forbidden, "the app may not act across companies", "use an app of this tenant"),
    one(1_500, Class::Unavailable, "the platform failed inside", LATER),
    one(1_663, Class::Unavailable, "the platform failed inside", LATER),
    one(5_000, Class::Unavailable, "the platform failed inside", LATER),
    one(55_001, Class::Unavailable, "the platform failed inside", LATER),
    // Contact (2.8).
    one(40_001, Class::Invalid, "a parameter is not accepted", REPORT),
    one(40_002, Class::Invalid, "the root department does not take this operation", REPORT),
    one(40_157, Class::Invalid, "the root department does not take this operation", REPORT),
    one(40_161, Class::Invalid, "the root department does not take this operation", REPORT),
    one(40_162, Class::Invalid, "the department has too many sub-departments for one listing", REPORT),
    one(43_010, Class::Invalid, "the department is too large to be listed with all below it", REPORT),
    one(40_003, Class::Unavailable, "the directory failed inside", LATER),
    one(40_008, Class::Unavailable, "the directory could not read the department", LATER),
    one(OUTSIDE_RANGE, Class::Forbidden, "the department is outside the app's contact range", RANGE),
    one(40_014, Class::Forbidden, "the parent department is outside the app's contact range", RANGE),
    one(41_050, Class::Forbidden, "a person is outside the app's contact range", RANGE),
    one(40_007, Class::NotFound, "there is no such person", "list the people again"),
    one(41_017, Class::NotFound, "there is no such department", "list the departments again"),
    one(41_012, Class::Invalid, "a person's id is not valid", ID_TYPE),
    one(42_008, Class::Invalid, "the tenant of a person's id is not valid", ID_TYPE),
    one(40_009, Class::Invalid, "the page size is above 50", REPORT),
    one(40_011, Class::Invalid, "the page size is not accepted", REPORT),
    one(40_012, Class::StaleCursor, "the page token does not hold", "the listing starts again"),
    one(40_013, Class::Invalid, "a parameter is not accepted", DATA),
    one(40_016, Class::Invalid, "the name is missing", DATA),
    one(40_018, Class::Invalid, "the parent has a department of that name already", DATA),
    one(40_021, Class::Invalid, "the same idempotency token came with another request", REPORT),
    one(41_001, Class::Invalid, "the mobile number is taken", DATA),
    one(41_002, Class::Invalid, "the mail address is taken", DATA),
    one(41_003, Class::Invalid, "mobile number and mail address belong to two accounts", DATA),
    one(41_004, Class::Invalid, "the mobile number has the wrong form", DATA),
    one(41_005, Class::Invalid, "the mail address has the wrong form", DATA),
    row(41_007..=41_008, Class::Forbidden, "the tenant has no seat left", LICENCE),
    one(44_023, Class::Forbidden, "the tenant has no seat left", LICENCE),
    one(41_011, Class::Invalid, "the user_id is taken", DATA),
    one(41_053, Class::Invalid, "the user_id is taken", DATA),
    one(41_016, Class::Invalid, "the department has too many members", "spread the members over more departments"),
    one(43_013, Class::Invalid, "the department has too many sub-departments", "spread them over more departments"),
    one(41_030, Class::Invalid, "a person cannot lead themselves", DATA),
    one(41_033, Class::Invalid, "a person can be in 50 departments at most", DATA),
    one(41_051, Class::Invalid, "the person's id is missing", REPORT),
    one(41_052, Class::Invalid, "the person who takes over the resources is not valid", DATA),
    one(41_056, Class::Scope, "the app lacks the permission for a field of the request", PERMISSION),
    one(41_059, Class::Invalid, "the employee type is not valid", DATA),
    one(41_060, Class::Forbidden, "the employee type is not enabled", "let an administrator enable the employee type in the admin console"),
    row(41_068..=41_072, Class::Invalid, "a mailbox or a name has the wrong length or form", DATA),
    one(41_410, Class::Invalid, "the primary department must have the largest department_order", REPORT),
    one(42_005, Class::Invalid, "the person is in the group already", DATA),
    one(42_006, Class::Invalid, "the person has left", DATA),
    one(43_005, Class::Invalid, "two departments have the same order", DATA),
    one(43_007, Class::Invalid, "the department_id is taken", DATA),
    one(43_008, Class::Invalid, "the department_id has the wrong form", DATA),
    one(43_011, Class::Invalid, "the department still has members", "move or remove its members first"),
    one(44_018, Class::Invalid, "Lark does not take a +86 number here", DATA),
    one(44_019, Class::Forbidden, "the tenant is not certified for foreign numbers", "let an administrator certify the tenant"),
    one(44_020, Class::Invalid, "mobile number and mail address are needed together", DATA),
    row(44_046..=44_050, Class::Forbidden, "the seat is missing, used up, not valid or not allowed", LICENCE),
    one(44_051, Class::Invalid, "the staff number is taken", DATA),
    // Attendance (3.9).
    one(1_220_001, Class::Invalid, "a parameter is not accepted, or a list or span is too long", REPORT),
    one(1_220_002, Class::Unauthorized, "the token's tenant does not exist", TOKEN),
    one(BAD_PERSON, Class::Forbidden, "a person is missing or outside the attendance data range", "let an administrator extend the app's data range in the attendance console"),
    one(NO_DATA_RANGE, Class::Forbidden, "the app has no attendance data range", "let an administrator extend the app's data range in the attendance console"),
    one(1_220_600, Class::Invalid, "the attendance service refuses the request", REPORT),
    one(1_225_000, Class::Unavailable, "the attendance service failed inside", LATER),
    one(1_225_001, Class::Unavailable, "the attendance service wrote only a part", "read again before anything is repeated"),
    one(1_226_500, Class::Unavailable, "the attendance service failed inside", LATER),
    one(1_227_500, Class::Unavailable, "the attendance service failed inside", LATER),
    one(1_228_000, Class::Unavailable, "the attendance service failed inside", LATER),
    one(1_226_501, Class::Invalid, "there is no punch to correct", DATA),
    one(1_226_502, Class::Invalid, "the attendance group allows no corrections", "let an administrator allow corrections in the attendance group"),
    one(1_226_503, Class::Invalid, "the day is outside those that may be corrected", DATA),
    one(1_226_504, Class::Invalid, "the quota of corrections is used up", "let an administrator raise the quota of the attendance group"),
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
