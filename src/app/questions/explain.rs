//! Why a value is what it is, or why somebody is not there.
//!
//! Not here: what a record was before (`history`). The invariant: every sentence is read off what the runs kept; what is no
//! longer kept is told as such.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::named::{self, Named};
use super::{About, Asked, draft, mapped_by};
use crate::app::{App, Failure};
use crate::config::Config;
use crate::model::entity::Entity;
use crate::model::hash::ContentHash;
use crate::model::ids::{ConnectionId, ExternalId, RunId, TenantId};
use crate::model::record::Record;
use crate::port::archive::Version;
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
    for Named { on, found } in named::records(app, config, &asked.about, &asked.key)? {
        let teller = Teller { app, on: &on, run: asked.run };
        for found in &found {
            told.push(teller.tell(found)?);
        }
        doubts.extend(named::listing_doubts(&on)?);
    }
    if told.is_empty() {
        return Err(named::unknown(&asked.key, &doubts));
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
            let versions = named::versions(self.app, self.on, found)?;
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
        let Some(mapper) = self.on.mapper_in(&in_force)? else {
            told.notes.push("the texts of that mapping are no longer kept".to_owned());
            return Ok(());
        };
        let Some(record) = &moment.record else {
            told.notes
                .push("the raw record is not there: the run that read it did not end".to_owned());
            return Ok(());
        };
        let (generation, note) = mapped_by(&in_force, &*mapper, told.entity, record);
        told.generation = Some(generation);
        told.notes.extend(note);
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
        if entry.parked
            && let Some(why) = ledger.parked_as(told.entity, source).map_err(of)?
        {
            told.why_not.push(format!("parked by run {}: {}: {}", why.run, why.code, why.message));
            told.place = told.place.take().or(why.place);
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
        told.notes.extend(named::listing_doubts(self.on)?);
        Ok(())
    }
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
        let own = || Traced {
            field: field.clone(),
            place: None,
            layer: None,
            exception: None,
            reads,
            rows,
        };
        let ehr = held.and_then(|held| {
            let other = held.get(field).cloned().unwrap_or(Value::Null);
            (other != *value).then_some(other)
        });
        let traced = at.map_or_else(own, |at| traced.swap_remove(at));
        told.push(FieldTold { value: value.clone(), ehr, traced });
    }
    told
}
