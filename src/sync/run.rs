//! One run of one connection, from start to report.

mod close;
mod links;
mod recover;
mod replay;
mod targeted;

pub use replay::{Replay, ReplayError, Span};

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::tz::TimeZone;
use tokio_util::sync::CancellationToken;

use crate::config::{Attendance, Gate, Matching};
use crate::model::entity::Entity;
use crate::model::hash::ContentHash;
use crate::model::ids::{ConnectionId, RunId, TenantId};
use crate::model::plan::{ChangeSet, Tallies};
use crate::model::record::{Capabilities, Walk};
use crate::port::archive::{Archive, Shelf};
use crate::port::clock::Clock;
use crate::port::mapper::Mapper;
use crate::port::provider::Provider;
use crate::port::store::Store;
use crate::port::target::{Dangling, Target};

use super::SyncError;
use super::apply::{Applier, read_plan};
use super::certify::{self, Doubt, Listing};
use super::coverage::{Agenda, Reach, Reading};
use super::diff::{Shown, show};
use super::find::Found;
use super::gate;
use super::keeper::Keeper;
use super::ledger::{Ledger, RunRecord, RunState, Standing};
use super::matching::Matcher;
use super::phase::{Phase, Source};
use super::progress::{Event, Progress};
use super::pull::{Listed, Part};
use super::report::{Counts, Report};
use super::retire::Retirer;
use super::scribe::Tallied;
use super::seen::Seen;
use super::targets::Targets;

/// Runs whose plans and records are kept.
const KEPT_RUNS: usize = 50;
/// A kind's frames are compacted when they hold more than this many records for each live one.
const COMPACT_RATIO: u64 = 2;
/// ... and at least so many dead ones.
const COMPACT_MIN: u64 = 5_000;

/// What a run is asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Read, plan and write.
    Sync,
    /// Read and plan only.
    Plan,
    /// Map the stored raw records again where a mapping changed, and write; the platform is not called.
    Remap,
    /// Write again what was kept; the platform is not called.
    Replay(Replay),
    /// Read these objects alone, plan and write. Nothing is retired: what was not read says nothing.
    Targeted(Arc<Targets>),
}

impl Mode {
    /// Whether nothing is written.
    pub fn is_dry(&self) -> bool {
        matches!(self, Self::Plan | Self::Replay(Replay { dry: true, .. }))
    }
}

/// One run's orders.
pub struct Request {
    /// What to do.
    pub mode: Mode,
    /// Lets a plan with this digest pass the gate.
    pub approve: Option<ContentHash>,
    /// Ends the run early when cancelled.
    pub stop: CancellationToken,
    /// Takes news.
    pub progress: Arc<dyn Progress>,
    /// The mappings in force; the run keeps them to its end.
    pub mapper: Arc<dyn Mapper>,
}

/// What stays the same from run to run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The tenant's time zone: what a day is.
    pub zone: TimeZone,
    /// The gate.
    pub gate: Gate,
    /// How far back attendance is read.
    pub attendance: Attendance,
    /// When records of two connections are the same person.
    pub matching: Option<Matching>,
    /// Parts of a listing read at once.
    pub parallel: usize,
    /// Mapping workers.
    pub workers: usize,
}

/// Syncs one connection. One run at a time: the caller sees to that.
pub struct Syncer {
    /// The customer.
    pub tenant: TenantId,
    /// The connection.
    pub connection: ConnectionId,
    /// The platform.
    pub provider: Arc<dyn Provider>,
    /// The EHR.
    pub target: Arc<dyn Target>,
    /// The state.
    pub store: Arc<dyn Store>,
    /// Where raw records go that are replaced.
    pub archive: Arc<dyn Archive>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What stays the same.
    pub settings: Settings,
}

