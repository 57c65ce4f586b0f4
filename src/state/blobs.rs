//! The blob space: a tree of keys, with small values in it and large ones beside it.
//!
//! The invariant: a value is on its file before the tree names it, and on disk before a flush returns. A power cut, not
//! a kill, can lose values written since the last flush even where the index kept what was written after them; their
//! keys are then gone.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::sled_error::Failure;
use super::trees::apply;
use super::values::{self, Mark, Pointer, ValueLog};
use crate::port::store::Op;

/// Values up to this size lie in the tree.
const INLINE_BYTES: usize = 512;
const IN_TREE: u8 = 0;
const BESIDE: u8 = 1;

/// The blob space of an opened store.
#[derive(Debug)]
pub(super) struct Blobs {
    tree: sled::Tree,
    folder: PathBuf,
    log: Mutex<ValueLog>,
}

/// What the tree holds for a key.
enum Stored<'a> {
    InTree(&'a [u8]),
    Beside(Pointer),
}

impl<'a> Stored<'a> {
    fn decode(bytes: &'a [u8]) -> Result<Self, Failure> {
        let stored = match bytes.split_first() {
            Some((&IN_TREE, value)) => Some(Self::InTree(value)),
            Some((&BESIDE, pointer)) => Pointer::decode(pointer).map(Self::Beside),
            Some(_) | None => None,
        };
        stored.ok_or_else(|| Failure::Damaged("a value has a form that is not known".to_owned()))
    }
}

impl Blobs {
    /// Opens the files beside `tree` and counts what is in force; `mark` is that of the last flush.
    pub(super) fn open(
        tree: sled::Tree,
        folder: &Path,
        limit_bytes: u64,
        mark: Mark,
    ) -> Result<Self, Failure> {
        let mut log = ValueLog::open(folder, limit_bytes)?;
        for pair in &tree {
            let (key, stored) = pair?;
            if let Stored::Beside(pointer) = Stored::decode(&stored)?
                && !log.adopt(&pointer, mark)?
            {
                tree.remove(&key)?;
            }
        }
        Ok(Self { tree, folder: log.folder().to_owned(), log: Mutex::new(log) })
    }

    /// The tree's entries from a key on; [`Blobs::resolve`] gives their values.
    pub(super) fn range(&self, from: Bound<&[u8]>) -> sled::Iter {
        self.tree.range::<&[u8], _>((from, Bound::Unbounded))
    }

    fn log(&self) -> MutexGuard<'_, ValueLog> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Failure> {
        match self.tree.get(key)? {
            Some(stored) => self.resolve(key, stored),
            None => Ok(None),
        }
    }

    /// The value that the tree's entry stands for. A value that was moved meanwhile is looked up again.
    pub(super) fn resolve(&self, key: &[u8], stored: sled::IVec) -> Result<Option<Bytes>, Failure> {
        let mut stored = stored;
        loop {
            let pointer = match Stored::decode(&stored)? {
                Stored::InTree(value) => return Ok(Some(Bytes::copy_from_slice(value))),
                Stored::Beside(pointer) => pointer,
            };
            if let Some(value) = values::read(&self.folder, &pointer)? {
                return Ok(Some(value.into()));
            }
            match self.tree.get(key)? {
                Some(now) if now == stored => {
                    return Err(Failure::Damaged(format!(
                        "`{:08}.values` is missing",
                        pointer.file
                    )));
                }
                Some(now) => stored = now,
                None => return Ok(None),
            }
        }
    }

    pub(super) fn write(&self, ops: Vec<Op>) -> Result<(), Failure> {
        self.change(&mut self.log(), ops)
    }

    fn change(&self, log: &mut ValueLog, ops: Vec<Op>) -> Result<(), Failure> {
        let last: BTreeMap<_, _> = ops
            .into_iter()
            .map(|op| match op {
                Op::Put(key, value) => (key, Some(value)),
                Op::Delete(key) => (key, None),
            })
            .collect();
        let mut entries = Vec::with_capacity(last.len());
        let mut replaced = Vec::new();
        for (key, value) in last {
            if let Some(old) = self.tree.get(&key)?
                && let Stored::Beside(pointer) = Stored::decode(&old)?
            {
                replaced.push(pointer);
            }
            match value {
                Some(value) if value.len() > INLINE_BYTES => {
                    let pointer = log.append(&key, &value)?;
                    entries.push(Op::Put(key, tagged(BESIDE, &pointer.encode())));
                }
                Some(value) => entries.push(Op::Put(key, tagged(IN_TREE, &value))),
                None => entries.push(Op::Delete(key)),
            }
        }
        apply(&self.tree, entries)?;
        for pointer in &replaced {
            log.release(pointer);
        }
        Ok(())
    }

    pub(super) fn compare_and_set(
        &self,
        key: &[u8],
        old: Option<&[u8]>,
        new: Option<&[u8]>,
    ) -> Result<bool, Failure> {
        let mut log = self.log();
        if self.get(key)?.as_deref() != old {
            return Ok(false);
        }
        let op = match new {
            Some(value) => Op::Put(key.to_vec(), value.to_vec()),
            None => Op::Delete(key.to_vec()),
        };
        self.change(&mut log, vec![op])?;
        Ok(true)
    }

    /// Brings the values to disk, before the tree. Tells how far they reach, and which files may go once the tree is on
    /// disk too.
    pub(super) fn before_flush(&self) -> Result<(Mark, Vec<u32>), Failure> {
        let (file, mark, dead) = {
            let log = self.log();
            (log.growing(), log.end(), log.dead())
        };
        file.sync_data()?;
        Ok((mark, dead))
    }

    /// Removes files that no pointer names, neither in memory nor on disk, and empties one that is mostly dead.
    pub(super) fn after_flush(&self, dead: &[u32]) -> Result<(), Failure> {
        let mut log = self.log();
        for number in dead {
            log.remove(*number)?;
        }
        match log.sparse() {
            Some(number) => self.empty(&mut log, number),
            None => Ok(()),
        }
    }

    /// Moves what is in force in a closed file to the growing one. The copies are on disk before the tree names them:
    /// the originals were.
    fn empty(&self, log: &mut ValueLog, number: u32) -> Result<(), Failure> {
        let mut entries = Vec::new();
        let mut moved = Vec::new();
        for record in log.records(number)? {
            let (key, place) = record?;
            let Some(stored) = self.tree.get(&key)? else { continue };
            let Stored::Beside(pointer) = Stored::decode(&stored)? else { continue };
            if !pointer.same_place(&place) {
                continue;
            }
            let value = values::read(&self.folder, &pointer)?
                .ok_or_else(|| Failure::Damaged(format!("`{number:08}.values` is missing")))?;
            let copy = log.append(&key, &value)?;
            entries.push(Op::Put(key, tagged(BESIDE, &copy.encode())));
            moved.push(pointer);
        }
        log.growing().sync_data()?;
        apply(&self.tree, entries)?;
        for pointer in &moved {
            log.release(pointer);
        }
        Ok(())
    }

    /// Bytes of the files beside the tree.
    pub(super) fn size(&self) -> u64 {
        self.log().size()
    }
}

fn tagged(tag: u8, rest: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(rest.len() + 1);
    out.push(tag);
    out.extend_from_slice(rest);
    out
}
