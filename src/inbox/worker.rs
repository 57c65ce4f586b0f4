//! The working half: from stored events to runs of the sync, one run at a time.
//!
//! What this is not: reading the platform. The one invariant: an event is taken out of the drawer only once a run over what
//! it points at has ended, or the mark that everything has to be read is on disk.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::model::fault::Fault;
use crate::port::store::StoreError;
use crate::sync::Targets;
use crate::sync::look::{Looked, Sight};
use crate::sync::report::Report;

use super::drawer::{Drawer, Waiting};
use super::{Looker, Shared, Tempo};

/// Events read at once.
const BATCH: usize = 1_000;
/// More objects than these are better read by a listing.
const TARGETS: usize = 2_000;
/// How often a run in which some attendance could not be read is repeated for its events; later runs look back anyway.
const REPEATS: u32 = 3;
/// How often ids whose time is over are forgotten.
const FORGET: Duration = Duration::from_hours(1);

/// Works off the events of one connection.
pub struct Worker {
    shared: Arc<Shared>,
    looker: Arc<dyn Looker>,
    tempo: Tempo,
    /// Passes that failed, one after the other.
    failed: u32,
    /// Runs over the same events in which something could not be read.
    partial: u32,
    /// When everything was last read because of a mark.
    listed: Option<Instant>,
    /// Whether the drawer bore the mark when it was last looked at.
    marked: bool,
}

/// What a pass came to.
enum Pass {
    /// Nothing waits, or nothing that may be done yet.
    Idle,
    /// Something was done; there may be more.
    More,
    /// It has to be repeated, for this reason.
    Failed(String),
}

/// What the oldest events ask for.
#[derive(Default)]
struct Batch {
    numbers: Vec<u64>,
    targets: Targets,
    /// Events that cannot be used.
    unusable: u64,
    /// Something changed, and nobody knows what.
    everything: bool,
}

impl Worker {
    pub(super) fn new(shared: Arc<Shared>, looker: Arc<dyn Looker>, tempo: Tempo) -> Self {
        Self { shared, looker, tempo, failed: 0, partial: 0, listed: None, marked: false }
    }

