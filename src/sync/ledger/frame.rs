//! Raw payloads, many to a compressed frame.
//!
//! A frame is written once and never changed. Records that were replaced since stay in it until it is compacted;
//! whether one is live is told by its [`super::Entry`], which names its frame.

use std::sync::PoisonError;

use bytes::Bytes;

use crate::model::entity::Entity;
use crate::model::hash::ContentHash;
use crate::model::ids::{RunId, SourceId};
use crate::model::record::Record;
use crate::port::store::{Op, Space, StoreError};

use super::press::{compress_with, decompress};
use super::{Entry, Ledger, damaged};

/// Where a raw payload lies: run in the upper half, number within the run in the lower.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FrameId(pub u64);

impl FrameId {
    /// The frame number `seq` of a run.
    pub fn new(run: RunId, seq: u32) -> Self {
        Self(u64::from(run.0) << 32 | u64::from(seq))
    }

    /// The run that wrote it.
    pub(super) fn run(self) -> RunId {
        RunId((self.0 >> 32) as u32)
    }
}

/// A record about to be framed.
pub trait Framed {
    /// The source id.
    fn id(&self) -> &str;
    /// The raw payload.
    fn payload(&self) -> &[u8];
}

impl Framed for Record {
    fn id(&self) -> &str {
        self.id.as_str()
    }
    fn payload(&self) -> &[u8] {
        &self.payload
    }
}

/// Packs records: count, then per record id length, id, payload length, then the payloads.
pub(super) fn pack<F: Framed>(records: &[F]) -> Result<Vec<u8>, StoreError> {
    compress_with(|plain| {
        plain.extend_from_slice(&narrow(records.len())?.to_le_bytes());
        for record in records {
            plain.extend_from_slice(&narrow(record.id().len())?.to_le_bytes());
            plain.extend_from_slice(&narrow(record.payload().len())?.to_le_bytes());
            plain.extend_from_slice(record.id().as_bytes());
        }
        for record in records {
            plain.extend_from_slice(record.payload());
        }
        Ok(())
    })
}

fn unpack(packed: &[u8]) -> Result<Vec<Record>, StoreError> {
    let plain = Bytes::from(decompress(packed)?);
    let mut at = 0;
    let count = read_u32(&plain, &mut at)? as usize;
    let mut heads = Vec::with_capacity(count.min(4096));
    for _ in 0..count {
        let id = read_u32(&plain, &mut at)? as usize;
        let payload = read_u32(&plain, &mut at)? as usize;
        let id = std::str::from_utf8(take(&plain, &mut at, id)?).ok();
        let id = id.and_then(|id| SourceId::parse(id).ok());
        heads
            .push((id.ok_or_else(|| damaged("a raw frame with a broken id".to_owned()))?, payload));
    }
    let mut records = Vec::with_capacity(heads.len());
    for (id, len) in heads {
        let start = at;
        take(&plain, &mut at, len)?;
        records.push(Record { id, payload: plain.slice(start..at) });
    }
    Ok(records)
}

fn narrow(len: usize) -> Result<u32, StoreError> {
    u32::try_from(len).map_err(|_| damaged("a record of more than 4 GiB".to_owned()))
}

pub(super) fn read_u32(bytes: &[u8], at: &mut usize) -> Result<u32, StoreError> {
    let mut out = [0; 4];
    out.copy_from_slice(take(bytes, at, 4)?);
    Ok(u32::from_le_bytes(out))
}

pub(super) fn take<'a>(
    bytes: &'a [u8],
    at: &mut usize,
    len: usize,
) -> Result<&'a [u8], StoreError> {
    let end = at.checked_add(len).filter(|&end| end <= bytes.len());
    let end = end.ok_or_else(|| damaged("a frame that ends too early".to_owned()))?;
    let out = &bytes[*at..end];
    *at = end;
    Ok(out)
}

/// The raw frames of a kind, in the order they were written.
pub struct Frames<'a> {
    pairs: Box<dyn Iterator<Item = Result<crate::port::store::Pair, StoreError>> + 'a>,
}

