//! Feishu's long connection: the call that hands out its address, and the frames on it.
//!
//! Not the pumping of events. The fact sheet leaves the protocol to the official clients, so it follows what they send and
//! accept. The invariant: an address opens one connection, and an event is settled only by a frame of its own message.

use std::time::Duration;

use form_urlencoded::parse;
use prost::Message as _;
use serde::Deserialize;
use tokio_tungstenite::tungstenite::Message;

use super::{Endpoint, Feishu};
use crate::endpoint;
use crate::exchange::{Answer, Incoming};
use crate::json::Json;
use crate::lines::{Heard, Talk};

pub(super) const ENDPOINT_PATH: &str = "/callback/ws/endpoint";
const SOCKET_PATH: &str = "/ws/v2";
const SERVICE: i32 = 33_554_678;
/// So many connections of one app may be open.
const CONNECTIONS_MOST: usize = 50;
/// An event in pieces comes in so many.
const PIECES: usize = 3;

const CONTROL: i32 = 0;
const DATA: i32 = 1;

const OK: u32 = 0;
const FORBIDDEN: u32 = 403;
const UNAUTHORISED: u32 = 514;
const TOO_MANY: u32 = 1_000_040_350;
/// What the endpoint says of an app it does not know, and of a wrong secret; the sheet names neither.
const BAD_APP: u32 = 10_003;
const BAD_SECRET: u32 = 10_014;

/// What the platform asks of clients: seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub ping_every: u64,
    pub reconnect_nonce: u64,
    pub reconnect_interval: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Self { ping_every: 120, reconnect_nonce: 30, reconnect_interval: 120 }
    }
}

impl Pace {
    fn write(self, json: &mut Json) {
        json.key("ReconnectCount").number(-1);
        json.key("ReconnectInterval").number(self.reconnect_interval);
        json.key("ReconnectNonce").number(self.reconnect_nonce);
        json.key("PingInterval").number(self.ping_every);
    }
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct Frame {
    #[prost(uint64, required, tag = "1")]
    seq_id: u64,
    #[prost(uint64, required, tag = "2")]
    log_id: u64,
    #[prost(int32, required, tag = "3")]
    service: i32,
    #[prost(int32, required, tag = "4")]
    method: i32,
    #[prost(message, repeated, tag = "5")]
    headers: Vec<Header>,
    #[prost(string, optional, tag = "6")]
    payload_encoding: Option<String>,
    #[prost(string, optional, tag = "7")]
    payload_type: Option<String>,
    #[prost(bytes = "vec", optional, tag = "8")]
    payload: Option<Vec<u8>>,
    #[prost(string, optional, tag = "9")]
    log_id_new: Option<String>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct Header {
    #[prost(string, required, tag = "1")]
    key: String,
    #[prost(string, required, tag = "2")]
    value: String,
}

impl Frame {
    fn new(method: i32, headers: &[(&str, &str)], payload: Vec<u8>) -> Self {
        let header = |(key, value): &(&str, &str)| Header {
            key: (*key).to_owned(),
            value: (*value).to_owned(),
        };
        Self {
            service: SERVICE,
            method,
            headers: headers.iter().map(header).collect(),
            payload: Some(payload),
            ..Self::default()
        }
    }

    fn header(&self, key: &str) -> Option<&str> {
        self.headers.iter().find(|header| header.key == key).map(|header| header.value.as_str())
    }

    fn message(&self) -> Message {
        Message::Binary(self.encode_to_vec().into())
    }
}

#[derive(Deserialize)]
struct Credentials {
    #[serde(rename = "AppID")]
    app_id: String,
    #[serde(rename = "AppSecret")]
    app_secret: String,
}

/// An acknowledgement's payload.
#[derive(Deserialize)]
struct Outcome {
    code: u16,
}

impl Feishu {
    /// The address of one long connection.
    pub(super) fn stream_endpoint(&self, incoming: Incoming<'_>) -> Vec<u8> {
        let code = self.judge(incoming.body);
        let mut json = Json::with_capacity(512);
        json.object(|json| {
            json.key("code").number(code);
            json.key("msg").text(message(code));
            if code == OK {
                let host = incoming.header("host").unwrap_or("localhost");
                json.key("data").object(|json| {
                    json.key("URL").text(&self.address(host));
                    json.key("ClientConfig").object(|json| self.settings.pace.write(json));
                });
            }
        });
        json.into_bytes()
    }

    fn judge(&self, body: &[u8]) -> u32 {
        let config = &self.site.config;
        match serde_json::from_slice::<Credentials>(body) {
            Ok(asked) if asked.app_id == config.app_id => {
                if asked.app_secret == config.app_secret {
                    OK
                } else {
                    BAD_SECRET
                }
            }
            Ok(_) | Err(_) => BAD_APP,
        }
    }

    fn address(&self, host: &str) -> String {
        let ticket = self.site.tickets().issue(self.site.clock.uptime());
        let device = self.site.lines.opened() + 1;
        format!(
            "ws://{host}{SOCKET_PATH}?fpid=493&aid=552564&device_id={device}&access_key={ticket}&service_id={SERVICE}&ticket={ticket}"
        )
    }

    /// Opens the connection behind an address.
    pub(super) fn stream(&self, incoming: Incoming<'_>) -> Result<Box<dyn Talk>, Answer> {
        self.site.count(Endpoint::Stream.into());
        let ticket = parse(incoming.query.as_bytes()).find(|(key, _)| key == "ticket");
        let ticket = ticket.map(|(_, value)| value).unwrap_or_default();
        if incoming.path != SOCKET_PATH
            || !self.site.tickets().use_up(&ticket, self.site.clock.uptime())
        {
            return Err(turned_away(FORBIDDEN, "ticket invalid", None));
        }
        if self.site.lines.open() >= CONNECTIONS_MOST {
            return Err(turned_away(UNAUTHORISED, message(TOO_MANY), Some(TOO_MANY)));
        }
        Ok(Box::new(Line { pace: self.settings.pace }))
    }
}

fn message(code: u32) -> &'static str {
    match code {
        OK => "success",
        BAD_APP => "app_id is unknown",
        BAD_SECRET => "app secret is wrong",
        _ => "too many connections",
    }
}

/// A refused handshake tells its reason in headers.
fn turned_away(status: u32, text: &str, detail: Option<u32>) -> Answer {
    let mut answer = Answer::json(400, Vec::new());
    answer.headers.push(("handshake-status", status.to_string()));
    answer.headers.push(("handshake-msg", text.to_owned()));
    if let Some(detail) = detail {
        answer.headers.push(("handshake-autherrcode", detail.to_string()));
    }
    answer
}

struct Line {
    pace: Pace,
}

impl Talk for Line {
    fn endpoint(&self) -> endpoint::Endpoint {
        Endpoint::Stream.into()
    }