/// A run on its way.
pub(super) struct Run<'a> {
    pub(super) syncer: &'a Syncer,
    pub(super) request: &'a Request,
    pub(super) ledger: Ledger,
    pub(super) id: RunId,
    kinds: BTreeMap<Entity, Tallied>,
    vacant: BTreeMap<Entity, bool>,
    doubts: BTreeMap<Entity, Vec<Doubt>>,
    failures: Vec<String>,
    /// Mapping digests that every entry of a kind has been mapped under by the end of this run.
    digests: BTreeMap<Entity, ContentHash>,
    /// When attendance was read, once the run is done.
    read_until: BTreeMap<Entity, i64>,
    /// What of attendance was read, once the run is done.
    readings: BTreeMap<Entity, Reading>,
    /// Windows of attendance that are still missing.
    gaps: Counts,
    /// The run before did not end well: references may be unresolved.
    unsettled: bool,
    matcher: Option<Arc<Matcher>>,
    /// When the run began, in Unix milliseconds.
    pub(super) started_ms: i64,
    /// What the mappings in force are called, as far as they are kept.
    pub(super) mapped_by: BTreeMap<Entity, ContentHash>,
}

impl Syncer {
    /// Carries out one run.
    ///
    /// # Errors
    /// [`SyncError`] when the run could not go on. Nothing needs to be cleaned up; the next run finds what was written.
    pub async fn run(&self, request: &Request) -> Result<Report, SyncError> {
        let started_ms = self.clock.now_ms();
        let requests = self.provider.requests();
        let store = self.store.clone();
        let _work = blocking(move || Ok(store.begin_work()?)).await?;
        let (ledger, last) = self.open().await?;
        let found = match &request.mode {
            Mode::Targeted(targets) => self.find(targets, request, &ledger).await?,
            Mode::Replay(replay) => {
                self.check_replay(replay.span, &ledger).await?;
                Found::default()
            }
            Mode::Sync | Mode::Plan | Mode::Remap => Found::default(),
        };
        let run = RunId(last.as_ref().map_or(1, |last| last.run.0 + 1));
        self.clear(&ledger, run).await?;
        let mut record = RunRecord {
            run,
            state: RunState::Planning,
            started_ms,
            ended_ms: None,
            plan: Tallies::new(),
            digest: None,
            applied_sets: 0,
            generation: self.keep_sources(&*request.mapper, &ledger).await?,
            doubts: BTreeMap::new(),
            reason: None,
        };
        ledger.write_index(vec![ledger.put_run(&record)])?;
        let in_force = ledger.generation_in_force()?;
        let matcher = Matcher::open(
            self.settings.matching.as_ref(),
            (&self.tenant, &self.connection),
            &self.store,
            request.mode.is_dry(),
        )?;
        let mut this = Run {
            syncer: self,
            request,
            ledger,
            id: run,
            kinds: BTreeMap::new(),
            vacant: BTreeMap::new(),
            doubts: BTreeMap::new(),
            failures: Vec::new(),
            digests: BTreeMap::new(),
            read_until: BTreeMap::new(),
            readings: BTreeMap::new(),
            gaps: Counts::new(),
            unsettled: last.is_some_and(|last| last.state == RunState::Applying),
            matcher: matcher.map(Arc::new),
            started_ms,
            mapped_by: in_force.map(|in_force| in_force.mappings).unwrap_or_default(),
        };
        let ended = this.carry_out(&mut record, found).await;
        record.ended_ms = Some(self.clock.now_ms());
        if let Err(cause) = &ended {
            if record.state == RunState::Planning {
                record.state = RunState::Failed;
            }
            record.reason = Some(cause.to_string());
            // The first error is the one to report; a store that fails here has failed before.
            drop(this.ledger.write_index(vec![this.ledger.put_run(&record)]));
        }
        record.doubts = this.told_doubts();
        let (held, applied) = ended?;
        this.ledger.write_index(vec![this.ledger.put_run(&record)])?;
        this.close(&record).await?;
        let requests = self.provider.requests() - requests;
        this.report(&record, held, applied, requests)
    }

