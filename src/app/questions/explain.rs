//! Why a value is what it is, or why somebody is not there; and how a record has changed.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{About, Asked, mapper_of};
use crate::app::{App, Failure};
use crate::config::Config;
use crate::model::entity::Entity;
use crate::model::hash::ContentHash;
use crate::model::ids::{ConnectionId, ExternalId, RunId, SourceId, TenantId};
use crate::model::record::Record;
use crate::port::archive::{Archive as _, Shelf, Version};
use crate::port::mapper::{Mapped, Mapper, Place, Reject, Traced};
use crate::sync::ledger::{Entry, RunRecord, RunState, Standing};
use crate::sync::lineage::{find, plan_of};

/// The question.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ExplainAsked {
    /// Which connections.
    pub about: About,
    /// External id, the platform's id, employee number or name.
    pub key: String,
    /// As it was after this run, instead of now.
    pub run: Option<RunId>,
}

/// One record, explained.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Explained {
    /// The customer.
    pub tenant: TenantId,
    /// The connection.
    pub connection: ConnectionId,
    /// The kind of record.
    pub entity: Entity,
    /// Its key in the EHR.
    pub external_id: ExternalId,
    /// The run that last decided about this version of the raw record, and when it began, if that is still known.
    pub snapshot: (RunId, Option<i64>),
    /// Whether the raw record is from the archive: a later run saw another one.
    pub archived: bool,
    /// The generation of the mappings, by the digest of its texts.
    pub generation: Option<ContentHash>,
    /// Whether this build of rollcall computes the draft as the build did that ran then.
    pub same_build: bool,
    /// Each field of the draft.
    pub fields: Vec<FieldTold>,
    /// The last run whose plan names the record, and what it did; none when no plan that is kept does.
    pub plan: Option<PlanTold>,
    /// The employee of another connection that this is.
    pub owner: Option<ExternalId>,
    /// Why it is not in the EHR, or not as the draft has it.
    pub why_not: Vec<String>,
    /// What is no longer known, and why.
    pub notes: Vec<String>,
    /// Where the mapping leaves it out or stumbles.
    pub place: Option<Place>,
}

/// One field.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FieldTold {
    /// The value in the draft.
    pub value: Value,
    /// The value in the EHR, where it is another one.
    pub ehr: Option<Value>,
    /// How it came about.
    #[serde(flatten)]
    pub traced: Traced,
}

/// What a run planned for a record, and what became of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PlanTold {
    /// The run.
    pub run: RunId,
    /// When it began, in Unix milliseconds.
    pub at_ms: i64,
    /// Create, update or retire.
    pub verb: crate::model::plan::Verb,
    /// How far the run came: `done` is the receipt.
    pub state: RunState,
    /// Why it was held or failed.
    pub reason: Option<String>,
}

pub(super) fn answer(
    app: &App,
    config: &Config,
    asked: &ExplainAsked,
) -> Result<Vec<Explained>, Failure> {
    let mut told = Vec::new();
    let mut doubts = Vec::new();
    for on in app.asked(config, &asked.about)? {
        let Some((_, mapper)) = on.in_force()? else { continue };
        let found = find::by_key(&on.ledger, &on.connection.id, &*mapper, &asked.key);
        let found = found.map_err(|cause| Failure::of(&cause))?;
        for found in found {
            if asked.about.entity.is_none_or(|entity| entity == found.entity) {
                told.push(Teller { app, on: &on, run: asked.run }.tell(&found)?);
            }
        }
        doubts.extend(listing_doubts(&on)?);
    }
    if told.is_empty() {
        return Err(unknown(&asked.key, &doubts));
    }
    Ok(told)
}

