//! One instance of a plugin and the calls it runs, one at a time.
//!
//! The invariant: an instance that trapped, ran out of time, grew large or kept a response beyond its call never runs again.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;
use wasmtime::component::ResourceTable;
use wasmtime::{Store, UpdateDeadline};

use crate::model::entity::Entity;
use crate::model::fault::Fault;

use super::context::{Budget, Context, Shared, Stretch};
use super::contract::since_v0_1::{attendance, callback, directory, plugin, target};
use super::failure::Failure;
use super::limits::Limits;
use super::rates::Refused;
use super::record::{Call, Heard, Made, Recorder, Tape, Understudy};
use super::timer::Timer;
use super::turn::Permit;

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
    /// The kind of record that it reads, for calls that come in great numbers.
    fn entity(&self) -> Option<Entity> {
        None
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
    /// For its calls.
    timer: Timer,
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
        store.epoch_deadline_callback(|mut store| {
            let Context { turn, shared, .. } = store.data_mut();
            let next = turn.next(&shared.plugin.core.turns);
            Ok(UpdateDeadline::YieldCustom(1, Box::pin(next)))
        });
        match Self::instantiate(&mut store, shared).await {
            Ok(exports) => Ok(Self { store, exports, timer: Timer::default(), understudy: None }),
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

    fn begin(&mut self, limit: Duration, now: Instant, stretch: Stretch, permit: Option<Permit>) {
        let context = self.store.data_mut();
        context.budget = Budget::new(&context.shared.limits, limit, now, stretch);
        context.quota.met = None;
        context.turn.begin(permit);
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
        self.begin(limit, Instant::now(), Stretch::default(), None);
        let out = call.perform(self).await.map_err(|failure| blamed(&self.store, failure));
        let whole = out.as_ref().err().is_none_or(Failure::leaves_instance_usable);
        (self.end(call.export()) && whole, out)
    }

    /// Ends a call; whether the instance may run another.
    fn end(&mut self, export: &str) -> bool {
        let context = self.store.data_mut();
        context.turn.rest();
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

/// What became of a call.
pub(super) struct Ran<T> {
    /// The instance, if it may run another.
    pub(super) live: Option<Live>,
    pub(super) out: Result<T, Fault>,
    /// Whether the platform refused a request for its rate: the host knows already how long to wait.
    pub(super) throttled: bool,
    /// The requests it made.
    pub(super) requests: u32,
    /// The buckets that they counted in.
    pub(super) used: Vec<usize>,
}

/// Awaits a call until its deadline, which moves while the call waits its turn under the platform's limits.
async fn in_time<T>(
    timer: &mut Timer,
    deadline: Instant,
    stretch: &Stretch,
    call: impl Future<Output = T>,
) -> Option<T> {
    let mut call = std::pin::pin!(call);
    let mut until = deadline;
    loop {
        if let Some(out) = timer.limit(until, call.as_mut()).await {
            return Some(out);
        }
        let later = deadline + stretch.get();
        if later <= until {
            return None;
        }
        until = later;
    }
}

/// Runs one call within its deadline, in `idle` or in a fresh instance.
pub(super) async fn run<O: Operation>(
    shared: &Arc<Shared>,
    mut idle: Option<Live>,
    operation: &O,
) -> Ran<O::Out> {
    let now = Instant::now();
    let limit = operation.limit(&shared.limits);
    let core = Arc::clone(&shared.plugin.core);
    let _pulse = core.ticker.pulse();
    let stretch = Stretch::default();
    // A recorded instance goes on only with its second, which has gone through the same.
    idle = idle.filter(|live| shared.recorder.is_none() || live.understudy.is_some());
    let mut timer = idle.as_mut().map(|live| std::mem::take(&mut live.timer)).unwrap_or_default();
    let call = async {
        // Whoever broke down or computed on and on last time computes in turn from the start.
        let in_turn = shared.in_turn.load(Ordering::Relaxed);
        let permit = if in_turn { core.turns.take().await } else { None };
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
        live.begin(limit, now, stretch.clone(), permit);
        let out = operation.run(&mut live).await.map_err(|failure| blamed(&live.store, failure));
        Ok((live, out))
    };
    let mut ran = Ran {
        live: None,
        out: Err(Fault::Unsupported),
        throttled: false,
        requests: 0,
        used: Vec::new(),
    };
    let mut long = false;
    let out = match in_time(&mut timer, now + limit, &stretch, call).await {
        Some(Ok((mut live, out))) => {
            live.timer = timer;
            long = live.store.data().turn.was_long();
            let whole = out.as_ref().err().is_none_or(Failure::leaves_instance_usable);
            let usable = live.end(O::EXPORT) && whole;
            let budget = &mut live.store.data_mut().budget;
            ran.throttled = budget.throttled;
            ran.requests = shared.limits.requests - budget.requests;
            ran.used = std::mem::take(&mut budget.used);
            if let Some(recorder) = &shared.recorder {
                record::<O>(shared, recorder, &mut live, operation, &out).await;
            }
            ran.live = usable.then_some(live);
            out
        }
        Some(Err(failure)) => Err(failure),
        None => {
            if let (Some(recorder), Some(call)) = (&shared.recorder, operation.call()) {
                recorder.leave_out(&call, "it ran past its deadline");
            }
            Err(Failure::Deadline(limit))
        }
    };
    let broken = out.as_ref().is_err_and(|failure| !failure.leaves_instance_usable());
    shared.in_turn.store(broken || long, Ordering::Relaxed);
    ran.out = out.map_err(|failure| failure.into_fault(shared, O::EXPORT));
    ran
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
    if let Err(Failure::Trap(error)) = out
        && error.is::<Refused>()
    {
        recorder.leave_out(&call, "the platform's rate limits ended it");
        return;
    }
    let heard = Heard { call, effects, made: out.as_ref().ok().map(O::made) };
    live.understudy = recorder.take(shared, understudy, heard).await.map(Box::new);
}
