//! Where what a platform pushes arrives, by callback or over a long connection.
//!
//! Not what it means: a delivery is a hint where to look, never what is true. The one invariant: an answer is given only once
//! the event is on disk, so that whatever was acknowledged is worked off even when the process dies.

use async_trait::async_trait;

/// The method of a delivery that came over an authenticated long connection; no HTTP request can carry it.
pub const EVENT: &str = "EVENT";

/// What arrived, as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// `GET` or `POST` of a callback, [`EVENT`] of a long connection.
    pub method: String,
    /// The query of the address, still percent-encoded; empty for none.
    pub query: String,
    /// Name and value, in the order in which they came.
    pub headers: Vec<(String, String)>,
    /// The raw body: signatures are over these bytes.
    pub body: Vec<u8>,
}

/// What is sent back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status; of a long connection, 200 acknowledges and anything else asks for a repetition.
    pub status: u16,
    /// The `Content-Type`.
    pub content_type: String,
    /// The body.
    pub body: Vec<u8>,
}

/// Takes deliveries of one connection.
#[async_trait]
pub trait Inbox: Send + Sync {
    /// Verifies a delivery, stores its event and answers; the event is worked off afterwards. A delivery that is forged,
    /// stale or broken is answered with an error status and counted, and changes nothing.
    async fn receive(&self, delivery: Delivery) -> Answer;
}
