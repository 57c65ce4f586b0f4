//! Plans on disk: the intents of a run, written and flushed before its first write to the target.

use bytes::Bytes;

use crate::model::entity::Entity;
use crate::model::hash::ContentHash;
use crate::model::ids::{ExternalId, RunId};
use crate::model::plan::{Change, ChangeSet, Verb};
use crate::port::store::{Op, Space, StoreError};

use super::frame::{read_u32, take};
use super::keys::entity_byte;
use super::press::{compress, decompress};
use super::{Ledger, damaged};

/// When in a run a set is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Creations and updates, by entity.
    Upsert(Entity),
    /// Ends, after all upserts: people before departments.
    Retire(Entity),
}

impl Phase {
    fn byte(self) -> u8 {
        match self {
            Self::Upsert(entity) => entity_byte(entity),
            Self::Retire(entity) => 255 - entity_byte(entity),
        }
    }

    fn entity(byte: u8) -> Option<Entity> {
        let number = if byte > 127 { 255 - byte } else { byte };
        Entity::ALL.into_iter().find(|&entity| entity_byte(entity) == number)
    }
}

/// A set of a stored plan and its place in it.
pub struct StoredSet {
    /// The changes.
    pub set: ChangeSet,
}

/// A set in the making: its changes as they are stored. When it was stored it is empty again, and keeps its room.
#[derive(Debug, Default)]
pub struct OpenSet {
    plain: Vec<u8>,
    len: usize,
}

impl OpenSet {
    /// How many changes there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How long it is before it is packed.
    pub fn bytes(&self) -> usize {
        self.plain.len()
    }

    /// Appends a change.
    ///
    /// # Errors
    /// [`StoreError`] when its draft is too large.
    pub fn push(&mut self, change: &Change) -> Result<(), StoreError> {
        let key = change.external_id.as_str().as_bytes();
        let (key_len, len) = (length(key)?, length(&change.json)?);
        self.plain.push(match change.verb {
            Verb::Create => 0,
            Verb::Update => 1,
            Verb::Retire => 2,
        });
        self.plain.extend_from_slice(&change.hash.0);
        self.plain.extend_from_slice(&key_len);
        self.plain.extend_from_slice(key);
        self.plain.extend_from_slice(&len);
        self.plain.extend_from_slice(&change.json);
        self.len += 1;
        Ok(())
    }
}

fn length(part: &[u8]) -> Result<[u8; 4], StoreError> {
    let len = u32::try_from(part.len()).map_err(|_| damaged("a draft too large".to_owned()))?;
    Ok(len.to_le_bytes())
}

impl Ledger {
    /// The operation that stores one set of a plan, which is empty afterwards.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be packed.
    pub fn put_set(
        &self,
        run: RunId,
        phase: Phase,
        seq: u32,
        set: &mut OpenSet,
    ) -> Result<Op, StoreError> {
        let packed = compress(&set.plain)?;
        set.plain.clear();
        set.len = 0;
        Ok(Op::Put(self.keys.plan(run, Some((phase.byte(), seq))), packed))
    }

    /// The sets of a run's plan, in the order in which they are applied, after the first `skip`.
    pub fn plan(
        &self,
        run: RunId,
    ) -> impl Iterator<Item = Result<StoredSet, StoreError>> + use<'_> {
        let prefix = self.keys.plan(run, None);
        let at = prefix.len();
        self.store().scan(Space::Blob, &prefix, None).map(move |pair| {
            let (key, value) = pair?;
            let entity = key.get(at).copied().and_then(Phase::entity);
            let entity =
                entity.ok_or_else(|| damaged("a plan set of an unknown kind".to_owned()))?;
            Ok(StoredSet { set: ChangeSet { entity, changes: unpack(&value)? } })
        })
    }

    /// Removes the plan of a run.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub fn drop_plan(&self, run: RunId) -> Result<(), StoreError> {
        let mut ops = Vec::new();
        for pair in self.store().scan(Space::Blob, &self.keys.plan(run, None), None) {
            ops.push(Op::Delete(pair?.0.to_vec()));
        }
        self.write_blobs(ops)
    }
}

fn unpack(packed: &[u8]) -> Result<Vec<Change>, StoreError> {
    let plain = Bytes::from(decompress(packed)?);
    let mut at = 0;
    let mut changes = Vec::new();
    while at < plain.len() {
        let verb = match take(&plain, &mut at, 1)?[0] {
            0 => Verb::Create,
            1 => Verb::Update,
            2 => Verb::Retire,
            other => return Err(damaged(format!("a plan with verb {other}"))),
        };
        let mut hash = [0; 16];
        hash.copy_from_slice(take(&plain, &mut at, 16)?);
        let len = read_u32(&plain, &mut at)? as usize;
        let key = std::str::from_utf8(take(&plain, &mut at, len)?).ok().and_then(ExternalId::parse);
        let external_id = key.ok_or_else(|| damaged("a plan with a broken key".to_owned()))?;
        let len = read_u32(&plain, &mut at)? as usize;
        let start = at;
        take(&plain, &mut at, len)?;
        changes.push(Change {
            verb,
            external_id,
            json: plain.slice(start..at),
            hash: ContentHash(hash),
        });
    }
    Ok(changes)
}
