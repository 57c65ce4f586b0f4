//! What a provider hands over: raw objects, in pages, as the platform wrote them.

use bytes::Bytes;

use crate::model::entity::Entity;
use crate::model::ids::SourceId;

/// One object of a provider. `payload` is one JSON object, byte for byte as the platform sent it; it is a cheap slice
/// of the page it came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The provider's own id.
    pub id: SourceId,
    /// The JSON text.
    pub payload: Bytes,
}

/// Where to go on in a listing; opaque, the provider's own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cursor(pub String);

/// What the platform itself says about a whole listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Fingerprint of what the app may see.
    pub scope: Option<String>,
    /// How many distinct objects the platform counts.
    pub total: Option<u64>,
}

/// One page of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The objects, in the platform's order.
    pub records: Vec<Record>,
    /// The next page, `None` at the end.
    pub next: Option<Cursor>,
    /// What the platform says about the whole listing, when this page tells.
    pub evidence: Option<Evidence>,
}

/// A span of time in Unix seconds: `start` inclusive, `end` exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// First second.
    pub start: i64,
    /// First second after.
    pub end: i64,
}

/// How a kind of the directory is walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Walk {
    /// One listing.
    Whole(Entity),
    /// One listing within each department, and one outside any.
    PerDepartment(Entity),
}

/// A kind of attendance record and the most that one call may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttendanceBatch {
    /// [`Entity::CheckIn`], [`Entity::AttendanceDay`] or [`Entity::Leave`].
    pub entity: Entity,
    /// People a call.
    pub people: usize,
    /// Days a call.
    pub days: u32,
}

/// What a provider offers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// The directory's kinds, if it has a directory.
    pub walks: Vec<Walk>,
    /// The attendance kinds, if it has attendance.
    pub batches: Vec<AttendanceBatch>,
}

/// One check of a connection's set-up.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Finding {
    /// What was checked.
    pub check: String,
    /// Whether it holds.
    pub passed: bool,
    /// What an administrator does about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}
