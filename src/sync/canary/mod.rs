//! An edited mapping on one department first: who is in it ([`gather`]), and how records are mapped while it runs
//! ([`CanaryMapper`]).
//!
//! ```text
//!                        ┌─ in the canary ──▶ the edited mapping
//! record ─▶ whose is it? ┤
//!                        └─ anybody else's ─▶ the mapping in force
//! ```
//! Not for: when a canary begins and ends (app), and where it is kept ([`super::ledger`]). The invariant: each record is
//! mapped as a whole by one of the two, and by which one depends on the record, the two mappings and the canary alone.

mod gather;
mod mapper;

pub use gather::{CanaryError, Gathered, gather};
pub use mapper::CanaryMapper;
