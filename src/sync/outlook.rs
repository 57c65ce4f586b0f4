//! How far a run is, and how long it still takes: for people who wait.
//!
//! An estimate, from two sources: the time that the parts of the listing at hand have taken so far, and the least time that
//! the platform's limits demand for what is left. Nothing decides by it. The invariant: it is never less than the limits
//! demand.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::watch;

use super::progress::{Event, Progress};
use super::run::Syncer;
use super::service::Status;
use crate::model::entity::Entity;
use crate::port::clock::Clock;
use crate::port::provider::Provider;

/// How often the status changes while a run goes on.
const EVERY_MS: i64 = 250;

/// How far a run is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Outlook {
    /// The kind that is being read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reading: Option<Entity>,
    /// Records of it read so far.
    pub records: u64,
    /// All there are, where the platform says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub records_of: Option<u64>,
    /// Parts of the listing that have ended: departments, or people in windows of time.
    pub parts: u64,
    /// All there are, about.
    pub parts_of: u64,
    /// Requests to come for this kind, about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_left: Option<u64>,
    /// Seconds until this kind is read, about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds_left: Option<u64>,
    /// Changes written so far, and all of the plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub written: Option<(u64, u64)>,
}

/// Listens to a run and keeps the status of its service up to date.
pub(super) struct Watcher {
    inner: Arc<dyn Progress>,
    status: watch::Sender<Status>,
    clock: Arc<dyn Clock>,
    provider: Arc<dyn Provider>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    outlook: Outlook,
    /// When the kind at hand was begun, and the requests made by then.
    began: (i64, u64),
    told_ms: i64,
}

impl Watcher {
    pub(super) fn over(
        syncer: &Syncer,
        status: watch::Sender<Status>,
        inner: Arc<dyn Progress>,
    ) -> Arc<dyn Progress> {
        let (clock, provider) = (syncer.clock.clone(), syncer.provider.clone());
        Arc::new(Self { inner, status, clock, provider, state: Mutex::default() })
    }

    fn note(&self, event: &Event) -> Option<Outlook> {
        let now = self.clock.now_ms();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match *event {
            Event::Parts { entity, done, of } => {
                if state.outlook.reading != Some(entity) {
                    let reading = Some(entity);
                    state.outlook = Outlook { reading, ..Outlook::default() };
                    state.began = (now, self.provider.requests());
                }
                (state.outlook.parts, state.outlook.parts_of) = (done, of);
                self.estimate(&mut state, entity, now);
            }
            Event::Read { done, of, .. } => {
                (state.outlook.records, state.outlook.records_of) = (done, of);
            }
            Event::Applied { done, of } => {
                state.outlook = Outlook { written: Some((done, of)), ..Outlook::default() };
            }
            Event::Remapped { .. } | Event::Planned(_) => {}
        }
        let due = now - state.told_ms >= EVERY_MS || state.outlook.parts == 0;
        due.then(|| {
            state.told_ms = now;
            state.outlook.clone()
        })
    }

    fn estimate(&self, state: &mut State, entity: Entity, now: i64) {
        let Outlook { parts, parts_of, .. } = state.outlook;
        if parts == 0 {
            return;
        }
        let left = parts_of.saturating_sub(parts);
        let scaled = |so_far: u64| {
            u64::try_from(u128::from(so_far) * u128::from(left) / u128::from(parts))
                .unwrap_or(u64::MAX)
        };
        let requests = scaled(self.provider.requests().saturating_sub(state.began.1));
        let took = u64::try_from(now - state.began.0).unwrap_or_default();
        let least = self.provider.time_for(entity, requests).unwrap_or_default();
        let left = Duration::from_millis(scaled(took)).max(least);
        state.outlook.requests_left = Some(requests);
        state.outlook.seconds_left = Some(left.as_secs());
    }
}

impl Progress for Watcher {
    fn tell(&self, event: Event) {
        if let Some(outlook) = self.note(&event) {
            self.status.send_modify(|status| {
                status.outlook = Some(outlook);
                status.quotas = self.provider.quotas();
            });
        }
        self.inner.tell(event);
    }
}
