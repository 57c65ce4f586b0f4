//! What became of deliveries, counted.
//!
//! The one invariant: every delivery has exactly one outcome.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use crate::model::ids::{ConnectionId, TenantId};

/// What became of one delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A new event, on disk.
    Received,
    /// An event that is known.
    Duplicate,
    /// The platform tried the address.
    Handshake,
    /// It does not fit the secrets.
    Forged,
    /// Authentic, but of another time.
    Stale,
    /// It cannot be read, or is too large.
    Broken,
    /// It could not be taken now; the platform repeats it.
    Refused,
}

/// The counts of one connection since the daemon started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// The customer.
    pub tenant: TenantId,
    /// The connection.
    pub connection: ConnectionId,
    /// New events, stored and acknowledged.
    pub received: u64,
    /// Events that were known already, acknowledged again.
    pub duplicate: u64,
    /// Attempts of the platform at the address.
    pub handshake: u64,
    /// Deliveries that do not fit the connection's secrets.
    pub forged: u64,
    /// Authentic deliveries of another time.
    pub stale: u64,
    /// Deliveries that cannot be read.
    pub broken: u64,
    /// Deliveries that could not be taken at the time: no room, no plugin, no secret.
    pub refused: u64,
    /// Events worked off.
    pub worked: u64,
    /// Events that could not be used; everything is read instead.
    pub lost: u64,
    /// Events that wait, those of earlier processes included.
    pub waiting: u64,
    /// Unix milliseconds of the last new event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_event_ms: Option<i64>,
    /// What stands in the way at present, and what to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

#[derive(Default)]
pub(super) struct Counters {
    received: AtomicU64,
    duplicate: AtomicU64,
    handshake: AtomicU64,
    forged: AtomicU64,
    stale: AtomicU64,
    broken: AtomicU64,
    refused: AtomicU64,
    worked: AtomicU64,
    lost: AtomicU64,
    last_event_ms: AtomicI64,
    error: Mutex<Option<String>>,
}

impl Counters {
    /// Counts a delivery; returns how many of its kind there were before.
    pub(super) fn count(&self, outcome: Outcome) -> u64 {
        let counter = match outcome {
            Outcome::Received => &self.received,
            Outcome::Duplicate => &self.duplicate,
            Outcome::Handshake => &self.handshake,
            Outcome::Forged => &self.forged,
            Outcome::Stale => &self.stale,
            Outcome::Broken => &self.broken,
            Outcome::Refused => &self.refused,
        };
        counter.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn arrived(&self, at_ms: i64) {
        self.last_event_ms.store(at_ms, Ordering::Relaxed);
    }

    pub(super) fn worked(&self, events: u64, lost: u64) {
        self.worked.fetch_add(events - lost, Ordering::Relaxed);
        self.lost.fetch_add(lost, Ordering::Relaxed);
    }

    /// Says what stands in the way, or that nothing does.
    pub(super) fn trouble(&self, error: Option<String>) {
        *self.error.lock().unwrap_or_else(PoisonError::into_inner) = error;
    }

    pub(super) fn tally(
        &self,
        tenant: &TenantId,
        connection: &ConnectionId,
        waiting: u64,
    ) -> Tally {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Tally {
            tenant: tenant.clone(),
            connection: connection.clone(),
            received: of(&self.received),
            duplicate: of(&self.duplicate),
            handshake: of(&self.handshake),
            forged: of(&self.forged),
            stale: of(&self.stale),
            broken: of(&self.broken),
            refused: of(&self.refused),
            worked: of(&self.worked),
            lost: of(&self.lost),
            waiting,
            last_event_ms: Some(self.last_event_ms.load(Ordering::Relaxed)).filter(|&at| at != 0),
            error: self.error.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}
