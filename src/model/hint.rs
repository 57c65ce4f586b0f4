//! What an event points at.
//!
//! The one invariant: a hint is a reason to look, never the truth; nothing is written because of a hint alone.

use super::entity::Entity;
use super::ids::SourceId;

/// Something changed there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hint {
    /// What kind of record.
    pub entity: Entity,
    /// The record; for attendance the person.
    pub id: SourceId,
    /// Whether the event says that it no longer exists.
    pub gone: bool,
}
