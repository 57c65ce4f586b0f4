//! Calls of the API: the address, a token for each secret, the one repetition with a new token.
//!
//! What this is not: cursors, or what an answer holds. The one invariant: a call is sent twice at most with one secret,
//! and the second time with the token that the platform handed out after it refused the first.

use rollcall_sdk::codes::Class;
use rollcall_sdk::json;
use rollcall_sdk::{Advice, Fault, Host, Request};

use crate::codes::FREQUENCY;
use crate::failure::{self, Failure};
use crate::settings::Settings;

/// A token is given up this long before its end, so that no call starts with a token that ends under way.
const MARGIN_SECONDS: i64 = 300;

/// The API as one connection sees it.
pub(crate) struct Api<'h, H: Host> {
    pub(crate) host: &'h H,
    pub(crate) settings: Settings,
}

/// A secret of this connection; each has a token of its own, and what one may do another may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Secret {
    /// Of the self-built app.
    App,
    /// Of contacts sync.
    Contacts,
    /// Of the check-in system app, in companies that still have one.
    CheckIn,
}

impl Secret {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::App => "app_secret",
            Self::Contacts => "contacts_secret",
            Self::CheckIn => "checkin_secret",
        }
    }
}

/// On whose behalf a call is made: the secrets that will do, the best first. Those that are not configured are passed
/// over.
pub(crate) type Behalf = &'static [Secret];

/// Names, titles, managers: contacts sync may still read them in older companies.
pub(crate) const DETAILS: Behalf = &[Secret::App, Secret::Contacts];
/// The ids of the whole company.
pub(crate) const SKELETON: Behalf = &[Secret::Contacts];
/// The app's own affairs.
pub(crate) const APP: Behalf = &[Secret::App];
/// Check-in.
pub(crate) const CHECK_IN: Behalf = &[Secret::CheckIn, Secret::App];

/// One call: its address below `/cgi-bin/`, its query, its body, and the member that no answer to it goes without.
pub(crate) struct Call {
    pub(crate) endpoint: &'static str,
    query: String,
    body: Option<String>,
    pub(crate) holds: &'static str,
}

impl Call {
    /// `GET endpoint?query`; a success holds something at `holds`.
    pub(crate) fn get(endpoint: &'static str, query: &[(&str, &str)], holds: &'static str) -> Self {
        let mut text = String::new();
        for (name, value) in query {
            text.push('&');
            text.push_str(name);
            text.push('=');
            text.push_str(&encode(value));
        }
        Self { endpoint, query: text, body: None, holds }
    }

    /// `POST endpoint` with a JSON body; a success holds something at `holds`.
    pub(crate) fn post(endpoint: &'static str, body: String, holds: &'static str) -> Self {
        Self { endpoint, query: String::new(), body: Some(body), holds }
    }
}

impl<'h, H: Host> Api<'h, H> {
    pub(crate) fn new(host: &'h H) -> Result<Self, Fault> {
        Ok(Self { host, settings: Settings::read(host)? })
    }

    /// Sends the call with the first of these secrets that is configured.
    pub(crate) fn send(&self, behalf: Behalf, call: &Call) -> Result<H::Response, Failure> {
        let configured = behalf.iter().find(|secret| self.host.has_secret(secret.name()));
        // Without any, the refusal names the first: it is the one to ask for.
        self.send_with(*configured.unwrap_or(&behalf[0]), call)
    }

    /// Sends the call with a token; once more with a new one when the token is what is refused.
    fn send_with(&self, secret: Secret, call: &Call) -> Result<H::Response, Failure> {
        let token = self.token(secret)?;
        match self.attempt(call, &token) {
            Err(Failure { class: Class::Token, .. }) => self.drop_token(secret, &token),
            other => return other,
        }
        let fresh = self.token(secret)?;
        let second = self.attempt(call, &fresh);
        if second.as_ref().is_err_and(|failure| failure.class == Class::Token) {
            self.drop_token(secret, &fresh);
        }
        second
    }

