//! Several sorted streams of words as one, the newer word on a key winning.

use std::iter::Peekable;

use crate::state::sled_error::Failure;

/// A key and its value, or that the key is gone.
pub(super) type Word = (Vec<u8>, Option<Vec<u8>>);

/// What is said of one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said<T> {
    /// It has this value.
    Here(T),
    /// It is gone.
    Gone,
}

impl<T> Said<T> {
    pub(super) fn of(value: Option<T>) -> Self {
        value.map_or(Self::Gone, Self::Here)
    }

    pub(super) fn value(self) -> Option<T> {
        match self {
            Self::Here(value) => Some(value),
            Self::Gone => None,
        }
    }
}

/// Words in key order, no key twice.
pub(super) type Words<'w> = Box<dyn Iterator<Item = Result<Word, Failure>> + 'w>;

/// See the module.
pub(super) struct Merge<'w> {
    /// The newest first.
    streams: Vec<Peekable<Words<'w>>>,
}

impl<'w> Merge<'w> {
    /// Merges streams, the newest first.
    pub(super) fn new(streams: impl IntoIterator<Item = Words<'w>>) -> Self {
        Self { streams: streams.into_iter().map(Iterator::peekable).collect() }
    }

    /// The stream with the smallest key, the newest of those; a failure counts as the smallest.
    fn first(&mut self) -> Option<usize> {
        let mut first: Option<(usize, Option<&[u8]>)> = None;
        for (at, stream) in self.streams.iter_mut().enumerate() {
            let Some(word) = stream.peek() else { continue };
            let key = word.as_ref().ok().map(|(key, _)| key.as_slice());
            if first.is_none_or(|(_, smallest)| key < smallest) {
                first = Some((at, key));
            }
        }
        first.map(|(at, _)| at)
    }
}

impl Iterator for Merge<'_> {
    type Item = Result<Word, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        let at = self.first()?;
        let word = self.streams[at].next()?;
        if let Ok((key, _)) = &word {
            for older in &mut self.streams[at + 1..] {
                drop(older.next_if(|it| it.as_ref().is_ok_and(|(known, _)| known == key)));
            }
        }
        Some(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(words: &'static [(&str, &str)]) -> Words<'static> {
        let word = |(key, value): &(&str, &str)| {
            Ok((key.as_bytes().to_vec(), (!value.is_empty()).then(|| value.as_bytes().to_vec())))
        };
        Box::new(words.iter().map(word))
    }

    fn told(merge: Merge<'_>) -> Vec<String> {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        merge
            .map(|word| {
                let (key, value) = word.unwrap();
                format!("{}={}", text(key), value.map_or_else(|| "gone".to_owned(), text))
            })
            .collect()
    }

    #[test]
    fn the_newest_word_on_a_key_is_the_one_that_counts() {
        let newest = stream(&[("b", ""), ("d", "3")]);
        let middle = stream(&[("a", "2"), ("b", "2")]);
        let oldest = stream(&[("a", "1"), ("b", "1"), ("c", "1"), ("d", "1"), ("e", "")]);
        let merged = told(Merge::new([newest, middle, oldest]));
        assert_eq!(merged, ["a=2", "b=gone", "c=1", "d=3", "e=gone"]);
        assert!(told(Merge::new([])).is_empty());
    }

    #[test]
    fn a_failure_comes_out_before_anything_it_could_hide() {
        let failing: Words<'_> = Box::new([Err(Failure::Panicked)].into_iter());
        let mut merge = Merge::new([stream(&[("a", "1")]), failing]);
        assert!(merge.next().unwrap().is_err());
    }
}
