//! Keeps one generation in force and replaces it when its files change.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::config::Watched;
use crate::port::clock::Clock;

use super::sentry::Sentry;
use super::watcher::{Changed, Pace, Watcher, Watching};

/// How often a build may name other paths to watch than the build before it.
const ROUNDS: usize = 4;

/// Between two tries to build what runs out by itself.
const AGAIN_MS: i64 = 60_000;
/// Between two looks at the clock while that is waited for: clocks are set.
const LOOK: Duration = Duration::from_secs(30);

/// What a build function hands over: a generation that passed its checks, and the paths it was built from.
#[derive(Clone, Debug)]
pub struct Built<G> {
    /// The generation.
    pub generation: G,
    /// What it depends on.
    pub watched: Vec<Watched>,
}

/// What is in force, and what stands in the way of what is not.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Status {
    /// How many generations there have been; the first is 1.
    pub generation: u64,
    /// Since when it is in force, in Unix milliseconds.
    pub since_ms: i64,
    /// How changes are noticed.
    pub watching: Watching,
    /// Why the files as they are now are not in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<LastError>,
}

/// A build that failed.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct LastError {
    /// What the build function says.
    pub text: String,
    /// When, in Unix milliseconds.
    pub at_ms: i64,
    /// The files that differ from those in force.
    pub paths: Vec<PathBuf>,
}

type UntilMs<G> = dyn Fn(&G) -> Option<i64> + Send + Sync;
type Build<G> = dyn Fn(&Changed) -> Result<Built<G>, String> + Send + Sync;

/// The service: watches, builds, swaps.
pub struct Reloader<G> {
    watcher: Watcher,
    build: Arc<Build<G>>,
    clock: Arc<dyn Clock>,
    shared: Arc<Shared<G>>,
    until_ms: Box<UntilMs<G>>,
}

/// What is in force, for everyone who asks.
pub struct Handle<G> {
    shared: Arc<Shared<G>>,
}

struct Shared<G> {
    current: ArcSwap<G>,
    number: watch::Sender<u64>,
    status: watch::Sender<Status>,
}

impl<G: Send + Sync + 'static> Reloader<G> {
    /// Builds the first generation. `paths` is what the build reads, as far as known; each build names it anew.
    ///
    /// `build` runs on a blocking thread, on the files as they are; it builds aside, runs the cases and changes nothing.
    ///
    /// # Errors
    /// What `build` says of the first generation.
    pub async fn start<E: fmt::Display>(
        paths: Vec<Watched>,
        pace: Pace,
        clock: Arc<dyn Clock>,
        build: impl Fn(&Changed) -> Result<Built<G>, E> + Send + Sync + 'static,
    ) -> Result<(Self, Handle<G>), String> {
        Self::start_with(paths, pace, clock, build, Sentry::new()).await
    }

    pub(super) async fn start_with<E: fmt::Display>(
        paths: Vec<Watched>,
        pace: Pace,
        clock: Arc<dyn Clock>,
        build: impl Fn(&Changed) -> Result<Built<G>, E> + Send + Sync + 'static,
        sentry: Sentry,
    ) -> Result<(Self, Handle<G>), String> {
        let build: Arc<Build<G>> =
            Arc::new(move |changed| build(changed).map_err(|error| error.to_string()));
        let mut watcher = Watcher::new(paths, pace, sentry).await;
        let first = loop {
            match attempt(&mut watcher, &build, Changed::everything()).await {
                Outcome::Built(first) => break first,
                Outcome::Failed(text) => return Err(text),
                Outcome::Stale => {
                    watcher.changed().await;
                }
            }
        };
        watcher.accept();
        let status = Status {
            generation: 1,
            since_ms: clock.now_ms(),
            watching: watcher.watching(),
            error: None,
        };
        let shared = Arc::new(Shared {
            current: ArcSwap::from_pointee(first),
            number: watch::Sender::new(status.generation),
            status: watch::Sender::new(status),
        });
        let handle = Handle { shared: Arc::clone(&shared) };
        let until_ms: Box<UntilMs<G>> = Box::new(|_| None);
        Ok((Self { watcher, build, clock, shared, until_ms }, handle))
    }

    /// Builds anew when a generation has run out, whatever the files do: `until_ms` says when, in Unix milliseconds.
    #[must_use]
    pub fn renewed(self, until_ms: impl Fn(&G) -> Option<i64> + Send + Sync + 'static) -> Self {
        Self { until_ms: Box::new(until_ms), ..self }
    }

    /// Runs until told to stop.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut not_before = i64::MIN;
        loop {
            let due = (self.until_ms)(&self.shared.current.load());
            let due = due.map(|due| due.max(not_before));
            let changed = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                changed = self.watcher.changed() => changed,
                () = passed(&*self.clock, due) => {
                    // What cannot be built now is not tried again at once.
                    not_before = self.clock.now_ms() + AGAIN_MS;
                    Changed::by_time()
                }
            };
            self.reload(changed).await;
        }
    }

    async fn reload(&mut self, changed: Changed) {
        if changed.is_nothing() {
            info!("the files are again those in force");
            self.shared.status.send_modify(|status| status.error = None);
            return;
        }
        let outcome = attempt(&mut self.watcher, &self.build, changed.clone()).await;
        let now = self.clock.now_ms();
        match outcome {
            Outcome::Stale => info!("files changed while they were read; reading again"),
            Outcome::Built(generation) => {
                self.watcher.accept();
                let number = self.shared.swap(generation, now);
                info!(
                    generation = number,
                    files = changed.paths.len(),
                    "a new generation is in force"
                );
            }
            Outcome::Failed(text) => {
                error!(%text, "the change is not in force; the old generation stays");
                let failure = LastError { text, at_ms: now, paths: changed.paths };
                self.shared.status.send_modify(|status| status.error = Some(failure));
            }
        }
        let watching = self.watcher.watching();
        self.shared.status.send_if_modified(|status| {
            std::mem::replace(&mut status.watching, watching.clone()) != watching
        });
    }
}

