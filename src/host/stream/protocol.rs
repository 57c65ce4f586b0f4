//! What the protocols of the platforms have in common: a request that asks for a connection, an invitation, a dialogue.
//!
//! No I/O and no clock of its own: a protocol makes messages of messages, so that every answer can be tested by itself. The
//! invariant: an event comes with both of its answers, and neither is sent before the inbox has spoken.

use std::time::Duration;

use reqwest::header::HeaderMap;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;
use url::Url;

use crate::host::contract::since_v0_1::http::Request;
use crate::port::inbox::{Delivery, EVENT};

use super::error::StreamError;

/// The header that tells a plugin over which protocol an event came.
const STREAM_HEADER: &str = "x-rollcall-stream";

/// One platform's protocol.
pub(super) trait Protocol: Send + Sync {
    /// Asks the platform where to connect; the secret is a placeholder.
    fn ask(&self) -> Request;

    /// Reads the answer to [`Protocol::ask`].
    fn invitation(&self, status: u16, body: &[u8]) -> Result<Invitation, StreamError>;

    /// Reads the refusal of a WebSocket.
    fn turned_away(&self, status: u16, headers: &HeaderMap) -> StreamError;

    /// Begins to talk over an open WebSocket.
    fn dialogue(&self, invitation: &Invitation) -> Box<dyn Dialogue>;
}

/// Where to connect, and how the platform wants it kept up.
#[derive(Clone, Debug)]
pub(super) struct Invitation {
    /// Opens the connection to whoever has it: never in a log or an error.
    pub(super) url: Url,
    pub(super) ping_every: Duration,
    /// After a loss, clients come back spread over this time.
    pub(super) spread: Duration,
}

/// One connection, from its first message to its last.
pub(super) trait Dialogue: Send {
    /// What a message means.
    fn heard(&mut self, message: Message, now: Instant) -> Result<Heard, StreamError>;

    /// Asks for a sign of life; every platform answers it.
    fn ping(&self) -> Message;

    /// How often to ask for it.
    fn ping_every(&self) -> Duration;

    /// After so long without a message of the protocol itself the connection is replaced, even though it lives.
    fn stale_after(&self) -> Option<Duration>;
}

/// What a message means.
#[derive(Debug)]
pub(super) enum Heard {
    /// Nothing but that the other side lives.
    Life,
    /// Something to answer at once.
    Reply(Message),
    /// An event.
    Event(Box<Event>),
    /// The other side is about to leave.
    Farewell,
}

/// An event with both of its answers.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) delivery: Delivery,
    /// Says that it is stored.
    pub(super) stored: Message,
    /// Asks for it again.
    pub(super) again: Message,
}

/// A delivery as the plugin will see it.
pub(super) fn delivery<'a>(
    protocol: &str,
    headers: impl Iterator<Item = (&'a str, &'a str)>,
    body: Vec<u8>,
) -> Delivery {
    let own = (STREAM_HEADER.to_owned(), protocol.to_owned());
    let theirs = headers
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .filter(|(name, _)| name != STREAM_HEADER);
    Delivery {
        method: EVENT.to_owned(),
        query: String::new(),
        headers: std::iter::once(own).chain(theirs).collect(),
        body,
    }
}

/// The request that both platforms want: JSON by `POST`.
pub(super) fn post(url: String, body: &serde_json::Value) -> Request {
    let headers =
        [("content-type", "application/json; charset=utf-8"), ("accept", "application/json")];
    Request {
        method: "POST".to_owned(),
        url,
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        body: body.to_string().into_bytes(),
    }
}
