//! One instance of a plugin and the calls it runs, one at a time.
//!
//! The invariant: an instance that trapped, ran out of time, grew large or kept a response beyond its call never runs again.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::{Instant, timeout_at};
use wasmtime::component::ResourceTable;
use wasmtime::{Store, UpdateDeadline};

use crate::model::fault::Fault;

use super::context::{Budget, Context, Shared};
use super::contract::since_v0_1::{attendance, callback, directory, plugin};
use super::failure::Failure;
use super::limits::Limits;

/// The most memory of an instance that waits for its next call: memory never shrinks, and a new instance is cheap.
const IDLE_BYTES: usize = 16 << 20;

/// A call of an export: what goes in and what comes out. Repeatable, so that it can be retried.
#[async_trait]
pub(super) trait Operation: Sync {
    /// What comes out.
    type Out: Send;
    /// The name people know it by, such as `directory.enumerate`.
    const EXPORT: &'static str;
    /// How long it may take.
    fn limit(&self, limits: &Limits) -> Duration {
        limits.call
    }
    /// Runs it.
    async fn run(&self, live: &mut Live) -> Result<Self::Out, Failure>;
}

/// An instance that is ready for a call.
pub(super) struct Live {
    pub(super) store: Store<Context>,
    pub(super) exports: Exported,
}

/// What an instance exports.
pub(super) struct Exported {
    pub(super) plugin: plugin::Guest,
    pub(super) directory: Option<directory::Guest>,
    pub(super) attendance: Option<attendance::Guest>,
    pub(super) callback: Option<callback::Guest>,
}

impl Live {
    async fn start(shared: &Arc<Shared>) -> Result<Self, Failure> {
        let plugin = &shared.plugin;
        let mut store = Store::new(&plugin.core.engine, Context::new(Arc::clone(shared)));
        store.limiter(|context| &mut context.quota);
        store.set_hostcall_fuel(shared.limits.boundary_bytes);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|_| {
            Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())))
        });
        match Self::instantiate(&mut store, shared).await {
            Ok(exports) => Ok(Self { store, exports }),
            Err(error) => Err(blamed(&store, Failure::Trap(error))),
        }
    }

    async fn instantiate(
        store: &mut Store<Context>,
        shared: &Shared,
    ) -> wasmtime::Result<Exported> {
        let loaded = &shared.plugin;
        let instance = loaded.pre.instantiate_async(&mut *store).await?;
        let exports = &loaded.exports;
        let (directory, attendance) = (exports.directory.as_ref(), exports.attendance.as_ref());
        let callback = exports.callback.as_ref();
        Ok(Exported {
            plugin: exports.plugin.load(&mut *store, &instance)?,
            directory: directory.map(|it| it.load(&mut *store, &instance)).transpose()?,
            attendance: attendance.map(|it| it.load(&mut *store, &instance)).transpose()?,
            callback: callback.map(|it| it.load(&mut *store, &instance)).transpose()?,
        })
    }

    fn begin(&mut self, limit: Duration, now: Instant) {
        let context = self.store.data_mut();
        context.budget = Budget::new(&context.shared.limits, limit, now);
        context.quota.met = None;
        self.store.set_epoch_deadline(1);
    }

    /// Ends a call; whether the instance may run another.
    fn end(&mut self, export: &str) -> bool {
        let context = self.store.data_mut();
        if context.budget.log_dropped > 0 {
            let shared = &context.shared;
            let (tenant, connection, plugin) =
                (&shared.tenant, &shared.connection, shared.plugin.name());
            let bytes = context.budget.log_dropped;
            tracing::warn!(%tenant, %connection, %plugin, export, bytes, "plugin log cut");
        }
        let kept = !context.table.is_empty();
        if kept {
            context.table = ResourceTable::new();
        }
        !kept && context.quota.memory_bytes() <= IDLE_BYTES
    }
}

/// A trap after a refused growth is the growth's fault.
fn blamed(store: &Store<Context>, failure: Failure) -> Failure {
    match (failure, store.data().quota.met) {
        (Failure::Trap(_), Some(bound)) => Failure::Bound(bound),
        (failure, _) => failure,
    }
}

/// Runs one call within its deadline, in `idle` or in a fresh instance. Gives back the instance if it may go on.
pub(super) async fn run<O: Operation>(
    shared: &Arc<Shared>,
    idle: Option<Live>,
    operation: &O,
) -> (Option<Live>, Result<O::Out, Fault>) {
    let now = Instant::now();
    let limit = operation.limit(&shared.limits);
    let core = Arc::clone(&shared.plugin.core);
    let _pulse = core.ticker.pulse();
    let call = async {
        let mut live = match idle {
            Some(live) => live,
            None => Live::start(shared).await?,
        };
        live.begin(limit, now);
        let out = operation.run(&mut live).await.map_err(|failure| blamed(&live.store, failure));
        Ok((live, out))
    };
    let (live, out) = match timeout_at(now + limit, call).await {
        Ok(Ok((mut live, out))) => {
            let whole = out.as_ref().err().is_none_or(Failure::leaves_instance_usable);
            let usable = live.end(O::EXPORT) && whole;
            (usable.then_some(live), out)
        }
        Ok(Err(failure)) => (None, Err(failure)),
        Err(_) => (None, Err(Failure::Deadline(limit))),
    };
    (live, out.map_err(|failure| failure.into_fault(shared, O::EXPORT)))
}
