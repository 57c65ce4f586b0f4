//! What a run did.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::model::entity::Entity;
use crate::model::hash::ContentHash;
use crate::model::ids::{ConnectionId, RunId, TenantId};
use crate::model::plan::Tallies;
use crate::port::target::Dangling;

use super::certify::Doubt;
use super::gate::Held;
use super::ledger::{Parked, RunState};

/// Counts by entity.
pub type Counts = BTreeMap<Entity, u64>;

/// A parked record.
#[derive(Clone, Debug, Serialize)]
pub struct ParkedRecord {
    /// The provider's own id.
    pub id: String,
    /// Why it is parked.
    pub why: Parked,
}

/// One run from start to end.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The tenant.
    pub tenant: TenantId,
    /// The connection.
    pub connection: ConnectionId,
    /// The run.
    pub run: RunId,
    /// How it ended.
    pub state: RunState,
    /// Distinct records read from the platform.
    pub pulled: Counts,
    /// Stored records mapped again because a mapping changed.
    pub remapped: Counts,
    /// Records that a mapping left out on purpose.
    pub skipped: Counts,
    /// Records parked now, from this run or before.
    pub parked: Counts,
    /// Some of the parked records, each with its reason.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub parked_first: BTreeMap<Entity, Vec<ParkedRecord>>,
    /// People who are employees of another connection, by the tenant's `matching`.
    pub linked: u64,
    /// Parked people who cannot be told from others.
    pub clashing: u64,
    /// Windows of attendance that could not be read yet; every run tries them again.
    pub gaps: Counts,
    /// What was planned.
    pub plan: Tallies,
    /// Equal plans have equal digests.
    pub digest: ContentHash,
    /// Changes written.
    pub written: Counts,
    /// Records found already as wanted in the target, whose receipt was missing.
    pub adopted: u64,
    /// Listings that were not certified complete: they retired nobody.
    pub doubts: BTreeMap<Entity, Vec<Doubt>>,
    /// Why the plan was held.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<Held>,
    /// Parts of the platform that could not be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<String>,
    /// References to records that the target does not hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dangling: Vec<Dangling>,
    /// HTTP requests made.
    pub requests: u64,
    /// Milliseconds from start to end.
    pub wall_ms: i64,
}

impl Report {
    /// All changes written.
    pub fn writes(&self) -> u64 {
        self.written.values().sum()
    }

    /// All records read.
    pub fn records(&self) -> u64 {
        self.pulled.values().sum()
    }
}
