//! The history of runs of a connection.

use std::collections::BTreeMap;

use crate::model::entity::Entity;
use crate::model::hash::ContentHash;
use crate::model::ids::RunId;
use crate::model::plan::Tallies;
use crate::port::store::{Op, Space, StoreError};

use super::{Ledger, decode_json, encode_json};

/// How far a run came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Reading and mapping; nothing is written yet.
    Planning,
    /// Planned only, on request.
    Planned,
    /// Held by a gate before its first write.
    Held,
    /// Writing.
    Applying,
    /// Every change was written or parked.
    Done,
    /// Failed before its first write.
    Failed,
}

/// One run.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RunRecord {
    /// Its number.
    pub run: RunId,
    /// How far it came.
    pub state: RunState,
    /// Unix milliseconds.
    pub started_ms: i64,
    /// Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_ms: Option<i64>,
    /// The plan's changes.
    #[serde(default)]
    pub plan: Tallies,
    /// What the plan is: equal plans have equal digests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<ContentHash>,
    /// Sets written so far.
    #[serde(default)]
    pub applied_sets: u32,
    /// The digest of the mapping texts it ran by: [`super::Ledger::sources`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<ContentHash>,
    /// Why listings were not certified complete, by kind.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub doubts: BTreeMap<Entity, Vec<String>>,
    /// Why it was held or failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Ledger {
    /// Every run kept, oldest first.
    pub fn runs(&self) -> impl Iterator<Item = Result<RunRecord, StoreError>> + use<'_> {
        self.store()
            .scan(Space::Index, &self.keys.run(None), None)
            .map(|pair| decode_json(&pair?.1, "a run"))
    }

    /// The newest run.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub fn last_run(&self) -> Result<Option<RunRecord>, StoreError> {
        self.runs().last().transpose()
    }

    /// The operation that stores a run.
    pub fn put_run(&self, record: &RunRecord) -> Op {
        Op::Put(self.keys.run(Some(record.run)), encode_json(record))
    }

    /// The operation that forgets a run.
    pub fn delete_run(&self, run: RunId) -> Op {
        Op::Delete(self.keys.run(Some(run)))
    }
}