/// Nobody has ever been listed by that name: the usual reasons, those that the last listings give first.
fn unknown(key: &str, doubts: &[String]) -> Failure {
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

fn listing_doubts(on: &Asked<'_>) -> Result<Vec<String>, Failure> {
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

/// Explains the records of one connection.
struct Teller<'a> {
    app: &'a App,
    on: &'a Asked<'a>,
    run: Option<RunId>,
}

/// What there was at the moment that is asked about.
struct Moment {
    record: Option<Record>,
    archived: Option<Version>,
    snapshot: RunId,
}

impl Teller<'_> {
    fn tell(&self, found: &find::Found) -> Result<Explained, Failure> {
        let of = |cause| Failure::of(&cause);
        let ledger = &self.on.ledger;
        let external_id = ExternalId::of(&self.on.connection.id, found.entity, &found.source);
        let entry = ledger.entry(found.entity, &found.source).map_err(of)?;
        let moment = self.moment(found, entry.as_ref())?;
        let runs: Vec<RunRecord> = ledger.runs().collect::<Result<_, _>>().map_err(of)?;
        let began = |run: RunId| runs.iter().find(|it| it.run == run).map(|it| it.started_ms);
        let (tenant, connection) = self.on.ids();
        let mut told = Explained {
            tenant,
            connection,
            entity: found.entity,
            external_id: external_id.clone(),
            snapshot: (moment.snapshot, began(moment.snapshot)),
            archived: moment.archived.is_some(),
            generation: None,
            same_build: true,
            fields: Vec::new(),
            plan: None,
            owner: None,
            why_not: Vec::new(),
            notes: Vec::new(),
            place: None,
        };
        self.mapped(&mut told, &moment)?;
        self.planned(&mut told, &runs)?;
        if self.run.is_none() {
            self.standing(&mut told, &found.source, entry.as_ref())?;
        }
        Ok(told)
    }

    /// The raw record as it was.
    fn moment(&self, found: &find::Found, entry: Option<&Entry>) -> Result<Moment, Failure> {
        let of = |cause| Failure::of(&cause);
        if let Some(run) = self.run {
            let last = self.on.ledger.last_run().map_err(of)?.map(|last| last.run);
            if last.is_none_or(|last| run > last) {
                let last = last.map_or_else(|| "none".to_owned(), |last| last.to_string());
                return Err(Failure::new(format!(
                    "there is no run {run} yet; the last one is {last}"
                ))
                .hint("`rollcall history` shows the runs that changed a record"));
            }
            let versions = versions(self.app, self.on, found)?;
            if let Some(version) = versions.into_iter().find(|it| it.until_run > run) {
                let record = Record { id: version.id.clone(), payload: version.raw.clone() };
                let snapshot = version.run;
                return Ok(Moment { record: Some(record), archived: Some(version), snapshot });
            }
        }
        let record = self.on.ledger.raw(found.entity, &found.source).map_err(of)?;
        let snapshot = entry.map_or(RunId(0), |entry| entry.run);
        Ok(Moment { record, archived: None, snapshot })
    }

    /// The draft, and how each of its fields came about.
    fn mapped(&self, told: &mut Explained, moment: &Moment) -> Result<(), Failure> {
        let of = |cause| Failure::of(&cause);
        let ledger = &self.on.ledger;
        let in_force = match self.run {
            Some(run) => ledger.generation_at(run).map_err(of)?,
            None => ledger.generation_in_force().map_err(of)?,
        };
        let Some(in_force) = in_force else {
            told.notes.push("the mapping of that run is no longer kept".to_owned());
            return Ok(());
        };
        told.generation = Some(in_force.digest);
        let Some(sources) = ledger.sources(in_force.digest).map_err(of)? else {
            told.notes.push("the texts of that mapping are no longer kept".to_owned());
            return Ok(());
        };
        let Some(record) = &moment.record else {
            told.notes
                .push("the raw record is not there: the run that read it did not end".to_owned());
            return Ok(());
        };
        let mapper = mapper_of(&sources, &self.on.connection.id)?;
        let known = in_force.mappings.get(&told.entity).copied();
        told.same_build = known.is_some() && mapper.digest(told.entity) == known;
        match draft(&*mapper, told.entity, record) {
            Mapped::Draft(draft) => {
                let draft: Map<String, Value> =
                    serde_json::from_slice(draft.json()).unwrap_or_default();
                let held = self.held(told.entity, &told.external_id)?;
                told.fields = fields(&*mapper, told.entity, record, &draft, held.as_ref());
            }
            Mapped::Skipped => {
                told.place = mapper.skipped_at(told.entity, record);
                told.why_not.push("the mapping leaves it out on purpose".to_owned());
            }
            Mapped::Rejected(Reject { code, message, place, .. }) => {
                told.place = place;
                told.why_not.push(format!("the mapping cannot map it: {code}: {message}"));
            }
        }
        Ok(())
    }

    /// What the EHR holds of the record now; nothing when another time is asked about.
    fn held(
        &self,
        entity: Entity,
        key: &ExternalId,
    ) -> Result<Option<Map<String, Value>>, Failure> {
        if self.run.is_some() {
            return Ok(None);
        }
        let target = self.app.target(self.on.tenant)?;
        let held = self.app.block_on(target.load(entity, std::slice::from_ref(key)));
        let held = held.map_err(|cause| Failure::of(&cause))?.pop().flatten();
        Ok(held.and_then(|held| serde_json::from_slice(&held.json).ok()))
    }

    /// The last plan that names the record.
    fn planned(&self, told: &mut Explained, runs: &[RunRecord]) -> Result<(), Failure> {
        let before = |it: &&RunRecord| self.run.is_none_or(|run| it.run <= run);
        for record in runs.iter().rev().filter(before) {
            if record.plan.get(&told.entity).is_none_or(|tally| tally.total() == 0) {
                continue;
            }
            let verb = plan_of(&self.on.ledger, record.run, told.entity, &told.external_id);
            if let Some(verb) = verb.map_err(|cause| Failure::of(&cause))? {
                told.plan = Some(PlanTold {
                    run: record.run,
                    at_ms: record.started_ms,
                    verb,
                    state: record.state,
                    reason: record.reason.clone(),
                });
                return Ok(());
            }
        }
        let oldest = runs.first().map_or(RunId(0), |run| run.run);
        told.notes
            .push(format!("no plan that is kept names it; plans before run {oldest} are gone"));
        Ok(())
    }

    /// Why it is not in the EHR, as far as the state tells.
    fn standing(
        &self,
        told: &mut Explained,
        source: &str,
        entry: Option<&Entry>,
    ) -> Result<(), Failure> {
        let of = |cause| Failure::of(&cause);
        let ledger = &self.on.ledger;
        let Some(entry) = entry else { return Ok(()) };
        if ledger.is_gone(entry, RunId(0)) {
            let run = entry.run;
            told.why_not.push(format!(
                "it has ended: the complete listing of run {run} no longer showed it"
            ));
        }
        if entry.parked {
            for pair in ledger.parked(told.entity) {
                let (id, why) = pair.map_err(of)?;
                if id == source {
                    told.why_not
                        .push(format!("parked by run {}: {}: {}", why.run, why.code, why.message));
                    told.place = told.place.take().or(why.place);
                }
            }
        }
        if told.entity == Entity::Employee
            && let Some(rules) = &self.on.tenant.matching
        {
            let owner = self.app.owner(self.on, rules, &told.external_id)?;
            if let Some(owner) = owner {
                told.why_not.push(format!(
                    "it is the same person as {owner}, whose connection has the authority"
                ));
                told.owner = Some(owner);
            }
        }
        if let Some(plan) = told.plan.as_ref().filter(|plan| plan.state != RunState::Done) {
            let reason = plan.reason.as_deref().unwrap_or("the run did not end");
            let (run, verb) = (plan.run, plan.verb);
            told.why_not.push(
                format!("the {verb:?} of run {run} was not written: {reason}").to_lowercase(),
            );
        }
        if ledger.in_force(entry, RunId(0)) == Standing::Unknown && told.why_not.is_empty() {
            told.why_not.push("no run has written it yet".to_owned());
        }
        told.notes.extend(listing_doubts(self.on)?);
        Ok(())
    }
}

