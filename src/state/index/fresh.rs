//! What was written last and lies in memory only: the newest word on each key, in key order.
//!
//! The words lie one after the other in pieces of memory of their own. They all go at once, and then the pieces go back
//! whole; words that each had their own place would leave holes among what stays.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::ops::Bound;

use bytes::{BufMut as _, Bytes, BytesMut};

use super::merge::{Said, Word};
use crate::port::store::Op;

/// What a word costs in memory beside its bytes, about.
const PER_WORD: usize = 64;
/// Bytes of the first piece, and of the others. Of a piece that is not full the rest was not touched and takes no memory;
/// one of a mebibyte the allocator gives back by itself.
const PIECES: (usize, usize) = (32 << 10, 1 << 20);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Fresh {
    words: BTreeSet<Kept>,
    /// What is left of the newest piece.
    room: BytesMut,
    bytes: usize,
}

/// A word in a piece.
#[derive(Debug)]
struct Kept {
    /// The key, and after it the value.
    text: Bytes,
    key: u32,
    gone: bool,
}

impl Fresh {
    /// What is said of a key, if anything is.
    pub(super) fn get(&self, key: &[u8]) -> Option<Said<&[u8]>> {
        self.words.get(key).map(|kept| Said::of(kept.value()))
    }

    pub(super) fn put(&mut self, op: Op) {
        let (key, value) = match op {
            Op::Put(key, value) => (key, Some(value)),
            Op::Delete(key) => (key, None),
        };
        let gone = value.is_none();
        let text = self.keep(&key, &value.unwrap_or_default());
        self.bytes += PER_WORD + text.len();
        let key = u32::try_from(key.len()).unwrap_or(u32::MAX);
        self.words.replace(Kept { text, key, gone });
    }

    /// The words from a key on.
    pub(super) fn range(&self, from: Bound<&[u8]>) -> impl Iterator<Item = Word> {
        let words = self.words.range::<[u8], _>((from, Bound::Unbounded));
        words.map(|kept| (kept.key().to_vec(), kept.value().map(<[u8]>::to_vec)))
    }

    pub(super) fn len(&self) -> usize {
        self.words.len()
    }

    /// Bytes of memory, about; a key that is written again counts again.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    fn keep(&mut self, key: &[u8], value: &[u8]) -> Bytes {
        let len = key.len() + value.len();
        if self.room.capacity() < len {
            let (first, others) = PIECES;
            let piece = if self.words.is_empty() { first } else { others };
            self.room = BytesMut::with_capacity(piece.max(len));
        }
        self.room.put_slice(key);
        self.room.put_slice(value);
        self.room.split().freeze()
    }
}

impl Kept {
    fn key(&self) -> &[u8] {
        &self.text[..self.key as usize]
    }

    fn value(&self) -> Option<&[u8]> {
        (!self.gone).then(|| &self.text[self.key as usize..])
    }
}

impl Borrow<[u8]> for Kept {
    fn borrow(&self) -> &[u8] {
        self.key()
    }
}

impl Ord for Kept {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(other.key())
    }
}

impl PartialOrd for Kept {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Kept {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Kept {}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(key: &str, value: Vec<u8>) -> Op {
        Op::Put(key.into(), value)
    }

    #[test]
    fn words_of_any_size_are_read_back_from_their_pieces() {
        let mut fresh = Fresh::default();
        let sizes = [0, 1, PIECES.0, PIECES.1 - 1, PIECES.1 + 1, 3, PIECES.1 / 2, PIECES.1 / 2, 7];
        let value = |at: usize| vec![at.to_le_bytes()[0]; sizes[at]];
        for at in 0..sizes.len() {
            fresh.put(put(&format!("key/{at}"), value(at)));
        }
        for at in 0..sizes.len() {
            let said = fresh.get(format!("key/{at}").as_bytes());
            assert!(said == Some(Said::Here(&value(at))), "{at}");
        }
        assert_eq!(fresh.get(b"key"), None);
    }

    #[test]
    fn the_newest_word_on_a_key_counts_and_every_word_takes_its_bytes() {
        let mut fresh = Fresh::default();
        fresh.put(put("b", vec![1]));
        fresh.put(put("", vec![]));
        fresh.put(put("a", vec![2]));
        fresh.put(Op::Delete(b"b".to_vec()));
        assert_eq!(fresh.get(b"b"), Some(Said::Gone));
        assert_eq!(fresh.get(b""), Some(Said::Here(&[][..])));
        let from = |from| fresh.range(from).collect::<Vec<Word>>();
        let (a, b) = ((b"a".to_vec(), Some(vec![2])), (b"b".to_vec(), None));
        assert_eq!(from(Bound::Excluded(b"")), [a, b.clone()]);
        assert_eq!(from(Bound::Excluded(b"a")), [b]);
        assert_eq!((fresh.len(), fresh.bytes()), (3, 4 * PER_WORD + 5));
    }
}
