//! Many words that were written together, in blocks, in key order; never changed.
//!
//! A run's blocks lie under its number and each block's first key, its facts under its number alone. The invariant: a run
//! without facts is none; whatever of it lies in the tree is left over.

use std::ops::Bound;

use bytes::Bytes;
use fastbloom::BloomFilter;

use super::block::{self, Block};
use super::merge::{Said, Word, Words};
use crate::model::hash::ContentHash;
use crate::port::store::Op;
use crate::state::sled_error::Failure;
use crate::state::trees::apply;

/// Tables of the tree.
const BLOCKS: u8 = 1;
const FACTS: u8 = 2;

/// A block is full with so many bytes.
const BLOCK_BYTES: usize = 1200;
/// Blocks written, or removed, at once.
const BATCH: usize = 64;
/// How many keys that a run does not have are looked for in it all the same.
const UNSURE: f64 = 0.01;

/// A run, and what is kept of it in memory.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) id: u32,
    /// The higher, the newer are its words.
    pub(super) rank: u32,
    pub(super) words: u64,
    filter: BloomFilter,
}

impl Run {
    /// All runs of a tree, the newest first. What others left is removed.
    pub(super) fn load_all(tree: &sled::Tree) -> Result<Vec<Self>, Failure> {
        let mut runs = Vec::new();
        for pair in tree.scan_prefix([FACTS]) {
            let (key, value) = pair?;
            let id = key[1..].try_into().map(u32::from_be_bytes);
            runs.push(Self::read(id.map_err(|_| broken())?, &value)?);
        }
        runs.sort_by_key(|run| std::cmp::Reverse(run.rank));
        let mut next = Some(0);
        while let Some(from) = next {
            let first = tree.range(number(BLOCKS, from)..[FACTS].to_vec()).next().transpose()?;
            let id =
                first.and_then(|(key, _)| Some(u32::from_be_bytes(*key.get(1..)?.first_chunk()?)));
            if let Some(id) = id.filter(|id| runs.iter().all(|run| run.id != *id)) {
                remove(tree, id)?;
            }
            next = id.and_then(|id| id.checked_add(1));
        }
        for run in &mut runs {
            run.check_filter(tree)?;
        }
        Ok(runs)
    }

    /// Writes the blocks of at most `most` words; they are a run when [`Run::put`] is in the tree.
    pub(super) fn write(
        tree: &sled::Tree,
        (id, rank): (u32, u32),
        most: usize,
        words: impl Iterator<Item = Result<Word, Failure>>,
    ) -> Result<Self, Failure> {
        let filter = BloomFilter::with_false_pos(UNSURE).expected_items(most.max(1));
        let mut run = Self { id, rank, words: 0, filter };
        let (mut blocks, mut block, mut bytes) = (Vec::new(), Vec::new(), 0);
        for word in words {
            let word = word?;
            run.filter.insert_hash(hash(&word.0));
            run.words += 1;
            let size = block::size(&word);
            if !block.is_empty() && bytes + size > BLOCK_BYTES {
                blocks.push(run.packed(&block));
                block.clear();
                bytes = 0;
                if blocks.len() == BATCH {
                    apply(tree, std::mem::take(&mut blocks))?;
                }
            }
            bytes += size;
            block.push(word);
        }
        if !block.is_empty() {
            blocks.push(run.packed(&block));
        }
        apply(tree, blocks)?;
        Ok(run)
    }

    fn packed(&self, block: &[Word]) -> Op {
        let mut key = number(BLOCKS, self.id);
        key.extend(block.first().iter().flat_map(|(first, _)| first));
        Op::Put(key, block::pack(block))
    }

    /// What makes it a run.
    pub(super) fn put(&self) -> Op {
        let mut facts = Vec::new();
        facts.extend_from_slice(&self.rank.to_be_bytes());
        facts.extend_from_slice(&self.words.to_be_bytes());
        facts.extend_from_slice(&self.filter.num_hashes().to_be_bytes());
        facts.extend(self.filter.as_slice().iter().flat_map(|bits| bits.to_be_bytes()));
        Op::Put(number(FACTS, self.id), facts)
    }

    /// What ends it.
    pub(super) fn delete(&self) -> Op {
        Op::Delete(number(FACTS, self.id))
    }

    fn read(id: u32, facts: &[u8]) -> Result<Self, Failure> {
        let (rank, rest) = facts.split_first_chunk().ok_or_else(broken)?;
        let (words, rest) = rest.split_first_chunk().ok_or_else(broken)?;
        let (hashes, rest) = rest.split_first_chunk().ok_or_else(broken)?;
        let (bits, rest) = rest.as_chunks();
        if bits.is_empty() || !rest.is_empty() {
            return Err(broken());
        }
        let bits = bits.iter().map(|bits| u64::from_be_bytes(*bits)).collect();
        let filter = BloomFilter::from_vec(bits).hashes(u32::from_be_bytes(*hashes));
        let (rank, words) = (u32::from_be_bytes(*rank), u64::from_be_bytes(*words));
        Ok(Self { id, rank, words, filter })
    }

