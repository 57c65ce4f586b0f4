//! Why a value is what it is, or why somebody is not there: told from what the runs kept.
//!
//! Not for: changing anything. The invariant: what is told was stored or is computed from what was stored; where something
//! is no longer kept, that is said instead of guessed.

pub mod find;
