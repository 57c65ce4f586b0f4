//! What is known of every source object, over [`Store`]: the raw payload last seen, what was made of it, and whether the
//! target has it.
//!
//! Not for: deciding anything. The invariant: an [`Entry`] names a raw frame that was written before it, and what it
//! *wants* counts as applied only once its run is done, so a run that was killed, held or only planned needs no
//! clean-up: its entries fall back to what was applied before, or to what the target says where it had begun to write.

mod births;
mod canaries;
mod cohorts;
mod compact;
mod entry;
mod frame;
mod generations;
mod keys;
mod parked;
mod plan_blob;
mod press;
mod proposals;
mod run;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

pub use births::Births;
pub use entry::{Entry, Standing};
pub use frame::{FrameId, Framed, Frames};
pub use generations::{InForce, KEPT_GENERATIONS};
pub use parked::Parked;
pub use plan_blob::{OpenSet, Phase, StoredSet};
pub use proposals::{Proposal, Verdict};
pub use run::{RunRecord, RunState};

use crate::model::entity::Entity;
use crate::model::hash::ContentHash;
use crate::model::ids::{ConnectionId, RunId, TenantId};
use crate::port::store::{Op, Space, Store, StoreError};
use keys::Keys;

/// The state of one connection of one tenant.
#[derive(Clone)]
pub struct Ledger {
    store: Arc<dyn Store>,
    keys: Keys,
    /// Runs whose wants never came into force.
    void: Arc<HashSet<RunId>>,
    /// Frames of such runs, and whether they are there.
    checked: Arc<Mutex<HashMap<(Entity, FrameId), bool>>>,
}

/// Facts about one kind of one connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KindMeta {
    /// The mapping digest under which every entry was last mapped.
    pub digest: Option<ContentHash>,
    /// Slots handed out so far.
    pub slots: u32,
    /// Records in raw frames, live or not.
    pub framed: u64,
    /// The scope fingerprint of the last listing.
    pub scope: Option<String>,
    /// Attendance: when it was last read; what was read is in the cohorts ([`super::coverage`]).
    pub read_until: Option<i64>,
}

impl KindMeta {
    /// Whether no object of the kind has an entry.
    pub(in crate::sync) fn is_unknown(&self) -> bool {
        self.slots == 0
    }
}

impl Ledger {
    /// Opens the state of a connection. Reads the list of void runs, nothing else.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub fn open(
        store: Arc<dyn Store>,
        tenant: &TenantId,
        connection: &ConnectionId,
    ) -> Result<Self, StoreError> {
        let keys = Keys::new(tenant, connection);
        let mut ledger = Self { store, keys, void: Arc::default(), checked: Arc::default() };
        let mut void = HashSet::new();
        for record in ledger.runs() {
            let record = record?;
            if record.state != RunState::Done {
                void.insert(record.run);
            }
        }
        ledger.void = Arc::new(void);
        Ok(ledger)
    }

    /// The store beneath.
    pub fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// One entry.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read or the entry is damaged.
    pub fn entry(&self, entity: Entity, source: &str) -> Result<Option<Entry>, StoreError> {
        let key = self.keys.entry(entity, source);
        match self.store.get(Space::Index, &key)? {
            Some(bytes) => Entry::decode(&bytes).map(Some),
            None => Ok(None),
        }
    }

    /// Every entry of a kind in key order, after the source id `after` if given.
    pub fn entries<'a>(
        &'a self,
        entity: Entity,
        after: Option<&str>,
    ) -> impl Iterator<Item = Result<(String, Entry), StoreError>> + use<'a> {
        let prefix = self.keys.entry(entity, "");
        let after = after.map(|source| self.keys.entry(entity, source));
        let skip = prefix.len();
        self.store.scan(Space::Index, &prefix, after.as_deref()).map(move |pair| {
            let (key, value) = pair?;
            let source = String::from_utf8_lossy(&key[skip..]).into_owned();
            Ok((source, Entry::decode(&value)?))
        })
    }

    /// What the target holds of an entry, as far as is known, while `current` runs.
    pub fn in_force(&self, entry: &Entry, current: RunId) -> Standing {
        if entry.run == current || !self.void.contains(&entry.run) {
            entry.wanted
        } else {
            entry.applied
        }
    }

    /// Whether an entry ended because a listing no longer showed it, while `current` runs; its row stands all the same where
    /// a replay brought it back.
    pub fn is_gone(&self, entry: &Entry, current: RunId) -> bool {
        entry.absent && (entry.replayed || self.in_force(entry, current) == Standing::Retired)
    }

    /// The operation that stores an entry.
    pub fn put_entry(&self, entity: Entity, source: &str, entry: &Entry) -> Op {
        Op::Put(self.keys.entry(entity, source), entry.encode())
    }

    /// The facts of a kind.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub fn meta(&self, entity: Entity) -> Result<KindMeta, StoreError> {
        let found = self.store.get(Space::Index, &self.keys.meta(entity))?;
        found.map_or_else(|| Ok(KindMeta::default()), |bytes| decode_json(&bytes, "kind facts"))
    }

    /// The operation that stores the facts of a kind.
    pub fn put_meta(&self, entity: Entity, meta: &KindMeta) -> Op {
        Op::Put(self.keys.meta(entity), encode_json(meta))
    }

    /// Writes index operations as one.
    ///
    /// # Errors
    /// [`StoreError`] when nothing was written.
    pub fn write_index(&self, ops: Vec<Op>) -> Result<(), StoreError> {
        if ops.is_empty() { Ok(()) } else { self.store.write(Space::Index, ops) }
    }

    /// Writes blobs as one.
    ///
    /// # Errors
    /// [`StoreError`] when nothing was written.
    pub fn write_blobs(&self, ops: Vec<Op>) -> Result<(), StoreError> {
        if ops.is_empty() { Ok(()) } else { self.store.write(Space::Blob, ops) }
    }
}

fn encode_json<T: serde::Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

fn decode_json<T: serde::de::DeserializeOwned>(bytes: &[u8], what: &str) -> Result<T, StoreError> {
    serde_json::from_slice(bytes).map_err(|cause| damaged(format!("{what}: {cause}")))
}

fn damaged(reason: String) -> StoreError {
    StoreError::Damaged { folder: "state".to_owned(), reason }
}
