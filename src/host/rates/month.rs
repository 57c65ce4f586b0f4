//! Calls that a platform meters by the calendar month: counted here, kept in the state, shown in the status.
//!
//! The documented allowance is shown and never enforced: a tenant may have bought more, so only the platform's own word stops
//! calls, and only for an hour at a time. The invariant: the count in the store never goes down within a month.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, Zoned};
use serde::{Deserialize, Serialize};
use tracing::warn;

use super::{Owner, Refused};
use crate::model::hash::ContentHash;
use crate::model::rate::Quota;
use crate::port::store::{Op, Space, Store};

/// After the platform said that the month is used up, it is asked again so much later.
const ASK_AGAIN_MS: i64 = 3_600_000;
/// The table of counts among the keys of a tenant.
const TABLE: u8 = b'u';

/// The count of one class.
pub(super) struct Month {
    class: String,
    limit: u32,
    zone: TimeZone,
    key: Vec<u8>,
    store: Option<Arc<dyn Store>>,
    state: Mutex<State>,
}

#[derive(Clone, Default)]
struct State {
    count: Count,
    spent_until_ms: Option<i64>,
}

/// The value in the store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Count {
    month: String,
    used: u64,
}

impl Month {
    pub(super) fn open(
        class: &str,
        limit: u32,
        offset_minutes: i16,
        owner: &Owner,
        store: Option<Arc<dyn Store>>,
    ) -> Self {
        let key = key(owner, class);
        let kept = store.as_ref().and_then(|store| store.get(Space::Index, &key).ok().flatten());
        let count = kept.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        let offset = Offset::from_seconds(i32::from(offset_minutes) * 60).unwrap_or(Offset::UTC);
        let state = Mutex::new(State { count, spent_until_ms: None });
        let zone = TimeZone::fixed(offset);
        Self { class: class.to_owned(), limit, zone, key, store, state }
    }

    pub(super) fn class(&self) -> &str {
        &self.class
    }

    pub(super) fn is_spent(&self, now_ms: i64) -> bool {
        let state = self.now(now_ms);
        state.spent_until_ms.is_some_and(|until| until > now_ms)
    }

    pub(super) fn spend(&self, now_ms: i64) {
        self.now(now_ms).spent_until_ms = Some(now_ms.saturating_add(ASK_AGAIN_MS));
    }

    pub(super) fn refused(&self) -> Refused {
        let counted = self.lock().count.used;
        Refused::Month { class: self.class.clone(), limit: self.limit, counted }
    }

    pub(super) fn quota(&self, now_ms: i64) -> Quota {
        let state = self.now(now_ms);
        let Count { month, used } = state.count.clone();
        let spent = state.spent_until_ms.is_some_and(|until| until > now_ms);
        Quota { class: self.class.clone(), month, used, documented: self.limit, spent }
    }

    /// Counts one call and keeps the count.
    pub(super) async fn count(self: Arc<Self>, now_ms: i64) {
        let (month, used) = {
            let mut state = self.now(now_ms);
            state.count.used += 1;
            (state.count.month.clone(), state.count.used)
        };
        if used == self.warned_at() {
            let (class, limit) = (&self.class, self.limit);
            warn!(%class, %month, used, documented = limit, "four fifths of the month's calls are used; read attendance less often, or raise the tenant's edition");
        }
        let Some(store) = self.store.clone() else { return };
        let kept = tokio::task::spawn_blocking(move || {
            // Within the lock, so that no older count is written over a newer one.
            let state = self.lock();
            let value = serde_json::to_vec(&state.count).unwrap_or_default();
            store.write(Space::Index, vec![Op::Put(self.key.clone(), value)])
        });
        // A count that cannot be kept must not stop the sync; the store's own failures are reported by the run.
        drop(kept.await);
    }

    /// The count that is worth a line in the log.
    fn warned_at(&self) -> u64 {
        u64::from(self.limit - self.limit / 5)
    }

    /// The state, moved to the month of `now_ms`.
    fn now(&self, now_ms: i64) -> MutexGuard<'_, State> {
        let moment = Timestamp::from_millisecond(now_ms).unwrap_or_default();
        let month = name(&moment.to_zoned(self.zone.clone()));
        let mut state = self.lock();
        // A clock that was set back does not open a month again.
        if month > state.count.month {
            *state = State { count: Count { month, used: 0 }, spent_until_ms: None };
        }
        state
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn name(day: &Zoned) -> String {
    format!("{:04}-{:02}", day.year(), day.month())
}

/// `<tenant> 0 u <plugin> 0 <digest of the app> <class>`.
fn key((tenant, plugin, app): &Owner, class: &str) -> Vec<u8> {
    let digest = ContentHash::of_parts(app.iter().map(String::as_bytes));
    let mut key = Vec::new();
    key.extend_from_slice(tenant.as_str().as_bytes());
    key.extend_from_slice(&[0, TABLE]);
    key.extend_from_slice(plugin.as_str().as_bytes());
    key.push(0);
    key.extend_from_slice(&digest.0);
    key.extend_from_slice(class.as_bytes());
    key
}
