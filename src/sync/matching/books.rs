//! Where the links of a tenant are kept: keys, and reads and writes that a run which only plans keeps to itself.
//!
//! The invariant: a dry run writes nothing to the store, and reads what it would have written.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use super::group::{Claim, Group};
use super::lock;
use crate::model::hash::ContentHash;
use crate::model::ids::{ConnectionId, TenantId};
use crate::port::store::{Op, Space, Store, StoreError};

/// See the module.
pub(super) struct Books {
    pub(super) tenant: TenantId,
    pub(super) connection: ConnectionId,
    pub(super) store: Arc<dyn Store>,
    /// What a run that only plans would write; an empty value stands for one that was removed.
    pub(super) dry: Option<Mutex<HashMap<Vec<u8>, Vec<u8>>>>,
}

impl Books {
    pub(super) fn claim(&self, source: &str) -> Result<Option<Claim>, StoreError> {
        self.read(&self.claim_key(source))?.as_deref().map(Claim::decode).transpose()
    }

    /// A group, and how it is stored.
    pub(super) fn group(&self, key: &[u8]) -> Result<(Group, Option<Vec<u8>>), StoreError> {
        let stored = self.read(key)?;
        let group = stored.as_deref().map(Group::decode).transpose()?.unwrap_or_default();
        Ok((group, stored))
    }

    /// How many records of the connection are linked.
    pub(super) fn linked(&self) -> Result<u64, StoreError> {
        let mut count = 0;
        for pair in self.store.scan(Space::Index, &self.claim_key(""), None) {
            count += u64::from(Claim::decode(&pair?.1)?.linked);
        }
        Ok(count)
    }

    pub(super) fn read(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        if let Some(dry) = &self.dry
            && let Some(value) = lock(dry).get(key)
        {
            return Ok((!value.is_empty()).then(|| value.clone()));
        }
        Ok(self.store.get(Space::Index, key)?.map(|value| value.to_vec()))
    }

    /// Sets what other runs write too; tells whether none of them was faster.
    pub(super) fn set(
        &self,
        key: &[u8],
        old: Option<&[u8]>,
        new: Option<Vec<u8>>,
    ) -> Result<bool, StoreError> {
        if let Some(dry) = &self.dry {
            lock(dry).insert(key.to_vec(), new.unwrap_or_default());
            return Ok(true);
        }
        self.store.compare_and_set(Space::Index, key, old, new.as_deref())
    }

    /// Sets the claim of a record, which only this connection's run writes.
    pub(super) fn set_claim(&self, source: &str, claim: Option<Claim>) -> Result<(), StoreError> {
        let (key, value) = (self.claim_key(source), claim.map(Claim::encode));
        if let Some(dry) = &self.dry {
            lock(dry).insert(key, value.unwrap_or_default());
            return Ok(());
        }
        let op = match value {
            Some(value) => Op::Put(key, value),
            None => Op::Delete(key),
        };
        self.store.write(Space::Index, vec![op])
    }

    pub(super) fn group_key(&self, key: ContentHash) -> Vec<u8> {
        self.at(b'w', &key.0)
    }

    pub(super) fn note_key(&self, connection: &ConnectionId) -> Vec<u8> {
        self.at(b'n', connection.as_str().as_bytes())
    }

    fn claim_key(&self, source: &str) -> Vec<u8> {
        self.at(b'l', format!("{}\0{source}", self.connection).as_bytes())
    }

    /// `<tenant> 0 <table> <rest>`, beside the tables of the connections.
    fn at(&self, table: u8, rest: &[u8]) -> Vec<u8> {
        [self.tenant.as_str().as_bytes(), &[0, table], rest].concat()
    }
}
