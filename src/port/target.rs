//! A system that is written: the EHR.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use crate::model::entity::Entity;
use crate::model::hash::ContentHash;
use crate::model::ids::{ConnectionId, ExternalId};
use crate::model::plan::ChangeSet;

/// Why a target call failed as a whole.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// It may work later: busy, unreachable.
    #[error("the target is not available: {0}; the run can be repeated, nothing is written twice")]
    Unavailable(String),
    /// Someone must act first: disk full, read-only, wrong schema.
    #[error("the target cannot be written: {0}")]
    Unusable(String),
}

/// Why one change was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// A stable code, such as `target::constraint`.
    pub code: String,
    /// What happened and what to do about it.
    pub message: String,
}

/// What a target holds of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The hash stored with the last applied draft.
    pub hash: ContentHash,
    /// Whether the record is marked as ended.
    pub retired: bool,
    /// The current content as a JSON object over the schema's fields, fields without a value left out.
    pub json: Bytes,
}

/// A reference that points at nothing the target holds.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Dangling {
    /// The record that refers.
    pub external_id: ExternalId,
    /// The field.
    pub field: &'static str,
    /// What it names.
    pub missing: String,
}

/// The system that is written. Every write is idempotent by external id.
#[async_trait]
pub trait Target: Send + Sync {
    /// Whether it holds no record of this kind from this connection; lets a first run skip look-ups.
    ///
    /// # Errors
    /// [`TargetError`] when the target cannot be read.
    async fn is_empty(
        &self,
        connection: &ConnectionId,
        entity: Entity,
    ) -> Result<bool, TargetError>;

    /// What it holds of these records, in order.
    ///
    /// # Errors
    /// [`TargetError`] when the target cannot be read.
    async fn load(
        &self,
        entity: Entity,
        keys: &[ExternalId],
    ) -> Result<Vec<Option<Held>>, TargetError>;

    /// Applies a set as one transaction: all of it or, on an error, nothing. A refused change leaves the others in
    /// force; the result has one element per change, in order.
    ///
    /// # Errors
    /// [`TargetError`] when nothing of the set was written.
    async fn apply(&self, set: Arc<ChangeSet>) -> Result<Vec<Result<(), Refusal>>, TargetError>;

    /// Called after the last set of a kind in a run: resolves references among records. Returns at most 100 that dangle.
    ///
    /// # Errors
    /// [`TargetError`] when the target cannot be written.
    async fn settle(&self, entity: Entity) -> Result<Vec<Dangling>, TargetError>;
}
