//! Answers that say no: a code, the status it travels with, and what the platform adds to it.
//!
//! Not the decision to refuse. The invariant: every code here is one of the fact sheet's.

use crate::json::Json;

/// A refusal in the platform's terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub status: u16,
    pub code: u32,
    pub msg: &'static str,
    /// Scopes of which any would do.
    pub missing_scopes: &'static [&'static str],
}

const fn refusal(status: u16, code: u32, msg: &'static str) -> Refusal {
    Refusal { status, code, msg, missing_scopes: &[] }
}

impl Refusal {
    pub(crate) const BAD_TOKEN_REQUEST: Self =
        refusal(400, 10003, "invalid param: app_id and app_secret");
    pub(crate) const UNKNOWN_APP: Self = refusal(400, 99_991_543, "app_id or app_secret is wrong");
    pub(crate) const WRONG_SECRET: Self = refusal(200, 10015, "app secret is wrong");
    pub(crate) const NO_TOKEN: Self =
        refusal(400, 99_991_661, "access token missing or header malformed");
    pub(crate) const BAD_TOKEN: Self =
        refusal(400, 99_991_663, "tenant access token is invalid or expired");
    pub(crate) const USER_TOKEN: Self =
        refusal(400, 99_991_668, "user access token is invalid or not accepted here");
    pub(crate) const TOKEN_FORMAT: Self =
        refusal(400, 99_991_671, "access token must start with t- or u-");
    pub(crate) const RATE_LIMITED: Self =
        refusal(429, 99_991_400, "request trigger frequency limit");
    pub(crate) const NO_SUCH_PATH: Self = refusal(404, 99_991_201, "no such path");
    pub(crate) const WRONG_METHOD: Self =
        refusal(405, 99_991_301, "method not allowed for this path");
    pub(crate) const FIELD_INVALID: Self = refusal(400, 99_992_402, "field validation failed");

    pub(crate) const BAD_PARAMETER: Self = refusal(400, 40001, "invalid parameter");
    pub(crate) const INTERNAL: Self = refusal(500, 40003, "internal error");
    pub(crate) const NO_DEPT_AUTHORITY: Self = refusal(403, 40004, "no dept authority");
    pub(crate) const PAGE_TOO_LARGE: Self = refusal(400, 40009, "page size is above 50");
    pub(crate) const PAGE_SIZE: Self = refusal(400, 40011, "page size is invalid");
    pub(crate) const PAGE_TOKEN: Self = refusal(400, 40012, "page token is invalid");
    pub(crate) const NO_SUCH_USER: Self = refusal(400, 41012, "user id is invalid");
    pub(crate) const NO_SUCH_DEPT: Self = refusal(400, 41017, "department does not exist");
    pub(crate) const NO_USER_AUTHORITY: Self = refusal(403, 41050, "no user authority");
    pub(crate) const TOO_LARGE_TO_RECURSE: Self = refusal(400, 43010, "big dept forbid recursion");

    pub(crate) const ATTENDANCE_PARAMETER: Self = refusal(400, 1_220_001, "parameter error");
    pub(crate) const ATTENDANCE_USER: Self =
        refusal(400, 1_220_004, "user does not exist or no permission");
    pub(crate) const NO_ATTENDANCE_RANGE: Self = refusal(400, 1_220_005, "no permission");
    pub(crate) const ATTENDANCE_SYSTEM: Self = refusal(500, 1_225_000, "system error");

    pub(crate) const fn no_scope(any_of: &'static [&'static str]) -> Self {
        Self {
            status: 400,
            code: 99_991_672,
            msg: "access denied: one of the listed scopes is required",
            missing_scopes: any_of,
        }
    }

    pub(crate) fn body(&self, log_id: &str) -> Vec<u8> {
        let mut json = Json::with_capacity(256);
        json.object(|json| {
            json.key("code").number(self.code);
            json.key("msg").text(self.msg);
            json.key("error").object(|json| {
                json.key("log_id").text(log_id);
                if !self.missing_scopes.is_empty() {
                    json.key("permission_violations").array(|json| self.violations(json));
                }
            });
        });
        json.into_bytes()
    }

    fn violations(&self, json: &mut Json) {
        for scope in self.missing_scopes {
            json.object(|json| {
                json.key("type").text("action_scope_required");
                json.key("subject").text(scope);
            });
        }
    }
}
