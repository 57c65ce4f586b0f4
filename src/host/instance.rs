//! One instance of a plugin and the calls it runs, one at a time.
//!
//! The invariant: an instance that trapped, ran out of time, grew large or kept a response beyond its call never runs again.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::time::{Instant, timeout_at};
use wasmtime::component::ResourceTable;
use wasmtime::{Store, UpdateDeadline};

use crate::model::fault::Fault;

use super::context::{Budget, Context, Shared};
use super::contract::since_v0_1::{attendance, directory, plugin};
use super::failure::Failure;

/// The most memory of an instance that waits for its next call: memory never shrinks, and a new instance is cheap.
const IDLE_BYTES: usize = 16 << 20;

/// A call of an export: what goes in and what comes out. Repeatable, so that it can be retried.
#[async_trait]
pub(super) trait Operation: Sync {
    /// What comes out.
    type Out: Send;
    /// The name people know it by, such as `directory.enumerate`.
    const EXPORT: &'static str;
    /// Runs it.
    async fn run(&self, live: &mut Live) -> Result<Self::Out, Failure>;
}

/// An instance that is ready for a call.
pub(super) struct Live {
    pub(super) store: Store<Context>,
    pub(super) plugin: plugin::Guest,
    pub(super) directory: Option<directory::Guest>,
    pub(super) attendance: Option<attendance::Guest>,
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
            Ok((plugin, directory, attendance)) => {
                Ok(Self { store, plugin, directory, attendance })
            }
            Err(error) => Err(blamed(&store, Failure::Trap(error))),
        }
    }

    async fn instantiate(
        store: &mut Store<Context>,
        shared: &Shared,
    ) -> wasmtime::Result<(plugin::Guest, Option<directory::Guest>, Option<attendance::Guest>)>
    {
        let loaded = &shared.plugin;
        let instance = loaded.pre.instantiate_async(&mut *store).await?;
        let exports = &loaded.exports;
        Ok((
            exports.plugin.load(&mut *store, &instance)?,
            exports.directory.as_ref().map(|it| it.load(&mut *store, &instance)).transpose()?,
            exports.attendance.as_ref().map(|it| it.load(&mut *store, &instance)).transpose()?,
        ))
    }

    fn begin(&mut self, now: Instant) {
        let context = self.store.data_mut();
        context.budget = Budget::new(&context.shared.limits, now);
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
    let deadline = now + shared.limits.call;
    let core = Arc::clone(&shared.plugin.core);
    let _pulse = core.ticker.pulse();
    let call = async {
        let mut live = match idle {
            Some(live) => live,
            None => Live::start(shared).await?,
        };
        live.begin(now);
        let out = operation.run(&mut live).await.map_err(|failure| blamed(&live.store, failure));
        Ok((live, out))
    };
    let (live, out) = match timeout_at(deadline, call).await {
        Ok(Ok((mut live, out))) => {
            let whole = out.as_ref().err().is_none_or(Failure::leaves_instance_usable);
            let usable = live.end(O::EXPORT) && whole;
            (usable.then_some(live), out)
        }
        Ok(Err(failure)) => (None, Err(failure)),
        Err(_) => (None, Err(Failure::Deadline)),
    };
    (live, out.map_err(|failure| failure.into_fault(shared, O::EXPORT)))
}
