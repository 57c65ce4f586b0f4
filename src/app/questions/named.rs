//! Which records a question means, and what is kept of them.
//!
//! Not here: what is told of a record. The invariant: a record that is found has an entry in the ledger, so that some
//! listing has shown it.

use super::{About, Asked};
use crate::app::{App, Failure};
use crate::config::Config;
use crate::model::ids::SourceId;
use crate::port::archive::{Archive as _, Shelf, Version};
use crate::sync::lineage::find::{self, Found};

/// A connection, and its records that are meant.
pub(super) struct Named<'a> {
    pub(super) on: Asked<'a>,
    pub(super) found: Vec<Found>,
}

/// The records that `key` names, of every connection that is asked about and has written by a mapping.
pub(super) fn records<'a>(
    app: &App,
    config: &'a Config,
    about: &About,
    key: &str,
) -> Result<Vec<Named<'a>>, Failure> {
    let mut named = Vec::new();
    for on in app.asked(config, about)? {
        let Some((_, mapper)) = on.in_force()? else { continue };
        let found = find::by_key(&on.ledger, &on.connection.id, &*mapper, key);
        let mut found = found.map_err(|cause| Failure::of(&cause))?;
        found.retain(|found| about.entity.is_none_or(|entity| entity == found.entity));
        named.push(Named { on, found });
    }
    Ok(named)
}

/// Nobody has ever been listed by that name: the usual reasons, those that the last listings give first.
pub(super) fn unknown(key: &str, doubts: &[String]) -> Failure {
    let mut message = format!("no connection has ever listed a record known as `{key}`");
    for doubt in doubts {
        message.push_str("; ");
        message.push_str(doubt);
    }
    Failure::new(message).hint(
        "it may lie outside what the app may see (contact range, visible scope), or be known by another id; \
         external id, the platform's id, employee number and name are searched",
    )
}

/// Why the last listings of a connection do not speak for everyone.
pub(super) fn listing_doubts(on: &Asked<'_>) -> Result<Vec<String>, Failure> {
    let last = on.ledger.last_run().map_err(|cause| Failure::of(&cause))?;
    let mut told = Vec::new();
    for (entity, doubts) in last.iter().flat_map(|last| &last.doubts) {
        let (tenant, connection) = (&on.tenant.id, &on.connection.id);
        told.push(format!(
            "the last listing of {entity} in {tenant}/{connection} was not complete: {}",
            doubts.join(", ")
        ));
    }
    Ok(told)
}

/// The archived versions of a record, oldest first.
pub(super) fn versions(app: &App, on: &Asked<'_>, found: &Found) -> Result<Vec<Version>, Failure> {
    let (tenant, connection) = on.ids();
    let shelf = Shelf { tenant, connection, entity: found.entity };
    let id = SourceId::parse(&found.source).map_err(|cause| Failure::of(&cause))?;
    app.archive.versions(&shelf, Some(&id)).map_err(|cause| Failure::of(&cause))
}