impl Iterator for Frames<'_> {
    type Item = Result<(FrameId, Vec<Record>), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let pair = self.pairs.next()?;
        Some(pair.and_then(|(key, value)| {
            let id: [u8; 8] = key[key.len().saturating_sub(8)..]
                .try_into()
                .map_err(|_| damaged("a frame without a number".to_owned()))?;
            Ok((FrameId(u64::from_be_bytes(id)), unpack(&value)?))
        }))
    }
}

impl Ledger {
    /// The raw frames of a kind, after `after` if given.
    pub fn frames(&self, entity: Entity, after: Option<FrameId>) -> Frames<'_> {
        let prefix = self.keys.frame(entity, None);
        let after = after.map(|id| self.keys.frame(entity, Some(id.0)));
        Frames { pairs: self.store().scan(Space::Blob, &prefix, after.as_deref()) }
    }

    /// The operation that stores a frame.
    ///
    /// # Errors
    /// [`StoreError`] when the records cannot be packed.
    pub fn put_frame<F: Framed>(
        &self,
        entity: Entity,
        id: FrameId,
        records: &[F],
    ) -> Result<Op, StoreError> {
        Ok(Op::Put(self.keys.frame(entity, Some(id.0)), pack(records)?))
    }

    /// Whether the raw payload that an entry names is there. Index and frames reach the disk on their own: after a power
    /// cut an entry of a run that did not end may be there without its frame. Frames of runs that are done are flushed.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub fn frame_stands(&self, entity: Entity, entry: &Entry) -> Result<bool, StoreError> {
        let frame = entry.frame;
        if !self.void.contains(&frame.run()) {
            return Ok(true);
        }
        if let Some(&known) =
            self.checked.lock().unwrap_or_else(PoisonError::into_inner).get(&(entity, frame))
        {
            return Ok(known);
        }
        let there =
            self.store().get(Space::Blob, &self.keys.frame(entity, Some(frame.0)))?.is_some();
        self.checked.lock().unwrap_or_else(PoisonError::into_inner).insert((entity, frame), there);
        Ok(there)
    }

    /// The records of a frame; `None` when it is not there.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub(in crate::sync) fn unpacked(
        &self,
        entity: Entity,
        id: FrameId,
    ) -> Result<Option<Vec<Record>>, StoreError> {
        let found = self.store().get(Space::Blob, &self.keys.frame(entity, Some(id.0)))?;
        found.map(|packed| unpack(&packed)).transpose()
    }

    /// Whether this version of a record is the last one that was archived.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub(in crate::sync) fn is_archived(
        &self,
        entity: Entity,
        source: &str,
        version: ContentHash,
    ) -> Result<bool, StoreError> {
        let found = self.store().get(Space::Index, &self.keys.archived(entity, source))?;
        Ok(found.is_some_and(|last| *last == version.0))
    }

    /// Whether any version of a kind was archived.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub(in crate::sync) fn was_archived(&self, entity: Entity) -> Result<bool, StoreError> {
        let prefix = self.keys.archived(entity, "");
        let mut marks = self.store().scan(Space::Index, &prefix, None);
        Ok(marks.next().transpose()?.is_some())
    }

    /// The operation that notes the last version that was archived.
    pub(in crate::sync) fn put_archived(
        &self,
        entity: Entity,
        source: &str,
        version: ContentHash,
    ) -> Op {
        Op::Put(self.keys.archived(entity, source), version.0.to_vec())
    }

    /// The operation that removes a frame.
    pub(super) fn delete_frame(&self, entity: Entity, id: FrameId) -> Op {
        Op::Delete(self.keys.frame(entity, Some(id.0)))
    }

    /// The raw payload of one object, if its frame is still there.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub fn raw(&self, entity: Entity, source: &str) -> Result<Option<Record>, StoreError> {
        let Some(entry) = self.entry(entity, source)? else { return Ok(None) };
        let key = self.keys.frame(entity, Some(entry.frame.0));
        let Some(packed) = self.store().get(Space::Blob, &key)? else { return Ok(None) };
        Ok(unpack(&packed)?.into_iter().find(|record| record.id.as_str() == source))
    }
}
