//! The generations of a connection's mappings that the state keeps, with their texts.

use crate::app::App;
use crate::cli::exit::Failure;
use crate::model::ids::{ConnectionId, TenantId};
use crate::model::sources::Sources;
use crate::sync::ledger::InForce;

/// A generation and its texts.
pub(super) struct Kept {
    pub(super) in_force: InForce,
    pub(super) sources: Sources,
}

/// All of them, the oldest first; one whose texts are gone is left out.
pub(super) fn all(
    app: &App,
    tenant: &TenantId,
    connection: &ConnectionId,
) -> Result<Vec<Kept>, Failure> {
    let ledger = app.ledger(tenant, connection).map_err(|cause| Failure::from_error(&cause))?;
    let mut kept = Vec::new();
    for generation in ledger.generations() {
        let in_force = generation.map_err(|cause| Failure::from_error(&cause))?;
        let sources =
            ledger.sources(in_force.digest).map_err(|cause| Failure::from_error(&cause))?;
        kept.extend(sources.map(|sources| Kept { in_force, sources }));
    }
    Ok(kept)
}
