//! Says when the watched files have changed and come to rest.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{self, Instant};

use crate::config::{Subject, Watched};

use super::scan::Snapshot;
use super::sentry::Sentry;

/// How often a look is taken again because a folder turned up that was not listened at yet.
const ROUNDS: usize = 8;

/// What differs from the generation in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// What it concerns.
    pub subjects: BTreeSet<Subject>,
    /// The files, in order.
    pub paths: Vec<PathBuf>,
}

impl Changed {
    /// As if everything had changed: the first build.
    pub fn everything() -> Self {
        Self {
            subjects: [Subject::Config, Subject::Mappings, Subject::Plugins].into(),
            paths: Vec::new(),
        }
    }

    /// No file changed, but what is in force has run out.
    pub(super) fn by_time() -> Self {
        Self { subjects: [Subject::Mappings].into(), paths: Vec::new() }
    }

    fn between(old: &Snapshot, new: &Snapshot) -> Self {
        let differences = new.differences(old);
        Self {
            subjects: differences.values().copied().collect(),
            paths: differences.into_keys().collect(),
        }
    }

    pub(super) fn is_nothing(&self) -> bool {
        self.subjects.is_empty()
    }
}

/// How a change is noticed.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Watching {
    /// The file system tells.
    Notices,
    /// The files are looked at by the clock, because the file system does not tell.
    Clock {
        /// Why it does not.
        reason: String,
    },
}

/// How long is waited for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// No notice for so long: the writer is done.
    pub quiet: Duration,
    /// Notices that never pause are waited for no longer than this.
    pub longest: Duration,
    /// Changed files must stay as they are for so long.
    pub steady: Duration,
    /// Between looks where notices are given, in case one was lost.
    pub look: Duration,
    /// Between looks where none are.
    pub poll: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            quiet: Duration::from_millis(120),
            longest: Duration::from_secs(1),
            steady: Duration::from_millis(40),
            look: Duration::from_secs(5),
            poll: Duration::from_millis(300),
        }
    }
}

/// Watches files. Knows two pictures of them: the one in force, and the last one that was judged.
pub(super) struct Watcher {
    watched: Arc<[Watched]>,
    sentry: Arc<Mutex<Sentry>>,
    signal: Arc<Notify>,
    pace: Pace,
    judged: Arc<Snapshot>,
    in_force: Arc<Snapshot>,
    pending: bool,
}

impl Watcher {
    /// Takes the first picture; it counts as judged, not as in force.
    pub(super) async fn new(watched: Vec<Watched>, pace: Pace, sentry: Sentry) -> Self {
        let signal = sentry.signal();
        let empty = Arc::new(Snapshot::default());
        let mut new = Self {
            watched: watched.into(),
            sentry: Arc::new(Mutex::new(sentry)),
            signal,
            pace,
            judged: Arc::clone(&empty),
            in_force: empty,
            pending: false,
        };
        new.judged = new.look().await;
        new
    }

    /// Waits until files differ from what was judged last and have come to rest; they then count as judged.
    pub(super) async fn changed(&mut self) -> Changed {
        loop {
            if !std::mem::take(&mut self.pending) {
                self.wait().await;
            }
            let mut seen = self.look().await;
            if !seen.differences(&self.judged).is_empty() {
                seen = self.settle(seen).await;
            }
            let different = !seen.differences(&self.judged).is_empty();
            self.judged = seen;
            if different {
                return Changed::between(&self.in_force, &self.judged);
            }
        }
    }

    /// Whether files differ from what was judged; if so [`Watcher::changed`] tells of them without waiting.
    pub(super) async fn moved_on(&mut self) -> bool {
        self.pending = !self.look().await.differences(&self.judged).is_empty();
        self.pending
    }

    /// What was judged is now in force.
    pub(super) fn accept(&mut self) {
        self.in_force = Arc::clone(&self.judged);
    }

    /// Watches these paths instead, and judges them at once; tells whether they are others than before.
    pub(super) async fn watch(&mut self, watched: &[Watched]) -> bool {
        if *self.watched == *watched {
            return false;
        }
        self.watched = watched.into();
        self.judged = self.look().await;
        true
    }

    /// How changes are noticed.
    pub(super) fn watching(&self) -> Watching {
        match self.sentry.lock().unwrap_or_else(PoisonError::into_inner).silence() {
            None => Watching::Notices,
            Some(reason) => Watching::Clock { reason: reason.to_owned() },
        }
    }

    /// Waits for a notice and the quiet after it, or for the clock.
    async fn wait(&self) {
        let idle = match self.watching() {
            Watching::Notices => self.pace.look,
            Watching::Clock { .. } => self.pace.poll,
        };
        if time::timeout(idle, self.signal.notified()).await.is_err() {
            return;
        }
        let end = Instant::now() + self.pace.longest;
        while Instant::now() < end
            && time::timeout(self.pace.quiet, self.signal.notified()).await.is_ok()
        {}
    }

    /// Waits until two looks in a row see the same.
    async fn settle(&self, mut seen: Arc<Snapshot>) -> Arc<Snapshot> {
        loop {
            time::sleep(self.pace.steady).await;
            let again = self.look().await;
            if again.same(&seen) {
                return again;
            }
            seen = again;
        }
    }

    async fn look(&self) -> Arc<Snapshot> {
        let (watched, before) = (Arc::clone(&self.watched), Arc::clone(&self.judged));
        let sentry = Arc::clone(&self.sentry);
        let look = move || {
            let mut sentry = sentry.lock().unwrap_or_else(PoisonError::into_inner);
            let mut seen = Snapshot::take(&watched, &before);
            for _ in 0..ROUNDS {
                if !sentry.arm(seen.posts()) {
                    break;
                }
                seen = Snapshot::take(&watched, &before);
            }
            Arc::new(seen)
        };
        match tokio::task::spawn_blocking(look).await {
            Ok(seen) => seen,
            // Only when the runtime shuts down: nothing is seen to change any more.
            Err(_) => Arc::clone(&self.judged),
        }
    }
}
