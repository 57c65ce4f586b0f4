//! What crosses between a guest and its host, as values: what the guest asks, what it is told.
//!
//! Not what it computes of a response it holds: that follows from the response. The invariant: an effect that was written
//! and read again is the same effect, byte for byte.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::host::contract::since_v0_1::http::{self, Denied};
use crate::host::net::client::Fetched;

/// One crossing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::host) struct Effect {
    pub(in crate::host) ask: Ask,
    pub(in crate::host) answer: Answer,
}

/// What a guest asks of its host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::host) enum Ask {
    Send(Sent),
    Setting { name: String },
    Now,
    Random { len: u32 },
    Log { level: Level, message: String },
    Recall { key: String },
    Remember { key: String, value: String, ttl_seconds: u32 },
    Forget { key: String },
    Digest { algorithm: String, parts: Vec<Part>, sorted: bool },
    Decrypt { secret: String, form: String, padding: String, iv: Binary, data: Binary },
    Encrypt { secret: String, form: String, padding: String, iv: Binary, data: Binary },
}

/// What a guest is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::host) enum Answer {
    Response { status: u16, headers: Vec<(String, String)>, body: Binary },
    Denied(Refused),
    Text(Option<String>),
    Ms(i64),
    Bytes(Binary),
    Failed(String),
    Done,
}

/// A request as the guest wrote it: with the names of secrets, not with their texts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::host) struct Sent {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: Binary,
}

/// How important a line of the log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::host) enum Level {
    Debug,
    Info,
    Warn,
}

/// A part of what is digested.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::host) enum Part {
    Secret(String),
    Bytes(Binary),
}

/// Why a request was not answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::host) enum Refused {
    NotGranted(String),
    Deadline,
    TooLarge(u64),
    Network(String),
    NoSecret(String),
    Invalid(String),
}

impl Ask {
    /// The name of the import.
    pub(in crate::host) fn name(&self) -> &'static str {
        match self {
            Self::Send(_) => "http.send",
            Self::Setting { .. } => "host.setting",
            Self::Now => "host.now-ms",
            Self::Random { .. } => "host.random",
            Self::Log { .. } => "host.log",
            Self::Recall { .. } => "host.recall",
            Self::Remember { .. } => "host.remember",
            Self::Forget { .. } => "host.forget",
            Self::Digest { .. } => "secrets.digest",
            Self::Decrypt { .. } => "secrets.decrypt-cbc",
            Self::Encrypt { .. } => "secrets.encrypt-cbc",
        }
    }

    pub(in crate::host) fn send(request: &http::Request) -> Self {
        let http::Request { method, url, headers, body } = request.clone();
        Self::Send(Sent { method, url, headers, body: Binary(body) })
    }
}

/// What an import gives, to and from an answer.
pub(in crate::host) trait Crossing: Sized {
    fn to_answer(&self) -> Answer;
    /// `None` when the answer is that of another import.
    fn from_answer(answer: Answer) -> Option<Self>;
}

impl Crossing for () {
    fn to_answer(&self) -> Answer {
        Answer::Done
    }

    fn from_answer(answer: Answer) -> Option<Self> {
        matches!(answer, Answer::Done).then_some(())
    }
}

impl Crossing for i64 {
    fn to_answer(&self) -> Answer {
        Answer::Ms(*self)
    }

    fn from_answer(answer: Answer) -> Option<Self> {
        if let Answer::Ms(ms) = answer { Some(ms) } else { None }
    }
}

impl Crossing for Option<String> {
    fn to_answer(&self) -> Answer {
        Answer::Text(self.clone())
    }

    fn from_answer(answer: Answer) -> Option<Self> {
        if let Answer::Text(text) = answer { Some(text) } else { None }
    }
}

impl Crossing for Vec<u8> {
    fn to_answer(&self) -> Answer {
        Answer::Bytes(Binary(self.clone()))
    }

    fn from_answer(answer: Answer) -> Option<Self> {
        if let Answer::Bytes(Binary(bytes)) = answer { Some(bytes) } else { None }
    }
}

impl Crossing for Result<Vec<u8>, String> {
    fn to_answer(&self) -> Answer {
        match self {
            Ok(bytes) => bytes.to_answer(),
            Err(reason) => Answer::Failed(reason.clone()),
        }
    }

    fn from_answer(answer: Answer) -> Option<Self> {
        match answer {
            Answer::Failed(reason) => Some(Err(reason)),
            other => Vec::from_answer(other).map(Ok),
        }
    }
}

