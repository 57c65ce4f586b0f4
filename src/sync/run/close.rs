//! What follows a run: house-keeping, and the report.

use std::collections::BTreeMap;

use crate::model::entity::Entity;
use crate::port::target::Dangling;
use crate::sync::SyncError;
use crate::sync::gate;
use crate::sync::ledger::{Ledger, RunRecord, RunState};
use crate::sync::matching::CLASH;
use crate::sync::report::{Counts, ParkedRecord, Report};

use super::{COMPACT_MIN, COMPACT_RATIO, KEPT_RUNS, Run, blocking};

/// Parked records that a report shows of each kind.
const PARKED_SHOWN: usize = 10;

impl Run<'_> {
    /// Compacts raw frames, forgets old runs, flushes.
    pub(super) async fn close(&self, record: &RunRecord) -> Result<(), SyncError> {
        let ledger = self.ledger.clone();
        let frames: Vec<(Entity, u32)> =
            self.kinds.iter().map(|(&entity, kind)| (entity, kind.frames)).collect();
        let record = record.clone();
        let archived = self.kinds.values().any(|kind| kind.archived > 0);
        let (archive, now_ms) = (self.syncer.archive.clone(), self.syncer.clock.now_ms());
        let (tenant, connection) = (self.syncer.tenant.clone(), self.syncer.connection.clone());
        blocking(move || {
            // First: compaction removes what the archive holds by now.
            archive.flush()?;
            if archived {
                archive.prune(&tenant, &connection, now_ms)?;
            }
            for (entity, seq) in frames {
                compact(&ledger, entity, &record, seq)?;
            }
            forget(&ledger, &record)?;
            Ok(ledger.store().flush()?)
        })
        .await
    }

    pub(super) fn report(
        &self,
        record: &RunRecord,
        held: Vec<gate::Held>,
        (written, dangling): (Counts, Vec<Dangling>),
        requests: u64,
    ) -> Result<Report, SyncError> {
        let count = |of: fn(&super::Tallied) -> u64| -> Counts {
            self.kinds.iter().map(|(&entity, kind)| (entity, of(kind))).collect()
        };
        let mut parked = Counts::new();
        let mut parked_first = BTreeMap::new();
        for entity in self.request.mapper.entities() {
            let (count, first) = self.parked(entity)?;
            parked.insert(entity, count);
            if count > 0 {
                parked_first.insert(entity, first);
            }
        }
        let linked = self.matcher.as_ref().map_or(Ok(0), |matcher| matcher.linked())?;
        Ok(Report {
            tenant: self.syncer.tenant.clone(),
            connection: self.syncer.connection.clone(),
            run: record.run,
            state: record.state,
            pulled: count(|kind| kind.seen.count()),
            remapped: count(|kind| kind.remapped),
            skipped: count(|kind| kind.skipped),
            parked,
            parked_first,
            linked,
            gaps: self.gaps.clone(),
            clashing: self.clashing()?,
            plan: record.plan.clone(),
            digest: self.digest(),
            written,
            adopted: self.kinds.values().map(|kind| kind.adopted).sum(),
            doubts: self.doubts.clone(),
            held,
            failures: self.failures.clone(),
            dangling,
            requests,
            wall_ms: record.ended_ms.unwrap_or(record.started_ms) - record.started_ms,
        })
    }
}

impl Run<'_> {
    fn clashing(&self) -> Result<u64, SyncError> {
        let mut count = 0;
        for pair in self.ledger.parked(Entity::Employee) {
            count += u64::from(pair?.1.code.starts_with(CLASH));
        }
        Ok(count)
    }

    fn parked(&self, entity: Entity) -> Result<(u64, Vec<ParkedRecord>), SyncError> {
        let mut count = 0;
        let mut first = Vec::new();
        for pair in self.ledger.parked(entity) {
            let (id, why) = pair?;
            count += 1;
            if first.len() < PARKED_SHOWN {
                first.push(ParkedRecord { id, why });
            }
        }
        Ok((count, first))
    }
}

fn compact(ledger: &Ledger, entity: Entity, record: &RunRecord, seq: u32) -> Result<(), SyncError> {
    let mut meta = ledger.meta(entity)?;
    let live = u64::from(meta.slots);
    if meta.framed > live * COMPACT_RATIO && meta.framed > live + COMPACT_MIN {
        meta.framed = ledger.compact(entity, record.run, seq)?;
        ledger.write_index(vec![ledger.put_meta(entity, &meta)])?;
    }
    Ok(())
}

/// Forgets runs that are done and old. One that is not done stays: entries may still name it.
fn forget(ledger: &Ledger, record: &RunRecord) -> Result<(), SyncError> {
    if record.plan.values().all(|tally| tally.total() == 0) {
        ledger.drop_plan(record.run)?;
    }
    let mut done = Vec::new();
    for run in ledger.runs() {
        let run = run?;
        if run.state == RunState::Done {
            done.push(run.run);
        }
    }
    let old = done.len().saturating_sub(KEPT_RUNS);
    for run in done.drain(..old) {
        ledger.drop_plan(run)?;
        ledger.write_index(vec![ledger.delete_run(run)])?;
    }
    Ok(())
}
