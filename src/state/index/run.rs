//! Many words that were written together, in key order, in a file of their own.
//!
//! The tree holds a run's facts under its number. The invariant: a file without facts is no run; it is left over, and goes
//! when the tree on disk does not name it either.

use std::ops::Bound;
use std::path::Path;

use bytes::Bytes;
use fastbloom::BloomFilter;

use super::block::{self, Block};
use super::file::{self, Blocks, Tail, Writer};
use super::merge::{Said, Word, Words};
use crate::model::hash::ContentHash;
use crate::port::store::Op;
use crate::state::sled_error::Failure;

/// The table of facts.
const FACTS: u8 = 1;

/// A block is full with so many bytes.
const BLOCK_BYTES: usize = 8000;
/// How many keys that a run does not have are looked for in it all the same.
const UNSURE: f64 = 0.03;

/// A run, and what is kept of it in memory.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) id: u32,
    /// The higher, the newer are its words.
    pub(super) rank: u32,
    pub(super) words: u64,
    filter: BloomFilter,
    blocks: Blocks,
    tail: Tail,
}

/// The runs of a tree, the newest first, and the numbers of files that are left over.
pub(super) fn load_all(tree: &sled::Tree, folder: &Path) -> Result<(Vec<Run>, Vec<u32>), Failure> {
    let mut runs = Vec::new();
    for pair in tree.scan_prefix([FACTS]) {
        let (key, facts) = pair?;
        let id = key[1..].try_into().map(u32::from_be_bytes);
        runs.push(Run::open(folder, id.map_err(|_| broken())?, &facts)?);
    }
    runs.sort_by_key(|run| std::cmp::Reverse(run.rank));
    let mut left = file::numbers(folder)?;
    left.retain(|id| runs.iter().all(|run| run.id != *id));
    Ok((runs, left))
}

impl Run {
    /// Writes the file of at most `most` words; it is a run when [`Run::put`] is in the tree.
    pub(super) fn write(
        folder: &Path,
        (id, rank): (u32, u32),
        most: usize,
        words: impl Iterator<Item = Result<Word, Failure>>,
    ) -> Result<Self, Failure> {
        let mut filter = BloomFilter::with_false_pos(UNSURE).expected_items(most.max(1));
        let mut writer = Writer::create(folder, id)?;
        let (mut count, mut block, mut bytes) = (0, Vec::new(), 0);
        for word in words {
            let word = word?;
            filter.insert_hash(hash(&word.0));
            count += 1;
            let size = block::size(&word);
            if bytes + size > BLOCK_BYTES {
                writer.append(&block)?;
                block.clear();
                bytes = 0;
            }
            bytes += size;
            block.push(word);
        }
        writer.append(&block)?;
        let (blocks, tail) = writer.finish(&filter)?;
        Ok(Self { id, rank, words: count, filter, blocks, tail })
    }

    /// What makes it a run.
    pub(super) fn put(&self) -> Op {
        Op::Put(key(self.id), facts(self.rank, self.words, self.tail))
    }

    /// What ends it.
    pub(super) fn delete(&self) -> Op {
        Op::Delete(key(self.id))
    }

    fn open(folder: &Path, id: u32, facts: &[u8]) -> Result<Self, Failure> {
        let (rank, words, tail) = read(facts).ok_or_else(broken)?;
        let (blocks, filter) = Blocks::open(folder, id, tail)?;
        let mut run = Self { id, rank, words, filter, blocks, tail };
        run.check_filter()?;
        Ok(run)
    }

    /// Makes the filter anew where it does not know the run's first words: then another version made it.
    fn check_filter(&mut self) -> Result<(), Failure> {
        let first = self.chunk(Bound::Unbounded)?.words;
        if first.iter().all(|(key, _)| self.filter.contains_hash(hash(key))) {
            return Ok(());
        }
        let words = usize::try_from(self.words).unwrap_or(usize::MAX);
        let mut filter = BloomFilter::with_false_pos(UNSURE).expected_items(words.max(1));
        for word in self.all() {
            filter.insert_hash(hash(&word?.0));
        }
        self.filter = filter;
        Ok(())
    }

