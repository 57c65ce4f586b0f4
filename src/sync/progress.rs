//! What a run tells while it runs.

use crate::model::entity::Entity;
use crate::model::plan::Tallies;

/// One piece of news.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Records of a kind were read; `of` is what the platform counts, when it does.
    Read {
        /// The kind.
        entity: Entity,
        /// Read so far in this run.
        done: u64,
        /// All there are.
        of: Option<u64>,
    },
    /// Parts of a listing were read to their end: departments, or people in windows of time.
    Parts {
        /// The kind.
        entity: Entity,
        /// Ended so far.
        done: u64,
        /// All there are, about.
        of: u64,
    },
    /// Stored records of a kind were mapped again.
    Remapped {
        /// The kind.
        entity: Entity,
        /// Mapped so far.
        done: u64,
    },
    /// The plan is complete.
    Planned(Tallies),
    /// Changes were written.
    Applied {
        /// Written so far.
        done: u64,
        /// All of the plan.
        of: u64,
    },
}

/// Takes news; called from any thread, returns at once.
pub trait Progress: Send + Sync {
    /// One piece of news.
    fn tell(&self, event: Event);
}

/// Takes news and forgets it.
pub struct Silent;

impl Progress for Silent {
    fn tell(&self, _: Event) {}
}
