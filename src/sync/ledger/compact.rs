//! Keeps raw frames from growing without end: frames whose records were mostly replaced are rewritten.

use crate::model::entity::Entity;
use crate::model::ids::RunId;
use crate::model::record::Record;
use crate::port::store::StoreError;

use super::{FrameId, Ledger};

/// A frame is rewritten when at most one in this many of its records is live.
const LIVE_SHARE: usize = 2;

impl Ledger {
    /// Removes frames without live records and rewrites those that are mostly dead, as frames of `run` numbered from
    /// `seq`. Returns how many records the frames hold afterwards.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails; what was done so far stands.
    pub fn compact(&self, entity: Entity, run: RunId, mut seq: u32) -> Result<u64, StoreError> {
        let mut held = 0;
        let last = FrameId::new(run, seq);
        for frame in self.frames(entity, None) {
            let (id, records) = frame?;
            if id >= last {
                break;
            }
            let total = records.len();
            let live = self.live(entity, id, records)?;
            if live.len() * LIVE_SHARE > total {
                held += total as u64;
                continue;
            }
            held += live.len() as u64;
            if !live.is_empty() {
                self.rewrite(entity, FrameId::new(run, seq), &live)?;
                seq += 1;
            }
            self.write_blobs(vec![self.delete_frame(entity, id)])?;
        }
        Ok(held)
    }

    fn live(
        &self,
        entity: Entity,
        id: FrameId,
        records: Vec<Record>,
    ) -> Result<Vec<Record>, StoreError> {
        let mut live = Vec::new();
        for record in records {
            let entry = self.entry(entity, record.id.as_str())?;
            if entry.is_some_and(|entry| entry.frame == id) {
                live.push(record);
            }
        }
        Ok(live)
    }

    fn rewrite(&self, entity: Entity, id: FrameId, live: &[Record]) -> Result<(), StoreError> {
        self.write_blobs(vec![self.put_frame(entity, id, live)?])?;
        let mut ops = Vec::with_capacity(live.len());
        for record in live {
            if let Some(mut entry) = self.entry(entity, record.id.as_str())? {
                entry.frame = id;
                ops.push(self.put_entry(entity, record.id.as_str(), &entry));
            }
        }
        self.write_index(ops)
    }
}
