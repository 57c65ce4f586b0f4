//! Why a value is what it is, or why somebody is not there: told from what the runs kept.
//!
//! Not for: changing anything. The invariant: what is told was stored or is computed from what was stored; where something
//! is no longer kept, that is said instead of guessed.

pub mod find;

use std::sync::Arc;

use crate::config::Matching;
use crate::model::entity::Entity;
use crate::model::ids::{ConnectionId, ExternalId, RunId, TenantId};
use crate::model::plan::Verb;
use crate::port::store::{Store, StoreError};

use super::ledger::Ledger;
use super::matching::Matcher;

/// What a run's plan does to a record; none when the plan does not name it or is no longer kept.
///
/// # Errors
/// [`StoreError`] when the state cannot be read.
pub fn plan_of(
    ledger: &Ledger,
    run: RunId,
    entity: Entity,
    key: &ExternalId,
) -> Result<Option<Verb>, StoreError> {
    for stored in ledger.plan(run) {
        let set = stored?.set;
        if set.entity == entity
            && let Some(change) = set.changes.iter().find(|change| change.external_id == *key)
        {
            return Ok(Some(change.verb));
        }
    }
    Ok(None)
}

/// The employee of another connection that a person is, by the tenant's `matching`.
///
/// # Errors
/// [`StoreError`] when the state cannot be read.
pub fn owner(
    store: &Arc<dyn Store>,
    whose: (&TenantId, &ConnectionId),
    rules: &Matching,
    key: &ExternalId,
) -> Result<Option<ExternalId>, StoreError> {
    match Matcher::open(Some(rules), whose, store, true)? {
        Some(matcher) => matcher.owner_of(key),
        None => Ok(None),
    }
}