    /// Works until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut forget = Instant::now();
        // Events of an earlier process wait for no notice.
        let mut pause = Duration::ZERO;
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = sleep(pause) => {}
            }
            if forget <= Instant::now() {
                forget = Instant::now() + FORGET;
                self.forget().await;
            }
            pause = match self.pass().await {
                Ok(Pass::More) => {
                    self.well();
                    Duration::ZERO
                }
                Ok(Pass::Idle) => {
                    self.well();
                    tokio::select! {
                        biased;
                        () = stop.cancelled() => break,
                        () = self.shared.drawer.arrived.notified() => self.tempo.gather,
                        () = sleep(self.until_listing().unwrap_or(FORGET)) => Duration::ZERO,
                    }
                }
                Ok(Pass::Failed(reason)) => self.later(reason),
                Err(cause) => self.later(cause.to_string()),
            };
        }
    }

    fn well(&mut self) {
        if self.failed > 0 {
            self.failed = 0;
            self.shared.counters.trouble(None);
        }
    }

    fn later(&mut self, reason: String) -> Duration {
        let (tenant, connection) = (&self.shared.tenant, &self.shared.connection);
        let pause = self.tempo.first.saturating_mul(1 << self.failed.min(16));
        let pause = pause.min(self.tempo.longest);
        self.failed = self.failed.saturating_add(1);
        warn!(%tenant, %connection, %reason, ?pause, "events wait: the run over them is repeated");
        self.shared.counters.trouble(Some(reason));
        pause
    }

    async fn pass(&mut self) -> Result<Pass, StoreError> {
        if let Some(mark) = self.marked().await? {
            match self.looker.look(Sight::Everything).await {
                Looked::Done(_) => {
                    self.listed = Some(Instant::now());
                    self.on_drawer(move |drawer| drawer.found(&mark)).await?;
                }
                Looked::Unable => return Ok(Pass::Failed("the platform lists nothing".to_owned())),
                Looked::Failed(reason) => return Ok(Pass::Failed(reason)),
            }
        }
        let waiting = self.on_drawer(|drawer| drawer.oldest(BATCH)).await?;
        if waiting.is_empty() {
            return Ok(Pass::Idle);
        }
        match self.read(waiting).await {
            Ok(batch) => self.work(batch).await,
            Err(fault) => Ok(Pass::Failed(fault.to_string())),
        }
    }

    /// Asks the plugin what events point at.
    ///
    /// Fails when it has no time for them now; an event that it cannot use is the batch's to deal with.
    async fn read(&self, waiting: Vec<Waiting>) -> Result<Batch, Fault> {
        let callback = self.shared.callback();
        let mut batch = Batch::default();
        for Waiting { number, event } in waiting {
            match callback.hints(&event).await {
                Ok(hints) => hints.into_iter().for_each(|hint| batch.targets.add(hint)),
                // The plugin's own word for "read everything".
                Err(Fault::StaleCursor) => batch.everything = true,
                Err(fault @ (Fault::RateLimited(_) | Fault::Unavailable(_))) => {
                    if batch.numbers.is_empty() {
                        return Err(fault);
                    }
                    break;
                }
                Err(fault) => {
                    let (tenant, connection) = (&self.shared.tenant, &self.shared.connection);
                    if batch.unusable == 0 {
                        error!(%tenant, %connection, %fault, "an event cannot be used: everything will be read");
                    }
                    batch.unusable += 1;
                }
            }
            batch.numbers.push(number);
        }
        batch.everything |= batch.unusable > 0 || batch.targets.len() > TARGETS;
        Ok(batch)
    }

    async fn work(&mut self, mut batch: Batch) -> Result<Pass, StoreError> {
        if batch.targets.is_empty() || batch.targets.len() > TARGETS {
            return self.settle(batch).await;
        }
        let targets = Arc::new(std::mem::take(&mut batch.targets));
        match self.looker.look(Sight::Targets(targets)).await {
            Looked::Done(report) => match self.unread(&report) {
                Some(reason) => Ok(Pass::Failed(reason)),
                None => self.settle(batch).await,
            },
            Looked::Unable => {
                batch.everything = true;
                self.settle(batch).await
            }
            Looked::Failed(reason) => Ok(Pass::Failed(reason)),
        }
    }

    /// Why a run is to be repeated although it ended.
    fn unread(&mut self, report: &Report) -> Option<String> {
        let first = report.failures.first()?;
        if self.partial >= REPEATS {
            let (tenant, connection, failures) =
                (&self.shared.tenant, &self.shared.connection, report.failures.len());
            warn!(%tenant, %connection, failures, %first, "some of what events point at stays unread until the next listing");
            return None;
        }
        self.partial += 1;
        Some(first.clone())
    }

    async fn settle(&mut self, batch: Batch) -> Result<Pass, StoreError> {
        self.partial = 0;
        let Batch { numbers, unusable, everything, .. } = batch;
        let mark = everything.then(|| self.shared.clock.now_ms());
        let events = numbers.len() as u64;
        self.on_drawer(move |drawer| drawer.settle(&numbers, mark)).await?;
        self.shared.counters.worked(events, unusable);
        Ok(Pass::More)
    }

    /// The mark that everything has to be read, if it may be done now.
    async fn marked(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        let mark = self.on_drawer(Drawer::lost).await?;
        self.marked = mark.is_some();
        Ok(mark.filter(|_| self.listing_wait().is_zero()))
    }

    /// How long no listing may be made because of a mark.
    fn listing_wait(&self) -> Duration {
        let gone = self.listed.map(|at| at.elapsed());
        gone.map_or(Duration::ZERO, |gone| self.tempo.between_listings.saturating_sub(gone))
    }

    /// When a mark is to be dealt with; `None` where there is none.
    fn until_listing(&self) -> Option<Duration> {
        self.marked.then(|| self.listing_wait())
    }

    async fn forget(&self) {
        let now_ms = self.shared.clock.now_ms();
        let (tenant, connection) = (&self.shared.tenant, &self.shared.connection);
        match self.on_drawer(move |drawer| drawer.forget(now_ms)).await {
            Ok(0) => {}
            Ok(ids) => info!(%tenant, %connection, ids, "ids of events forgotten"),
            Err(cause) => {
                warn!(%tenant, %connection, %cause, "ids of events could not be forgotten");
            }
        }
    }

    async fn on_drawer<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Drawer) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let drawer = self.shared.drawer.clone();
        let done = tokio::task::spawn_blocking(move || work(&drawer)).await;
        done.unwrap_or_else(|cause| {
            let (folder, reason) = ("state".to_owned(), format!("a worker died: {cause}"));
            Err(StoreError::Damaged { folder, reason })
        })
    }
}
