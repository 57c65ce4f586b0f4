//! Answers that say no, in the three envelopes of the platform (DingTalk fact sheet, section 1.4).
//!
//! Not the decision to refuse. The invariant: the code is the same in every envelope that knows codes, and the old
//! generation refuses with HTTP 200.

use std::borrow::Cow;

use super::endpoint::Generation;
use crate::exchange::Answer;
use crate::json::Json;

/// A refusal in the platform's terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    code: u32,
    message: Cow<'static, str>,
    /// The gateway's own refusals come inside code 88, an API's own stand alone.
    by: By,
    /// How the new generation says it: status and code.
    new: (u16, &'static str),
    /// Permissions of which all are needed.
    scopes: &'static [&'static str],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Gateway,
    Api,
}

const fn gateway(code: u32, message: &'static str, new: (u16, &'static str)) -> Refusal {
    Refusal { code, message: Cow::Borrowed(message), by: By::Gateway, new, scopes: &[] }
}

const fn api(code: u32, message: &'static str) -> Refusal {
    api_new(code, message, (400, "invalidParameter"))
}

impl Refusal {
    pub(crate) const NO_SUCH_PATH: Self =
        gateway(22, "no such api", (404, "InvalidAction.NotFound"));
    pub(crate) const WRONG_METHOD: Self =
        gateway(43002, "the method is wrong", (405, "UnsupportedHTTPMethod"));
    pub(crate) const NO_TOKEN: Self =
        gateway(40000, "access_token is blank", (400, "AuthenticationFailed.MissingParameter"));
    pub(crate) const BAD_TOKEN: Self =
        gateway(40014, "不合法的access_token", (400, "InvalidAuthentication"));
    pub(crate) const WRONG_SECRET: Self =
        api_new(40096, "不合法的appKey或appSecret", (400, "invalidClientIdOrSecret"));
    pub(crate) const NO_CREDENTIALS: Self =
        api_new(40035, "缺少参数 corpid or appkey", (400, "MissingParameter"));
    pub(crate) const BUSY: Self = gateway(90018, "", (403, RATE));
    pub(crate) const MONTH_USED_UP: Self = gateway(
        90020,
        "the api calls of this organization's month are used up",
        (403, "Forbidden.AccessDenied.ApiCountLimitForOrg"),
    );
    /// The platform's `-1` is kept apart in [`Self::answer`]: codes here are unsigned.
    pub(crate) const SYSTEM: Self = api_new(SYSTEM_CODE, "系统繁忙", (500, "ServiceUnavailable"));

    pub(crate) const BAD_PARAMETER: Self = api(40035, "不合法的参数");
    pub(crate) const BAD_CURSOR: Self = api(40068, "不合法的偏移量");
    pub(crate) const BAD_SIZE: Self = api(40069, "不合法的分页大小");
    pub(crate) const BAD_DEPT: Self = api(40009, "不合法的部门id");
    pub(crate) const NO_SUCH_DEPT: Self = api(60003, "部门不存在");
    pub(crate) const NO_SUCH_USER: Self = api(60121, "找不到该用户");
    pub(crate) const USER_OUT_OF_RANGE: Self = api(50002, "请求的员工userid不在授权范围内");
    pub(crate) const DEPT_OUT_OF_RANGE: Self = api(50004, "请求的部门id不在授权范围内");
    pub(crate) const SPAN: Self = api(41041, "the span is longer than 7 days");
    pub(crate) const BAD_DATE: Self = api(41100, "the date is invalid");