impl Crossing for Result<Fetched, Denied> {
    fn to_answer(&self) -> Answer {
        match self {
            Ok(Fetched { status, headers, body }) => {
                let text =
                    |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
                let headers = headers.iter().map(|(name, value)| (name.to_string(), text(value)));
                Answer::Response {
                    status: *status,
                    headers: headers.collect(),
                    body: Binary(body.to_vec()),
                }
            }
            Err(denied) => Answer::Denied(denied.clone().into()),
        }
    }

    fn from_answer(answer: Answer) -> Option<Self> {
        match answer {
            Answer::Response { status, headers, body: Binary(body) } => {
                let mut map = HeaderMap::with_capacity(headers.len());
                for (name, value) in headers {
                    let name = name.parse::<HeaderName>().ok()?;
                    map.append(name, HeaderValue::from_bytes(value.as_bytes()).ok()?);
                }
                Some(Ok(Fetched { status, headers: map, body: body.into() }))
            }
            Answer::Denied(refused) => Some(Err(refused.into())),
            Answer::Text(_)
            | Answer::Ms(_)
            | Answer::Bytes(_)
            | Answer::Failed(_)
            | Answer::Done => None,
        }
    }
}

impl From<Denied> for Refused {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::NotGranted(host) => Self::NotGranted(host),
            Denied::Deadline => Self::Deadline,
            Denied::TooLarge(limit) => Self::TooLarge(limit),
            Denied::Network(reason) => Self::Network(reason),
            Denied::NoSecret(name) => Self::NoSecret(name),
            Denied::Invalid(reason) => Self::Invalid(reason),
        }
    }
}

impl From<Refused> for Denied {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::NotGranted(host) => Self::NotGranted(host),
            Refused::Deadline => Self::Deadline,
            Refused::TooLarge(limit) => Self::TooLarge(limit),
            Refused::Network(reason) => Self::Network(reason),
            Refused::NoSecret(name) => Self::NoSecret(name),
            Refused::Invalid(reason) => Self::Invalid(reason),
        }
    }
}

/// Bytes, written so that people can read them where they are text: `{"json": ..}`, `{"text": ".."}` or `{"base64": ".."}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::host) struct Binary(pub(in crate::host) Vec<u8>);

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Written {
    Json(Box<RawValue>),
    Text(String),
    Base64(String),
}

impl Serialize for Binary {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let written = match std::str::from_utf8(&self.0) {
            Ok(text) => raw(text).map_or_else(|| Written::Text(text.to_owned()), Written::Json),
            Err(_) => Written::Base64(STANDARD.encode(&self.0)),
        };
        written.serialize(serializer)
    }
}

/// JSON that is read back as it is: on one line, with nothing around it.
fn raw(text: &str) -> Option<Box<RawValue>> {
    if !text.starts_with(['{', '[']) || text.contains(['\n', '\r']) {
        return None;
    }
    RawValue::from_string(text.to_owned()).ok().filter(|raw| raw.get() == text)
}

impl<'de> Deserialize<'de> for Binary {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match Written::deserialize(deserializer)? {
            Written::Json(raw) => raw.get().as_bytes().to_vec(),
            Written::Text(text) => text.into_bytes(),
            Written::Base64(text) => STANDARD.decode(text).map_err(serde::de::Error::custom)?,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_any_kind_are_read_back_as_they_were() {
        let all: [&[u8]; 8] = [
            b"",
            b"{\"a\": 1.00, \"b\":[ ]}",
            b"{\"a\":1}\n",
            b"{\"a\":1} ",
            b"{\"a\":",
            b"plain \"text\"",
            b"\xff\x00",
            b"12",
        ];
        for bytes in all {
            let effect = Effect { ask: Ask::Now, answer: Answer::Bytes(Binary(bytes.to_vec())) };
            let line = serde_json::to_string(&effect).unwrap();
            assert!(!line.contains('\n'), "one line: {line}");
            assert_eq!(serde_json::from_str::<Effect>(&line).unwrap(), effect, "{line}");
        }
    }

    #[test]
    fn every_way_to_be_refused_is_told_again() {
        for denied in [
            Denied::NotGranted("a.test".into()),
            Denied::Deadline,
            Denied::TooLarge(7),
            Denied::Network("connection refused".into()),
            Denied::NoSecret("app_secret".into()),
            Denied::Invalid("a method that cannot be sent".into()),
        ] {
            let answer = Err::<Fetched, _>(denied).to_answer();
            let again = Result::<Fetched, Denied>::from_answer(answer.clone()).unwrap();
            assert_eq!(again.to_answer(), answer);
        }
        assert!(i64::from_answer(Answer::Done).is_none());
    }
}