    /// The changes of a run whose plan is kept, field by field, at most `limit` of them, passed on one by one.
    ///
    /// # Errors
    /// [`SyncError`] when the state or the target cannot be read.
    pub async fn show(
        &self,
        run: RunId,
        limit: usize,
        mut take: impl FnMut(Shown),
    ) -> Result<(), SyncError> {
        let (store, tenant, connection) =
            (self.store.clone(), self.tenant.clone(), self.connection.clone());
        let mut left = limit;
        let ledger = blocking(move || Ok(Ledger::open(store, &tenant, &connection)?)).await?;
        let mut sets = read_plan(&ledger, run);
        while let Some(set) = sets.recv().await.filter(|_| left > 0) {
            let ChangeSet { entity, mut changes } = set?;
            changes.truncate(left);
            let keys: Vec<_> = changes.iter().map(|change| change.external_id.clone()).collect();
            let held = self.target.load(entity, &keys).await?;
            for (change, held) in changes.iter().zip(&held) {
                take(show(entity, change, held.as_ref()));
            }
            left -= changes.len();
        }
        Ok(())
    }

    async fn open(&self) -> Result<(Ledger, Option<RunRecord>), SyncError> {
        let (store, tenant, connection) =
            (self.store.clone(), self.tenant.clone(), self.connection.clone());
        let (ledger, last) = blocking(move || {
            let ledger = Ledger::open(store, &tenant, &connection)?;
            let last = ledger.last_run()?;
            Ok((ledger, last))
        })
        .await?;
        if let Some(last) = last.as_ref().filter(|last| last.state != RunState::Done) {
            if last.state == RunState::Applying {
                self.recover(&ledger, last.run).await?;
            }
            self.clear(&ledger, last.run).await?;
        }
        Ok((ledger, last))
    }

    /// Removes what a run planned, even one that was killed before its record reached the disk.
    async fn clear(&self, ledger: &Ledger, run: RunId) -> Result<(), SyncError> {
        let ledger = ledger.clone();
        blocking(move || Ok(ledger.drop_plan(run)?)).await
    }
}

type Ended = (Vec<gate::Held>, (Counts, Vec<Dangling>));

