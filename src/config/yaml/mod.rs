//! YAML as the config reads it: every fault of a document with its place, not only the first.
//!
//! `tree` is the only module that knows the YAML crate; `reader` hands a tree to serde. What is absent on purpose: tags,
//! merge keys and several documents in one file. The invariant: a place is where the YAML parser itself saw the node.

mod reader;
mod tree;

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;

pub(super) use reader::{Problem, Wrong};
pub(super) use tree::{Malformed, Path, Side, Step, Tree, locate};

/// The most faults of one document that are told; whoever has more mends these first.
const FAULTS: usize = 100;

/// Reads a value out of a tree and tells everything that is wrong with it. What is wrong is left out of the value, so
/// that a default stands in its place and the rest can still be judged.
pub(super) fn read<T: DeserializeOwned + Default>(tree: &Tree) -> (T, Vec<Wrong>) {
    let (mut faults, mut spoiled) = (Vec::new(), BTreeSet::<Path>::new());
    loop {
        match reader::read::<T>(tree, &spoiled) {
            Ok(value) => return (value, faults),
            Err(wrong) => {
                let path = wrong.path.clone();
                faults.push(wrong);
                if path.is_empty() || faults.len() == FAULTS || !spoiled.insert(path) {
                    return (T::default(), faults);
                }
            }
        }
    }
}
