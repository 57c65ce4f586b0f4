//! A record in the EHR's own terms: what a mapping made of a source object, checked against the schema.

use std::fmt;

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::model::entity::Entity;
use crate::model::hash::ContentHash;
use crate::model::ids::ExternalId;

/// A valid draft. Two drafts with the same content have the same text and the same hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    external_id: ExternalId,
    json: Bytes,
    hash: ContentHash,
}

/// How a draft breaks the schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("field `{field}` {problem}")]
pub struct Violation {
    /// The field's name.
    pub field: String,
    /// What is wrong and what would be right, without the value itself.
    pub problem: String,
}

impl Draft {
    /// The join key.
    pub fn external_id(&self) -> &ExternalId {
        &self.external_id
    }

    /// The canonical JSON object: fields in schema order, absent ones left out, `null` for those erased on purpose.
    pub fn json(&self) -> &Bytes {
        &self.json
    }

    /// The hash of [`Draft::json`].
    pub fn hash(&self) -> ContentHash {
        self.hash
    }
}
