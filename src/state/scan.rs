//! A scan of a store on disk.
//!
//! The invariant: it holds a few pairs at a time and, between two of them, no lock.

use std::ops::Bound;

use bytes::Bytes;

use super::SledStore;
use super::sled_error::Failure;
use super::trees::Trees;
use crate::port::store::{Pair, Space, StoreError};

/// A scan under way.
pub(super) struct Scan<'s> {
    store: &'s SledStore,
    prefix: Vec<u8>,
    state: State,
}

enum State {
    Index(Sight),
    Blob(Box<sled::Iter>),
    Failed(StoreError),
    Done,
}

/// Small pairs that were looked at and not given out, and where to look next.
struct Sight {
    pairs: std::vec::IntoIter<Pair>,
    next: Option<Bound<Vec<u8>>>,
}

impl<'s> Scan<'s> {
    pub(super) fn new(
        store: &'s SledStore,
        space: Space,
        prefix: &[u8],
        after: Option<&[u8]>,
    ) -> Self {
        let start = match after {
            Some(key) if key >= prefix => Bound::Excluded(key),
            Some(_) | None => Bound::Included(prefix),
        };
        let state = match space {
            Space::Index => {
                let next = Some(start.map(<[u8]>::to_vec));
                State::Index(Sight { pairs: Vec::new().into_iter(), next })
            }
            Space::Blob => match store.run(|trees| Ok(trees.blobs().range(start))) {
                Ok(pairs) => State::Blob(Box::new(pairs)),
                Err(error) => State::Failed(error),
            },
        };
        Self { store, prefix: prefix.to_vec(), state }
    }

    /// The next large value with the prefix; those that are deleted while they are read are passed over.
    fn blob(&self, pairs: &mut sled::Iter, trees: &Trees) -> Result<Option<Pair>, Failure> {
        for pair in pairs {
            let (key, stored) = pair?;
            if !key.starts_with(&self.prefix) {
                break;
            }
            if let Some(value) = trees.blobs().resolve(&key, stored)? {
                return Ok(Some((Bytes::copy_from_slice(&key), value)));
            }
        }
        Ok(None)
    }

    /// The next small pair with the prefix.
    fn small(&self, sight: &mut Sight, trees: &Trees) -> Result<Option<Pair>, Failure> {
        loop {
            if let Some(pair) = sight.pairs.next() {
                return Ok(Some(pair).filter(|(key, _)| key.starts_with(&self.prefix)));
            }
            let Some(from) = sight.next.take() else { return Ok(None) };
            let look = trees.look(from.as_ref().map(Vec::as_slice))?;
            sight.pairs = look.pairs.into_iter();
            let ahead = |key: &Vec<u8>| *key < self.prefix || key.starts_with(&self.prefix);
            sight.next = look.next.filter(ahead).map(Bound::Included);
        }
    }
}

impl Iterator for Scan<'_> {
    type Item = Result<Pair, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let (next, state) = match std::mem::replace(&mut self.state, State::Done) {
            State::Index(mut sight) => {
                (self.store.run(|trees| self.small(&mut sight, trees)), State::Index(sight))
            }
            State::Blob(mut pairs) => {
                (self.store.run(|trees| self.blob(&mut pairs, trees)), State::Blob(pairs))
            }
            State::Failed(error) => return Some(Err(error)),
            State::Done => return None,
        };
        let next = next.transpose()?;
        if next.is_ok() {
            self.state = state;
        }
        Some(next)
    }
}
