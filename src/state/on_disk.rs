//! State on disk: sled, and files of large values beside it.
//!
//! One folder holds one store, and one process holds the folder. Nothing happens on a timer: large values go to the system
//! as they come, small ones when some have gathered, and [`Store::flush`], where the caller needs it, waits until all of
//! them are on disk. A process that is killed loses at most the last small ones; their order is kept.
//!
//! # Why a failed store stays failed
//! After a write error sled keeps serving from memory what never reached the disk. So the first failure closes the
//! store: every later call repeats the reason. [`SledStore::reopen`] goes on from what the disk holds, once the cause
//! is gone; everything since the last flush may be missing then, which is why it happens only when a run begins
//! ([`Store::begin_work`]) and no other is under way.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use bytes::Bytes;

use super::backup::{self, BackupError};
use super::format::{self, Step};
use super::scan::Scan;
use super::sled_error::Failure;
use super::trees::{Trees, guarded};
use crate::port::store::{Op, Pair, Space, Store, StoreError, Work};

/// Settings of a store.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Bytes of pages kept in memory.
    pub cache_bytes: u64,
    /// Bytes of small values that gather in memory before they are packed.
    pub fresh_bytes: usize,
    /// A file of large values is closed at this size; only closed files are ever emptied and removed.
    pub file_bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { cache_bytes: 1 << 20, fresh_bytes: 6 << 20, file_bytes: 16 << 20 }
    }
}

/// A store in a folder of its own.
#[derive(Debug)]
pub struct SledStore {
    folder: PathBuf,
    options: Options,
    slot: RwLock<Slot>,
    /// Held by whoever writes; a backup holds all of it.
    gate: RwLock<()>,
    /// Who is at work that a reopened store would pull the ground from under.
    work: Arc<Mutex<usize>>,
    /// Held while a failed store is opened again, so that one caller does.
    healing: Mutex<()>,
    // Released last.
    _lock: Hold,
}

#[derive(Debug)]
enum Slot {
    Open(Box<Trees>),
    Failed(Failure),
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

    pub(super) fn open_with(
        folder: &Path,
        options: Options,
        steps: &[Step],
    ) -> Result<Self, StoreError> {
        let opened = hold(folder).and_then(|lock| Ok((lock, Trees::open(folder, options, steps)?)));
        let (lock, trees) = opened.map_err(|failure| failure.at(folder))?;
        let slot = RwLock::new(Slot::Open(Box::new(trees)));
        Ok(Self {
            folder: folder.to_owned(),
            options,
            slot,
            gate: RwLock::new(()),
            work: Arc::default(),
            healing: Mutex::new(()),
            _lock: lock,
        })
    }

    /// Whether an earlier failure closed the store.
    pub fn is_failed(&self) -> bool {
        matches!(&*self.slot(), Slot::Failed(_))
    }

    /// Opens a failed store again, with what the disk holds. Only for a caller that has no run under way: what was
    /// written and not flushed may be gone.
    ///
    /// # Errors
    /// As [`SledStore::open`]; the store then stays failed. A damaged store is not opened again.
    pub fn reopen(&self) -> Result<(), StoreError> {
        let mut slot = self.slot.write().unwrap_or_else(PoisonError::into_inner);
        if let Slot::Failed(failure) = &*slot {
            if matches!(failure, Failure::Damaged(_) | Failure::Panicked) {
                return Err(failure.at(&self.folder));
            }
            let opened = Trees::open(&self.folder, self.options, format::STEPS);
            *slot = Slot::Open(Box::new(opened.map_err(|failure| failure.at(&self.folder))?));
        }
        Ok(())
    }

    /// Writes everything to a stream, as it is between two batches; writers wait meanwhile, readers do not. Tells how
    /// many pairs there are.
    ///
    /// # Errors
    /// [`BackupError`] when the store or the stream fails.
    pub fn backup(&self, out: &mut dyn std::io::Write) -> Result<u64, BackupError> {
        let _gate = self.gate.write().unwrap_or_else(PoisonError::into_inner);
        backup::write(self, out)
    }