    fn event(&mut self, key: u64, envelope: &str, in_pieces: bool) -> Vec<Message> {
        let bytes = envelope.as_bytes();
        let size = if in_pieces { bytes.len().div_ceil(PIECES) } else { bytes.len() };
        let pieces: Vec<&[u8]> = bytes.chunks(size.max(1)).collect();
        let (id, sum) = (format!("msg-{key}"), pieces.len().to_string());
        let frame = |(seq, piece): (usize, &&[u8])| {
            let seq = seq.to_string();
            let headers = [
                ("type", "event"),
                ("message_id", id.as_str()),
                ("trace_id", id.as_str()),
                ("sum", sum.as_str()),
                ("seq", seq.as_str()),
                ("timestamp", "0"),
            ];
            Frame::new(DATA, &headers, piece.to_vec()).message()
        };
        pieces.iter().enumerate().map(frame).collect()
    }

    fn heard(&mut self, message: &Message) -> Heard {
        let Message::Binary(bytes) = message else { return Heard::Nothing };
        let Ok(frame) = Frame::decode(bytes.clone()) else { return Heard::Nothing };
        match (frame.method, frame.header("type")) {
            (CONTROL, Some("ping")) => {
                let mut json = Json::with_capacity(128);
                json.object(|json| self.pace.write(json));
                let pong = Frame::new(CONTROL, &[("type", "pong")], json.into_bytes());
                Heard::Reply(pong.message())
            }
            (DATA, _) => settled(&frame).unwrap_or(Heard::Nothing),
            _ => Heard::Nothing,
        }
    }

    fn farewell(&mut self) -> Message {
        // The platform announces nothing: it closes.
        Message::Close(None)
    }

    fn beat(&mut self) -> Option<(Message, Duration)> {
        None
    }
}

fn settled(frame: &Frame) -> Option<Heard> {
    let key = frame.header("message_id")?.strip_prefix("msg-")?.parse().ok()?;
    let outcome: Outcome = serde_json::from_slice(frame.payload.as_deref()?).ok()?;
    Some(if outcome.code == 200 { Heard::Acknowledged(key) } else { Heard::Refused(key) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_in_pieces_is_the_event() {
        let messages = Line { pace: Pace::default() }.event(7, "{\"schema\":\"2.0\"}", true);
        assert_eq!(messages.len(), PIECES);
        let frames = messages.into_iter().map(|it| Frame::decode(it.into_data()).unwrap());
        let whole: Vec<u8> = frames.flat_map(|frame| frame.payload.unwrap()).collect();
        assert_eq!(whole, b"{\"schema\":\"2.0\"}");
    }

    #[test]
    fn only_a_frame_of_its_own_message_settles_an_event() {
        let heard = |id: &str, payload: &str| {
            let headers = [("type", "event"), ("message_id", id)];
            let frame = Frame::new(DATA, &headers, payload.as_bytes().to_vec());
            Line { pace: Pace::default() }.heard(&frame.message())
        };
        assert!(matches!(heard("msg-7", r#"{"code":200}"#), Heard::Acknowledged(7)));
        assert!(matches!(heard("msg-7", r#"{"code":500}"#), Heard::Refused(7)));
        assert!(matches!(heard("msg-7", "200"), Heard::Nothing));
        assert!(matches!(heard("7", r#"{"code":200}"#), Heard::Nothing));
    }
}
