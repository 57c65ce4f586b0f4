//! The words that lie loose: each a pair of the tree's own, all on one pile.
//!
//! When a run has taken them in, the tree names it and the next pile in one batch, and what lies on earlier piles counts no
//! more. It is cleared away little by little: thousands of deletions at once keep everybody waiting, often for a tenth of a
//! second. The invariant: an earlier pile is cleared only when the tree names a later one.

use std::ops::Bound;

use bytes::Bytes;

use super::merge::{Said, Word, Words};
use crate::port::store::Op;
use crate::state::sled_error::Failure;
use crate::state::trees::apply;

/// The table of loose words in format 2, which had no piles; [`super::run`] has the next.
const BEFORE: u8 = 0;
/// The table of loose words: after it the pile's number, then the word's key.
const LOOSE: u8 = 2;
/// Where the number of the pile that counts is. While it is missing, that is the first.
const NUMBER: &[u8] = &[3];
/// What a loose word says of its key.
const GONE: u8 = 0;
const HERE: u8 = 1;
/// Words moved or cleared away at once.
const BATCH: usize = 256;

/// The pile that counts.
#[derive(Debug)]
pub(super) struct Pile {
    pub(super) number: u32,
    /// How many words lie on it, about: one that is written again counts again.
    pub(super) words: usize,
}

impl Pile {
    /// The pile of a tree; its words are counted up to `most`.
    pub(super) fn open(tree: &sled::Tree, most: usize) -> Result<Self, Failure> {
        let number = match tree.get(NUMBER)? {
            Some(number) => u32::from_be_bytes(number.as_ref().try_into().map_err(|_| broken())?),
            None => 0,
        };
        let words = tree.scan_prefix(start(number)).keys().take(most).count();
        Ok(Self { number, words })
    }

    /// What is said of a key, if anything is.
    pub(super) fn find(
        &self,
        tree: &sled::Tree,
        key: &[u8],
    ) -> Result<Option<Said<Bytes>>, Failure> {
        if self.words == 0 {
            return Ok(None);
        }
        let Some(word) = tree.get(self.at(key))? else { return Ok(None) };
        Ok(Some(Said::of(value(&word)?.map(Bytes::copy_from_slice))))
    }

    /// The words from a key on.
    pub(super) fn range(&self, tree: &sled::Tree, from: Bound<&[u8]>) -> Words<'static> {
        let from = match from {
            Bound::Included(key) => Bound::Included(self.at(key)),
            Bound::Excluded(key) => Bound::Excluded(self.at(key)),
            Bound::Unbounded => Bound::Included(self.at(&[])),
        };
        let end = Bound::Excluded(start(self.number + 1).to_vec());
        Box::new(tree.range((from, end)).map(|pair| {
            let (key, word) = pair?;
            Ok((key[start(0).len()..].to_vec(), value(&word)?.map(<[u8]>::to_vec)))
        }))
    }

    /// What lays a word on the pile. That a key is gone needs no word where no run can have it.
    pub(super) fn put(&self, (key, value): Word, may_lie_in_run: impl Fn(&[u8]) -> bool) -> Op {
        match value {
            Some(value) => Op::Put(self.at(&key), [&[HERE], value.as_slice()].concat()),
            None if may_lie_in_run(&key) => Op::Put(self.at(&key), vec![GONE]),
            None => Op::Delete(self.at(&key)),
        }
    }

    /// The next pile, which is empty, and what makes it the one that counts.
    pub(super) fn next(&self) -> (Self, Op) {
        let number = self.number + 1;
        (Self { number, words: 0 }, Op::Put(NUMBER.to_vec(), number.to_be_bytes().to_vec()))
    }

    fn at(&self, key: &[u8]) -> Vec<u8> {
        [&start(self.number), key].concat()
    }
}

/// Clears away at most `most` words of piles before the one with a number, which counts.
pub(super) fn clear(tree: &sled::Tree, number: u32, most: usize) -> Result<(), Failure> {
    let mut keys = tree.range(start(0)..start(number)).keys().take(most).peekable();
    while keys.peek().is_some() {
        let batch = keys.by_ref().take(BATCH);
        let ops: Result<Vec<Op>, sled::Error> =
            batch.map(|key| Ok(Op::Delete(key?.to_vec()))).collect();
        apply(tree, ops?)?;
    }
    Ok(())
}

/// Lays the words of format 2 on the first pile. Run again after a crash, it goes on.
pub(super) fn pile(tree: &sled::Tree) -> Result<(), Failure> {
    let first = Pile { number: 0, words: 0 };
    let mut words = tree.scan_prefix([BEFORE]).peekable();
    while words.peek().is_some() {
        let mut ops = Vec::with_capacity(2 * BATCH);
        for word in words.by_ref().take(BATCH) {
            let (key, word) = word?;
            ops.push(Op::Put(first.at(&key[1..]), word.to_vec()));
            ops.push(Op::Delete(key.to_vec()));
        }
        apply(tree, ops)?;
    }
    Ok(())
}

/// Where a pile begins.
fn start(number: u32) -> [u8; 5] {
    let [a, b, c, d] = number.to_be_bytes();
    [LOOSE, a, b, c, d]
}

/// What a loose word says.
fn value(word: &[u8]) -> Result<Option<&[u8]>, Failure> {
    match word.split_first() {
        Some((&HERE, value)) => Ok(Some(value)),
        Some((&GONE, [])) => Ok(None),
        Some(_) | None => Err(broken()),
    }
}

fn broken() -> Failure {
    Failure::Damaged("a small value has a form that is not known".to_owned())
}
