//! What a record was before, version by version, and what each one changed.
//!
//! Not here: why a value is so (`explain`). The invariant: every version is mapped by the generation that was in force when
//! it was, or it is told that this one is no longer kept.

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::named::{self, Named};
use super::{Asked, ExplainAsked, draft, mapped_by};
use crate::app::{App, Failure};
use crate::config::Config;
use crate::model::canary::Tried;
use crate::model::hash::ContentHash;
use crate::model::ids::{ExternalId, RunId, TenantId};
use crate::model::record::Record;
use crate::port::archive::Version;
use crate::port::mapper::{Mapped, Mapper};
use crate::sync::ledger::InForce;
use crate::sync::lineage::find::Found;

/// One version of a record, with what it changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VersionTold {
    /// The customer.
    pub tenant: TenantId,
    /// The kind of record and its key.
    pub external_id: ExternalId,
    /// The run that last decided about this version.
    pub run: RunId,
    /// The run that saw the next one, and when it began; none for the newest.
    pub until: Option<(RunId, i64)>,
    /// Whether the record had ended.
    pub ended: bool,
    /// The generation of the mappings that is used: the one in force when the version was.
    pub generation: Option<ContentHash>,
    /// Why there is no draft, if there is none.
    pub no_draft: Option<String>,
    /// Fields that differ from the version before, as (field, before, after).
    pub changes: Vec<(String, Value, Value)>,
}

/// Every version of the records that are asked about, oldest first.
pub(super) fn answer(
    app: &App,
    config: &Config,
    asked: &ExplainAsked,
) -> Result<Vec<VersionTold>, Failure> {
    let mut told = Vec::new();
    for Named { on, found } in named::records(app, config, &asked.about, &asked.key)? {
        let mut mappers = Mappers::of(&on)?;
        for found in &found {
            told.extend(of_record(&mut mappers, stages(app, &on, found)?, found)?);
        }
    }
    if told.is_empty() {
        return Err(named::unknown(&asked.key, &[]));
    }
    Ok(told)
}

/// A record as it was for a while.
struct Stage {
    record: Record,
    run: RunId,
    /// Until when; none for how it is now.
    until: Option<(RunId, i64)>,
    ended: bool,
}

impl From<Version> for Stage {
    fn from(version: Version) -> Self {
        Self {
            record: Record { id: version.id, payload: version.raw },
            run: version.run,
            until: Some((version.until_run, version.until_ms)),
            ended: version.ended,
        }
    }
}

/// The archived versions of a record, and then the one in the state.
fn stages(app: &App, on: &Asked<'_>, found: &Found) -> Result<Vec<Stage>, Failure> {
    let of = |cause| Failure::of(&cause);
    let archived = named::versions(app, on, found)?;
    let mut stages: Vec<Stage> = archived.into_iter().map(Stage::from).collect();
    let record = on.ledger.raw(found.entity, &found.source).map_err(of)?;
    let entry = on.ledger.entry(found.entity, &found.source).map_err(of)?;
    if let (Some(record), Some(entry)) = (record, entry) {
        let ended = on.ledger.is_gone(&entry, RunId(0));
        stages.push(Stage { record, run: entry.run, until: None, ended });
    }
    Ok(stages)
}

fn of_record(
    mappers: &mut Mappers<'_>,
    stages: Vec<Stage>,
    found: &Found,
) -> Result<Vec<VersionTold>, Failure> {
    let on = mappers.on;
    let mut before = Map::new();
    let mut told = Vec::new();
    for Stage { record, run, until, ended } in stages {
        let in_force = mappers.generation_at(run);
        let mapper = in_force.as_ref().map(|it| mappers.built(it)).transpose()?.flatten();
        let generation = in_force.map(|in_force| match &mapper {
            Some(mapper) => mapped_by(&in_force, &**mapper, found.entity, &record).0,
            None => in_force.digest,
        });
        let (mut no_draft, mut changed) = (None, Vec::new());
        match mapper.map(|mapper| draft(&*mapper, found.entity, &record)) {
            None => no_draft = Some("its mapping is no longer kept".to_owned()),
            Some(Mapped::Skipped) => no_draft = Some("the mapping left it out".to_owned()),
            Some(Mapped::Rejected(reject)) => no_draft = Some(reject.message),
            Some(Mapped::Draft(draft)) => {
                let after = serde_json::from_slice(draft.json()).unwrap_or_default();
                changed = changes(&before, &after);
                before = after;
            }
        }
        told.push(VersionTold {
            tenant: on.tenant.id.clone(),
            external_id: ExternalId::of(&on.connection.id, found.entity, record.id.as_str()),
            run,
            until,
            ended,
            generation,
            no_draft,
            changes: changed,
        });
    }
    Ok(told)
}

/// What a mapper is made of: texts, and a canary beside them.
type Made = (ContentHash, Option<Tried>);

/// The mappers of a connection's generations, each of them built once.
struct Mappers<'a> {
    on: &'a Asked<'a>,
    /// Oldest first.
    generations: Vec<InForce>,
    built: HashMap<Made, Option<Arc<dyn Mapper>>>,
}

impl<'a> Mappers<'a> {
    fn of(on: &'a Asked<'a>) -> Result<Self, Failure> {
        let generations = on.ledger.generations().collect::<Result<_, _>>();
        let generations = generations.map_err(|cause| Failure::of(&cause))?;
        Ok(Self { on, generations, built: HashMap::new() })
    }

    /// The generation that was in force after a run.
    fn generation_at(&self, run: RunId) -> Option<InForce> {
        let before = self.generations.partition_point(|one| one.run <= run);
        before.checked_sub(1).and_then(|at| self.generations.get(at)).cloned()
    }

    /// A generation's mapper, if its texts are kept.
    fn built(&mut self, in_force: &InForce) -> Result<Option<Arc<dyn Mapper>>, Failure> {
        let key = (in_force.digest, in_force.canary);
        if let Some(mapper) = self.built.get(&key) {
            return Ok(mapper.clone());
        }
        let mapper = self.on.mapper_in(in_force)?;
        self.built.insert(key, mapper.clone());
        Ok(mapper)
    }
}

fn changes(before: &Map<String, Value>, after: &Map<String, Value>) -> Vec<(String, Value, Value)> {
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort();
    names.dedup();
    let value = |of: &Map<String, Value>, name: &str| of.get(name).cloned().unwrap_or(Value::Null);
    let pair = |name: &String| (name.clone(), value(before, name), value(after, name));
    names.into_iter().map(pair).filter(|(_, before, after)| before != after).collect()
}
