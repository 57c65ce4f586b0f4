//! The open files of a store: sled's trees and the values beside them.
//!
//! Not for deciding what a failure means to callers; that is [`super::on_disk`]. The invariant: what sled answers or how
//! it fails, no panic leaves [`guarded`].

use std::fs::File;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;

use super::Options;
use super::blobs::Blobs;
use super::format::{self, Step};
use super::index::{Index, Look, Room};
use super::sled_error::Failure;
use super::values::Mark;
use crate::port::store::{Op, Space};

/// How often, and how far apart, an opening waits for handles of this process that are still closing.
const PATIENCE: (u32, Duration) = (100, Duration::from_millis(20));

/// The newest small pairs, and what is known of the files of the others.
pub(super) const INDEX: &str = "packed";
const BLOB: &str = "blob";
/// The folder of the files of small pairs.
pub(super) const RUNS: &str = "runs";
/// The tree that every store of sled's has.
const SLEDS_OWN: &[u8] = b"__sled__default";
/// More small pairs than these are packed into a run.
const MOST_LOOSE: usize = 4096;
/// In sled's own tree, beside the format: how far the values were on disk at the last flush.
const MARK: &str = "values";

/// Everything that is open.
#[derive(Debug)]
pub(super) struct Trees {
    db: sled::Db,
    index: Index,
    blobs: Blobs,
    /// sled's own file.
    data: File,
}

/// sled asserts what it believes of its files, so damage can also arrive as a panic.
pub(super) fn guarded<T>(operation: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(operation)).unwrap_or(Err(Failure::Panicked))
}

/// Opens sled's files, whose folder's lock the caller holds: where sled's own is taken, a handle of this process is
/// still closing.
pub(super) fn open_sled(config: &sled::Config) -> Result<sled::Db, Failure> {
    let mut outcome = Err(Failure::Locked);
    for _ in 0..PATIENCE.0 {
        outcome = guarded(|| Ok(config.open()?));
        match outcome {
            Err(Failure::Locked) => std::thread::sleep(PATIENCE.1),
            Ok(_) | Err(_) => break,
        }
    }
    outcome
}

impl Trees {
    /// Opens the files in `folder`, whose lock the caller holds.
    pub(super) fn open(folder: &Path, options: Options, steps: &[Step]) -> Result<Self, Failure> {
        let path = folder.join("sled");
        let config = sled::Config::new()
            .path(&path)
            .cache_capacity(options.cache_bytes)
            .flush_every_ms(None);
        let db = open_sled(&config)?;
        guarded(|| {
            // The number is stored before the first tree is made.
            let fresh = db.tree_names().iter().all(|name| **name == *SLEDS_OWN);
            format::settle(&db, folder, fresh, steps)?;
            let room = Room { fresh_bytes: options.fresh_bytes, loose: MOST_LOOSE };
            let index = Index::open(db.open_tree(INDEX)?, &folder.join(RUNS), room)?;
            let mark = db.get(MARK)?.and_then(|mark| Mark::decode(&mark)).unwrap_or_default();
            let (tree, values) = (db.open_tree(BLOB)?, folder.join("values"));
            let blobs = Blobs::open(tree, &values, options.file_bytes, mark)?;
            Ok(Self { db, index, blobs, data: File::open(path.join("db"))? })
        })
    }

    pub(super) fn get(&self, space: Space, key: &[u8]) -> Result<Option<Bytes>, Failure> {
        match space {
            Space::Index => self.index.get(key),
            Space::Blob => self.blobs.get(key),
        }
    }

    /// Small pairs from a key on.
    pub(super) fn look(&self, from: Bound<&[u8]>) -> Result<Look, Failure> {
        self.index.look(from)
    }

    /// Large values from a key on.
    pub(super) fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    /// A large value goes only when the small ones that were written before have settled: one of them may say that it
    /// is no longer needed.
    pub(super) fn write(&self, space: Space, ops: Vec<Op>) -> Result<(), Failure> {
        match space {
            Space::Index => self.index.write(ops),
            Space::Blob => {
                if ops.iter().any(|op| matches!(op, Op::Delete(_))) {
                    self.index.settle()?;
                }
                self.blobs.write(ops)
            }
        }
    }

    pub(super) fn compare_and_set(
        &self,
        space: Space,
        key: &[u8],
        old: Option<&[u8]>,
        new: Option<&[u8]>,
    ) -> Result<bool, Failure> {
        match space {
            Space::Index => self.index.compare_and_set(key, old, new),
            Space::Blob => {
                if new.is_none() {
                    self.index.settle()?;
                }
                self.blobs.compare_and_set(key, old, new)
            }
        }
    }

    /// Hands everything to sled and the system; what they have outlives this handle.
    pub(super) fn settle(&self) -> Result<(), Failure> {
        self.index.settle()
    }

    pub(super) fn flush(&self) -> Result<(), Failure> {
        self.index.settle()?;
        let left = self.index.before_flush();
        let (mark, dead) = self.blobs.before_flush()?;
        self.db.insert(MARK, &mark.encode())?;
        self.db.flush()?;
        // sled writes its pages out without the file's size; a power cut could cost both.
        self.data.sync_data()?;
        self.index.after_flush(&left)?;
        self.blobs.after_flush(&dead)
    }

    pub(super) fn size_on_disk(&self) -> Result<u64, Failure> {
        Ok(self.db.size_on_disk()? + self.index.size() + self.blobs.size())
    }
}

/// Applies operations as one, the last one on a key winning, and frees the pages that they replaced. One alone is whole
/// without the marks of a batch in sled's log, which cost as much as the operation.
pub(super) fn apply(tree: &sled::Tree, mut ops: Vec<Op>) -> Result<(), Failure> {
    let count = ops.len();
    if count > 1 {
        tree.apply_batch(batch(ops))?;
    } else {
        match ops.pop() {
            Some(Op::Put(key, value)) => tree.insert(key, value)?,
            Some(Op::Delete(key)) => tree.remove(key)?,
            None => None,
        };
    }
    sweep(count);
    Ok(())
}

fn batch(ops: Vec<Op>) -> sled::Batch {
    let mut batch = sled::Batch::default();
    for op in ops {
        match op {
            Op::Put(key, value) => batch.insert(key, value),
            Op::Delete(key) => batch.remove(key),
        }
    }
    batch
}

/// Frees the pages that a batch replaced. Left to itself sled frees as many per call, not per operation, so that large
/// batches leave ever more behind: hundreds of megabytes for 200,000 operations in batches of 500.
fn sweep(count: usize) {
    for _ in 0..2 + count / 128 {
        crossbeam_epoch::pin().flush();
    }
}