impl Run<'_> {
    async fn carry_out(
        &mut self,
        record: &mut RunRecord,
        found: Found,
    ) -> Result<Ended, SyncError> {
        self.gather(found).await?;
        record.plan = self.plan();
        record.digest = Some(self.digest());
        self.request.progress.tell(Event::Planned(record.plan.clone()));
        let known = self.known(&record.plan).await?;
        let known = |entity| known.get(&entity).copied().unwrap_or_default();
        let held = gate::judge(&record.plan, known, &self.syncer.settings.gate);
        let approved = record.digest.is_some() && self.request.approve == record.digest;
        if self.request.mode.is_dry() {
            record.state = RunState::Planned;
            return Ok((held, Default::default()));
        }
        if !held.is_empty() && !approved {
            record.state = RunState::Held;
            record.reason =
                Some(held.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "));
            return Ok((held, Default::default()));
        }
        record.state = RunState::Applying;
        self.ledger.write_index(vec![self.ledger.put_run(record)])?;
        self.flush().await?;
        let settle = self.to_settle();
        let writer = Applier {
            ledger: &self.ledger,
            target: &self.syncer.target,
            progress: &*self.request.progress,
            stop: &self.request.stop,
            settle: &settle,
        };
        let applied = writer.apply(record).await?;
        self.settle_meta()?;
        self.adopt(record).await?;
        self.settle_readings().await?;
        if let Some(matcher) = &self.matcher {
            matcher.done()?;
        }
        record.state = RunState::Done;
        Ok((Vec::new(), (applied.written, applied.dangling)))
    }

    /// Brings the plan together.
    async fn gather(&mut self, found: Found) -> Result<(), SyncError> {
        if let Mode::Replay(replay) = self.request.mode {
            return self.replay(replay.span).await;
        }
        self.remap().await?;
        match &self.request.mode {
            Mode::Sync | Mode::Plan => self.pull().await,
            Mode::Remap | Mode::Replay(_) => self.relink().await,
            Mode::Targeted(targets) => self.look(targets, found).await,
        }
    }

    /// Maps stored records again, where the mapping of a kind is not the one its entries were mapped under.
    async fn remap(&mut self) -> Result<(), SyncError> {
        for entity in self.request.mapper.entities() {
            let Some(digest) = self.digest_of(entity) else { continue };
            let meta = self.ledger.meta(entity)?;
            let rebuild = self.rebuild(entity).await?;
            let relinked = entity == Entity::Employee
                && self.matcher.as_ref().is_some_and(|matcher| matcher.todo().0);
            if meta.slots > 0 && (meta.digest != Some(digest) || rebuild || relinked) {
                self.phase(entity, Source::Stored, rebuild).await?;
            }
            self.digests.insert(entity, digest);
        }
        Ok(())
    }

    /// Whether the target lost what the state says it holds.
    async fn rebuild(&mut self, entity: Entity) -> Result<bool, SyncError> {
        let vacant = self.syncer.target.is_empty(&self.syncer.connection, entity).await?;
        self.vacant.insert(entity, vacant);
        if !vacant {
            return Ok(false);
        }
        for pair in self.ledger.entries(entity, None) {
            if matches!(self.ledger.in_force(&pair?.1, self.id), Standing::Present(_)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn pull(&mut self) -> Result<(), SyncError> {
        let capabilities = self.syncer.provider.capabilities().await?;
        let mut by_departments = false;
        for entity in [Entity::Department, Entity::Employee] {
            if self.request.mapper.digest(entity).is_none() {
                continue;
            }
            for walk in capabilities.walks.iter().filter(|walk| walk_entity(**walk) == entity) {
                let source = match walk {
                    Walk::Whole(_) => Source::Pull(vec![Part::Whole]),
                    Walk::PerDepartment(_) => Source::Within(self.met(Entity::Department)),
                };
                by_departments |= matches!(walk, Walk::PerDepartment(_));
                let listed = self.phase(entity, source, false).await?;
                self.certify(entity, &listed)?;
            }
        }
        if by_departments {
            self.share_doubts();
        }
        self.relink().await?;
        for entity in [Entity::Employee, Entity::Department] {
            self.retire(entity).await?;
        }
        self.attendance(&capabilities).await
    }

    /// People are listed by departments: a department that is missing hides its people, and people who do not add up
    /// hint at a department that is missing. Neither listing licenses an end while the other is in doubt.
    fn share_doubts(&mut self) {
        let doubtful = |this: &Self, entity| this.doubts.contains_key(&entity);
        match (doubtful(self, Entity::Department), doubtful(self, Entity::Employee)) {
            (true, _) => self.doubts.entry(Entity::Employee).or_default().push(Doubt::Departments),
            (false, true) => self.doubts.entry(Entity::Department).or_default().push(Doubt::People),
            (false, false) => {}
        }
    }

    async fn attendance(&mut self, capabilities: &Capabilities) -> Result<(), SyncError> {
        let attendance = self.syncer.settings.attendance;
        let now = self.syncer.clock.now_ms() / 1000;
        for &batch in &capabilities.batches {
            let entity = batch.entity;
            if self.request.mapper.digest(entity).is_none() {
                continue;
            }
            let zone = self.syncer.settings.zone.clone();
            let agenda = Agenda::open(&self.ledger, batch, Reach { now, attendance, zone })?;
            let people = self.ledger.meta(Entity::Employee)?.slots;
            let count = agenda.count(people.into());
            let listed = self.phase(entity, Source::Turns(agenda.clone(), count), false).await?;
            self.failures.extend(listed.failures);
            let Listed { turns, unsettled, .. } = listed;
            self.readings.insert(entity, Reading { agenda, turns, unsettled });
            self.read_until.insert(entity, now);
        }
        Ok(())
    }

    async fn phase(
        &mut self,
        entity: Entity,
        source: Source,
        rebuild: bool,
    ) -> Result<Listed, SyncError> {
        let mut tallied = self.kinds.remove(&entity).unwrap_or_default();
        tallied.meta = self.ledger.meta(entity)?;
        let vacant = self.vacant.get(&entity).copied().unwrap_or(false);
        let matcher = self.matcher.clone();
        let phase = Phase { run: self, entity, rebuild, vacant, matcher };
        let (listed, tallied) = phase.carry_out(source, tallied).await?;
        self.kinds.insert(entity, tallied);
        Ok(listed)
    }

    /// Whom of a kind the run has met so far.
    fn met(&self, entity: Entity) -> Seen {
        self.kinds.get(&entity).map(|tallied| tallied.seen.clone()).unwrap_or_default()
    }

    /// Judges a listing.
    fn certify(&mut self, entity: Entity, listed: &Listed) -> Result<(), SyncError> {
        let mut tallied = self.kinds.remove(&entity).unwrap_or_default();
        let listing = Listing {
            failures: listed.failures.clone(),
            distinct: tallied.seen.count(),
            evidence: listed.evidence.clone(),
            previous_scope: tallied.meta.scope.clone(),
            known: u64::from(tallied.meta.slots),
            orphans: tallied.orphans,
        };
        let doubts = certify::doubts(&listing);
        if !doubts.is_empty() {
            self.doubts.insert(entity, doubts);
        }
        tallied.meta.scope = listed.evidence.scope.clone().or(tallied.meta.scope);
        self.ledger.write_index(vec![self.ledger.put_meta(entity, &tallied.meta)])?;
        self.failures.extend(listed.failures.iter().cloned());
        self.kinds.insert(entity, tallied);
        Ok(())
    }

    /// Plans the ends that a certified listing licenses.
    async fn retire(&mut self, entity: Entity) -> Result<(), SyncError> {
        if self.doubts.contains_key(&entity) {
            return Ok(());
        }
        let Some(mut tallied) = self.kinds.remove(&entity) else { return Ok(()) };
        let mut retirer = Retirer {
            ledger: self.ledger.clone(),
            connection: self.syncer.connection.clone(),
            entity,
            run: self.id,
            matcher: self.matcher.clone().filter(|_| entity == Entity::Employee),
            keeper: self.keeper(entity),
        };
        let plan = move || retirer.plan(&mut tallied).map(|()| tallied);
        let tallied = blocking(plan).await?;
        self.kinds.insert(entity, tallied);
        Ok(())
    }

    /// Where what is replaced of a kind goes.
    pub(super) fn shelf(&self, entity: Entity) -> Shelf {
        let (tenant, connection) = (self.syncer.tenant.clone(), self.syncer.connection.clone());
        Shelf { tenant, connection, entity }
    }

    pub(super) fn keeper(&self, entity: Entity) -> Keeper {
        let (archive, run) = (self.syncer.archive.clone(), (self.id, self.started_ms));
        Keeper::new(archive, self.shelf(entity), run, self.mapped_by.get(&entity).copied())
    }

    fn plan(&self) -> Tallies {
        self.kinds.iter().map(|(&entity, tallied)| (entity, tallied.tally)).collect()
    }

    fn digest(&self) -> ContentHash {
        let sum = self.kinds.values().fold(0u128, |sum, kind| sum.wrapping_add(kind.digest));
        ContentHash(sum.to_le_bytes())
    }

    fn to_settle(&self) -> Vec<Entity> {
        let touched = |kind: &Tallied| kind.tally.total() + kind.adopted > 0;
        if self.unsettled || self.kinds.values().any(touched) {
            Entity::ALL.to_vec()
        } else {
            Vec::new()
        }
    }

    async fn flush(&self) -> Result<(), SyncError> {
        let (ledger, archive) = (self.ledger.clone(), self.syncer.archive.clone());
        blocking(move || {
            archive.flush()?;
            Ok(ledger.store().flush()?)
        })
        .await
    }
}

fn walk_entity(walk: Walk) -> Entity {
    match walk {
        Walk::Whole(entity) | Walk::PerDepartment(entity) => entity,
    }
}

pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SyncError> + Send + 'static,
) -> Result<T, SyncError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|cause| SyncError::Worker(cause.to_string()))?
}
