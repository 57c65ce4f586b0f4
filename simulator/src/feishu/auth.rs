//! Hands out access tokens and checks the one that comes with a request.
//!
//! Not scopes. The invariant: only a token that was handed out, and has not run out, opens anything.

use std::time::Duration;

use serde::Deserialize;

use super::refusal::Refusal;
use super::{Endpoint, Feishu};
use crate::faults::Fault;
use crate::json::Json;
use crate::site::Site;
use crate::tokens::{Renewal, TokenKind};

/// The status with which an expired token is refused; both are met in practice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TokenErrors {
    /// HTTP 400.
    #[default]
    BadRequest,
    /// HTTP 200, the code alone says it.
    Ok,
}

/// With this much life left, the same token is handed out again.
const RENEWAL: Renewal = Renewal::Below(Duration::from_mins(30));
const TENANT: TokenKind = TokenKind { prefix: "t-", renewal: RENEWAL };
const APP: TokenKind = TokenKind { prefix: "a-", renewal: RENEWAL };

#[derive(Deserialize)]
struct Credentials {
    app_id: String,
    app_secret: String,
}

pub(crate) fn issue(site: &Site, endpoint: Endpoint, body: &[u8]) -> Result<Vec<u8>, Refusal> {
    let asked: Credentials =
        serde_json::from_slice(body).map_err(|_| Refusal::BAD_TOKEN_REQUEST)?;
    if asked.app_id != site.config.app_id {
        return Err(Refusal::UNKNOWN_APP);
    }
    if asked.app_secret != site.config.app_secret {
        return Err(Refusal::WRONG_SECRET);
    }
    let tenant = site.issue(TENANT);
    let mut json = Json::with_capacity(256);
    json.object(|json| {
        json.key("code").number(0);
        json.key("msg").text("ok");
        let expire = if endpoint == Endpoint::AppToken {
            let app = site.issue(APP);
            json.key("app_access_token").text(&app.token);
            app.expire_seconds
        } else {
            tenant.expire_seconds
        };
        json.key("tenant_access_token").text(&tenant.token);
        json.key("expire").number(expire);
    });
    Ok(json.into_bytes())
}

pub(crate) fn check(
    feishu: &Feishu,
    endpoint: Endpoint,
    header: Option<&str>,
) -> Result<(), Refusal> {
    let site = &feishu.site;
    let token = header.and_then(|header| header.strip_prefix("Bearer ")).map(str::trim);
    let Some(token) = token.filter(|token| !token.is_empty()) else {
        return Err(Refusal::NO_TOKEN);
    };
    if token.starts_with("u-") {
        return Err(Refusal::USER_TOKEN);
    }
    if !token.starts_with("t-") {
        return Err(Refusal::TOKEN_FORMAT);
    }
    if site.strikes(Fault::ExpiredToken, endpoint) {
        site.revoke(token);
    }
    if site.is_valid(TENANT, token) {
        return Ok(());
    }
    let status = match feishu.settings.token_errors {
        TokenErrors::BadRequest => 400,
        TokenErrors::Ok => 200,
    };
    Err(Refusal { status, ..Refusal::BAD_TOKEN })
}