    /// Names the permissions, as the platform does.
    pub(crate) fn no_scope(scopes: &'static [&'static str]) -> Self {
        let message = format!(
            "应用尚未开通所需的权限：[{}]，点击链接申请并开通即可：https://open-dev.example/appscope/apply",
            scopes.join(",")
        );
        let new = (403, "Forbidden.AccessDenied.AccessTokenPermissionDenied");
        Self { code: 60011, message: message.into(), by: By::Gateway, new, scopes }
    }

    /// Too many calls of one endpoint; the restriction ends at a time that is told in words only.
    pub(crate) fn busy(limit: u32, until: &str) -> Self {
        let message =
            format!("您的服务器调用该接口的频率超过上限 {limit} 次/1 秒，限制将在 {until} 结束");
        Self { message: message.into(), ..Self::BUSY }
    }

    /// The refusal in the envelope of its generation.
    pub(crate) fn answer(&self, generation: Generation, request_id: &str) -> Answer {
        let mut json = Json::with_capacity(256);
        match generation {
            Generation::New => {
                json.object(|json| self.new_members(json, request_id));
                Answer::json(self.new.0, json.into_bytes())
            }
            Generation::Gateway => {
                json.object(|json| self.gateway_members(json, request_id));
                Answer::json(200, json.into_bytes())
            }
            Generation::Plain => {
                json.object(|json| {
                    json.key("errcode").number(self.shown_code());
                    json.key("errmsg").text(&self.message);
                });
                Answer::json(200, json.into_bytes())
            }
        }
    }

    fn shown_code(&self) -> i64 {
        if self.code == SYSTEM_CODE { -1 } else { i64::from(self.code) }
    }

    fn new_members(&self, json: &mut Json, request_id: &str) {
        json.key("code").text(self.new.1);
        json.key("requestid").text(request_id);
        json.key("message").text(&self.message);
        if !self.scopes.is_empty() {
            json.key("accessdenieddetail").object(|json| {
                json.key("requiredScopes")
                    .array(|json| self.scopes.iter().for_each(|scope| json.text(scope)));
            });
        }
    }

    fn gateway_members(&self, json: &mut Json, request_id: &str) {
        match self.by {
            By::Gateway if self.code == Self::NO_SUCH_PATH.code => {
                json.key("errcode").number(self.code);
                json.key("sub_msg").text(&self.message);
                json.key("errmsg").text("invalid method");
            }
            By::Gateway => {
                json.key("errcode").number(88);
                json.key("sub_code").quoted(self.code);
                json.key("sub_msg").text(&self.message);
                json.key("errmsg").text(&format!(
                    "ding talk error[subcode={},submsg={}]",
                    self.code, self.message
                ));
            }
            By::Api => {
                json.key("errcode").number(self.shown_code());
                json.key("errmsg").text(&self.message);
            }
        }
        json.key("request_id").text(request_id);
    }
}

const RATE: &str = "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi";
/// Stands for `-1`.
const SYSTEM_CODE: u32 = u32::MAX;

const fn api_new(code: u32, message: &'static str, new: (u16, &'static str)) -> Refusal {
    Refusal { code, message: Cow::Borrowed(message), by: By::Api, new, scopes: &[] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn body(refusal: &Refusal, generation: Generation) -> (u16, Value) {
        let answer = refusal.answer(generation, "r1");
        (answer.status, serde_json::from_slice(&answer.body).unwrap())
    }

    #[test]
    fn the_gateway_wraps_its_own_refusals_and_the_others_do_not() {
        let (status, wrapped) = body(&Refusal::BAD_TOKEN, Generation::Gateway);
        assert_eq!((status, wrapped["errcode"].as_i64()), (200, Some(88)));
        assert_eq!(wrapped["sub_code"], "40014");
        let (_, plain) = body(&Refusal::BAD_TOKEN, Generation::Plain);
        assert_eq!(plain["errcode"], 40014);
        let (_, own) = body(&Refusal::NO_SUCH_USER, Generation::Gateway);
        assert_eq!((own["errcode"].as_i64(), own.get("sub_code")), (Some(60121), None));
        let (status, new) = body(&Refusal::BAD_TOKEN, Generation::New);
        assert_eq!((status, new["code"].as_str()), (400, Some("InvalidAuthentication")));
    }

    #[test]
    fn a_missing_permission_is_named_and_a_busy_system_is_minus_one() {
        let refusal = Refusal::no_scope(&["qyapi_get_member"]);
        let (_, old) = body(&refusal, Generation::Gateway);
        assert!(old["sub_msg"].as_str().unwrap().contains("qyapi_get_member"));
        let (status, new) = body(&refusal, Generation::New);
        assert_eq!(status, 403);
        assert_eq!(new["accessdenieddetail"]["requiredScopes"][0], "qyapi_get_member");
        assert_eq!(body(&Refusal::SYSTEM, Generation::Plain).1["errcode"], -1);
    }
}