    /// Makes a store in `folder`, which must not exist, from a backup. The folder appears once all of it is on disk.
    ///
    /// # Errors
    /// [`BackupError`] when the folder exists, the stream is no whole backup, or the disk fails.
    pub fn restore(
        folder: &Path,
        options: Options,
        from: &mut dyn std::io::Read,
    ) -> Result<Self, BackupError> {
        let mut aside = folder.as_os_str().to_owned();
        aside.push(".restoring");
        let aside = PathBuf::from(aside);
        if folder.exists() {
            return Err(BackupError::Occupied);
        }
        // What an earlier attempt left.
        if aside.exists() {
            fs::remove_dir_all(&aside)?;
        }
        backup::read(&Self::open(&aside, options)?, from)?;
        fs::rename(&aside, folder)?;
        Ok(Self::open(folder, options)?)
    }

    fn writing(&self) -> RwLockReadGuard<'_, ()> {
        self.gate.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn slot(&self) -> RwLockReadGuard<'_, Slot> {
        self.slot.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs one operation; a failure closes the store, a panic inside sled counts as damage.
    pub(super) fn run<T>(
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
        let old = std::mem::replace(&mut *slot, Slot::Failed(failure.clone()));
        match (old, failure) {
            (Slot::Failed(first), _) => *slot = Slot::Failed(first),
            // To close itself, sled would write pages that it does not understand.
            (Slot::Open(trees), Failure::Panicked) => std::mem::forget(trees),
            (Slot::Open(trees), _) => drop(trees),
        }
    }
}

impl Drop for SledStore {
    fn drop(&mut self) {
        // Whoever needs to know whether it reached the disk has flushed.
        drop(self.run(Trees::settle));
    }
}

/// The lock of a folder. It is given up in so many words: a process that was started meanwhile has the file open too until
/// it becomes another program, and would keep the lock as long.
#[derive(Debug)]
struct Hold(File);

impl Drop for Hold {
    fn drop(&mut self) {
        // Where that fails, closing the file gives it up.
        self.0.unlock().ok();
    }
}

/// Makes the folder and takes its lock.
fn hold(folder: &Path) -> Result<Hold, Failure> {
    let disk = |error: std::io::Error| Failure::Disk(error.kind().to_string());
    fs::create_dir_all(folder).map_err(disk)?;
    let path = folder.join("lock");
    let lock = File::options().create(true).append(true).open(path).map_err(disk)?;
    match lock.try_lock() {
        Ok(()) => Ok(Hold(lock)),
        Err(TryLockError::WouldBlock) => Err(Failure::Locked),
        Err(TryLockError::Error(error)) => Err(disk(error)),
    }
}

impl Store for SledStore {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        self.run(|trees| trees.get(space, key))
    }

    fn scan(
        &self,
        space: Space,
        prefix: &[u8],
        after: Option<&[u8]>,
    ) -> Box<dyn Iterator<Item = Result<Pair, StoreError>> + '_> {
        Box::new(Scan::new(self, space, prefix, after))
    }

    fn write(&self, space: Space, ops: Vec<Op>) -> Result<(), StoreError> {
        let _writing = self.writing();
        self.run(|trees| trees.write(space, ops))
    }

    fn compare_and_set(
        &self,
        space: Space,
        key: &[u8],
        old: Option<&[u8]>,
        new: Option<&[u8]>,
    ) -> Result<bool, StoreError> {
        let _writing = self.writing();
        self.run(|trees| trees.compare_and_set(space, key, old, new))
    }

    fn flush(&self) -> Result<(), StoreError> {
        self.run(Trees::flush)
    }

    fn size_on_disk(&self) -> Result<u64, StoreError> {
        self.run(Trees::size_on_disk)
    }

    fn begin_work(&self) -> Result<Work, StoreError> {
        let _healing = self.healing.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = *self.work.lock().unwrap_or_else(PoisonError::into_inner) == 0;
        if idle && self.is_failed() {
            self.reopen()?;
            tracing::warn!(folder = %self.folder.display(), "the state failed earlier and is in use again");
        }
        // A store that is still failed says so here, before any work is done.
        self.run(|_| Ok(()))?;
        Ok(Work::counted(&self.work))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_given_up_although_another_has_the_file_open() {
        let folder = tempfile::tempdir().unwrap();
        let first = hold(folder.path()).unwrap();
        assert!(matches!(hold(folder.path()), Err(Failure::Locked)));
        // As a process does that is just being started.
        let _inherited = first.0.try_clone().unwrap();
        drop(first);
        hold(folder.path()).unwrap();
    }
}
