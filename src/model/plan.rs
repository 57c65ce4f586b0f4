//! A plan as a value: what would be written, and why, before anything is.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::model::entity::Entity;
use crate::model::hash::ContentHash;
use crate::model::ids::ExternalId;

/// The key of a merge's JSON.
const MERGED_INTO: &str = "merged_into";

/// What a change does to its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// The target does not hold it yet.
    Create,
    /// The target holds it with other content.
    Update,
    /// It has ended: marked, never erased.
    Retire,
}

/// One write. For [`Verb::Retire`] `json` is empty, or says into which record this one was merged: see [`Change::merge`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What is done.
    pub verb: Verb,
    /// The record's key.
    pub external_id: ExternalId,
    /// The draft's canonical JSON: absent fields are left alone, `null` ones erased.
    pub json: Bytes,
    /// The draft's hash, stored beside the record.
    pub hash: ContentHash,
}

impl Change {
    /// The end of a record.
    pub fn end(external_id: ExternalId) -> Self {
        Self { verb: Verb::Retire, external_id, json: Bytes::new(), hash: ContentHash([0; 16]) }
    }

    /// The end of a record that turned out to be the same person as another one. A target that can moves what refers to the
    /// record over to the other one and removes the record; any other marks it as ended.
    pub fn merge(external_id: ExternalId, into: &ExternalId) -> Self {
        let json = Bytes::from(serde_json::json!({ MERGED_INTO: into }).to_string());
        Self { verb: Verb::Retire, external_id, json, hash: ContentHash([0; 16]) }
    }

    /// The record that this one was merged into.
    pub fn merged_into(&self) -> Option<ExternalId> {
        if self.verb != Verb::Retire || self.json.is_empty() {
            return None;
        }
        let object: serde_json::Value = serde_json::from_slice(&self.json).ok()?;
        ExternalId::parse(object.get(MERGED_INTO)?.as_str()?)
    }
}

/// Changes of one entity that a target applies as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeSet {
    /// The kind of record.
    pub entity: Entity,
    /// In order: a parent department before its children.
    pub changes: Vec<Change>,
}

/// How many changes of each verb.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// New records.
    pub create: u64,
    /// Changed records.
    pub update: u64,
    /// Ended records.
    pub retire: u64,
}

impl Tally {
    /// All changes.
    pub fn total(&self) -> u64 {
        self.create + self.update + self.retire
    }

    /// Counts one change.
    pub fn count(&mut self, verb: Verb) {
        match verb {
            Verb::Create => self.create += 1,
            Verb::Update => self.update += 1,
            Verb::Retire => self.retire += 1,
        }
    }
}

/// Changes by entity.
pub type Tallies = BTreeMap<Entity, Tally>;
