//! What one instance may use up, and what it may see of its connection: the data of its store.
//!
//! The invariant: nothing here is shared with another tenant.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;
use wasmtime::ResourceLimiter;
use wasmtime::component::{HasData, ResourceTable};

use crate::model::ids::{ConnectionId, TenantId};
use crate::port::clock::Clock;

use super::kept::Kept;
use super::limits::Limits;
use super::net::grant::Reach;
use super::plugin::Plugin;
use super::random::Randomness;
use super::rates::Rates;
use super::record::{Recorder, Tape};
use super::secret::{Secret, SecretSource};
use super::timer::Timer;
use super::turn::Turn;

/// What all instances of one connection share.
pub(super) struct Shared {
    pub(super) plugin: Arc<Plugin>,
    pub(super) tenant: TenantId,
    pub(super) connection: ConnectionId,
    /// Settings with the manifest's defaults filled in.
    pub(super) settings: BTreeMap<String, String>,
    pub(super) secrets: Arc<dyn SecretSource>,
    pub(super) reach: Reach,
    pub(super) limits: Limits,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) random: Arc<dyn Randomness>,
    pub(super) kept: Kept,
    pub(super) requests: AtomicU64,
    /// Whether the last call was broken off or computed on and on: the next one computes in turn from the start.
    pub(super) in_turn: AtomicBool,
    /// Who listens, if anybody does.
    pub(super) recorder: Option<Arc<Recorder>>,
    pub(super) rates: Arc<Rates>,
}

impl Shared {
    /// A secret that the manifest asks for and the tenant has.
    pub(super) fn secret(&self, name: &str) -> Option<Secret> {
        self.plugin.manifest().asks_secret(name).then(|| self.secrets.secret(name)).flatten()
    }
}

/// The data of one instance's store.
pub(super) struct Context {
    pub(super) shared: Arc<Shared>,
    pub(super) table: ResourceTable,
    pub(super) quota: Quota,
    pub(super) budget: Budget,
    /// For its requests.
    pub(super) timer: Timer,
    /// When it computes for long.
    pub(super) turn: Turn,
    /// While the instance is recorded or replayed.
    pub(super) tape: Option<Box<Tape>>,
}

impl Context {
    pub(super) fn new(shared: Arc<Shared>, tape: Option<Tape>) -> Self {
        let limits = shared.limits;
        let quota = Quota::new(&limits);
        Self {
            shared,
            table: ResourceTable::new(),
            quota,
            budget: Budget::new(&limits, limits.call, Instant::now(), Stretch::default()),
            timer: Timer::default(),
            turn: Turn::default(),
            tape: tape.map(Box::new),
        }
    }
}

/// How the generated bindings find the context: it is the store's data itself.
pub(super) struct Data;

impl HasData for Data {
    type Data<'a> = &'a mut Context;
}

/// What is left for the call that runs.
pub(super) struct Budget {
    /// When the guest's requests end; a little before the call does, so that the guest can say so.
    pub(super) http_deadline: Instant,
    pub(super) http_bytes: usize,
    pub(super) requests: u32,
    pub(super) log_bytes: usize,
    pub(super) log_dropped: u64,
    /// How much longer the call may take, because it waited its turn under the platform's limits.
    pub(super) stretch: Stretch,
    /// How long it may still wait its turn.
    pub(super) patience: Duration,
    /// Whether the platform refused a request of this call for its rate.
    pub(super) throttled: bool,
    /// The buckets that its requests counted in.
    pub(super) used: Vec<usize>,
}

/// Time that a call waited for the platform's sake; it does not count against its deadline.
#[derive(Clone, Default)]
pub(super) struct Stretch(Arc<AtomicU64>);

impl Stretch {
    pub(super) fn add(&self, wait: Duration) {
        let ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        self.0.fetch_add(ms.saturating_add(1), Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed))
    }
}

impl Budget {
    /// What a guest has left after its last request has met the deadline: a twentieth of its time, at most a quarter second.
    const GRACE_SHARE: u32 = 20;
    const GRACE_LIMIT: Duration = Duration::from_millis(250);
    /// The longest that one call waits its turn; what takes longer is left to a later run.
    const PATIENCE: Duration = Duration::from_mins(3);
    /// ... and at most so many times what the call may take else.
    const PATIENCE_SHARE: u32 = 3;

    pub(super) fn new(limits: &Limits, call: Duration, now: Instant, stretch: Stretch) -> Self {
        let grace = (call / Self::GRACE_SHARE).min(Self::GRACE_LIMIT);
        Self {
            http_deadline: now + call.saturating_sub(grace),
            http_bytes: limits.http_bytes,
            requests: limits.requests,
            log_bytes: limits.log_bytes,
            log_dropped: 0,
            stretch,
            patience: Self::PATIENCE.min(call * Self::PATIENCE_SHARE),
            throttled: false,
            used: Vec::new(),
        }
    }

    /// Waits until a moment, without losing time for the rest of the call.
    pub(super) async fn wait_until(&mut self, at: Instant) {
        let wait = at.saturating_duration_since(Instant::now());
        self.stretch.add(wait);
        self.http_deadline += wait;
        self.patience = self.patience.saturating_sub(wait);
        tokio::time::sleep_until(at).await;
    }

    /// What may still be logged of a message: cut to what is left, in one line. `None` when nothing is left.
    pub(super) fn cut_log(&mut self, message: &str) -> Option<String> {
        let keep = message.floor_char_boundary(self.log_bytes);
        self.log_dropped += (message.len() - keep) as u64;
        // An empty message costs something too, or it could be repeated for ever.
        self.log_bytes = self.log_bytes.saturating_sub(keep.max(16));
        if keep == 0 {
            self.log_dropped += u64::from(message.is_empty());
            return None;
        }
        Some(message[..keep].replace(char::is_control, " "))
    }
}

/// Which bound of an instance a guest has met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bound {
    Memory,
    Table,
}

/// Counts the memory and tables of an instance.
pub(super) struct Quota {
    memory_limit: usize,
    table_limit: usize,
    memory: usize,
    table: usize,
    /// The last growth that was refused.
    pub(super) met: Option<Bound>,
}

/// A component is made of several core instances; ours have four or five.
const CORE_INSTANCES: usize = 32;
const MEMORIES: usize = 8;
const TABLES: usize = 16;

impl Quota {
    fn new(limits: &Limits) -> Self {
        let (memory_limit, table_limit) = (limits.memory_bytes, limits.table_elements);
        Self { memory_limit, table_limit, memory: 0, table: 0, met: None }
    }

    /// The linear memory in use.
    pub(super) fn memory_bytes(&self) -> usize {
        self.memory
    }
}

fn grow(used: &mut usize, limit: usize, current: usize, desired: usize) -> bool {
    let next = used.saturating_add(desired.saturating_sub(current));
    if next <= limit {
        *used = next;
    }
    next <= limit
}

impl ResourceLimiter for Quota {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let granted = grow(&mut self.memory, self.memory_limit, current, desired);
        if !granted {
            self.met = Some(Bound::Memory);
        }
        Ok(granted)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let granted = grow(&mut self.table, self.table_limit, current, desired);
        if !granted {
            self.met = Some(Bound::Table);
        }
        Ok(granted)
    }

    fn instances(&self) -> usize {
        CORE_INSTANCES
    }

    fn tables(&self) -> usize {
        TABLES
    }

    fn memories(&self) -> usize {
        MEMORIES
    }
}