fn draft(mapper: &dyn Mapper, entity: Entity, record: &Record) -> Mapped {
    mapper.map(entity, std::slice::from_ref(record)).pop().unwrap_or(Mapped::Skipped)
}

fn fields(
    mapper: &dyn Mapper,
    entity: Entity,
    record: &Record,
    draft: &Map<String, Value>,
    held: Option<&Map<String, Value>>,
) -> Vec<FieldTold> {
    let mut traced = mapper.trace(entity, record);
    let mut told = Vec::new();
    for (field, value) in draft {
        let at = traced.iter().position(|traced| traced.field == *field);
        let (reads, rows) = (Vec::new(), Vec::new());
        let own = || Traced { field: field.clone(), place: None, reads, rows };
        let ehr = held.and_then(|held| {
            let other = held.get(field).cloned().unwrap_or(Value::Null);
            (other != *value).then_some(other)
        });
        let traced = at.map_or_else(own, |at| traced.swap_remove(at));
        told.push(FieldTold { value: value.clone(), ehr, traced });
    }
    told
}

/// The archived versions of a record, oldest first.
fn versions(app: &App, on: &Asked<'_>, found: &find::Found) -> Result<Vec<Version>, Failure> {
    let (tenant, connection) = on.ids();
    let shelf = Shelf { tenant, connection, entity: found.entity };
    let id = SourceId::parse(&found.source).map_err(|cause| Failure::of(&cause))?;
    app.archive.versions(&shelf, Some(&id)).map_err(|cause| Failure::of(&cause))
}

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
pub(super) fn history(
    app: &App,
    config: &Config,
    asked: &ExplainAsked,
) -> Result<Vec<VersionTold>, Failure> {
    let of = |cause| Failure::of(&cause);
    let mut told = Vec::new();
    for on in app.asked(config, &asked.about)? {
        let Some((_, mapper)) = on.in_force()? else { continue };
        let found =
            find::by_key(&on.ledger, &on.connection.id, &*mapper, &asked.key).map_err(of)?;
        for found in found {
            if asked.about.entity.is_none_or(|entity| entity == found.entity) {
                told.extend(of_record(app, &on, &found)?);
            }
        }
    }
    if told.is_empty() {
        return Err(unknown(&asked.key, &[]));
    }
    Ok(told)
}

