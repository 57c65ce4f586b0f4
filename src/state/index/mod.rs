//! The index space: small pairs in key order, a sled tree of the newest, and files of the others.
//!
//! A pair of a hundred bytes costs sled ten microseconds, and sled keeps sixty-four pages for each of its 256 shards in
//! memory whatever the size of its cache. So the tree is the top of a log-structured merge tree: what is written gathers in
//! memory ([`fresh`]), and settles when it is much, at a flush, and before a large value is deleted. Few words go to the
//! tree, [`loose`], each a pair of sled's; many become a [`run`], a file of blocks in key order that the tree names, and
//! runs of about one size are merged.
//!
//! Not for values of many kilobytes: a block is read as a whole. The invariant: words settle in the order in which they were
//! written, batches as a whole, and readers see a batch at once, wherever it is. On one key, what is fresh is newer than
//! what is loose, and that than what lies in runs.

mod block;
mod file;
mod fresh;
mod loose;
mod merge;
mod run;
mod step;
#[cfg(test)]
mod tests;

use std::fs;
use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use bytes::Bytes;

use super::sled_error::Failure;
use super::trees::apply;
use crate::port::store::{Op, Pair};
use fresh::Fresh;
use loose::Pile;
use merge::{Merge, Word, Words};
use run::{Run, hash, load_all};

pub(super) use step::{pack_index, pile_loose};

/// Fewer runs than this are not merged.
const FEW_RUNS: usize = 4;
/// Words of each kind that one look of a scan takes in.
const STRIDE: usize = 64;
/// How many words that a run has taken in are cleared away for each that becomes loose: never more are left than lay on one
/// pile.
const CLEARED: usize = 2;

/// The index space of an opened store.
#[derive(Debug)]
pub(super) struct Index {
    tree: sled::Tree,
    /// Where the files of the runs are.
    folder: PathBuf,
    layers: RwLock<Layers>,
    /// Held by whoever writes.
    writing: Mutex<()>,
    /// Held by whoever merges runs.
    merging: Mutex<()>,
    /// The number of the next run.
    next: AtomicU32,
    /// The numbers of files that are runs no more, or never were. The tree on disk may name them still.
    left: Mutex<Vec<u32>>,
    room: Room,
}

/// How much lies where.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// Bytes that gather in memory.
    pub(super) fresh_bytes: usize,
    /// More words than these are not loose.
    pub(super) loose: usize,
}

/// Where the words are.
#[derive(Debug)]
struct Layers {
    fresh: Fresh,
    pile: Pile,
    /// The newest first.
    runs: Vec<Arc<Run>>,
}

/// What a scan sees at one look.
pub(super) struct Look {
    pub(super) pairs: Vec<Pair>,
    /// Where the next look begins; `None` at the end.
    pub(super) next: Option<Vec<u8>>,
}

impl Index {
    /// Opens the tree and the files in `folder`, which is made if it is missing.
    pub(super) fn open(tree: sled::Tree, folder: &Path, room: Room) -> Result<Self, Failure> {
        let (runs, left) = load_all(&tree, folder)?;
        let known = runs.iter().map(|run| run.id).chain(left.iter().copied());
        let next = AtomicU32::new(known.max().map_or(0, |id| id + 1));
        let pile = Pile::open(&tree, room.loose)?;
        let runs = runs.into_iter().map(Arc::new).collect();
        Ok(Self {
            tree,
            folder: folder.to_owned(),
            layers: RwLock::new(Layers { fresh: Fresh::default(), pile, runs }),
            writing: Mutex::default(),
            merging: Mutex::default(),
            next,
            left: Mutex::new(left),
            room,
        })
    }

    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Failure> {
        // While it is held, nothing moves from one layer to another.
        let layers = self.layers();
        if let Some(said) = layers.fresh.get(key) {
            return Ok(said.value().map(Bytes::copy_from_slice));
        }
        if let Some(said) = layers.pile.find(&self.tree, key)? {
            return Ok(said.value());
        }
        let hash = hash(key);
        for run in &layers.runs {
            if let Some(said) = run.find(key, hash)? {
                return Ok(said.value());
            }
        }
        Ok(None)
    }

