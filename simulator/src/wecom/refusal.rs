//! Answers that say no: a code and the words around it.
//!
//! Not the decision to refuse. The invariant: every code here is one of the fact sheet's, and every refusal carries a
//! hint and the caller's address as the platform does.

use crate::json::Json;

/// A refusal in the platform's terms; the HTTP status is 200.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub code: i32,
    msg: &'static str,
}

const fn refusal(code: i32, msg: &'static str) -> Refusal {
    Refusal { code, msg }
}

impl Refusal {
    pub(crate) const BUSY: Self = refusal(-1, "system busy");
    pub(crate) const BAD_SECRET: Self = refusal(40_001, "invalid credential");
    pub(crate) const NO_SUCH_USER: Self = refusal(60_111, "userid not found");
    pub(crate) const BAD_CORP: Self = refusal(40_013, "invalid corpid");
    pub(crate) const BAD_TOKEN: Self = refusal(40_014, "invalid access_token");
    pub(crate) const BAD_PARAMETER: Self = refusal(40_058, "invalid parameter");
    pub(crate) const BAD_AGENT: Self = refusal(40_056, "invalid agentid");
    pub(crate) const NO_TOKEN: Self = refusal(41_001, "access_token missing");
    pub(crate) const NO_CORP: Self = refusal(41_002, "corpid missing");
    pub(crate) const NO_SECRET: Self = refusal(41_004, "corpsecret missing");
    pub(crate) const EXPIRED_TOKEN: Self = refusal(42_001, "access_token expired");
    pub(crate) const FREQUENCY: Self = refusal(45_009, "api freq out of limit");
    pub(crate) const TOO_LARGE: Self = refusal(45_029, "response data is too large");
    pub(crate) const NO_SUCH_MOBILE: Self = refusal(46_004, "user not exist");
    pub(crate) const NOT_CALLABLE: Self = refusal(48_002, "api forbidden");
    pub(crate) const IDS_ONLY: Self = refusal(48_009, "api forbidden for contacts sync");
    pub(crate) const NO_SUCH_DEPT: Self = refusal(60_003, "department not found");
    pub(crate) const NOT_VISIBLE: Self = refusal(60_011, "no privilege to access");
    pub(crate) const UNTRUSTED: Self = refusal(60_020, "not allow to access from your ip");
    pub(crate) const OTHER_AGENT: Self = refusal(301_002, "not allow operate another agent");
    pub(crate) const UNKNOWN_PERSON: Self = refusal(301_021, "userid not exist");
    pub(crate) const BAD_LIST: Self = refusal(301_023, "useridlist is empty or too long");
    pub(crate) const BAD_SPAN: Self = refusal(301_024, "invalid time range");

    /// The refusal as the platform words it: the code's text, a hint, and the caller's address.
    pub(crate) fn body(self, log_id: &str, address: &str) -> Vec<u8> {
        let mut json = Json::with_capacity(256);
        json.object(|json| {
            json.key("errcode").number(self.code);
            json.key("errmsg").text(&format!(
                "{}, hint: [{log_id}], from ip: {address}, more info at https://codes.example/query?e={}",
                self.msg, self.code
            ));
        });
        json.into_bytes()
    }
}