    /// The token of a secret: the one kept by the host, or a new one.
    pub(crate) fn token(&self, secret: Secret) -> Result<String, Failure> {
        if let Some(token) = self.host.recall(&self.token_key(secret)) {
            return Ok(token);
        }
        let query = format!(
            "gettoken?corpid={}&corpsecret={{secret:{}}}",
            encode(&self.settings.corp_id),
            secret.name()
        );
        let call = Call::get("gettoken", &[], "/access_token");
        let answer = match self.request(&call, &query) {
            Err(failure) if failure.code == FREQUENCY => return Err(banned(secret)),
            other => other?,
        };
        let token = json::text(&answer, "/access_token")?.filter(|token| is_token(token));
        let Some(token) = token else {
            let remedy = "check `api_host`: what answers there issues no usable token";
            let advice = Advice::new("shape", "the answer holds no token", remedy);
            return Err(Failure::of(Class::Invalid, advice));
        };
        let seconds = json::integer(&answer, "/expires_in")?.unwrap_or(0);
        if let Some(keep) = keep_seconds(seconds) {
            self.host.remember(&self.token_key(secret), &token, keep);
        }
        Ok(token)
    }

    /// Forgets `token`, unless another one is kept by now.
    fn drop_token(&self, secret: Secret, token: &str) {
        let key = self.token_key(secret);
        if self.host.recall(&key).as_deref() == Some(token) {
            self.host.forget(&key);
        }
    }

    /// A change of address, company or secret's name is a change of token.
    fn token_key(&self, secret: Secret) -> String {
        let Settings { api_host, corp_id, .. } = &self.settings;
        format!("access_token {api_host} {corp_id} {}", secret.name())
    }

    fn attempt(&self, call: &Call, token: &str) -> Result<H::Response, Failure> {
        let path = format!("{}?access_token={}{}", call.endpoint, encode(token), call.query);
        self.request(call, &path)
    }

    fn request(&self, call: &Call, path: &str) -> Result<H::Response, Failure> {
        let mut headers = Vec::with_capacity(1);
        if call.body.is_some() {
            headers.push(("Content-Type".to_owned(), "application/json; charset=utf-8".to_owned()));
        }
        let request = Request {
            method: if call.body.is_some() { "POST" } else { "GET" },
            url: format!("{}/cgi-bin/{path}", self.settings.api_host),
            headers,
            body: call.body.clone().unwrap_or_default().into_bytes(),
        };
        failure::check(self.host.send(request)?, call)
    }
}

/// The platform bars an address that asks for tokens too often, or with a wrong secret, for an hour: asking again only
/// prolongs it.
fn banned(secret: Secret) -> Failure {
    let message = "gettoken: tokens were asked for too often, or with a wrong secret";
    let remedy = format!(
        "check `{}` and whatever else asks for tokens from this machine's address, then wait an hour: the platform bars \
         the address that long",
        secret.name()
    );
    let advice = Advice::new(FREQUENCY.to_string(), message, remedy);
    Failure::coded(FREQUENCY, Class::Forbidden, advice, 0)
}

/// How long a token that lives for `seconds` is kept: until a margin before its end, which is half of a short life.
fn keep_seconds(seconds: i64) -> Option<u32> {
    let keep = seconds - MARGIN_SECONDS.min(seconds / 2);
    u32::try_from(keep).ok().filter(|keep| *keep > 0)
}

/// Whether a token names no secret of its own and is no longer than the platform says it may be.
fn is_token(token: &str) -> bool {
    (1..=2_048).contains(&token.len())
        && token.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'{')
}

/// A JSON array of strings.
pub(crate) fn quoted(texts: &[String]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| json::quote(text)).collect();
    format!("[{}]", texts.join(","))
}

/// Percent-encodes all but unreserved characters.
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
