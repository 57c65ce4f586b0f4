//! The values of the contract's `callback` in plain Rust.
//!
//! What this is not: verification; each platform has its own. The one invariant: names, cases and meaning are those of the
//! WIT, whose comments are the reference.

use crate::{Advice, Kind};

/// The method of a [`Delivery`] that came over a long connection: the channel is authenticated, nothing is signed.
pub const EVENT: &str = "EVENT";

/// What the platform pushed, as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// `GET` or `POST` of a callback, [`EVENT`] of a long connection.
    pub method: String,
    /// The query of the address, still percent-encoded; empty for none.
    pub query: String,
    /// Name in lower case, and value.
    pub headers: Vec<(String, String)>,
    /// The raw body: signatures are over these bytes.
    pub body: Vec<u8>,
}

impl Delivery {
    /// The first header of that name, given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The first parameter of that name in the query, decoded; `+` is kept, since platforms put bare base64 there. `None`
    /// when it is absent or is no UTF-8.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let pairs = self.query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(found, _)| *found == name).find_map(|(_, value)| decoded(value))
    }
}

/// Percent-decodes; a `%` without two digits stands for itself.
fn decoded(text: &str) -> Option<String> {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((&byte, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|pair| std::str::from_utf8(pair).ok());
        let coded = digits.filter(|pair| pair.bytes().all(|b| b.is_ascii_hexdigit()));
        match coded.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            Some(code) if byte == b'%' => {
                bytes.push(code);
                rest = &after[2..];
            }
            _ => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

/// What is sent back, and what is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The `Content-Type`.
    pub content_type: String,
    /// The body.
    pub body: Vec<u8>,
    /// For deduplication; `None` when the platform gives no usable one (the host then hashes `event`).
    pub event_id: Option<String>,
    /// The decrypted event, kept by the host until it is worked off; `None` for a handshake.
    pub event: Option<Vec<u8>>,
}

/// Where something changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// What kind of record.
    pub kind: Kind,
    /// The record's id on the platform; for attendance kinds the person's.
    pub id: String,
    /// Whether the event says that it no longer exists.
    pub gone: bool,
}

/// Why a delivery is not taken. It changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Signature, token or encryption do not fit this connection's secrets.
    Forged(Advice),
    /// Authentic, but too old or from the future: a replay.
    Stale(Advice),
    /// It cannot be read, and so not be verified.
    Broken(Advice),
    /// Nothing can be verified before an administrator acts: a secret is not configured.
    Unready(Advice),
}
