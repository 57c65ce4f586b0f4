//! A scan of a store on disk.
//!
//! The invariant: it holds one pair at a time and, between two of them, no lock.

use std::ops::Bound;

use bytes::Bytes;

use super::SledStore;
use super::sled_error::Failure;
use super::trees::Trees;
use crate::port::store::{Pair, Space, StoreError};

/// A scan under way.
pub(super) struct Scan<'s> {
    store: &'s SledStore,
    space: Space,
    prefix: Vec<u8>,
    state: State,
}

enum State {
    Running(Box<sled::Iter>),
    Failed(StoreError),
    Done,
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
        let range = (start, Bound::Unbounded);
        let state = match store.run(|trees| Ok(trees.tree(space).range::<&[u8], _>(range))) {
            Ok(pairs) => State::Running(Box::new(pairs)),
            Err(error) => State::Failed(error),
        };
        Self { store, space, prefix: prefix.to_vec(), state }
    }

    /// The next pair with the prefix; pairs that are deleted while they are read are passed over.
    fn advance(&self, pairs: &mut sled::Iter, trees: &Trees) -> Result<Option<Pair>, Failure> {
        for pair in pairs {
            let (key, stored) = pair?;
            if !key.starts_with(&self.prefix) {
                break;
            }
            if let Some(value) = trees.value(self.space, &key, stored)? {
                return Ok(Some((Bytes::copy_from_slice(&key), value)));
            }
        }
        Ok(None)
    }
}

impl Iterator for Scan<'_> {
    type Item = Result<Pair, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut pairs = match std::mem::replace(&mut self.state, State::Done) {
            State::Running(pairs) => pairs,
            State::Failed(error) => return Some(Err(error)),
            State::Done => return None,
        };
        let next = self.store.run(|trees| self.advance(&mut pairs, trees)).transpose()?;
        if next.is_ok() {
            self.state = State::Running(pairs);
        }
        Some(next)
    }
}
