//! DingTalk Stream: the call that hands out a ticket, and the frames on the connection (DingTalk fact sheet, section 5.4).
//!
//! Not the pumping of events. The sheet does not know how often the platform pings; every half minute is a choice. The
//! invariant: a ticket opens one connection, and an event is settled only by an acknowledgement of its own message.

use std::time::Duration;

use form_urlencoded::parse;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame as Piece;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use super::refusal::Refusal;
use super::{DingTalk, Endpoint};
use crate::endpoint;
use crate::exchange::{Answer, Incoming};
use crate::lines::{Heard, Talk};

const SOCKET_PATH: &str = "/connect";
const PING_EVERY: Duration = Duration::from_secs(30);
/// The members of an event that travel as headers, with the headers' names.
const AS_HEADERS: [(&str, &str); 4] = [
    ("EventType", "eventType"),
    ("EventTime", "eventBornTime"),
    ("CorpId", "eventCorpId"),
    ("eventId", "eventId"),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Credentials {
    client_id: String,
    client_secret: String,
    #[serde(default)]
    subscriptions: Vec<Subscription>,
}

#[derive(Deserialize)]
struct Subscription {
    #[serde(rename = "type")]
    kind: String,
    topic: String,
}

/// What a client sends.
#[derive(Deserialize)]
struct Acknowledgement {
    code: u16,
    #[serde(default)]
    headers: Map<String, Value>,
    #[serde(default)]
    data: Value,
}

impl DingTalk {
    /// A ticket for one connection.
    pub(super) fn open_connection(&self, incoming: Incoming<'_>) -> Result<Vec<u8>, Refusal> {
        let asked: Credentials =
            serde_json::from_slice(incoming.body).map_err(|_| Refusal::NO_CREDENTIALS)?;
        let config = &self.site.config;
        if asked.client_id != config.app_id || asked.client_secret != config.app_secret {
            return Err(Refusal::WRONG_SECRET);
        }
        if !asked.subscriptions.iter().any(|it| it.kind == "EVENT" && it.topic == "*") {
            return Err(Refusal::BAD_PARAMETER);
        }
        let host = incoming.header("host").unwrap_or("localhost");
        let ticket = self.site.tickets().issue(self.site.clock.uptime());
        let opened = json!({"endpoint": format!("ws://{host}{SOCKET_PATH}"), "ticket": ticket});
        Ok(opened.to_string().into_bytes())
    }

    /// Opens the connection behind a ticket.
    pub(super) fn stream(&self, incoming: Incoming<'_>) -> Result<Box<dyn Talk>, Answer> {
        self.site.count(Endpoint::Stream.into());
        let ticket = parse(incoming.query.as_bytes()).find(|(key, _)| key == "ticket");
        let ticket = ticket.map(|(_, value)| value).unwrap_or_default();
        let known = incoming.path == SOCKET_PATH
            && self.site.tickets().use_up(&ticket, self.site.clock.uptime());
        if known { Ok(Box::new(Line::default())) } else { Err(Answer::json(401, Vec::new())) }
    }
}

#[derive(Default)]
struct Line {
    /// Names the platform's own messages.
    said: u64,
}

impl Line {
    fn system(&mut self, topic: &str, data: &Value) -> Message {
        self.said += 1;
        let id = format!("system-{}", self.said);
        let headers = json!({
            "topic": topic, "messageId": id, "contentType": "application/json", "time": "0",
        });
        frame("SYSTEM", &headers, &data.to_string())
    }
}

fn frame(kind: &str, headers: &Value, data: &str) -> Message {
    let frame = json!({"specVersion": "1.0", "type": kind, "headers": headers, "data": data});
    Message::text(frame.to_string())
}

impl Talk for Line {
    fn endpoint(&self) -> endpoint::Endpoint {
        Endpoint::Stream.into()
    }

    fn event(&mut self, key: u64, envelope: &str, in_pieces: bool) -> Vec<Message> {
        let mut members: Map<String, Value> = serde_json::from_str(envelope).unwrap_or_default();
        let mut headers = Map::new();
        headers.insert("topic".to_owned(), "*".into());
        headers.insert("messageId".to_owned(), format!("event-{key}").into());
        headers.insert("contentType".to_owned(), "application/json".into());
        headers.insert("time".to_owned(), "0".into());
        for (member, header) in AS_HEADERS {
            if let Some(value) = members.remove(member) {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                headers.insert(header.to_owned(), text.into());
            }
        }
        members.remove("BizId");
        let message = frame("EVENT", &Value::Object(headers), &Value::Object(members).to_string());
        if in_pieces { pieces(&message) } else { vec![message] }
    }

    fn heard(&mut self, message: &Message) -> Heard {
        let Message::Text(text) = message else { return Heard::Nothing };
        settled(text).unwrap_or(Heard::Nothing)
    }

    fn farewell(&mut self) -> Message {
        self.system("disconnect", &json!({"reason": "connection is expired"}))
    }

    fn beat(&mut self) -> Option<(Message, Duration)> {
        Some((self.system("ping", &json!({"opaque": "0"})), PING_EVERY))
    }
}

/// A text in two WebSocket frames: the protocol has no pieces of its own.
fn pieces(message: &Message) -> Vec<Message> {
    let text = message.to_text().unwrap_or_default();
    let (first, rest) = text.split_at(text.floor_char_boundary(text.len() / 2));
    let piece = |text: &str, kind, last| {
        Message::Frame(Piece::message(text.to_owned().into_bytes(), OpCode::Data(kind), last))
    };
    vec![piece(first, Data::Text, false), piece(rest, Data::Continue, true)]
}

/// A client that answers 200 without a status of its own has taken the event as well: the platform's own clients do.
fn settled(text: &str) -> Option<Heard> {
    let answer: Acknowledgement = serde_json::from_str(text).ok()?;
    let id = answer.headers.get("messageId")?.as_str()?;
    let key = id.strip_prefix("event-")?.parse().ok()?;
    let data: Option<Value> = answer.data.as_str().and_then(|data| serde_json::from_str(data).ok());
    let later = data.is_some_and(|data| data["status"] == "LATER");
    let taken = answer.code == 200 && !later;
    Some(if taken { Heard::Acknowledged(key) } else { Heard::Refused(key) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENVELOPE: &str = r#"{"EventType":"user_add_org","EventTime":5,"CorpId":"c","BizId":"b","eventId":"e","timeStamp":"5","userId":["u1"]}"#;

    #[test]
    fn the_business_part_is_the_data_and_the_rest_are_headers() {
        let messages = Line::default().event(7, ENVELOPE, false);
        let frame: Value = serde_json::from_str(messages[0].to_text().unwrap()).unwrap();
        assert_eq!(frame["type"], "EVENT");
        assert_eq!(frame["headers"]["eventType"], "user_add_org");
        assert_eq!(frame["headers"]["eventBornTime"], "5");
        let data: Value = serde_json::from_str(frame["data"].as_str().unwrap()).unwrap();
        assert_eq!(data, json!({"timeStamp": "5", "userId": ["u1"]}));
    }

    #[test]
    fn only_an_acknowledgement_of_its_own_message_settles_an_event() {
        let heard = |code: u16, id: &str, status: &str| {
            let data = json!({ "status": status }).to_string();
            let ack = json!({"code": code, "headers": {"messageId": id}, "data": data});
            Line::default().heard(&Message::text(ack.to_string()))
        };
        assert!(matches!(heard(200, "event-7", "SUCCESS"), Heard::Acknowledged(7)));
        assert!(matches!(heard(200, "event-7", "LATER"), Heard::Refused(7)));
        assert!(matches!(heard(404, "event-7", "SUCCESS"), Heard::Refused(7)));
        assert!(matches!(heard(200, "system-7", "SUCCESS"), Heard::Nothing));
    }
}
