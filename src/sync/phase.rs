//! One phase of a run: a source of records, the intake on every core, the scribe at the end of the line.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::{Stream, stream};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::model::entity::Entity;
use crate::model::ids::{RunId, SourceId};
use crate::model::record::{Evidence, Record};
use crate::port::store::StoreError;

use super::SyncError;
use super::coverage::Agenda;
use super::intake::{Batch, Intake, Judged, Origin};
use super::ledger::{Ledger, Standing};
use super::matching::Matcher;
use super::past::Past;
use super::progress::{Event, Progress};
use super::pull::{Listed, Part, Puller};
use super::run::{Run, blocking};
use super::scribe::{Desk, Scribe, Tallied};
use super::seen::Seen;

/// Batches in flight between two stages.
const DEPTH: usize = 2;

/// Where a phase takes its records from.
pub(super) enum Source {
    /// The raw records kept.
    Stored,
    /// The raw records kept, as they were or those that have changed.
    Kept(Past),
    /// Parts of a listing.
    Pull(Vec<Part>),
    /// What hangs off each of the departments that the run has met, and off none.
    Within(Seen),
    /// Attendance, as the gap ledger asks; about so many turns.
    Turns(Agenda, u64),
    /// Records that were read already.
    Given(Vec<Record>),
}

/// See the module.
pub(super) struct Phase<'a> {
    pub(super) run: &'a Run<'a>,
    pub(super) entity: Entity,
    pub(super) rebuild: bool,
    pub(super) vacant: bool,
    pub(super) matcher: Option<Arc<Matcher>>,
}

impl Phase<'_> {
    /// Runs the source through intake and scribe to its end.
    pub(super) async fn carry_out(
        &self,
        source: Source,
        tallied: Tallied,
    ) -> Result<(Listed, Tallied), SyncError> {
        let (sink, batches) = mpsc::channel(DEPTH);
        let (judged_sink, judged) = mpsc::channel(DEPTH);
        let workers = self.intake(batches, &judged_sink, tallied.meta.is_unknown());
        drop(judged_sink);
        let total = Arc::new(Mutex::new(None));
        let scribe = self.scribe(judged, tallied, total.clone());
        let fed = self.feed(source, sink, &total).await;
        let mut faults = Vec::new();
        for worker in workers {
            faults.extend(worker.await.err());
        }
        let scribed = scribe.await;
        // A scribe or a worker that failed is why the feed broke off: its error says more.
        let tallied = scribed?;
        if let Some(fault) = faults.pop() {
            return Err(fault);
        }
        Ok((fed?, tallied))
    }

    fn intake(
        &self,
        batches: mpsc::Receiver<Batch>,
        sink: &mpsc::Sender<Judged>,
        unknown: bool,
    ) -> Vec<impl Future<Output = Result<(), SyncError>> + use<>> {
        let batches = Arc::new(Mutex::new(batches));
        let spawn = |_| {
            let (batches, sink) = (batches.clone(), sink.clone());
            let (ledger, mapper) = (self.run.ledger.clone(), self.run.request.mapper.clone());
            let (entity, run, rebuild) = (self.entity, self.run.id, self.rebuild);
            let connection = self.run.syncer.connection.clone();
            let matcher = self.matcher.clone();
            let work = move || {
                let (ledger, mapper, connection) = (&ledger, &*mapper, &connection);
                let matcher = matcher.as_deref();
                let intake =
                    Intake { entity, run, connection, ledger, mapper, rebuild, unknown, matcher };
                // The lock is held while waiting: the next worker waits for its turn instead.
                let next =
                    || batches.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
                while let Some(batch) = next() {
                    if sink.blocking_send(intake.judge(batch)?).is_err() {
                        break;
                    }
                }
                Ok(())
            };
            let worker = tokio::task::spawn_blocking(work);
            async move { worker.await.map_err(|cause| SyncError::Worker(cause.to_string()))? }
        };
        (0..self.run.syncer.settings.workers.max(1)).map(spawn).collect()
    }

    fn scribe(
        &self,
        mut judged: mpsc::Receiver<Judged>,
        tallied: Tallied,
        total: Arc<Mutex<Option<u64>>>,
    ) -> impl Future<Output = Result<Tallied, SyncError>> + use<> {
        let desk = Desk {
            entity: self.entity,
            run: self.run.id,
            began_ms: self.run.started_ms,
            connection: self.run.syncer.connection.clone(),
            ledger: self.run.ledger.clone(),
            target: self.run.syncer.target.clone(),
            runtime: Handle::current(),
            rebuild: self.rebuild,
            vacant: self.vacant,
            matcher: self.matcher.clone().filter(|_| self.entity == Entity::Employee),
            keeper: self.run.keeper(self.entity),
        };
        let (entity, progress) = (self.entity, self.run.request.progress.clone());
        let task = tokio::task::spawn_blocking(move || {
            let mut scribe = Scribe::new(desk, tallied);
            while let Some(batch) = judged.blocking_recv() {
                let origin = batch.origin;
                scribe.take(batch)?;
                let of = *total.lock().unwrap_or_else(PoisonError::into_inner);
                tell(&*progress, entity, origin, scribe.met(), of);
            }
            scribe.finish()
        });
        async move { task.await.map_err(|cause| SyncError::Worker(cause.to_string()))? }
    }

    async fn feed(
        &self,
        source: Source,
        sink: mpsc::Sender<Batch>,
        total: &Mutex<Option<u64>>,
    ) -> Result<Listed, SyncError> {
        let on_evidence = |evidence: &Evidence| {
            *total.lock().unwrap_or_else(PoisonError::into_inner) = evidence.total;
        };
        let entity = self.entity;
        let progress = &self.run.request.progress;
        let parts = source.parts();
        let on_part = |done: u64| {
            if let Some(of) = parts {
                progress.tell(Event::Parts { entity, done, of: of.max(done) });
            }
        };
        on_part(0);
        let puller = |sink| Puller {
            entity: self.entity,
            provider: &*self.run.syncer.provider,
            sink,
            gathered: Mutex::default(),
            stop: &self.run.request.stop,
            parallel: self.run.syncer.settings.parallel,
            on_evidence: &on_evidence,
            on_part: &on_part,
        };
        match source {
            Source::Stored => {
                let (ledger, entity) = (self.run.ledger.clone(), self.entity);
                let (run, rebuild) = (self.run.id, self.rebuild);
                blocking(move || stored(&ledger, entity, (run, rebuild), &sink)).await
            }
            Source::Kept(past) => {
                let (ledger, archive) = (self.run.ledger.clone(), self.run.syncer.archive.clone());
                let (place, run) = (self.run.shelf(self.entity), self.run.id);
                let walk = move || past.walk(&ledger, &*archive, (&place, run), &sink);
                blocking(walk).await?;
                Ok(Listed::default())
            }
            Source::Given(records) => {
                let puller = puller(sink);
                puller.send(records).await?;
                puller.send_rest().await?;
                Ok(Listed::default())
            }
            Source::Pull(parts) => puller(sink).read(stream::iter(parts)).await,
            Source::Within(met) => {
                let ledger = self.run.ledger.clone();
                let (parts, walk) = ahead(move |take| departments(&ledger, &met, take));
                let listed = puller(sink).read(parts).await?;
                walk.await.map_err(|cause| SyncError::Worker(cause.to_string()))??;
                Ok(listed)
            }
            Source::Turns(agenda, _) => {
                let ledger = self.run.ledger.clone();
                let (turns, walk) =
                    ahead(move |take| agenda.turns(&ledger, |turn| take(Part::Turn(turn))));
                let mut listed = puller(sink).read(turns).await?;
                listed.unsettled =
                    walk.await.map_err(|cause| SyncError::Worker(cause.to_string()))??;
                Ok(listed)
            }
        }
    }
}

