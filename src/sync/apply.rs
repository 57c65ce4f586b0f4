//! Writes a plan that passed its gate, set by set, and files the receipts.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::model::entity::Entity;
use crate::model::ids::{ExternalId, RunId};
use crate::model::plan::{ChangeSet, Tally, Verb};
use crate::port::store::StoreError;
use crate::port::target::{Dangling, Refusal, Target};

use super::SyncError;
use super::ledger::{Entry, Ledger, Parked, RunRecord};
use super::progress::{Event, Progress};
use super::report::Counts;
use super::retire;

/// Sets between two flushes of the receipts.
const FLUSH_EVERY: u32 = 4;

/// What applying came to.
#[derive(Default)]
pub(super) struct Applied {
    pub(super) written: Counts,
    pub(super) dangling: Vec<Dangling>,
}

/// Applies the plan of a run.
pub(super) struct Applier<'a> {
    pub(super) ledger: &'a Ledger,
    pub(super) target: &'a Arc<dyn Target>,
    pub(super) progress: &'a dyn Progress,
    pub(super) stop: &'a CancellationToken,
    /// Kinds whose references are resolved at the end, when everything that they may refer to is there.
    pub(super) settle: &'a [Entity],
}

/// What became of a set that was written.
struct Written {
    entity: Entity,
    changes: u64,
    taken: u64,
    refused: Vec<(ExternalId, Refusal)>,
}

impl Applier<'_> {
    /// Applies every set; `record` is kept up to date as receipts.
    ///
    /// # Errors
    /// [`SyncError`] when the target or the state fails; what was written so far is found again by the next run.
    pub(super) async fn apply(&self, record: &mut RunRecord) -> Result<Applied, SyncError> {
        let mut applied = Applied::default();
        let sets = read_plan(self.ledger, record.run);
        let (sink, written) = mpsc::channel(1);
        let (wrote, filed) =
            tokio::join!(self.write(sets, sink), self.file(written, record, &mut applied.written));
        wrote?;
        filed?;
        for &entity in self.settle {
            applied.dangling.extend(self.target.settle(entity).await?);
        }
        Ok(applied)
    }

    /// Hands set after set to the target. It is not kept waiting: what it wrote is filed while it writes the next one.
    async fn write(
        &self,
        mut sets: mpsc::Receiver<Result<ChangeSet, StoreError>>,
        sink: mpsc::Sender<Written>,
    ) -> Result<(), SyncError> {
        while let Some(set) = sets.recv().await {
            if self.stop.is_cancelled() {
                return Err(SyncError::Stopped);
            }
            let ChangeSet { entity, changes } = set?;
            let retires = changes.first().is_some_and(|change| change.verb == Verb::Retire);
            let changes = if retires && entity == Entity::Department {
                retire::children_first(self.target, changes).await?
            } else {
                changes
            };
            let set = Arc::new(ChangeSet { entity, changes });
            let results = self.target.apply(set.clone()).await?;
            let changes = set.changes.len() as u64;
            let taken = results.iter().filter(|result| result.is_ok()).count() as u64;
            let refused = set.changes.iter().zip(results);
            let refused = refused.filter_map(|(change, result)| {
                result.err().map(|refusal| (change.external_id.clone(), refusal))
            });
            let refused = refused.collect();
            if sink.send(Written { entity, changes, taken, refused }).await.is_err() {
                // Filing failed, and says why.
                break;
            }
        }
        Ok(())
    }

    /// Files what was written, up to the last set, also when the one after it failed.
    async fn file(
        &self,
        mut written: mpsc::Receiver<Written>,
        record: &mut RunRecord,
        counts: &mut Counts,
    ) -> Result<(), SyncError> {
        let of = record.plan.values().map(Tally::total).sum();
        let mut done = 0;
        let mut receipts = Receipts::new(self.ledger);
        while let Some(written) = written.recv().await {
            done += written.changes;
            let count = counts.entry(written.entity).or_default();
            *count += self.receipt(written, record)?;
            receipts.filed(record).await?;
            self.progress.tell(Event::Applied { done, of });
        }
        receipts.on_disk().await
    }

    /// Files the receipt of a set. Returns how many of its changes the target took.
    fn receipt(&self, written: Written, record: &mut RunRecord) -> Result<u64, SyncError> {
        let Written { entity, taken, refused, .. } = written;
        let mut ops = Vec::new();
        for (key, refusal) in refused {
            ops.extend(self.refused(entity, &key, refusal, record)?);
        }
        record.applied_sets += 1;
        ops.push(self.ledger.put_run(record));
        self.ledger.write_index(ops)?;
        Ok(taken)
    }

    fn refused(
        &self,
        entity: Entity,
        key: &ExternalId,
        refusal: Refusal,
        record: &RunRecord,
    ) -> Result<Vec<crate::port::store::Op>, StoreError> {
        let source = key.source();
        let Some(entry) = self.ledger.entry(entity, source)? else { return Ok(Vec::new()) };
        let entry = Entry { wanted: entry.applied, parked: true, ..entry };
        let Refusal { code, message } = refusal;
        let parked = Parked { code, field: None, message, place: None, run: record.run };
        Ok(vec![
            self.ledger.put_entry(entity, source, &entry),
            self.ledger.put_parked(entity, source, &parked),
        ])
    }
}

/// Brings receipts to the disk beside the writing of the next sets.
struct Receipts<'a> {
    ledger: &'a Ledger,
    flush: Option<JoinHandle<Result<(), StoreError>>>,
}

impl<'a> Receipts<'a> {
    fn new(ledger: &'a Ledger) -> Self {
        Self { ledger, flush: None }
    }

    /// A set's receipt is filed: now and then what was filed is flushed, while one flush is under way at most.
    async fn filed(&mut self, record: &RunRecord) -> Result<(), SyncError> {
        if record.applied_sets.is_multiple_of(FLUSH_EVERY) {
            self.on_disk().await?;
            let ledger = self.ledger.clone();
            self.flush = Some(tokio::task::spawn_blocking(move || ledger.store().flush()));
        }
        Ok(())
    }

    /// Waits for the flush that is under way.
    async fn on_disk(&mut self) -> Result<(), SyncError> {
        if let Some(flush) = self.flush.take() {
            flush.await.map_err(|cause| SyncError::Worker(cause.to_string()))??;
        }
        Ok(())
    }
}

/// Reads a stored plan on a blocking thread, one set ahead.
pub(super) fn read_plan(
    ledger: &Ledger,
    run: RunId,
) -> mpsc::Receiver<Result<ChangeSet, StoreError>> {
    let (sink, sets) = mpsc::channel(1);
    let (ledger, runtime) = (ledger.clone(), Handle::current());
    tokio::task::spawn_blocking(move || {
        let mut plan = ledger.plan(run);
        // A set is large: it is not unpacked before there is room for it.
        while let Ok(room) = runtime.block_on(sink.reserve()) {
            let Some(stored) = plan.next() else { break };
            room.send(stored.map(|stored| stored.set));
        }
    });
    sets
}
