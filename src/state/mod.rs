//! Where sync state lives: [`SledStore`] on disk, [`MemoryStore`] for tests and embedders.
//!
//! Both implement [`crate::port::store::Store`] and pass one contract suite. This module knows bytes, not what they
//! mean: keys and codecs belong to whoever writes them. The invariant: a batch is there as a whole or not at all, and
//! a store that failed to write says so on every later call instead of showing what never reached the disk.

pub mod backup;
mod blobs;
mod format;
mod index;
mod memory;
mod on_disk;
mod scan;
mod sled_error;
mod trees;
mod values;

#[cfg(test)]
mod tests;

pub use memory::MemoryStore;
pub use on_disk::{Options, SledStore};
