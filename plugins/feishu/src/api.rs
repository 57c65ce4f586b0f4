//! Calls of the open API: the address, the token, the one repetition with a new token.
//!
//! What this is not: paging, or what an answer holds. The one invariant: a call is sent twice at most, and the second
//! time with the token that the platform handed out after it refused the first.

use rollcall_sdk::codes::Class;
use rollcall_sdk::json;
use rollcall_sdk::{Advice, Fault, Host, Request};

use crate::failure::{self, Failure};
use crate::settings::Settings;

/// A token is given up this long before its end. A token asked for in its last 30 minutes is a new one, so the margin
/// must stay below that; and long enough that no call starts with a token that ends under way.
const MARGIN_SECONDS: i64 = 600;

/// The open API as one connection sees it.
pub(crate) struct Api<'h, H: Host> {
    pub(crate) host: &'h H,
    pub(crate) settings: Settings,
}

/// One call: how it is named in messages (without ids), its address below `/open-apis/`, its body.
pub(crate) struct Call {
    pub(crate) endpoint: &'static str,
    path: String,
    body: Option<String>,
}

impl Call {
    /// `GET endpoint?query`.
    pub(crate) fn get(endpoint: &'static str, query: &[(&str, &str)]) -> Self {
        Self { endpoint, path: with_query(endpoint, query), body: None }
    }

    /// `GET` where ids are part of the path: `path` has them, `endpoint` does not.
    pub(crate) fn get_at(endpoint: &'static str, path: &str, query: &[(&str, &str)]) -> Self {
        Self { endpoint, path: with_query(path, query), body: None }
    }

    /// `POST endpoint?query` with a JSON body.
    pub(crate) fn post(endpoint: &'static str, query: &[(&str, &str)], body: String) -> Self {
        Self { endpoint, path: with_query(endpoint, query), body: Some(body) }
    }
}

impl<'h, H: Host> Api<'h, H> {
    pub(crate) fn new(host: &'h H) -> Result<Self, Fault> {
        Ok(Self { host, settings: Settings::read(host)? })
    }

    /// Sends the call with a token; once more with a new one when the token is what is refused.
    pub(crate) fn send(&self, call: &Call) -> Result<H::Response, Failure> {
        let token = self.token()?;
        let first = self.attempt(call, Some(&token));
        let Err(Failure { class: class @ (Class::Token | Class::Scope), .. }) = first else {
            return first;
        };
        self.drop_token(&token);
        if class == Class::Scope {
            // The permission may be granted any time, and only a token issued after that has it.
            return first;
        }
        let fresh = self.token()?;
        let second = self.attempt(call, Some(&fresh));
        if second.as_ref().is_err_and(|f| matches!(f.class, Class::Token | Class::Scope)) {
            self.drop_token(&fresh);
        }
        second
    }

    /// The tenant token: the one kept by the host, or a new one.
    pub(crate) fn token(&self) -> Result<String, Failure> {
        if let Some(token) = self.host.recall(&self.token_key()) {
            return Ok(token);
        }
        let call = Call {
            endpoint: "auth/v3/tenant_access_token/internal",
            path: "auth/v3/tenant_access_token/internal".to_owned(),
            body: Some(format!(
                r#"{{"app_id":{},"app_secret":"{{secret:app_secret}}"}}"#,
                json::quote(&self.settings.app_id)
            )),
        };
        let answer = self.attempt(&call, None)?;
        let token = json::text(&answer, "/tenant_access_token")?.filter(|t| is_header_value(t));
        let Some(token) = token else {
            let remedy = "check `open_host`: what answers there issues no usable token";
            let advice = Advice::new("shape", "the answer holds no token", remedy);
            return Err(Failure::of(Class::Invalid, advice));
        };
        let seconds = json::integer(&answer, "/expire")?.unwrap_or(0);
        if let Some(keep) = keep_seconds(seconds) {
            self.host.remember(&self.token_key(), &token, keep);
        }
        Ok(token)
    }

    /// Forgets `token`, unless another one is kept by now.
    fn drop_token(&self, token: &str) {
        let key = self.token_key();
        if self.host.recall(&key).as_deref() == Some(token) {
            self.host.forget(&key);
        }
    }

    /// A change of address or app is a change of token.
    fn token_key(&self) -> String {
        format!("tenant_access_token {} {}", self.settings.open_host, self.settings.app_id)
    }

    fn attempt(&self, call: &Call, token: Option<&str>) -> Result<H::Response, Failure> {
        let mut headers = Vec::with_capacity(2);
        if let Some(token) = token {
            headers.push(("Authorization".to_owned(), format!("Bearer {token}")));
        }
        if call.body.is_some() {
            let json = "application/json; charset=utf-8".to_owned();
            headers.push(("Content-Type".to_owned(), json));
        }
        let request = Request {
            method: if call.body.is_some() { "POST" } else { "GET" },
            url: format!("{}/open-apis/{}", self.settings.open_host, call.path),
            headers,
            body: call.body.clone().unwrap_or_default().into_bytes(),
        };
        let response = self.host.send(request)?;
        failure::check(response, call.endpoint)
    }
}

/// How long a token that lives for `seconds` is kept: until a margin before its end, which is half of a short life.
fn keep_seconds(seconds: i64) -> Option<u32> {
    let keep = seconds - MARGIN_SECONDS.min(seconds / 2);
    u32::try_from(keep).ok().filter(|keep| *keep > 0)
}

/// Whether a token can stand in a header as it is, and names no secret of its own.
fn is_header_value(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic() && b != b'{')
}

fn with_query(path: &str, query: &[(&str, &str)]) -> String {
    let mut text = path.to_owned();
    for (index, (name, value)) in query.iter().enumerate() {
        text.push(if index == 0 { '?' } else { '&' });
        text.push_str(name);
        text.push('=');
        text.push_str(&encode(value));
    }
    text
}

/// A JSON array of strings.
pub(crate) fn quoted(texts: &[String]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| json::quote(text)).collect();
    format!("[{}]", texts.join(","))
}

/// Percent-encodes all but unreserved characters: page tokens hold `/`, `+` and `=`.
pub(crate) fn encode(text: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push(char::from(HEX[usize::from(byte >> 4)]));
            encoded.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
    encoded
}
