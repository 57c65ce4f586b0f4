//! Words packed into one value, in key order: the prefix that all their keys share, then per word the length of the key's
//! rest, the length of the value and one (nought for a key that is gone), the rest, the value. Lengths are LEB128.
//!
//! Not for knowing where a block lies; that is [`super::run`]. The invariant: what was packed is read back, and bytes that
//! were not packed here are a failure, never a panic.

use super::merge::{Said, Word};
use crate::state::sled_error::Failure;

/// A packed block.
pub(super) struct Block<'b> {
    prefix: &'b [u8],
    words: &'b [u8],
}

impl<'b> Block<'b> {
    pub(super) fn parse(bytes: &'b [u8]) -> Result<Self, Failure> {
        let mut rest = bytes;
        let len = length(&mut rest)?;
        Ok(Self { prefix: take(&mut rest, len)?, words: rest })
    }

    /// What is said of a key, if anything is.
    pub(super) fn find(&self, key: &[u8]) -> Result<Option<Said<&'b [u8]>>, Failure> {
        let Some(wanted) = key.strip_prefix(self.prefix) else { return Ok(None) };
        for word in self.words() {
            let (rest, value) = word?;
            if rest >= wanted {
                return Ok((rest == wanted).then_some(Said::of(value)));
            }
        }
        Ok(None)
    }

    /// All words.
    pub(super) fn unpack(&self) -> impl Iterator<Item = Result<Word, Failure>> + use<'b> {
        let prefix = self.prefix;
        self.words().map(move |word| {
            let (rest, value) = word?;
            Ok(([prefix, rest].concat(), value.map(<[u8]>::to_vec)))
        })
    }

    fn words(&self) -> impl Iterator<Item = Result<Borrowed<'b>, Failure>> + use<'b> {
        let mut left = self.words;
        std::iter::from_fn(move || {
            let word = (!left.is_empty()).then(|| word(&mut left))?;
            if word.is_err() {
                // Nothing is read beyond what is broken.
                left = &[];
            }
            Some(word)
        })
    }
}

/// The rest of a key, and its value.
type Borrowed<'b> = (&'b [u8], Option<&'b [u8]>);

fn word<'b>(left: &mut &'b [u8]) -> Result<Borrowed<'b>, Failure> {
    let (rest, value) = (length(left)?, length(left)?);
    let rest = take(left, rest)?;
    let value = value.checked_sub(1).map(|len| take(left, len)).transpose()?;
    Ok((rest, value))
}

/// Packs words in key order.
pub(super) fn pack(words: &[Word]) -> Vec<u8> {
    let prefix = match words {
        [(first, _), .., (last, _)] => first.iter().zip(last).take_while(|(a, b)| a == b).count(),
        [(only, _)] => only.len(),
        [] => 0,
    };
    let mut out = Vec::with_capacity(prefix + 4 + words.iter().map(size).sum::<usize>());
    put_length(&mut out, prefix);
    out.extend(words.first().iter().flat_map(|(key, _)| &key[..prefix]));
    for (key, value) in words {
        put_length(&mut out, key.len() - prefix);
        put_length(&mut out, value.as_ref().map_or(0, |value| value.len() + 1));
        out.extend_from_slice(&key[prefix..]);
        out.extend_from_slice(value.as_deref().unwrap_or_default());
    }
    out
}

/// What a word takes in a block, about.
pub(super) fn size((key, value): &Word) -> usize {
    key.len() + value.as_ref().map_or(0, Vec::len) + 3
}

fn put_length(out: &mut Vec<u8>, mut length: usize) {
    while length > 0x7f {
        out.push(length.to_le_bytes()[0] | 0x80);
        length >>= 7;
    }
    out.push(length.to_le_bytes()[0]);
}

fn length(left: &mut &[u8]) -> Result<usize, Failure> {
    let mut length = 0;
    for shift in (0..usize::BITS - 7).step_by(7) {
        let (&byte, rest) = left.split_first().ok_or_else(broken)?;
        *left = rest;
        length |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(length);
        }
    }
    Err(broken())
}

fn take<'b>(left: &mut &'b [u8], len: usize) -> Result<&'b [u8], Failure> {
    let (taken, rest) = left.split_at_checked(len).ok_or_else(broken)?;
    *left = rest;
    Ok(taken)
}

fn broken() -> Failure {
    Failure::Damaged("a block of small values is broken".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(keys: &[&str]) -> Vec<Word> {
        let value = |key: &str| (!key.ends_with('-')).then(|| key.repeat(40).into_bytes());
        keys.iter().map(|key| (key.as_bytes().to_vec(), value(key))).collect()
    }

    fn unpacked(bytes: &[u8]) -> Result<Vec<Word>, Failure> {
        Block::parse(bytes)?.unpack().collect()
    }

    #[test]
    fn what_is_packed_is_read_back() {
        for keys in [&["", "a", "ab-", "b"][..], &["x/1", "x/10", "x/2-"], &["alone"], &[]] {
            let words = words(keys);
            let packed = pack(&words);
            assert_eq!(unpacked(&packed).unwrap(), words);
            let block = Block::parse(&packed).unwrap();
            for (key, value) in &words {
                assert_eq!(block.find(key).unwrap(), Some(Said::of(value.as_deref())));
            }
            for absent in ["x", "x/", "x/11", "x/3", "alone!", "aa", "c"] {
                assert_eq!(block.find(absent.as_bytes()).unwrap(), None, "{absent} in {keys:?}");
            }
        }
    }

    #[test]
    fn a_block_cut_anywhere_is_a_failure_or_shorter_and_no_panic() {
        let all = words(&["x/1", "x/10", "x/2-"]);
        let packed = pack(&all);
        for end in 0..packed.len() {
            if let Ok(read) = unpacked(&packed[..end]) {
                assert!(read.len() < all.len() && all.starts_with(&read), "{end}: {read:?}");
            }
        }
        assert!(unpacked(&[0xff; 12]).is_err());
    }
}