/// Waits until it is so late; for ever without a time.
async fn passed(clock: &dyn Clock, due_ms: Option<i64>) {
    let Some(due) = due_ms else { return std::future::pending().await };
    loop {
        let left = match u64::try_from(due - clock.now_ms()) {
            Ok(left) if left > 0 => Duration::from_millis(left),
            Ok(_) | Err(_) => return,
        };
        tokio::time::sleep(left.min(LOOK)).await;
    }
}

enum Outcome<G> {
    Built(G),
    Failed(String),
    /// The files changed meanwhile, so the result says nothing about what stands there now.
    Stale,
}

/// Builds until the paths that the result depends on are those that were watched while it was built.
async fn attempt<G: Send + Sync + 'static>(
    watcher: &mut Watcher,
    build: &Arc<Build<G>>,
    changed: Changed,
) -> Outcome<G> {
    for _ in 0..ROUNDS {
        let (build, changed) = (Arc::clone(build), changed.clone());
        let result = tokio::task::spawn_blocking(move || build(&changed)).await;
        if watcher.moved_on().await {
            return Outcome::Stale;
        }
        match result {
            Ok(Ok(Built { generation, watched })) => {
                if !watcher.watch(&watched).await {
                    return Outcome::Built(generation);
                }
            }
            Ok(Err(text)) => return Outcome::Failed(text),
            Err(join) => {
                warn!(%join, "a build ended early");
                return Outcome::Failed(format!(
                    "the build itself failed, a bug in rollcall: {join}"
                ));
            }
        }
    }
    Outcome::Failed("each build names other files than the one before; does one file name another by its content?".into())
}

impl<G> Shared<G> {
    fn swap(&self, generation: G, now: i64) -> u64 {
        self.current.store(Arc::new(generation));
        self.status.send_modify(|status| {
            status.generation += 1;
            status.since_ms = now;
            status.error = None;
        });
        let number = self.status.borrow().generation;
        self.number.send_replace(number);
        number
    }
}

impl<G> Handle<G> {
    /// The generation in force. A run takes it once and keeps it to its end.
    pub fn current(&self) -> Arc<G> {
        self.shared.current.load_full()
    }

    /// What is in force and what is not.
    pub fn status(&self) -> Status {
        self.shared.status.borrow().clone()
    }

    /// Tells of each new generation by its number, once it is in force.
    pub fn generations(&self) -> watch::Receiver<u64> {
        self.shared.number.subscribe()
    }

    /// Tells of each change of the status, builds that failed among them.
    pub fn subscribe(&self) -> watch::Receiver<Status> {
        self.shared.status.subscribe()
    }
}

impl<G> Clone for Handle<G> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}
