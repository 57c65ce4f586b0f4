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
use super::contract::since_v0_1::{attendance, callback, directory, plugin, target};
use super::failure::Failure;
use super::limits::Limits;
use super::record::{Call, Heard, Made, Recorder, Tape, Understudy};

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
    /// The call as a value; `None` for one that is not recorded.
    fn call(&self) -> Option<Call> {
        None
    }
    /// What a recording looks at in a result.
    fn made(_: &Self::Out) -> Made {
        Made::default()
    }
}

/// An instance that is ready for a call.
pub(super) struct Live {
    pub(super) store: Store<Context>,
    pub(super) exports: Exported,
    /// Its second, while it is recorded.
    understudy: Option<Box<Understudy>>,
}

/// What an instance exports.
pub(super) struct Exported {
    pub(super) plugin: plugin::Guest,
    pub(super) directory: Option<directory::Guest>,
    pub(super) attendance: Option<attendance::Guest>,
    pub(super) callback: Option<callback::Guest>,
    pub(super) target: Option<target::Guest>,
}

impl Live {
    pub(super) async fn start(shared: &Arc<Shared>, tape: Option<Tape>) -> Result<Self, Failure> {
        let plugin = &shared.plugin;
        let mut store = Store::new(&plugin.core.engine, Context::new(Arc::clone(shared), tape));
        store.limiter(|context| &mut context.quota);
        store.set_hostcall_fuel(shared.limits.boundary_bytes);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|_| {
            Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())))
        });
        match Self::instantiate(&mut store, shared).await {
            Ok(exports) => Ok(Self { store, exports, understudy: None }),
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
        let (callback, target) = (exports.callback.as_ref(), exports.target.as_ref());
        Ok(Exported {
            plugin: exports.plugin.load(&mut *store, &instance)?,
            directory: directory.map(|it| it.load(&mut *store, &instance)).transpose()?,
            attendance: attendance.map(|it| it.load(&mut *store, &instance)).transpose()?,
            callback: callback.map(|it| it.load(&mut *store, &instance)).transpose()?,
            target: target.map(|it| it.load(&mut *store, &instance)).transpose()?,
        })
    }

    fn begin(&mut self, limit: Duration, now: Instant) {
        let context = self.store.data_mut();
        context.budget = Budget::new(&context.shared.limits, limit, now);
        context.quota.met = None;
        self.store.set_epoch_deadline(1);
    }

    /// What the crossings of the next call do.
    pub(super) fn set_tape(&mut self, tape: Tape) {
        self.store.data_mut().tape = Some(Box::new(tape));
    }

    pub(super) fn take_tape(&mut self) -> Option<Tape> {
        self.store.data_mut().tape.take().map(|tape| *tape)
    }

    /// Runs a recorded call with the tape that is set. Whether the instance may run another, and what came out.
    pub(super) async fn play(&mut self, call: &Call) -> (bool, Result<Made, Failure>) {
        let limit = self.store.data().shared.limits.call;
        self.begin(limit, Instant::now());
        let out = call.perform(self).await.map_err(|failure| blamed(&self.store, failure));
        let whole = out.as_ref().err().is_none_or(Failure::leaves_instance_usable);
        (self.end(call.export()) && whole, out)
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
        let noting = || shared.recorder.as_ref().map(|_| Tape::Noting(Vec::new()));
        let mut live = match idle {
            Some(mut live) => {
                if let Some(tape) = noting() {
                    live.set_tape(tape);
                }
                live
            }
            None => Live::start(shared, noting()).await?,
        };
        live.begin(limit, now);
        let out = operation.run(&mut live).await.map_err(|failure| blamed(&live.store, failure));
        Ok((live, out))
    };
    let (live, out) = match timeout_at(now + limit, call).await {
        Ok(Ok((mut live, out))) => {
            let whole = out.as_ref().err().is_none_or(Failure::leaves_instance_usable);
            let usable = live.end(O::EXPORT) && whole;
            if let Some(recorder) = &shared.recorder {
                record::<O>(shared, recorder, &mut live, operation, &out).await;
            }
            (usable.then_some(live), out)
        }
        Ok(Err(failure)) => (None, Err(failure)),
        Err(_) => {
            if let (Some(recorder), Some(call)) = (&shared.recorder, operation.call()) {
                recorder.leave_out(&call, "it ran past its deadline");
            }
            (None, Err(Failure::Deadline(limit)))
        }
    };
    (live, out.map_err(|failure| failure.into_fault(shared, O::EXPORT)))
}

/// Lets the recorder have a call that has ended.
async fn record<O: Operation>(
    shared: &Arc<Shared>,
    recorder: &Recorder,
    live: &mut Live,
    operation: &O,
    out: &Result<O::Out, Failure>,
) {
    let understudy = live.understudy.take().map(|it| *it);
    let (Some(call), Some(Tape::Noting(effects))) = (operation.call(), live.take_tape()) else {
        // A call that is not recorded leaves the second instance behind; the next one begins with a new one.
        return;
    };
    let heard = Heard { call, effects, made: out.as_ref().ok().map(O::made) };
    live.understudy = recorder.take(shared, understudy, heard).await.map(Box::new);
}
