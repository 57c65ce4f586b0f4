//! An edited mapping that is held is tried on one department first.

use serde::{Deserialize, Serialize};
use tracing::info;

use super::verdict::nothing_held;
use super::{About, App, Asked, mapper_of};
use crate::app::Failure;
use crate::app::hold::{Ended, tell_end};
use crate::config::{Config, Impact};
use crate::model::canary::Trial;
use crate::model::entity::Entity;
use crate::model::hash::ContentHash;
use crate::model::ids::{ConnectionId, ExternalId, TenantId};
use crate::sync::canary::{Gathered, gather};
use crate::sync::impact::Sides;
use crate::sync::ledger::Proposal;

/// The department to try the held mapping of the selected connection on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CanaryAsked {
    /// Which connection.
    pub about: About,
    /// External id, the platform's id or name.
    pub department: String,
}

/// A canary that runs from now on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CanaryStarted {
    /// The customer.
    pub tenant: TenantId,
    /// The connection.
    pub connection: ConnectionId,
    /// The digest of the edited texts.
    pub digest: ContentHash,
    /// Who is in it.
    pub canary: Trial,
    /// The canary whose place it takes.
    pub replaced: Option<Trial>,
}

pub(super) fn answer(
    app: &App,
    config: &Config,
    asked: &CanaryAsked,
) -> Result<CanaryStarted, Failure> {
    let of = |cause| Failure::of(&cause);
    let (on, proposal) = held(app, config, &asked.about)?;
    let (edited, against) = (proposal.digest, proposal.against);
    let mapper = |digest| {
        let sources = on.ledger.sources(digest).map_err(of)?.ok_or_else(texts_gone)?;
        mapper_of(&sources, &on.connection.id)
    };
    let (old, new) = (mapper(against)?, mapper(edited)?);
    let sides = Sides { old: &*old, new: &*new };
    let id = &on.connection.id;
    let gathered = gather(&on.ledger, id, sides, [edited, against], &asked.department);
    let Gathered { canary, name } = gathered.map_err(|cause| Failure::of(&cause))?;
    let before = proposal.canary.clone();
    let kept = on.ledger.keep_canary(&canary).map_err(of)?;
    let same = before.as_ref().filter(|before| before.canary == kept);
    let trial = Trial {
        canary: kept,
        department: ExternalId::of(id, Entity::Department, &canary.department),
        name,
        departments: canary.departments.len() as u64,
        people: canary.people.len() as u64,
        since_ms: same.map_or_else(|| app.clock.now_ms(), |same| same.since_ms),
    };
    let replaced = before.filter(|before| before.canary != kept);
    let proposal = Proposal { canary: Some(trial.clone()), ended: None, ..proposal };
    on.ledger.propose(Some(&proposal)).map_err(of)?;
    let (tenant, connection) = on.ids();
    if let Some(replaced) = &replaced {
        tell_end((&tenant, &connection), replaced, Ended::Replaced);
    }
    let (department, people) = (&trial.department, trial.people);
    info!(%tenant, %connection, %department, people, generation = %edited, "a canary of an edited mapping starts");
    app.judged.notify_one();
    Ok(CanaryStarted { tenant, connection, digest: edited, canary: trial, replaced })
}

/// The one selected connection that holds a mapping.
fn held<'a>(
    app: &App,
    config: &'a Config,
    about: &About,
) -> Result<(Asked<'a>, Proposal), Failure> {
    let mut held = Vec::new();
    for on in app.asked(config, about)? {
        // Where edits are no longer held, everybody is mapped by the files, whatever was held before.
        if on.tenant.mapping_changes.impact == Impact::Off {
            continue;
        }
        let proposal = on.ledger.proposal().map_err(|cause| Failure::of(&cause))?;
        held.extend(proposal.map(|proposal| (on, proposal)));
    }
    let Some(one) = held.pop() else { return Err(nothing_held()) };
    if held.is_empty() {
        return Ok(one);
    }
    held.push(one);
    let names: Vec<String> =
        held.iter().map(|(on, _)| format!("{}/{}", on.tenant.id, on.connection.id)).collect();
    Err(Failure::new(format!("{} connections hold a mapping: {}", names.len(), names.join(", ")))
        .hint("choose one of them with --tenant and --connection"))
}

fn texts_gone() -> Failure {
    Failure::new("the texts of the held mapping are no longer kept".to_owned())
        .hint("save the edited mapping once more, so that it is judged and kept anew")
}
