//! State on disk, in sled.
//!
//! One folder holds one store, and one process holds the folder. Nothing reaches the disk on a timer: callers say
//! [`Store::flush`] where they need it, and sled writes on its own only when a segment is full.
//!
//! # Why a failed store stays failed
//! After a write error sled keeps serving from memory what never reached the disk. So the first failure closes the
//! store: every later call repeats the reason. [`SledStore::reopen`] goes on from what the disk holds, once the cause
//! is gone; everything since the last flush may be missing then, which is why only a caller that has no run under way
//! may ask for it.

use std::fs::{self, File, TryLockError};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use bytes::Bytes;

use super::format::{self, Step};
use super::sled_error::Failure;
use crate::port::store::{Op, Pair, Space, Store, StoreError};

/// How often, and how far apart, an opening waits for handles of this process that are still closing.
const PATIENCE: (u32, Duration) = (100, Duration::from_millis(20));

/// Settings of a store.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Bytes of pages kept in memory.
    pub cache_bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { cache_bytes: 16 << 20 }
    }
}

/// A store in a folder of its own.
#[derive(Debug)]
pub struct SledStore {
    folder: PathBuf,
    options: Options,
    slot: RwLock<Slot>,
    // Released last.
    _lock: File,
}

#[derive(Debug)]
enum Slot {
    Open(Trees),
    Failed(Failure),
}

#[derive(Clone, Debug)]
struct Trees {
    db: sled::Db,
    index: sled::Tree,
    blob: sled::Tree,
    data: std::sync::Arc<File>,
}

impl SledStore {
    /// Opens the store in `folder`, which is made if it is missing.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another process holds it, [`StoreError::Newer`] when a newer rollcall wrote it,
    /// [`StoreError::Disk`] and [`StoreError::Damaged`] when it cannot be written or read.
    pub fn open(folder: &Path, options: Options) -> Result<Self, StoreError> {
        Self::open_with(folder, options, format::STEPS)
    }

    fn open_with(folder: &Path, options: Options, steps: &[Step]) -> Result<Self, StoreError> {
        let opened = hold(folder).and_then(|lock| Ok((lock, Trees::open(folder, options, steps)?)));
        let (lock, trees) = opened.map_err(|failure| failure.at(folder))?;
        let slot = RwLock::new(Slot::Open(trees));
        Ok(Self { folder: folder.to_owned(), options, slot, _lock: lock })
    }

    /// Whether an earlier failure closed the store.
    pub fn is_failed(&self) -> bool {
        matches!(&*self.slot(), Slot::Failed(_))
    }

    /// Opens a failed store again, with what the disk holds. Only for a caller that has no run under way: what was
    /// written and not flushed may be gone.
    ///
    /// # Errors
    /// As [`SledStore::open`]; the store then stays failed.
    pub fn reopen(&self) -> Result<(), StoreError> {
        let mut slot = self.slot.write().unwrap_or_else(PoisonError::into_inner);
        if let Slot::Failed(_) = &*slot {
            let opened = Trees::open(&self.folder, self.options, format::STEPS);
            *slot = Slot::Open(opened.map_err(|failure| failure.at(&self.folder))?);
        }
        Ok(())
    }

    fn slot(&self) -> RwLockReadGuard<'_, Slot> {
        self.slot.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs one operation; a failure closes the store, a panic inside sled counts as damage.
    fn run<T>(
        &self,
        operation: impl FnOnce(&Trees) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        let outcome = match &*self.slot() {
            Slot::Open(trees) => guarded(|| operation(trees)),
            Slot::Failed(failure) => return Err(failure.at(&self.folder)),
        };
        outcome.map_err(|failure| {
            self.close(&failure);
            failure.at(&self.folder)
        })
    }

    fn close(&self, failure: &Failure) {
        let mut slot = self.slot.write().unwrap_or_else(PoisonError::into_inner);
        if let Slot::Open(_) = &*slot {
            *slot = Slot::Failed(failure.clone());
        }
    }
}

/// Makes the folder and takes its lock.
fn hold(folder: &Path) -> Result<File, Failure> {
    let disk = |error: std::io::Error| Failure::Disk(error.kind().to_string());
    fs::create_dir_all(folder).map_err(disk)?;
    let path = folder.join("lock");
    let lock = File::options().create(true).append(true).open(path).map_err(disk)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(Failure::Locked),
        Err(TryLockError::Error(error)) => Err(disk(error)),
    }
}

