//! What was written last and lies in memory only: the newest word on each key, in key order.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::merge::{Said, Word};
use crate::port::store::Op;

/// What a word costs in memory beside its bytes, about.
const PER_WORD: usize = 64;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Fresh {
    words: BTreeMap<Box<[u8]>, Option<Box<[u8]>>>,
    bytes: usize,
}

impl Fresh {
    /// What is said of a key, if anything is.
    pub(super) fn get(&self, key: &[u8]) -> Option<Said<&[u8]>> {
        self.words.get(key).map(|value| Said::of(value.as_deref()))
    }

    pub(super) fn put(&mut self, op: Op) {
        let (key, value) = match op {
            Op::Put(key, value) => (key, Some(value.into_boxed_slice())),
            Op::Delete(key) => (key, None),
        };
        self.bytes += PER_WORD + key.len() + value.as_ref().map_or(0, |value| value.len());
        self.words.insert(key.into_boxed_slice(), value);
    }

    /// The words from a key on.
    pub(super) fn range(&self, from: Bound<&[u8]>) -> impl Iterator<Item = Word> {
        let words = self.words.range::<[u8], _>((from, Bound::Unbounded));
        words.map(|(key, value)| (key.to_vec(), value.as_deref().map(<[u8]>::to_vec)))
    }

    pub(super) fn len(&self) -> usize {
        self.words.len()
    }

    /// Bytes of memory, about; a key that is written again counts again.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}
