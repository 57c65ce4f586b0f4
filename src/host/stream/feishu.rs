//! Feishu's long connection, as the platform's own clients speak it.
//!
//! `POST /callback/ws/endpoint` with the app's id and secret gives the address of a WebSocket and how to keep it up. Binary
//! messages on it are protobuf frames: control frames (ping, pong) and data frames, of which a large event takes several. An
//! event is acknowledged with its own frame, the payload replaced by a code. The platform announces nothing before it
//! closes; what was not acknowledged it sends again.
//!
//! The invariant: a frame that is acknowledged carried a whole event.

use std::time::Duration;

use prost::Message as _;
use reqwest::header::{HeaderMap, HeaderValue};
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;
use url::Url;

use crate::host::contract::since_v0_1::http::Request;

use super::error::{StreamError, said};
use super::frame::{CONTROL, DATA, Frame};
use super::parts::{Part, Parts};
use super::protocol::{Dialogue, Event, Heard, Invitation, Protocol, delivery, post};

const NAME: &str = "feishu";
const PATH: &str = "/callback/ws/endpoint";
/// What the platform's own clients assume until it says otherwise.
const PING_EVERY: Duration = Duration::from_mins(2);
/// What it may ask for.
const PING_LEAST: Duration = Duration::from_secs(1);
const SPREAD_MOST: Duration = Duration::from_mins(1);

/// Codes of the endpoint and of the handshake.
const BUSY: i64 = 1;
const INTERNAL: i64 = 1_000_040_343;
const TOO_MANY: i64 = 1_000_040_350;
const UNAUTHORISED: i64 = 514;

const CHECK_APP: &str = "check `app_id` and the app secret, that the app is self-built, and that in the developer console \
    under Events & Callbacks the subscription mode is the persistent connection";
const CHECK_COUNT: &str =
    "the app has as many long connections as it may have: stop other clients of the same app";

/// The protocol for one app.
pub(super) struct Feishu {
    pub(super) base: String,
    pub(super) app_id: String,
    /// The name of the secret.
    pub(super) app_secret: String,
}

#[derive(Deserialize)]
struct Answer {
    code: i64,
    #[serde(default)]
    msg: String,
    #[serde(default)]
    data: Option<Endpoint>,
}

#[derive(Deserialize)]
struct Endpoint {
    #[serde(rename = "URL", default)]
    url: String,
    #[serde(rename = "ClientConfig", default)]
    config: Config,
}

/// Seconds; what is missing or not positive is left as it was.
#[derive(Clone, Copy, Default, Deserialize)]
struct Config {
    #[serde(rename = "PingInterval", default)]
    ping_interval: i64,
    #[serde(rename = "ReconnectNonce", default)]
    reconnect_nonce: i64,
}

impl Config {
    fn ping_every(self) -> Option<Duration> {
        seconds(self.ping_interval).map(|it| it.clamp(PING_LEAST, PING_EVERY))
    }
}

fn seconds(number: i64) -> Option<Duration> {
    u64::try_from(number).ok().filter(|it| *it > 0).map(Duration::from_secs)
}

impl Protocol for Feishu {
    fn ask(&self) -> Request {
        let secret = format!("{{secret:{}}}", self.app_secret);
        let body = json!({"AppID": self.app_id, "AppSecret": secret});
        post(format!("{}{PATH}", self.base), &body)
    }

    fn invitation(&self, status: u16, body: &[u8]) -> Result<Invitation, StreamError> {
        let nonsense = |reason| StreamError::Answer { reason };
        let answer: Result<Answer, _> = serde_json::from_slice(body);
        let Ok(answer) = answer else {
            return Err(match status {
                200 => nonsense("no JSON with a code"),
                _ => StreamError::Busy { code: status.into(), said: "no JSON with a code".into() },
            });
        };
        if answer.code != 0 {
            return Err(refusal(answer.code, &answer.msg));
        }
        if status != 200 {
            return Err(StreamError::Busy { code: status.into(), said: said(&answer.msg) });
        }
        let endpoint = answer.data.ok_or_else(|| nonsense("no `data`"))?;
        let url = Url::parse(&endpoint.url).map_err(|_| nonsense("no URL to connect to"))?;
        let spread = seconds(endpoint.config.reconnect_nonce).unwrap_or_default();
        Ok(Invitation {
            url,
            ping_every: endpoint.config.ping_every().unwrap_or(PING_EVERY),
            spread: spread.min(SPREAD_MOST),
        })
    }