impl Source {
    /// How many parts there are, where that is known.
    fn parts(&self) -> Option<u64> {
        match self {
            Self::Stored | Self::Kept(_) | Self::Given(_) => None,
            Self::Pull(parts) => Some(parts.len() as u64),
            Self::Within(met) => Some(met.count() + 1),
            Self::Turns(_, count) => Some(*count),
        }
    }
}

/// Lets a walk name parts on a blocking thread, a few ahead of who reads them. It is told when no more are wanted.
fn ahead<T: Send + 'static>(
    walk: impl FnOnce(&mut dyn FnMut(Part) -> bool) -> Result<T, StoreError> + Send + 'static,
) -> (impl Stream<Item = Part>, JoinHandle<Result<T, StoreError>>) {
    let (sink, parts) = mpsc::channel(DEPTH);
    let walk =
        tokio::task::spawn_blocking(move || walk(&mut |part| sink.blocking_send(part).is_ok()));
    let next = |mut parts: mpsc::Receiver<Part>| async move { Some((parts.recv().await?, parts)) };
    (stream::unfold(parts, next), walk)
}

/// Names what hangs off none of the departments met, and off each. They are read from the state: a large company has tens
/// of thousands of them.
fn departments(
    ledger: &Ledger,
    met: &Seen,
    take: &mut dyn FnMut(Part) -> bool,
) -> Result<(), StoreError> {
    let mut wanted = take(Part::Within(None));
    for pair in ledger.entries(Entity::Department, None) {
        let (source, entry) = pair?;
        if !wanted {
            break;
        }
        if let Some(id) = SourceId::parse(&source).ok().filter(|_| met.contains(entry.slot)) {
            wanted = take(Part::Within(Some(id)));
        }
    }
    Ok(())
}

fn tell(progress: &dyn Progress, entity: Entity, origin: Origin, done: u64, of: Option<u64>) {
    progress.tell(match origin {
        Origin::Pulled => Event::Read { entity, done, of },
        Origin::Stored | Origin::Replayed | Origin::Ended => Event::Remapped { entity, done },
    });
}

/// Sends every live raw record on. What a listing no longer shows has ended, and no mapping brings it back: it is ended once
/// more where its row stands because a replay brought it back, or may be back because the target lost its rows.
fn stored(
    ledger: &Ledger,
    entity: Entity,
    (run, rebuild): (RunId, bool),
    sink: &mpsc::Sender<Batch>,
) -> Result<Listed, SyncError> {
    for frame in ledger.frames(entity, None) {
        let (id, records) = frame?;
        let (mut live, mut ended) = (Vec::new(), Vec::new());
        for record in records {
            let entry = ledger.entry(entity, record.id.as_str())?;
            let Some(entry) = entry.filter(|entry| entry.frame == id) else { continue };
            if rebuild || !ledger.is_gone(&entry, run) {
                live.push(record);
            } else if ledger.in_force(&entry, run) != Standing::Retired {
                ended.push(record);
            }
        }
        for (origin, records) in [(Origin::Stored, live), (Origin::Ended, ended)] {
            let batch = Batch { origin, records };
            if !batch.records.is_empty() && sink.blocking_send(batch).is_err() {
                return Ok(Listed::default());
            }
        }
    }
    Ok(Listed::default())
}
