//! Hands out the app's token by either generation and checks the one that comes with a request.
//!
//! Not permissions. The invariant: one token opens both generations, each only where that generation looks for it.

use super::call::Params;
use super::endpoint::{Endpoint, Generation};
use super::refusal::Refusal;
use crate::exchange::Incoming;
use crate::faults::Fault;
use crate::json::Json;
use crate::site::Site;
use crate::tokens::{Renewal, TokenKind};

const APP: TokenKind = TokenKind { prefix: "", renewal: Renewal::Extend };

/// Answers either token call. A form where the new generation wants JSON names no parameter it knows.
pub(crate) fn issue(
    site: &Site,
    endpoint: Endpoint,
    incoming: Incoming<'_>,
) -> Result<Vec<u8>, Refusal> {
    let params = match endpoint {
        Endpoint::GetToken => Params::query(incoming.query),
        _ => Params::json(incoming.body)?,
    };
    let (id, secret) = match endpoint {
        Endpoint::GetToken => (params.text("appkey"), params.text("appsecret")),
        _ => (params.text("appKey"), params.text("appSecret")),
    };
    let (Some(id), Some(secret)) = (id, secret) else { return Err(Refusal::NO_CREDENTIALS) };
    if id != site.config.app_id || secret != site.config.app_secret {
        return Err(Refusal::WRONG_SECRET);
    }
    let token = site.issue(APP);
    let mut json = Json::with_capacity(256);
    json.object(|json| {
        if endpoint == Endpoint::GetToken {
            json.key("errcode").number(0);
            json.key("access_token").text(&token.token);
            json.key("errmsg").text("ok");
            json.key("expires_in").number(token.expire_seconds);
        } else {
            json.key("expireIn").number(token.expire_seconds);
            json.key("accessToken").text(&token.token);
        }
    });
    Ok(json.into_bytes())
}

pub(crate) fn check(
    site: &Site,
    endpoint: Endpoint,
    generation: Generation,
    incoming: Incoming<'_>,
) -> Result<(), Refusal> {
    let token = match generation {
        Generation::New => incoming.header("x-acs-dingtalk-access-token").map(str::to_owned),
        Generation::Gateway | Generation::Plain => {
            Params::query(incoming.query).text("access_token")
        }
    };
    let Some(token) = token.filter(|token| !token.is_empty()) else {
        return Err(Refusal::NO_TOKEN);
    };
    if site.strikes(Fault::ExpiredToken, endpoint) {
        site.revoke(&token);
    }
    if site.is_valid(APP, &token) { Ok(()) } else { Err(Refusal::BAD_TOKEN) }
}