    pub(super) fn write(&self, ops: Vec<Op>) -> Result<(), Failure> {
        {
            let _writing = self.writing();
            self.put(ops);
            if self.layers().fresh.bytes() <= self.room.fresh_bytes {
                return Ok(());
            }
        }
        self.settle()
    }

    pub(super) fn compare_and_set(
        &self,
        key: &[u8],
        old: Option<&[u8]>,
        new: Option<&[u8]>,
    ) -> Result<bool, Failure> {
        let _writing = self.writing();
        if self.get(key)?.as_deref() != old {
            return Ok(false);
        }
        self.put(vec![match new {
            Some(value) => Op::Put(key.to_vec(), value.to_vec()),
            None => Op::Delete(key.to_vec()),
        }]);
        Ok(true)
    }

    /// Hands what is fresh to the tree and the files.
    pub(super) fn settle(&self) -> Result<(), Failure> {
        let laid = self.gather()?;
        self.merge()?;
        let number = self.layers().pile.number;
        loose::clear(&self.tree, number, CLEARED * laid)
    }

    /// Pairs in key order from a key on, some of them.
    pub(super) fn look(&self, from: Bound<&[u8]>) -> Result<Look, Failure> {
        let layers = self.layers();
        let mut next: Option<Vec<u8>> = None;
        let mut nearer = |end: Option<Vec<u8>>| {
            if let Some(end) = end
                && next.as_ref().is_none_or(|next| end < *next)
            {
                next = Some(end);
            }
        };
        let mut streams: Vec<Vec<Word>> = Vec::with_capacity(layers.runs.len() + 2);
        for words in
            [Box::new(layers.fresh.range(from).map(Ok)), layers.pile.range(&self.tree, from)]
                as [Words<'_>; 2]
        {
            let mut stream: Vec<Word> = words.take(STRIDE + 1).collect::<Result<_, _>>()?;
            nearer(stream.get(STRIDE).map(|(key, _)| key.clone()));
            stream.truncate(STRIDE);
            streams.push(stream);
        }
        for run in &layers.runs {
            let chunk = run.chunk(from)?;
            nearer(chunk.end);
            streams.push(chunk.words);
        }
        let streams =
            streams.into_iter().map(|words| Box::new(words.into_iter().map(Ok)) as Words<'_>);
        let mut pairs = Vec::new();
        for word in Merge::new(streams) {
            let (key, value) = word?;
            if next.as_ref().is_some_and(|next| key >= *next) {
                break;
            }
            pairs.extend(value.map(|value| (key.into(), value.into())));
        }
        Ok(Look { pairs, next })
    }

    /// The numbers of files that go once the tree is on disk as it is now.
    pub(super) fn before_flush(&self) -> Vec<u32> {
        self.left().clone()
    }

    /// Removes files that no tree names any more.
    pub(super) fn after_flush(&self, gone: &[u32]) -> Result<(), Failure> {
        for id in gone {
            match fs::remove_file(file::path(&self.folder, *id)) {
                // Another flush was as far.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                removed => removed?,
            }
        }
        self.left().retain(|id| !gone.contains(id));
        Ok(())
    }

    /// Bytes of the files.
    pub(super) fn size(&self) -> u64 {
        self.layers().runs.iter().map(|run| run.size()).sum()
    }

    fn left(&self) -> MutexGuard<'_, Vec<u32>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn layers(&self) -> RwLockReadGuard<'_, Layers> {
        self.layers.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self) -> RwLockWriteGuard<'_, Layers> {
        self.layers.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn writing(&self) -> MutexGuard<'_, ()> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, ops: Vec<Op>) {
        let mut layers = self.change();
        for op in ops {
            layers.fresh.put(op);
        }
    }

    /// Moves what is fresh to where it settles, as one batch; tells how many words became loose.
    fn gather(&self) -> Result<usize, Failure> {
        let writing = self.writing();
        let (fresh, loose) = {
            let layers = self.layers();
            (layers.fresh.len(), layers.pile.words)
        };
        if fresh == 0 {
            Ok(0)
        } else if fresh + loose > self.room.loose {
            self.gather_run(fresh + loose, &writing)?;
            Ok(0)
        } else {
            self.gather_loose(&writing)?;
            Ok(fresh)
        }
    }

    fn gather_loose(&self, _writing: &MutexGuard<'_, ()>) -> Result<(), Failure> {
        let mut layers = self.change();
        let op = |word| layers.pile.put(word, |key| layers.may_lie_in_run(key));
        let ops: Vec<Op> = layers.fresh.range(Bound::Unbounded).map(op).collect();
        let count = ops.len();
        apply(&self.tree, ops)?;
        layers.fresh = Fresh::default();
        layers.pile.words += count;
        Ok(())
    }

    /// Makes a run of what is fresh and what is loose, at most `most` words.
    fn gather_run(&self, most: usize, _writing: &MutexGuard<'_, ()>) -> Result<(), Failure> {
        let layers = self.layers();
        let fresh = Box::new(layers.fresh.range(Bound::Unbounded).map(Ok)) as Words<'_>;
        let words = Merge::new([fresh, layers.pile.range(&self.tree, Bound::Unbounded)]);
        // That a key is gone is of interest only where an older run may have it.
        let words = words.filter(|word| match word {
            Ok((key, None)) => layers.may_lie_in_run(key),
            Ok((_, Some(_))) | Err(_) => true,
        });
        let rank = layers.runs.first().map_or(0, |newest| newest.rank + 1);
        let run = Run::write(&self.folder, (self.next_id(), rank), most, words)?;
        drop(layers);
        let mut layers = self.change();
        let (pile, begin) = layers.pile.next();
        apply(&self.tree, vec![run.put(), begin])?;
        layers.fresh = Fresh::default();
        layers.pile = pile;
        layers.runs.insert(0, Arc::new(run));
        Ok(())
    }

    fn next_id(&self) -> u32 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// Merges the newest runs while they are many of about one size. Others write and read meanwhile.
    fn merge(&self) -> Result<(), Failure> {
        let Ok(_merging) = self.merging.try_lock() else { return Ok(()) };
        loop {
            let runs = self.layers().runs.clone();
            let alike = alike(&runs.iter().map(|run| run.words).collect::<Vec<_>>());
            if alike < FEW_RUNS {
                return Ok(());
            }
            let (old, older) = runs.split_at(alike);
            let words = Merge::new(old.iter().map(|run| run.all()));
            let words = words.filter(|word| {
                !older.is_empty() || word.as_ref().map_or(true, |(_, word)| word.is_some())
            });
            let most = old.iter().map(|run| usize::try_from(run.words).unwrap_or(usize::MAX)).sum();
            let merged = Run::write(&self.folder, (self.next_id(), old[0].rank), most, words)?;
            let mut ops: Vec<Op> = old.iter().map(|run| run.delete()).collect();
            ops.push(merged.put());
            {
                let mut layers = self.change();
                apply(&self.tree, ops)?;
                // A newer one may have come meanwhile.
                let at = layers.runs.len() - runs.len();
                layers.runs.splice(at..at + alike, [Arc::new(merged)]);
            }
            self.left().extend(old.iter().map(|run| run.id));
        }
    }
}

impl Layers {
    fn may_lie_in_run(&self, key: &[u8]) -> bool {
        let hash = hash(key);
        self.runs.iter().any(|run| run.may_have(hash))
    }
}

/// How many of the newest runs are to be merged: up to the last that has no more words than all newer ones together.
fn alike(words: &[u64]) -> usize {
    let (mut newer, mut alike) = (0, 0);
    for (at, words) in words.iter().enumerate() {
        if at > 0 && *words <= newer {
            alike = at + 1;
        }
        newer += words;
    }
    alike
}