    /// Makes the filter anew where it does not know the run's first words: then another version made it.
    fn check_filter(&mut self, tree: &sled::Tree) -> Result<(), Failure> {
        let first = self.chunk(tree, Bound::Unbounded)?.words;
        if first.iter().all(|(key, _)| self.filter.contains_hash(hash(key))) {
            return Ok(());
        }
        let words = usize::try_from(self.words).unwrap_or(usize::MAX);
        let mut filter = BloomFilter::with_false_pos(UNSURE).expected_items(words.max(1));
        for word in self.all(tree) {
            filter.insert_hash(hash(&word?.0));
        }
        self.filter = filter;
        Ok(())
    }

    pub(super) fn may_have(&self, hash: u64) -> bool {
        self.filter.contains_hash(hash)
    }

    /// What is said of a key, if anything is.
    pub(super) fn find(
        &self,
        tree: &sled::Tree,
        key: &[u8],
        hash: u64,
    ) -> Result<Option<Said<Bytes>>, Failure> {
        if !self.may_have(hash) {
            return Ok(None);
        }
        let Some(block) = self.block(tree, key)? else { return Ok(None) };
        let found = Block::parse(&block)?.find(key)?;
        Ok(found.map(|said| Said::of(said.value().map(Bytes::copy_from_slice))))
    }

    /// The block in which a key would be.
    fn block(&self, tree: &sled::Tree, key: &[u8]) -> Result<Option<sled::IVec>, Failure> {
        let from = number(BLOCKS, self.id);
        let last = tree.range(from.clone()..=[from, key.to_vec()].concat()).next_back();
        Ok(last.transpose()?.map(|(_, block)| block))
    }

    /// The words from a key on that lie in one block, the first that has any.
    pub(super) fn chunk(&self, tree: &sled::Tree, from: Bound<&[u8]>) -> Result<Chunk, Failure> {
        let prefix = number(BLOCKS, self.id);
        let (key, itself): (&[u8], bool) = match from {
            Bound::Included(key) => (key, true),
            Bound::Excluded(key) => (key, false),
            Bound::Unbounded => (&[], true),
        };
        let inside = |it: &[u8]| it > key || (itself && it == key);
        let mut at = [&prefix, key].concat();
        if let Some(home) = tree.range(prefix.clone()..=at.clone()).next_back() {
            at = home?.0.to_vec();
        }
        let mut blocks = tree.range(at..number(BLOCKS, self.id + 1));
        while let Some(block) = blocks.next() {
            let words: Result<Vec<Word>, _> = Block::parse(&block?.1)?
                .unpack()
                .filter(|word| word.as_ref().map_or(true, |(it, _)| inside(it)))
                .collect();
            let words = words?;
            if !words.is_empty() {
                let end = blocks.next().transpose()?.map(|(key, _)| key[prefix.len()..].to_vec());
                return Ok(Chunk { words, end });
            }
        }
        Ok(Chunk { words: Vec::new(), end: None })
    }

    /// All words.
    pub(super) fn all<'w>(&self, tree: &'w sled::Tree) -> Words<'w> {
        let blocks = tree.scan_prefix(number(BLOCKS, self.id));
        Box::new(blocks.flat_map(|block| -> Vec<Result<Word, Failure>> {
            let unpacked = block
                .map_err(Failure::from)
                .and_then(|(_, block)| Ok(Block::parse(&block)?.unpack().collect()));
            unpacked.unwrap_or_else(|failure| vec![Err(failure)])
        }))
    }

    /// Removes its blocks, once it is no run any more.
    pub(super) fn remove(&self, tree: &sled::Tree) -> Result<(), Failure> {
        remove(tree, self.id)
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

fn number(table: u8, id: u32) -> Vec<u8> {
    let [a, b, c, d] = id.to_be_bytes();
    vec![table, a, b, c, d]
}

fn remove(tree: &sled::Tree, id: u32) -> Result<(), Failure> {
    let mut keys = tree.scan_prefix(number(BLOCKS, id)).keys().peekable();
    while keys.peek().is_some() {
        let ops: Result<Vec<Op>, sled::Error> =
            keys.by_ref().take(BATCH).map(|key| key.map(|key| Op::Delete(key.to_vec()))).collect();
        apply(tree, ops?)?;
    }
    Ok(())
}

fn broken() -> Failure {
    Failure::Damaged("the facts of a run of small values are broken".to_owned())
}
