//! The records of a kind as they were at a moment, or those that have changed since: what is kept, without the platform.
//!
//! A version in the archive counts until the run that saw the next one began. So whoever has versions that were replaced
//! after a moment looked then like the first of these, and everybody else like the newest one. The invariant: memory does not
//! grow with the number of records, but for a bit each.

use std::ops::ControlFlow;

use tokio::sync::mpsc;

use crate::model::entity::Entity;
use crate::model::ids::RunId;
use crate::model::record::Record;
use crate::port::archive::{Archive, Shelf};
use crate::port::store::StoreError;

use super::SyncError;
use super::intake::{Batch, Origin};
use super::ledger::{Births, Entry, Ledger};
use super::seen::Seen;

/// Records in a batch.
const BATCH: usize = 64;

/// Which records, and which version of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Past {
    /// Every record, as it was at this time in Unix milliseconds. One that was not there then comes as ended.
    AsOf(i64),
    /// The newest version of every record that has changed, come or gone since.
    Since(i64),
    /// The newest version of every record.
    All,
}

/// A walk on its way.
struct Walk<'a> {
    past: Past,
    ledger: &'a Ledger,
    entity: Entity,
    run: RunId,
    births: Births,
    /// Records of which a version was replaced after the moment.
    replaced: Seen,
    live: Vec<Record>,
    ended: Vec<Record>,
    sink: &'a mpsc::Sender<Batch>,
}

impl Past {
    /// Sends the records on; ends early when nobody takes them.
    pub(super) fn walk(
        self,
        ledger: &Ledger,
        archive: &dyn Archive,
        (place, run): (&Shelf, RunId),
        sink: &mpsc::Sender<Batch>,
    ) -> Result<(), SyncError> {
        let births = ledger.births(place.entity)?;
        let replaced = Seen::default();
        let (live, ended) = (Vec::new(), Vec::new());
        let entity = place.entity;
        let mut walk =
            Walk { past: self, ledger, entity, run, births, replaced, live, ended, sink };
        // Where they are no longer taken, whoever took them has an error that says more.
        if walk.versions(archive, place)? && walk.newest()? {
            walk.send(1);
        }
        Ok(())
    }
}

/// Each step tells whether records are still taken.
impl Walk<'_> {
    /// What the archive has to say.
    fn versions(&mut self, archive: &dyn Archive, place: &Shelf) -> Result<bool, SyncError> {
        let (Past::AsOf(ms) | Past::Since(ms)) = self.past else { return Ok(true) };
        let mut taken = Ok(true);
        archive.since(place, ms, &mut |version| {
            let record = Record { id: version.id, payload: version.raw };
            taken = self.version(record, version.ended, ms);
            if matches!(taken, Ok(true)) {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })?;
        Ok(taken?)
    }

    fn version(&mut self, record: Record, ended: bool, ms: i64) -> Result<bool, StoreError> {
        let entry = self.ledger.entry(self.entity, record.id.as_str())?;
        // Without an entry the state is another one than the archive's, and knows nobody of that id.
        let Some(entry) = entry.filter(|entry| self.replaced.insert(entry.slot)) else {
            return Ok(true);
        };
        if matches!(self.past, Past::Since(_)) {
            return Ok(true);
        }
        let there = !ended && !self.came_after(&entry, ms);
        Ok(self.take(record, there))
    }

    /// The newest versions, as far as they count.
    fn newest(&mut self) -> Result<bool, StoreError> {
        let ledger = self.ledger;
        for frame in ledger.frames(self.entity, None) {
            let (id, records) = frame?;
            for record in records {
                let entry = ledger.entry(self.entity, record.id.as_str())?;
                let Some(entry) = entry.filter(|entry| entry.frame == id) else { continue };
                let replaced = self.replaced.contains(entry.slot);
                let gone = ledger.is_gone(&entry, self.run);
                let there = match self.past {
                    Past::AsOf(_) if replaced => continue,
                    Past::Since(ms) if !replaced && !self.came_after(&entry, ms) => continue,
                    Past::AsOf(ms) => !gone && !self.came_after(&entry, ms),
                    Past::Since(_) | Past::All => !gone,
                };
                if !self.take(record, there) {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Whether a record was first read after a moment. One that was read before that was noted was there.
    fn came_after(&self, entry: &Entry, ms: i64) -> bool {
        self.births.of(entry.slot).is_some_and(|born| born > ms)
    }

    fn take(&mut self, record: Record, there: bool) -> bool {
        if there { &mut self.live } else { &mut self.ended }.push(record);
        self.send(BATCH)
    }

    /// Sends what has come together, where it is at least so much.
    fn send(&mut self, least: usize) -> bool {
        let both = [(Origin::Replayed, &mut self.live), (Origin::Ended, &mut self.ended)];
        for (origin, records) in both {
            if records.len() >= least {
                let records = std::mem::take(records);
                if self.sink.blocking_send(Batch { origin, records }).is_err() {
                    return false;
                }
            }
        }
        true
    }
}