fn of_record(app: &App, on: &Asked<'_>, found: &find::Found) -> Result<Vec<VersionTold>, Failure> {
    let of = |cause| Failure::of(&cause);
    let mut all = versions(app, on, found)?;
    let entry = on.ledger.entry(found.entity, &found.source).map_err(of)?;
    if let (Some(record), Some(entry)) =
        (on.ledger.raw(found.entity, &found.source).map_err(of)?, entry)
    {
        let ended = on.ledger.is_gone(&entry, RunId(0));
        let (id, raw) = (record.id, record.payload);
        let until_run = RunId(u32::MAX);
        all.push(Version { id, run: entry.run, until_run, until_ms: 0, ended, mapping: None, raw });
    }
    let mut before = Map::new();
    let mut told = Vec::new();
    for version in all {
        let newest = version.until_run == RunId(u32::MAX);
        let in_force = on.ledger.generation_at(version.run).map_err(of)?;
        let sources = in_force.as_ref().map(|it| on.ledger.sources(it.digest)).transpose();
        let sources = sources.map_err(of)?.flatten();
        let record = Record { id: version.id.clone(), payload: version.raw.clone() };
        let external_id = ExternalId::of(&on.connection.id, found.entity, version.id.as_str());
        let mut one = VersionTold {
            tenant: on.tenant.id.clone(),
            external_id,
            run: version.run,
            until: (!newest).then_some((version.until_run, version.until_ms)),
            ended: version.ended,
            generation: in_force.map(|it| it.digest),
            no_draft: None,
            changes: Vec::new(),
        };
        match sources {
            None => one.no_draft = Some("its mapping is no longer kept".to_owned()),
            Some(sources) => {
                let mapper = mapper_of(&sources, &on.connection.id)?;
                match draft(&*mapper, found.entity, &record) {
                    Mapped::Draft(draft) => {
                        let after: Map<String, Value> =
                            serde_json::from_slice(draft.json()).unwrap_or_default();
                        one.changes = changes(&before, &after);
                        before = after;
                    }
                    Mapped::Skipped => one.no_draft = Some("the mapping left it out".to_owned()),
                    Mapped::Rejected(reject) => one.no_draft = Some(reject.message),
                }
            }
        }
        told.push(one);
    }
    Ok(told)
}

fn changes(before: &Map<String, Value>, after: &Map<String, Value>) -> Vec<(String, Value, Value)> {
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort();
    names.dedup();
    let value = |of: &Map<String, Value>, name: &str| of.get(name).cloned().unwrap_or(Value::Null);
    let pair = |name: &String| (name.clone(), value(before, name), value(after, name));
    names.into_iter().map(pair).filter(|(_, before, after)| before != after).collect()
}
