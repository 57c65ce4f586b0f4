//! What an edit of the mappings does to everybody, and to one person.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{About, Asked};
use crate::app::{App, Failure, machine, mappings, today};
use crate::config::Config;
use crate::model::canary::Trial;
use crate::model::ids::{ConnectionId, TenantId};
use crate::port::mapper::Mapper;
use crate::sync::impact::{self, KindImpact, PersonImpact, Sides};
use crate::sync::ledger::InForce;
use crate::sync::lineage::find;

/// The question.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ImpactAsked {
    /// Which connections.
    pub about: About,
    /// A folder of mappings, instead of the one that the configuration names.
    pub mappings: Option<PathBuf>,
    /// One record to look into, with its values.
    pub person: Option<String>,
}

/// The answer for one connection.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ConnectionImpact {
    /// The customer.
    pub tenant: TenantId,
    /// The connection.
    pub connection: ConnectionId,
    /// The generation in force; none while nothing was written, and then there is nothing to compare.
    pub in_force: Option<InForce>,
    /// Whether this build of rollcall maps the texts in force as the build did that wrote by them.
    pub same_build: bool,
    /// The canary that a held mapping is tried on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canary: Option<Trial>,
    /// The kinds whose mapping differs.
    pub kinds: Vec<KindImpact>,
    /// The records that `person` names.
    pub people: Vec<PersonImpact>,
}

pub(super) fn answer(
    app: &App,
    config: &Config,
    asked: &ImpactAsked,
) -> Result<Vec<ConnectionImpact>, Failure> {
    let mut config = config.clone();
    if let Some(folder) = &asked.mappings {
        config.mappings.clone_from(folder);
    }
    let one = |on: Asked<'_>| of_connection(app, &config, asked, &on);
    app.asked(&config, &asked.about)?.into_iter().map(one).collect()
}

fn of_connection(
    app: &App,
    config: &Config,
    asked: &ImpactAsked,
    on: &Asked<'_>,
) -> Result<ConnectionImpact, Failure> {
    let day = today(&*app.clock, on.tenant);
    let new = mappings(config, on.tenant, on.connection, day)?;
    let (zone, region) = (on.tenant.timezone.name(), on.tenant.region.as_str());
    let new = new.mapper(&on.connection.id, zone, region).map_err(|cause| Failure::of(&cause))?;
    let (tenant, connection) = on.ids();
    let mut told = ConnectionImpact {
        tenant,
        connection,
        in_force: None,
        same_build: true,
        canary: None,
        kinds: Vec::new(),
        people: Vec::new(),
    };
    let Some((in_force, running)) = on.in_force()? else { return Ok(told) };
    told.same_build =
        in_force.mappings.iter().all(|(&entity, &digest)| running.digest(entity) == Some(digest));
    let held = on.ledger.proposal().map_err(|cause| Failure::of(&cause))?;
    told.canary = held.and_then(|held| held.canary);
    // What the edit changes in all: also where a canary is mapped by it already.
    let Some(old) = on.mapper_by(in_force.digest)? else { return Ok(told) };
    told.in_force = Some(in_force);
    let sides = Sides { old: &*old, new: &*new };
    if let Some(person) = &asked.person {
        told.people = people(on, sides, &*running, asked, person)?;
    } else {
        let measured = impact::measure(&on.ledger, sides, asked.about.entity, machine::cores());
        told.kinds = measured.map_err(|cause| Failure::of(&cause))?;
    }
    Ok(told)
}

fn people(
    on: &Asked<'_>,
    sides: Sides<'_>,
    running: &dyn Mapper,
    asked: &ImpactAsked,
    person: &str,
) -> Result<Vec<PersonImpact>, Failure> {
    let of = |cause| Failure::of(&cause);
    let mut people = Vec::new();
    for found in find::by_key(&on.ledger, &on.connection.id, sides.old, person).map_err(of)? {
        let wanted = asked.about.entity.is_none_or(|entity| entity == found.entity);
        let record = on.ledger.raw(found.entity, &found.source).map_err(of)?;
        if let Some(record) = record.filter(|_| wanted) {
            let in_canary = running.in_canary(found.entity, &record);
            let person = impact::person(sides, found.entity, &record);
            people.push(PersonImpact { in_canary, ..person });
        }
    }
    Ok(people)
}
