//! One run of the sync: pull, compare, map, plan, judge, apply.
//!
//! ```text
//! provider pages ─┐
//!                 ├─▶ intake (all cores): hash, compare, map ─▶ scribe (one): entries, frames, plan ─▶ gate ─▶ apply
//! stored raw ─────┘
//! ```
//! Pages flow through bounded channels, so memory does not grow with the number of people. The invariants:
//! - nothing is written to a target before the whole plan is on disk and passed its gate;
//! - only a certified listing retires anyone ([`certify`]);
//! - a run that ends early leaves nothing to clean up ([`ledger`]);
//! - an unchanged world causes no write.

pub mod canary;
pub mod certify;
pub mod coverage;
pub mod diff;
pub mod gate;
pub mod impact;
pub mod ledger;
pub mod lineage;
pub mod look;
pub mod outlook;
pub mod progress;
pub mod report;
pub mod service;

mod apply;
mod find;
mod intake;
mod keeper;
mod matching;
mod order;
mod past;
mod phase;
mod pull;
mod retire;
mod run;
mod scribe;
mod seen;
mod targets;
mod windows;

pub use run::{Mode, Replay, ReplayError, Request, Settings, Span, Syncer};
pub use targets::Targets;

use crate::model::fault::Fault;
use crate::port::archive::ArchiveError;
use crate::port::store::StoreError;
use crate::port::target::TargetError;

/// Why a run could not go on.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The platform cannot be read at all.
    #[error(transparent)]
    Provider(#[from] Fault),
    /// The state cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The EHR cannot be read or written.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The archive cannot be written.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The time cannot be replayed.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// Someone asked to stop.
    #[error("the run was stopped; the next one goes on from what was written")]
    Stopped,
    /// A worker ended without a result.
    #[error("a worker of the run died: {0}; run again, nothing is lost")]
    Worker(String),
}