    pub(super) fn may_have(&self, hash: u64) -> bool {
        self.filter.contains_hash(hash)
    }

    /// What is said of a key, if anything is.
    pub(super) fn find(&self, key: &[u8], hash: u64) -> Result<Option<Said<Bytes>>, Failure> {
        if !self.may_have(hash) {
            return Ok(None);
        }
        let Some(home) = self.blocks.home(key) else { return Ok(None) };
        let block = self.blocks.read(home)?;
        let found = Block::parse(&block)?.find(key)?;
        Ok(found.map(|said| Said::of(said.value().map(Bytes::copy_from_slice))))
    }

    /// The words from a key on that lie in one block, the first that has any.
    pub(super) fn chunk(&self, from: Bound<&[u8]>) -> Result<Chunk, Failure> {
        let (key, itself): (&[u8], bool) = match from {
            Bound::Included(key) => (key, true),
            Bound::Excluded(key) => (key, false),
            Bound::Unbounded => (&[], true),
        };
        let inside = |it: &[u8]| it > key || (itself && it == key);
        for block in self.blocks.home(key).unwrap_or(0)..self.blocks.count() {
            let words: Result<Vec<Word>, _> = Block::parse(&self.blocks.read(block)?)?
                .unpack()
                .filter(|word| word.as_ref().map_or(true, |(it, _)| inside(it)))
                .collect();
            let words = words?;
            if !words.is_empty() {
                return Ok(Chunk { words, end: self.blocks.fence(block + 1).map(<[u8]>::to_vec) });
            }
        }
        Ok(Chunk { words: Vec::new(), end: None })
    }

    /// All words.
    pub(super) fn all(&self) -> Words<'_> {
        Box::new((0..self.blocks.count()).flat_map(|block| -> Vec<Result<Word, Failure>> {
            let packed = self.blocks.read(block);
            let unpacked = packed.and_then(|packed| Ok(Block::parse(&packed)?.unpack().collect()));
            unpacked.unwrap_or_else(|failure| vec![Err(failure)])
        }))
    }

    /// Bytes on disk.
    pub(super) fn size(&self) -> u64 {
        self.tail.at + self.tail.len
    }
}

/// A stretch of a run.
pub(super) struct Chunk {
    pub(super) words: Vec<Word>,
    /// Up to where there are no others; `None` at the run's end.
    pub(super) end: Option<Vec<u8>>,
}

/// A key as filters know it.
pub(super) fn hash(key: &[u8]) -> u64 {
    ContentHash::of(key).0.first_chunk().map_or(0, |first| u64::from_be_bytes(*first))
}

pub(super) fn facts(rank: u32, words: u64, Tail { at, len, check }: Tail) -> Vec<u8> {
    let mut facts = Vec::with_capacity(44);
    facts.extend_from_slice(&rank.to_be_bytes());
    facts.extend_from_slice(&words.to_be_bytes());
    facts.extend_from_slice(&at.to_be_bytes());
    facts.extend_from_slice(&len.to_be_bytes());
    facts.extend_from_slice(&check.0);
    facts
}

/// Rank, count of words and tail of a run's facts.
fn read(facts: &[u8]) -> Option<(u32, u64, Tail)> {
    let (rank, rest) = facts.split_first_chunk()?;
    let (words, rest) = rest.split_first_chunk()?;
    let (at, rest) = rest.split_first_chunk()?;
    let (len, check) = rest.split_first_chunk()?;
    let check = ContentHash(check.try_into().ok()?);
    let tail = Tail { at: u64::from_be_bytes(*at), len: u64::from_be_bytes(*len), check };
    Some((u32::from_be_bytes(*rank), u64::from_be_bytes(*words), tail))
}

/// Where a run's facts lie.
pub(super) fn key(id: u32) -> Vec<u8> {
    let [a, b, c, d] = id.to_be_bytes();
    vec![FACTS, a, b, c, d]
}

fn broken() -> Failure {
    Failure::Damaged("the facts of a run of small values are broken".to_owned())
}
