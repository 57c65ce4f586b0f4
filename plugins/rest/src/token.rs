//! OAuth 2 client credentials: a token, kept by the host until shortly before its end.
//!
//! The one invariant: the client secret is only ever named; the host fills it in.

use rollcall_sdk::{Host, Request, json};

use crate::answer::{self, Failure};
use crate::api::{Api, address};
use crate::spec::OAuth2;
use crate::template::encode;

/// A token is given up this long before its end, or at half of a short life.
const MARGIN_SECONDS: i64 = 120;
/// For how long a token is kept whose end the API does not tell.
const UNTOLD_SECONDS: i64 = 300;

impl<H: Host> Api<'_, H> {
    /// The token that is kept, or a new one.
    pub(crate) fn token(&self, oauth2: &OAuth2) -> Result<String, Failure> {
        let key = token_key(oauth2);
        if let Some(token) = self.host.recall(&key) {
            return Ok(token);
        }
        let response = self.host.send(self.token_request(oauth2)?)?;
        let answer =
            answer::judge(response, &self.spec, "auth.oauth2").map_err(Failure::of_token)?;
        let token =
            json::text(&answer, &oauth2.access_token)?.filter(|token| is_header_value(token));
        let Some(token) = token else {
            return Err(Failure::invalid(
                "shape",
                format!("`auth.oauth2`: the answer holds no token at `{}`", oauth2.access_token),
                "compare `auth.oauth2.path` and `access_token` with the API's documentation",
            ));
        };
        let seconds = json::integer(&answer, &oauth2.expires_in)?.unwrap_or(UNTOLD_SECONDS);
        let keep = seconds - MARGIN_SECONDS.min(seconds / 2);
        if let Some(keep) = u32::try_from(keep).ok().filter(|keep| *keep > 0) {
            self.host.remember(&key, &token, keep);
        }
        Ok(token)
    }

    /// Forgets `token`, unless another one is kept by now.
    pub(crate) fn drop_token(&self, oauth2: &OAuth2, token: &str) {
        let key = token_key(oauth2);
        if self.host.recall(&key).as_deref() == Some(token) {
            self.host.forget(&key);
        }
    }

    fn token_request(&self, oauth2: &OAuth2) -> Result<Request, Failure> {
        let name = if self.host.setting("auth_url").is_some() { "auth_url" } else { "base_url" };
        let base = address(self.host, name)?;
        let scope = oauth2.scope.as_ref().map(|scope| format!("&scope={}", encode(scope)));
        let body = format!(
            "grant_type=client_credentials&client_id={}&client_secret={{secret:{}}}{}",
            encode(&oauth2.client_id),
            oauth2.client_secret,
            scope.unwrap_or_default()
        );
        let form = "application/x-www-form-urlencoded".to_owned();
        Ok(Request {
            method: "POST",
            url: format!("{base}{}", oauth2.path),
            headers: vec![
                ("Accept".to_owned(), "application/json".to_owned()),
                ("Content-Type".to_owned(), form),
            ],
            body: body.into_bytes(),
        })
    }
}

/// Another client is another token.
fn token_key(oauth2: &OAuth2) -> String {
    let scope = oauth2.scope.as_deref().unwrap_or_default();
    format!("oauth2 {} {} {scope}", oauth2.path, oauth2.client_id)
}

/// Whether a token can stand in a header as it is, and names no secret of its own.
fn is_header_value(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic() && b != b'{')
}
