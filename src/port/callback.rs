//! The platform's own way to push events: verified, decrypted and read.
//!
//! Not where events are kept; that is [`super::inbox`]. The one invariant: nothing here changes anything. What is received may be
//! received again, with the same result.

use async_trait::async_trait;

use crate::model::fault::{Advice, Fault};
use crate::model::hint::Hint;

use super::inbox::{Answer, Delivery};

/// What a delivery turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// An authentic event; the answer is for when it is stored.
    Event {
        /// What is sent back.
        answer: Answer,
        /// What the same event bears again when it is repeated; `None` when the platform gives nothing of the kind.
        id: Option<String>,
        /// The event, decrypted.
        event: Vec<u8>,
    },
    /// The platform tries the address; there is nothing to store.
    Handshake(Answer),
    /// Not taken.
    Refused(Refused),
}

/// Why a delivery is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It does not fit the connection's secrets.
    Forged(Advice),
    /// Authentic, but of another time.
    Stale(Advice),
    /// It cannot be read.
    Broken(Advice),
    /// Nothing can be verified before an administrator acts.
    Unready(Advice),
}

/// Reads what a platform pushes to one connection.
#[async_trait]
pub trait Callback: Send + Sync {
    /// Verifies and decrypts a delivery.
    ///
    /// # Errors
    /// [`Fault::Unsupported`] when the platform or its plugin pushes nothing, [`Fault::Plugin`] when the plugin failed.
    async fn receive(&self, delivery: &Delivery) -> Result<Received, Fault>;

    /// What a received event points at.
    ///
    /// # Errors
    /// Any [`Fault`] when the event cannot be used: something changed and nobody knows what.
    async fn hints(&self, event: &[u8]) -> Result<Vec<Hint>, Fault>;
}
