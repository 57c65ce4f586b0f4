//! Calls of both generations: the address, the token, the one repetition with a new token.
//!
//! What this is not: paging, or what an answer holds. The one invariant: a call is sent twice at most, and the second
//! time with the token that the platform handed out after it refused the first.

use rollcall_sdk::codes::Class;
use rollcall_sdk::json;
use rollcall_sdk::{Advice, Fault, Host, Request};

use crate::failure::{self, Failure};
use crate::settings::Settings;

/// A token is given up this long before its end, so that no call starts with one that ends under way.
const MARGIN_SECONDS: i64 = 600;
/// Where the new generation wants the token.
const TOKEN_HEADER: &str = "x-acs-dingtalk-access-token";

/// Both generations as one connection sees them.
pub(crate) struct Api<'h, H: Host> {
    pub(crate) host: &'h H,
    pub(crate) settings: Settings,
}

/// One call: its path is how it is named in messages too.
pub(crate) struct Call {
    generation: Generation,
    endpoint: &'static str,
    body: Option<String>,
}

/// The two differ in address, in where the token stands and in how they refuse.
#[derive(Clone, Copy)]
enum Generation {
    Old,
    New,
}

impl Call {
    /// Of the old generation.
    pub(crate) fn get(endpoint: &'static str) -> Self {
        Self { generation: Generation::Old, endpoint, body: None }
    }

    /// Of the old generation, with a JSON body.
    pub(crate) fn post(endpoint: &'static str, body: String) -> Self {
        Self { generation: Generation::Old, endpoint, body: Some(body) }
    }

    /// Of the new generation, with a JSON body.
    pub(crate) fn post_new(endpoint: &'static str, body: String) -> Self {
        Self { generation: Generation::New, endpoint, body: Some(body) }
    }
}

impl<'h, H: Host> Api<'h, H> {
    pub(crate) fn new(host: &'h H) -> Result<Self, Fault> {
        Ok(Self { host, settings: Settings::read(host)? })
    }

    /// Sends the call with a token; once more with a new one when the token is what is refused.
    pub(crate) fn send(&self, call: &Call) -> Result<H::Response, Failure> {
        let token = self.token()?;
        let first = self.attempt(call, &token);
        if !first.as_ref().is_err_and(|failure| failure.class == Class::Token) {
            return first;
        }
        self.drop_token(&token);
        let fresh = self.token()?;
        let second = self.attempt(call, &fresh);
        if second.as_ref().is_err_and(|failure| failure.class == Class::Token) {
            self.drop_token(&fresh);
        }
        second
    }

    fn attempt(&self, call: &Call, token: &str) -> Result<H::Response, Failure> {
        let Call { generation, endpoint, body } = call;
        match generation {
            Generation::Old => {
                let url = format!("{}/{endpoint}?access_token={token}", self.settings.oapi_host);
                let response = self.host.send(request(url, body.as_deref()))?;
                failure::check(response, endpoint)
            }
            Generation::New => {
                let url = format!("{}/{endpoint}", self.settings.api_host);
                let mut request = request(url, body.as_deref());
                request.headers.push((TOKEN_HEADER.to_owned(), token.to_owned()));
                failure::check_new(self.host.send(request)?, endpoint)
            }
        }
    }

    /// The app's token: the one kept by the host, or a new one. It opens both generations.
    pub(crate) fn token(&self) -> Result<String, Failure> {
        if let Some(token) = self.host.recall(&self.token_key()) {
            return Ok(token);
        }
        // The new generation takes the secret in the body; the old one would want it in the address.
        let endpoint = "v1.0/oauth2/accessToken";
        let body = format!(
            r#"{{"appKey":{},"appSecret":"{{secret:client_secret}}"}}"#,
            json::quote(&self.settings.client_id)
        );
        let url = format!("{}/{endpoint}", self.settings.api_host);
        let answer = self.host.send(request(url, Some(&body)))?;
        let answer = failure::check_new(answer, endpoint)?;
        let token = json::text(&answer, "/accessToken")?.filter(|token| is_query_value(token));
        let Some(token) = token else {
            let remedy = "check `api_host`: what answers there issues no usable token";
            let advice = Advice::new("shape", "the answer holds no token", remedy);
            return Err(Failure::of(Class::Invalid, advice));
        };
        let seconds = json::integer(&answer, "/expireIn")?.unwrap_or(0);
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
        format!("access_token {} {}", self.settings.api_host, self.settings.client_id)
    }
}

fn request(url: String, body: Option<&str>) -> Request {
    let json = || ("Content-Type".to_owned(), "application/json; charset=utf-8".to_owned());
    Request {
        method: if body.is_some() { "POST" } else { "GET" },
        url,
        headers: body.iter().map(|_| json()).collect(),
        body: body.unwrap_or_default().as_bytes().to_vec(),
    }
}

/// How long a token that lives for `seconds` is kept: until a margin before its end, which is half of a short life.
fn keep_seconds(seconds: i64) -> Option<u32> {
    let keep = seconds - MARGIN_SECONDS.min(seconds / 2);
    u32::try_from(keep).ok().filter(|keep| *keep > 0)
}

/// Whether a token can stand in an address as it is.
fn is_query_value(token: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
    !token.is_empty() && token.bytes().all(plain)
}

/// A JSON array of strings.
pub(crate) fn quoted(texts: &[String]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| json::quote(text)).collect();
    format!("[{}]", texts.join(","))
}