/// sled asserts what it believes of its files, so damage can also arrive as a panic.
fn guarded<T>(operation: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(operation))
        .unwrap_or_else(|_| Err(Failure::Damaged("its pages contradict each other".to_owned())))
}

impl Trees {
    fn open(folder: &Path, options: Options, steps: &[Step]) -> Result<Self, Failure> {
        let path = folder.join("sled");
        let config = sled::Config::new()
            .path(&path)
            .cache_capacity(options.cache_bytes)
            .flush_every_ms(None);
        let mut outcome = Err(Failure::Locked);
        for _ in 0..PATIENCE.0 {
            outcome = guarded(|| Ok(config.open()?));
            match outcome {
                // The folder's own lock is ours, so this is a handle of this process that is still closing.
                Err(Failure::Locked) => std::thread::sleep(PATIENCE.1),
                Ok(_) | Err(_) => break,
            }
        }
        let db = outcome?;
        guarded(|| {
            let fresh = !db.was_recovered();
            format::settle(&db, fresh, steps)?;
            let (index, blob) = (db.open_tree("index")?, db.open_tree("blob")?);
            let data = std::sync::Arc::new(File::open(path.join("db"))?);
            Ok(Self { db, index, blob, data })
        })
    }

    fn tree(&self, space: Space) -> &sled::Tree {
        match space {
            Space::Index => &self.index,
            Space::Blob => &self.blob,
        }
    }
}

impl Store for SledStore {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        self.run(|trees| {
            Ok(trees.tree(space).get(key)?.map(|value| Bytes::copy_from_slice(&value)))
        })
    }

    fn scan(
        &self,
        space: Space,
        prefix: &[u8],
        after: Option<&[u8]>,
    ) -> Box<dyn Iterator<Item = Result<Pair, StoreError>> + '_> {
        let prefix = prefix.to_vec();
        let start = match after {
            Some(key) if key >= prefix.as_slice() => {
                (std::ops::Bound::Excluded(key.to_vec()), std::ops::Bound::Unbounded)
            }
            Some(_) | None => {
                (std::ops::Bound::Included(prefix.clone()), std::ops::Bound::Unbounded)
            }
        };
        let opened = self.run(|trees| Ok(trees.tree(space).range::<Vec<u8>, _>(start)));
        let (mut pairs, mut failed) = match opened {
            Ok(pairs) => (Some(pairs), None),
            Err(error) => (None, Some(error)),
        };
        Box::new(std::iter::from_fn(move || {
            if let Some(error) = failed.take() {
                return Some(Err(error));
            }
            let next = self.run(|_| Ok(pairs.as_mut().and_then(Iterator::next).transpose()?));
            match next {
                Ok(Some((key, value))) if key.starts_with(&prefix) => {
                    Some(Ok((Bytes::copy_from_slice(&key), Bytes::copy_from_slice(&value))))
                }
                Ok(_) => {
                    pairs = None;
                    None
                }
                Err(error) => {
                    pairs = None;
                    Some(Err(error))
                }
            }
        }))
    }

    fn write(&self, space: Space, ops: Vec<Op>) -> Result<(), StoreError> {
        let mut batch = sled::Batch::default();
        for op in ops {
            match op {
                Op::Put(key, value) => batch.insert(key, value),
                Op::Delete(key) => batch.remove(key),
            }
        }
        self.run(|trees| Ok(trees.tree(space).apply_batch(batch)?))
    }

    fn compare_and_set(
        &self,
        space: Space,
        key: &[u8],
        old: Option<&[u8]>,
        new: Option<&[u8]>,
    ) -> Result<bool, StoreError> {
        self.run(|trees| Ok(trees.tree(space).compare_and_swap(key, old, new)?.is_ok()))
    }

    fn flush(&self) -> Result<(), StoreError> {
        self.run(|trees| {
            trees.db.flush()?;
            // sled writes its pages out without the file's size; a power cut could cost both.
            Ok(trees.data.sync_data()?)
        })
    }

    fn size_on_disk(&self) -> Result<u64, StoreError> {
        self.run(|trees| Ok(trees.db.size_on_disk()?))
    }
}
