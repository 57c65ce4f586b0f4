//! Where pushed events are kept until they are worked off.
//!
//! ```text
//! delivery ─▶ plugin: verify, decrypt ─▶ journal: deduplicate, write, flush (many at once) ─▶ answer
//!                                            │
//!                    sync: a targeted run ◀─ worker: hints ◀─ drawer
//! ```
//! Not for: what an event means. A hint is a reason to look, and looking is [`crate::sync`]'s. The invariants:
//! - an answer that acknowledges is given after the event is on disk, and never waits for a run;
//! - an event leaves the drawer only after a run over it has ended well, so that none is lost to a crash;
//! - a delivery that is forged, stale, broken or repeated is counted and changes nothing.

mod drawer;
mod intake;
mod journal;
mod tally;
mod worker;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

pub use intake::Intake;
pub use journal::Journal;
pub use tally::{Outcome, Tally};
pub use worker::Worker;

use crate::model::ids::{ConnectionId, TenantId};
use crate::port::callback::Callback;
use crate::port::clock::Clock;
use crate::port::store::{Store, StoreError};
use crate::sync::look::{Looked, Sight};

use drawer::Drawer;
use tally::Counters;

/// How much an inbox takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The largest body of a delivery.
    pub body_bytes: usize,
    /// Events of one connection that wait to be worked off; further ones are refused until there is room.
    pub backlog: u64,
    /// How long an event may take to the disk; the platform is asked to repeat one that takes longer.
    pub store: Duration,
}

/// How the worker works off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tempo {
    /// After an event, further ones are awaited this long: a burst makes one run.
    pub gather: Duration,
    /// The first wait after a run that broke off; doubles up to `longest`.
    pub first: Duration,
    /// The longest wait after a run that broke off.
    pub longest: Duration,
    /// The least time between two runs that read everything because events were lost.
    pub between_listings: Duration,
}

impl Default for Tempo {
    fn default() -> Self {
        Self {
            gather: Duration::from_millis(300),
            first: Duration::from_secs(1),
            longest: Duration::from_mins(5),
            between_listings: Duration::from_mins(30),
        }
    }
}

/// Who carries out what events ask for.
#[async_trait::async_trait]
pub trait Looker: Send + Sync {
    /// Looks, and tells how that went.
    async fn look(&self, sight: Sight) -> Looked;
}

#[async_trait::async_trait]
impl Looker for crate::sync::service::Handle {
    async fn look(&self, sight: Sight) -> Looked {
        Self::look(self, sight).await
    }
}

/// What an inbox is made of.
pub struct Parts {
    /// The customer.
    pub tenant: TenantId,
    /// The connection.
    pub connection: ConnectionId,
    /// Reads what the platform pushes; a reload replaces it by [`Intake::rewire`].
    pub callback: Arc<dyn Callback>,
    /// Carries out the runs.
    pub looker: Arc<dyn Looker>,
    /// The state.
    pub store: Arc<dyn Store>,
    /// Writes to the state; one for all inboxes of a store.
    pub journal: Journal,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// How much it takes.
    pub bounds: Bounds,
    /// How it works off.
    pub tempo: Tempo,
}

/// What intake and worker share.
struct Shared {
    tenant: TenantId,
    connection: ConnectionId,
    callback: RwLock<Arc<dyn Callback>>,
    drawer: Arc<Drawer>,
    counters: Counters,
    clock: Arc<dyn Clock>,
}

impl Shared {
    fn callback(&self) -> Arc<dyn Callback> {
        self.callback.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// How many events of a connection wait in the state. Blocking; for when no daemon runs.
///
/// # Errors
/// [`StoreError`] when the state cannot be read.
pub fn waiting(
    store: Arc<dyn Store>,
    tenant: &TenantId,
    connection: &ConnectionId,
) -> Result<u64, StoreError> {
    Drawer::open(store, tenant, connection, 0).map(|drawer| drawer.waiting())
}

/// Opens an inbox; events that an earlier process left are worked off first. Blocking: reads the state.
///
/// # Errors
/// [`StoreError`] when the state cannot be read.
pub fn open(parts: Parts) -> Result<(Intake, Worker), StoreError> {
    let Parts { tenant, connection, callback, looker, store, journal, clock, bounds, tempo } =
        parts;
    let drawer = Arc::new(Drawer::open(store, &tenant, &connection, bounds.backlog)?);
    let shared = Arc::new(Shared {
        tenant,
        connection,
        callback: RwLock::new(callback),
        drawer,
        counters: Counters::default(),
        clock,
    });
    let worker = Worker::new(shared.clone(), looker, tempo);
    Ok((Intake::new(shared, journal, bounds), worker))
}
