//! State in memory, gone with the process: for tests and for embedders that keep nothing between runs.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use bytes::Bytes;

use crate::port::store::{Op, Pair, Space, Store, StoreError};

/// Pairs that one look under the lock takes out; a scan holds no more than these.
const STRIDE: usize = 64;

type Map = BTreeMap<Vec<u8>, Bytes>;

/// Two ordered maps behind a lock.
#[derive(Debug, Default)]
pub struct MemoryStore {
    index: RwLock<Map>,
    blob: RwLock<Map>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn map(&self, space: Space) -> &RwLock<Map> {
        match space {
            Space::Index => &self.index,
            Space::Blob => &self.blob,
        }
    }

    fn read(&self, space: Space) -> RwLockReadGuard<'_, Map> {
        self.map(space).read().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, space: Space) -> RwLockWriteGuard<'_, Map> {
        self.map(space).write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next pairs under `prefix` from `from` on.
    fn stride(&self, space: Space, prefix: &[u8], from: Bound<&[u8]>) -> Vec<Pair> {
        self.read(space)
            .range::<[u8], _>((from, Bound::Unbounded))
            .take_while(|(key, _)| key.starts_with(prefix))
            .take(STRIDE)
            .map(|(key, value)| (Bytes::copy_from_slice(key), value.clone()))
            .collect()
    }
}

impl Store for MemoryStore {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        Ok(self.read(space).get(key).cloned())
    }

    fn scan(
        &self,
        space: Space,
        prefix: &[u8],
        after: Option<&[u8]>,
    ) -> Box<dyn Iterator<Item = Result<Pair, StoreError>> + '_> {
        let prefix = prefix.to_vec();
        let first = match after {
            Some(key) if key >= prefix.as_slice() => {
                self.stride(space, &prefix, Bound::Excluded(key))
            }
            Some(_) | None => self.stride(space, &prefix, Bound::Included(&prefix)),
        };
        let strides = std::iter::successors(Some(first), move |last| {
            let (key, _) = last.last()?;
            Some(self.stride(space, &prefix, Bound::Excluded(key)))
        });
        Box::new(strides.flatten().map(Ok))
    }

    fn write(&self, space: Space, ops: Vec<Op>) -> Result<(), StoreError> {
        let mut map = self.change(space);
        for op in ops {
            match op {
                Op::Put(key, value) => map.insert(key, value.into()),
                Op::Delete(key) => map.remove(&key),
            };
        }
        Ok(())
    }

    fn compare_and_set(
        &self,
        space: Space,
        key: &[u8],
        old: Option<&[u8]>,
        new: Option<&[u8]>,
    ) -> Result<bool, StoreError> {
        let mut map = self.change(space);
        if map.get(key).map(Bytes::as_ref) != old {
            return Ok(false);
        }
        match new {
            Some(value) => map.insert(key.to_vec(), Bytes::copy_from_slice(value)),
            None => map.remove(key),
        };
        Ok(true)
    }

    fn flush(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn size_on_disk(&self) -> Result<u64, StoreError> {
        Ok(0)
    }
}
