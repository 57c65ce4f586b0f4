//! Where sync state lives: an ordered map of bytes with atomic batches.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// Why the state store failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process holds the folder.
    #[error(
        "the state folder `{folder}` is in use by another rollcall; stop it, or give this one a folder of its own"
    )]
    Locked {
        /// The folder.
        folder: String,
    },
    /// The disk is full, read-only or failing.
    #[error(
        "the state folder `{folder}` cannot be written: {reason}; free space or mend its permissions, then run again: nothing is lost"
    )]
    Disk {
        /// The folder.
        folder: String,
        /// What the system says.
        reason: String,
    },
    /// A newer rollcall wrote the state.
    #[error(
        "the state in `{folder}` has format {found}, this rollcall knows formats up to {known}; upgrade rollcall, or give it another folder"
    )]
    Newer {
        /// The folder.
        folder: String,
        /// The format found.
        found: u32,
        /// The newest format this build knows.
        known: u32,
    },
    /// What is stored cannot be read.
    #[error(
        "the state in `{folder}` is damaged: {reason}; restore a backup, or move the folder away and sync again"
    )]
    Damaged {
        /// The folder.
        folder: String,
        /// What was found.
        reason: String,
    },
}

/// Which map a key belongs to. Few, and never one per tenant: the tenant is the first part of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Space {
    /// Small values in key order: entries, runs, cursors, parked records.
    Index,
    /// Large compressed values, written once: raw records and plans.
    Blob,
}

/// One operation of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// Sets a value.
    Put(Vec<u8>, Vec<u8>),
    /// Removes a key.
    Delete(Vec<u8>),
}

/// One element of a scan.
pub type Pair = (Bytes, Bytes);

/// Work that relies on the store not to go back in time; it ends with this value.
#[derive(Debug, Default)]
pub struct Work(Option<Arc<Mutex<usize>>>);

impl Work {
    /// One more of those that `count` counts.
    pub fn counted(count: &Arc<Mutex<usize>>) -> Self {
        *count.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Self(Some(Arc::clone(count)))
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        if let Some(count) = self.0.take() {
            *count.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        }
    }
}

/// An ordered map of bytes. Blocking: callers are on blocking threads.
pub trait Store: Send + Sync {
    /// Reads a value.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Bytes>, StoreError>;

    /// Reads pairs in key order whose key starts with `prefix` and is greater than `after`, if given.
    fn scan(
        &self,
        space: Space,
        prefix: &[u8],
        after: Option<&[u8]>,
    ) -> Box<dyn Iterator<Item = Result<Pair, StoreError>> + '_>;

    /// Applies operations of one space as one: after a crash all of them are there or none.
    ///
    /// # Errors
    /// [`StoreError`] when nothing was written.
    fn write(&self, space: Space, ops: Vec<Op>) -> Result<(), StoreError>;

    /// Sets `key` to `new` if it holds `old` (`None`: no value); tells whether it did.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    fn compare_and_set(
        &self,
        space: Space,
        key: &[u8],
        old: Option<&[u8]>,
        new: Option<&[u8]>,
    ) -> Result<bool, StoreError>;

    /// Returns once everything written before is on disk.
    ///
    /// # Errors
    /// [`StoreError`] when that failed.
    fn flush(&self) -> Result<(), StoreError>;

    /// Bytes on disk.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be told.
    fn size_on_disk(&self) -> Result<u64, StoreError>;

    /// Begins work that relies on what it wrote being there until it ends, such as a run. While nobody is at such work, a
    /// store that failed may go on from what the disk holds.
    ///
    /// # Errors
    /// [`StoreError`] when the store has failed and still cannot be used.
    fn begin_work(&self) -> Result<Work, StoreError> {
        Ok(Work::default())
    }
}
