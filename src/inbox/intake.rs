//! The receiving half: one delivery from its arrival to its answer.
//!
//! What this is not: work on events. The one invariant: an answer says to whoever sent a forged delivery only that it was
//! not taken.

use std::sync::{Arc, PoisonError};

use async_trait::async_trait;
use tokio::time::timeout;
use tracing::{debug, warn};

use crate::model::hash::ContentHash;
use crate::port::callback::{Callback, Received, Refused};
use crate::port::inbox::{Answer, Delivery, Inbox};

use super::journal::{Filed, Journal};
use super::tally::{Outcome, Tally};
use super::{Bounds, Shared};

/// Takes the deliveries of one connection.
pub struct Intake {
    shared: Arc<Shared>,
    journal: Journal,
    bounds: Bounds,
}

impl Intake {
    pub(super) fn new(shared: Arc<Shared>, journal: Journal, bounds: Bounds) -> Self {
        Self { shared, journal, bounds }
    }

    /// Puts a new reader of deliveries in force; those on their way keep the old one.
    pub fn rewire(&self, callback: Arc<dyn Callback>) {
        *self.shared.callback.write().unwrap_or_else(PoisonError::into_inner) = callback;
    }

    /// The counts.
    pub fn tally(&self) -> Tally {
        let Shared { tenant, connection, drawer, counters, .. } = &*self.shared;
        counters.tally(tenant, connection, drawer.waiting())
    }

    async fn judge(&self, delivery: &Delivery) -> Judged {
        if delivery.body.len() > self.bounds.body_bytes {
            let limit = self.bounds.body_bytes;
            let reason = format!("the body has more than {limit} bytes, see `callbacks.body`");
            return Judged::not_taken(Outcome::Broken, 413, reason);
        }
        match self.shared.callback().receive(delivery).await {
            Ok(Received::Handshake(answer)) => Judged::taken(Outcome::Handshake, answer),
            Ok(Received::Event { answer, id, event }) => self.keep(answer, id, event).await,
            Ok(Received::Refused(refused)) => {
                let (outcome, status, advice) = match refused {
                    Refused::Forged(advice) => (Outcome::Forged, 401, advice),
                    Refused::Stale(advice) => (Outcome::Stale, 401, advice),
                    Refused::Broken(advice) => (Outcome::Broken, 400, advice),
                    Refused::Unready(advice) => (Outcome::Refused, 503, advice),
                };
                Judged::not_taken(outcome, status, advice.to_string())
            }
            Err(fault) => Judged::not_taken(Outcome::Refused, 503, fault.to_string()),
        }
    }

    async fn keep(&self, answer: Answer, id: Option<String>, event: Vec<u8>) -> Judged {
        // An id and an event never have the same hash, whatever a platform writes into an id.
        let id = match &id {
            Some(id) => ContentHash::of_parts([b"id".as_slice(), id.as_bytes()]),
            None => ContentHash::of_parts([b"event".as_slice(), &event]),
        };
        let at_ms = self.shared.clock.now_ms();
        let filed = self.journal.file(self.shared.drawer.clone(), id, event, at_ms);
        let Ok(filed) = timeout(self.bounds.store, filed).await else {
            let reason = "the disk takes too long; see what else is writing to it".to_owned();
            return Judged::not_taken(Outcome::Refused, 503, reason);
        };
        match filed {
            Ok(Filed::New) => {
                self.shared.counters.arrived(at_ms);
                Judged::taken(Outcome::Received, answer)
            }
            Ok(Filed::Known) => Judged::taken(Outcome::Duplicate, answer),
            Ok(Filed::Full) => {
                let reason =
                    "too many events wait; see why runs break off, or raise `callbacks.backlog`";
                Judged::not_taken(Outcome::Refused, 503, reason.to_owned())
            }
            Err(cause) => Judged::not_taken(Outcome::Refused, 503, cause.to_string()),
        }
    }

    /// Warns of the first of its kind, then of every tenfold: whoever sends rubbish does not fill the log.
    fn warn(&self, outcome: Outcome, before: u64, reason: &str) {
        let (tenant, connection) = (&self.shared.tenant, &self.shared.connection);
        let count = before + 1;
        if count.to_string().trim_end_matches('0') == "1" {
            warn!(%tenant, %connection, ?outcome, count, reason, "delivery not taken");
        } else {
            debug!(%tenant, %connection, ?outcome, count, reason, "delivery not taken");
        }
    }
}

#[async_trait]
impl Inbox for Intake {
    async fn receive(&self, delivery: Delivery) -> Answer {
        let Judged { outcome, answer, reason } = self.judge(&delivery).await;
        let before = self.shared.counters.count(outcome);
        if let Some(reason) = reason {
            self.warn(outcome, before, &reason);
        }
        answer
    }
}

/// A delivery's outcome and answer, and why it was not taken if it was not.
struct Judged {
    outcome: Outcome,
    answer: Answer,
    reason: Option<String>,
}

impl Judged {
    fn taken(outcome: Outcome, answer: Answer) -> Self {
        Self { outcome, answer, reason: None }
    }

    fn not_taken(outcome: Outcome, status: u16, reason: String) -> Self {
        let text = if status == 503 { "not now\n" } else { "not taken\n" };
        let content_type = "text/plain; charset=utf-8".to_owned();
        let answer = Answer { status, content_type, body: text.as_bytes().to_vec() };
        Self { outcome, answer, reason: Some(reason) }
    }
}
