//! Hands raw records over to the archive before a run replaces them.
//!
//! Not for: the newest version of a record, which is in the state. The invariant: what a run replaces was archived before its
//! entry names the next version; whatever is killed in between is archived again, and shown once.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::model::hash::ContentHash;
use crate::model::ids::RunId;
use crate::model::record::Record;
use crate::port::archive::{Archive, Shelf, Version};
use crate::port::store::Op;

use super::SyncError;
use super::ledger::{Entry, FrameId, Ledger};

/// Unpacked frames kept at hand: records that change together often lie together.
const FRAMES: usize = 8;

/// Why a version is archived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Close {
    /// The platform shows another payload now.
    Replaced,
    /// A complete listing no longer shows the record. The payload stays the newest one.
    Ended,
    /// It had ended, and is shown again.
    Returned,
}

/// See the module.
pub(super) struct Keeper {
    archive: Arc<dyn Archive>,
    shelf: Shelf,
    run: RunId,
    began_ms: i64,
    /// The mapping that the replaced versions were mapped by.
    mapping: Option<ContentHash>,
    frames: VecDeque<(FrameId, Vec<Record>)>,
}

impl Keeper {
    pub(super) fn new(
        archive: Arc<dyn Archive>,
        shelf: Shelf,
        (run, began_ms): (RunId, i64),
        mapping: Option<ContentHash>,
    ) -> Self {
        Self { archive, shelf, run, began_ms, mapping, frames: VecDeque::new() }
    }

    /// Archives versions, each with why, and tells how many; a version that was archived last for the same reason already is
    /// not archived again.
    pub(super) fn keep<'a>(
        &mut self,
        ledger: &Ledger,
        replaced: impl Iterator<Item = (&'a str, &'a Entry, Close)>,
        index: &mut Vec<Op>,
    ) -> Result<u64, SyncError> {
        let entity = self.shelf.entity;
        let mut versions = Vec::new();
        for (id, prior, why) in replaced {
            let mark = ContentHash::of_parts([&prior.raw.0[..], &[why.mark()]]);
            if ledger.is_archived(entity, id, mark)? {
                continue;
            }
            let Some(raw) = self.raw(ledger, id, prior)? else { continue };
            versions.push(Version {
                id: raw.id,
                run: prior.run,
                until_run: self.run,
                until_ms: self.began_ms,
                ended: why == Close::Returned,
                mapping: self.mapping,
                raw: raw.payload,
            });
            index.push(ledger.put_archived(entity, id, mark));
        }
        self.archive.append(&self.shelf, self.run, &versions)?;
        Ok(versions.len() as u64)
    }

    /// The payload that an entry names; none where a power cut took it.
    fn raw(
        &mut self,
        ledger: &Ledger,
        id: &str,
        prior: &Entry,
    ) -> Result<Option<Record>, SyncError> {
        if !self.frames.iter().any(|(frame, _)| *frame == prior.frame) {
            let Some(records) = ledger.unpacked(self.shelf.entity, prior.frame)? else {
                return Ok(None);
            };
            if self.frames.len() == FRAMES {
                self.frames.pop_front();
            }
            self.frames.push_back((prior.frame, records));
        }
        let held = self.frames.iter().find(|(frame, _)| *frame == prior.frame);
        Ok(held.and_then(|(_, records)| records.iter().find(|it| it.id.as_str() == id)).cloned())
    }
}

impl Close {
    /// Stable for ever: part of stored digests.
    fn mark(self) -> u8 {
        match self {
            Self::Replaced => 0,
            Self::Returned => 1,
            Self::Ended => 2,
        }
    }
}
