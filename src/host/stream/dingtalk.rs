//! DingTalk Stream.
//!
//! `POST /v1.0/gateway/connections/open` gives an endpoint and a ticket that is good for one connection within 90 seconds.
//! Text messages on it are JSON frames: SYSTEM (`ping`, `disconnect` and others), EVENT and CALLBACK. After `disconnect` no
//! frame follows although the socket still lives for some ten seconds, so the next connection is opened first. An event is
//! acknowledged with SUCCESS, or LATER to have it pushed again.
//!
//! The invariant: only frames of the protocol count as proof that events still flow; answered WebSocket pings do not.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::header::HeaderMap;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;
use url::Url;

use crate::host::contract::since_v0_1::http::Request;

use super::error::{StreamError, said};
use super::protocol::{Dialogue, Event, Heard, Invitation, Protocol, delivery, post};

const NAME: &str = "dingtalk";
const PATH: &str = "/v1.0/gateway/connections/open";
const PING_EVERY: Duration = Duration::from_secs(30);
/// Each replacement asks for a connection, and requests may be metered by the month: not more often than this.
const STALE_AFTER: Duration = Duration::from_hours(1);
const UA: &str = concat!("rollcall/", env!("CARGO_PKG_VERSION"));

const CHECK_APP: &str = "check the app's client id and secret, and that in the developer console under Event Subscription \
    the push mode is Stream";

/// The protocol for one app.
pub(super) struct DingTalk {
    pub(super) base: String,
    pub(super) app_id: String,
    /// The name of the secret.
    pub(super) app_secret: String,
}

#[derive(Deserialize)]
struct Opened {
    #[serde(default)]
    endpoint: String,
    #[serde(default)]
    ticket: String,
}

#[derive(Default, Deserialize)]
struct Fault {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

impl Protocol for DingTalk {
    fn ask(&self) -> Request {
        let body = json!({
            "clientId": self.app_id,
            "clientSecret": format!("{{secret:{}}}", self.app_secret),
            "subscriptions": [{"type": "EVENT", "topic": "*"}],
            "ua": UA,
        });
        post(format!("{}{PATH}", self.base), &body)
    }

    fn invitation(&self, status: u16, body: &[u8]) -> Result<Invitation, StreamError> {
        if status != 200 {
            return Err(refusal(status, &serde_json::from_slice(body).unwrap_or_default()));
        }
        let nonsense = |reason| StreamError::Answer { reason };
        let opened: Opened =
            serde_json::from_slice(body).map_err(|_| nonsense("no JSON object"))?;
        if opened.ticket.is_empty() {
            return Err(nonsense("no ticket"));
        }
        let mut url = Url::parse(&opened.endpoint).map_err(|_| nonsense("no endpoint"))?;
        url.query_pairs_mut().append_pair("ticket", &opened.ticket);
        Ok(Invitation { url, ping_every: PING_EVERY, spread: Duration::ZERO })
    }

    fn turned_away(&self, status: u16, _: &HeaderMap) -> StreamError {
        // The ticket was good a moment ago, and the next attempt gets a new one.
        StreamError::Busy { code: status.into(), said: "no WebSocket".to_owned() }
    }

    fn dialogue(&self, _: &Invitation) -> Box<dyn Dialogue> {
        Box::new(Talk)
    }
}

fn refusal(status: u16, fault: &Fault) -> StreamError {
    let said = said(&format!("{} {}", fault.code, fault.message));
    let code = i64::from(status);
    match status {
        // A quota that is used up looks like any refusal; the code the platform names tells which.
        400 | 401 | 403 | 404 => StreamError::Refused { code, said, remedy: CHECK_APP },
        _ => StreamError::Busy { code, said },
    }
}

/// A frame; an example of the documentation writes `header`.
#[derive(Deserialize)]
struct Frame {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(alias = "header", default)]
    headers: BTreeMap<String, Value>,
    #[serde(default)]
    data: Value,
}

impl Frame {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// The answer to this frame.
    fn answer(&self, code: u16, message: &str, data: &str) -> Message {
        let headers = json!({
            "messageId": self.header("messageId"),
            "contentType": "application/json",
        });
        let ack = json!({"code": code, "message": message, "headers": headers, "data": data});
        Message::text(ack.to_string())
    }

    /// `data` is a text that holds JSON.
    fn data(&self) -> String {
        match &self.data {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }
}

struct Talk;

impl Dialogue for Talk {
    fn heard(&mut self, message: Message, _: Instant) -> Result<Heard, StreamError> {
        let Message::Text(text) = message else { return Ok(Heard::Life) };
        let frame: Frame = serde_json::from_str(text.as_str())
            .map_err(|_| StreamError::Answer { reason: "no JSON frame" })?;
        Ok(match (frame.kind.as_str(), frame.header("topic")) {
            ("EVENT", _) => Heard::Event(Box::new(event(&frame))),
            ("SYSTEM", "disconnect") => Heard::Farewell,
            ("SYSTEM", "ping") => Heard::Reply(frame.answer(200, "OK", &frame.data())),
            ("CALLBACK", _) => Heard::Reply(frame.answer(404, "rollcall takes events only", "{}")),
            _ => Heard::Life,
        })
    }

    fn ping(&self) -> Message {
        Message::Ping(tokio_tungstenite::tungstenite::Bytes::new())
    }

    fn ping_every(&self) -> Duration {
        PING_EVERY
    }

    fn stale_after(&self) -> Option<Duration> {
        Some(STALE_AFTER)
    }
}

fn event(frame: &Frame) -> Event {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let headers: Vec<(String, String)> =
        frame.headers.iter().map(|(name, value)| (name.clone(), text(value))).collect();
    let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let status = |status, message| json!({"status": status, "message": message}).to_string();
    Event {
        delivery: delivery(NAME, headers, frame.data().into_bytes()),
        stored: frame.answer(200, "OK", &status("SUCCESS", "stored")),
        again: frame.answer(200, "OK", &status("LATER", "not stored")),
    }
}

#[cfg(test)]
mod tests;