    fn turned_away(&self, status: u16, headers: &HeaderMap) -> StreamError {
        let text = |name| headers.get(name).map(HeaderValue::as_bytes).map(String::from_utf8_lossy);
        let code = |name| text(name).and_then(|it| it.trim().parse::<i64>().ok());
        // Without the platform's own code it is whatever stands in front of it that answers.
        let Some(found) = code("handshake-status") else {
            return StreamError::Busy { code: status.into(), said: "no WebSocket".to_owned() };
        };
        let found =
            code("handshake-autherrcode").filter(|_| found == UNAUTHORISED).unwrap_or(found);
        refusal(found, text("handshake-msg").as_deref().unwrap_or_default())
    }

    fn dialogue(&self, invitation: &Invitation) -> Box<dyn Dialogue> {
        let service = invitation.url.query_pairs().find(|(name, _)| name == "service_id");
        let service = service.and_then(|(_, id)| id.parse().ok()).unwrap_or_default();
        Box::new(Talk { service, ping_every: invitation.ping_every, parts: Parts::default() })
    }
}

fn refusal(code: i64, msg: &str) -> StreamError {
    let said = said(msg);
    match code {
        BUSY | INTERNAL | 429 | 500..=513 | 515..=599 => StreamError::Busy { code, said },
        TOO_MANY => StreamError::Refused { code, said, remedy: CHECK_COUNT },
        _ => StreamError::Refused { code, said, remedy: CHECK_APP },
    }
}

struct Talk {
    service: i32,
    ping_every: Duration,
    parts: Parts,
}

impl Dialogue for Talk {
    fn heard(&mut self, message: Message, now: Instant) -> Result<Heard, StreamError> {
        let Message::Binary(bytes) = message else { return Ok(Heard::Life) };
        let frame = Frame::decode(bytes)
            .map_err(|_| StreamError::Answer { reason: "no protobuf frame" })?;
        match frame.method {
            CONTROL => self.configure(&frame),
            DATA => return Ok(self.data(frame, now)),
            _ => {}
        }
        Ok(Heard::Life)
    }

    fn ping(&self) -> Message {
        Message::Binary(Frame::ping(self.service).encode_to_vec().into())
    }

    fn ping_every(&self) -> Duration {
        self.ping_every
    }

    fn stale_after(&self) -> Option<Duration> {
        // Every ping is answered by a frame of the protocol: silence says it all.
        None
    }
}

impl Talk {
    /// A pong may carry a new configuration.
    fn configure(&mut self, frame: &Frame) {
        let config = serde_json::from_slice::<Config>(&frame.payload).unwrap_or_default();
        if frame.header("type") == Some("pong") {
            self.ping_every = config.ping_every().unwrap_or(self.ping_every);
        }
    }

    fn data(&mut self, mut frame: Frame, now: Instant) -> Heard {
        // Cards are answered on the screen of whoever pressed them: not ours to acknowledge.
        if frame.header("type") != Some("event") {
            return Heard::Life;
        }
        let number = |name| frame.header(name).and_then(|it| it.parse::<usize>().ok());
        let (of, at) = (number("sum").unwrap_or(1), number("seq").unwrap_or(0));
        let payload = std::mem::take(&mut frame.payload);
        let whole = if of > 1 {
            let message = frame.header("message_id").unwrap_or_default().to_owned();
            self.parts.add(Part { message, of, at, bytes: payload }, now)
        } else {
            Some(payload)
        };
        let Some(body) = whole else { return Heard::Life };
        let headers = frame.headers.iter().map(|it| (it.key.as_str(), it.value.as_str()));
        let delivery = delivery(NAME, headers, body);
        let answer = |code: u16| {
            let payload = json!({"code": code}).to_string().into_bytes();
            Message::Binary(Frame { payload, ..frame.clone() }.encode_to_vec().into())
        };
        Heard::Event(Box::new(Event { delivery, stored: answer(200), again: answer(500) }))
    }
}

#[cfg(test)]
mod tests;
