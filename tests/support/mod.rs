//! A small world for tests of the sync: a platform in memory, a mapping in Rust, a target that remembers its writes.

#![expect(clippy::unwrap_used, reason = "a set-up that fails is a test that fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use rollcall::config::{Attendance, Gate, Matching};
use rollcall::model::draft::{Draft, Fields};
use rollcall::model::entity::Entity;
use rollcall::model::fault::{Advice, Fault};
use rollcall::model::hash::ContentHash;
use rollcall::model::ids::{ConnectionId, ExternalId, SourceId, TenantId};
use rollcall::model::plan::{ChangeSet, Verb};
use rollcall::model::record::{
    AttendanceBatch, Capabilities, Cursor, Evidence, Finding, Page, Record, Walk, Window,
};
use rollcall::model::sources::{Layer, LayerKind, Sources};
use rollcall::port::archive::{Archive, NoArchive};
use rollcall::port::clock::Clock;
use rollcall::port::mapper::{Mapped, Mapper, Reject};
use rollcall::port::provider::Provider;
use rollcall::port::store::Store;
use rollcall::port::target::{Dangling, Held, Refusal, Target, TargetError};
use rollcall::sync::progress::Silent;
use rollcall::sync::report::Report;
use rollcall::sync::{Mode, Request, Settings, SyncError, Syncer};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// 2026-03-31 10:00 in Shanghai.
pub(crate) const NOW_MS: i64 = 1_774_922_400_000;

pub(crate) fn connection() -> ConnectionId {
    ConnectionId::parse("feishu").unwrap()
}

/// A clock that stands still until it is moved.
pub(crate) struct Still(pub(crate) AtomicI64);

impl Clock for Still {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What the platform holds and how it misbehaves.
#[derive(Default)]
pub(crate) struct Platform {
    /// Department id to (name, parent).
    pub(crate) departments: BTreeMap<String, (String, Option<String>)>,
    /// Person id to (name, departments).
    pub(crate) people: BTreeMap<String, (String, Vec<String>)>,
    /// Person id to employee number, for those who have one.
    pub(crate) numbers: BTreeMap<String, String>,
    /// Person id to own fields, for those who have some.
    pub(crate) customs: BTreeMap<String, Value>,
    /// Punch id to (person, Unix second).
    pub(crate) punches: BTreeMap<String, (String, i64)>,
    /// The count the platform claims, if it does.
    pub(crate) total: Option<u64>,
    pub(crate) scope: Option<String>,
    /// Departments whose people cannot be read.
    pub(crate) broken: BTreeSet<String>,
    /// People are listed only up to here.
    pub(crate) cut: Option<usize>,
    pub(crate) repeat_token: bool,
    /// Objects that spoil the call which asks for them.
    pub(crate) refused: BTreeSet<String>,
    /// Nothing is answered.
    pub(crate) down: bool,
    /// So many of a hundred calls for attendance fail.
    pub(crate) flaky: u64,
    pub(crate) dice: u64,
}

/// A provider over a [`Platform`]; two records a page.
#[derive(Default)]
pub(crate) struct FakeProvider {
    pub(crate) platform: Mutex<Platform>,
    pub(crate) calls: AtomicU64,
}

fn page(items: &[(String, Value)], cursor: Option<&Cursor>, evidence: Evidence) -> Page {
    let at: usize = cursor.map_or(0, |cursor| cursor.0.parse().unwrap());
    let records = items.iter().skip(at).take(2).map(|(id, value)| Record {
        id: SourceId::parse(id).unwrap(),
        payload: Bytes::from(value.to_string()),
    });
    let next = (at + 2 < items.len()).then(|| Cursor((at + 2).to_string()));
    Page { records: records.collect(), next, evidence: Some(evidence) }
}

#[async_trait]
impl Provider for FakeProvider {
    async fn capabilities(&self) -> Result<Capabilities, Fault> {
        Ok(Capabilities {
            walks: vec![Walk::Whole(Entity::Department), Walk::PerDepartment(Entity::Employee)],
            batches: vec![AttendanceBatch { entity: Entity::CheckIn, people: 3, days: 10 }],
        })
    }

    async fn probe(&self) -> Result<Vec<Finding>, Fault> {
        Ok(Vec::new())
    }

    async fn list(
        &self,
        entity: Entity,
        within: Option<&SourceId>,
        cursor: Option<&Cursor>,
    ) -> Result<Page, Fault> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let platform = self.platform.lock().unwrap();
        let within = within.map(SourceId::as_str);
        if within.is_some_and(|id| platform.broken.contains(id)) {
            let (code, message, remedy) = ("500".into(), "broken".into(), "wait".into());
            return Err(Fault::Unavailable(Advice { code, message, remedy }));
        }
        let mut evidence = Evidence { scope: platform.scope.clone(), total: None };
        let items: Vec<(String, Value)> = if entity == Entity::Department {
            let shown = |(id, (name, parent)): (&String, &(String, Option<String>))| {
                (id.clone(), json!({"id": id, "name": name, "parent": parent}))
            };
            platform.departments.iter().map(shown).collect()
        } else {
            evidence.total = platform.total;
            let here = |departments: &[String]| match within {
                Some(id) => departments.iter().any(|d| d == id),
                None => departments.is_empty(),
            };
            let shown = |(id, (name, departments)): (&String, &(String, Vec<String>))| {
                let number = platform.numbers.get(id);
                // As DingTalk does: where somebody is listed shows in the record.
                let mut shown = json!({
                    "id": id, "name": name, "departments": departments, "number": number,
                    "listed_in": within,
                });
                if let Some(custom) = platform.customs.get(id) {
                    shown["custom"] = custom.clone();
                }
                (id.clone(), shown)
            };
            let listed = platform.people.iter().take(platform.cut.unwrap_or(usize::MAX));
            listed.filter(|(_, (_, departments))| here(departments)).map(shown).collect()
        };
        let mut page = page(&items, cursor, evidence);
        if platform.repeat_token && entity == Entity::Employee {
            page.next = Some(Cursor("0".to_owned()));
        }
        Ok(page)
    }

    async fn list_attendance(
        &self,
        _: Entity,
        people: &[SourceId],
        window: Window,
        cursor: Option<&Cursor>,
    ) -> Result<Page, Fault> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let mut platform = self.platform.lock().unwrap();
        platform.dice = platform
            .dice
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        if (platform.dice >> 33) % 100 < platform.flaky {
            let (code, message, remedy) = ("500".into(), "flaky".into(), "wait".into());
            return Err(Fault::Unavailable(Advice { code, message, remedy }));
        }
        let wanted = |(person, at): &(String, i64)| {
            people.iter().any(|p| p.as_str() == person) && (window.start..window.end).contains(at)
        };
        let items: Vec<(String, Value)> = platform
            .punches
            .iter()
            .filter(|(_, punch)| wanted(punch))
            .map(|(id, (person, at))| (id.clone(), json!({"id": id, "person": person, "at": at})))
            .collect();
        Ok(page(&items, cursor, Evidence::default()))
    }

    async fn fetch(&self, entity: Entity, ids: &[SourceId]) -> Result<Vec<Record>, Fault> {
        assert!(ids.len() <= 50, "{} objects in one call", ids.len());
        self.calls.fetch_add(1, Ordering::Relaxed);
        let platform = self.platform.lock().unwrap();
        let advice =
            || Advice { code: "500".into(), message: "broken".into(), remedy: "wait".into() };
        if platform.down {
            return Err(Fault::Unavailable(advice()));
        }
        if ids.iter().any(|id| platform.refused.contains(id.as_str())) {
            return Err(Fault::Forbidden(advice()));
        }
        let one = |id: &SourceId| {
            let text = id.as_str();
            let value = if entity == Entity::Department {
                let (name, parent) = platform.departments.get(text)?;
                json!({"id": text, "name": name, "parent": parent})
            } else {
                let (name, departments) = platform.people.get(text)?;
                json!({"id": text, "name": name, "departments": departments})
            };
            Some(Record { id: id.clone(), payload: Bytes::from(value.to_string()) })
        };
        Ok(ids.iter().filter_map(one).collect())
    }

    fn requests(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }
}

/// A mapping in Rust. `suffix` stands for an edit of the script; a name of `bad` is rejected, one of `skip` left out.
pub(crate) struct FakeMapper {
    pub(crate) suffix: String,
    pub(crate) sources: Sources,
    pub(crate) connection: ConnectionId,
}

impl FakeMapper {
    pub(crate) fn new(suffix: &str, connection: ConnectionId) -> Self {
        let files = [("employee.rhai".to_owned(), suffix.to_owned())].into();
        let layers =
            vec![Layer { name: connection.to_string(), kind: LayerKind::Connector, files }];
        let sources = Sources { layers, ..Sources::default() };
        Self { suffix: suffix.to_owned(), sources, connection }
    }
}

impl Mapper for FakeMapper {
    fn sources(&self) -> Option<&Sources> {
        Some(&self.sources)
    }

    fn entities(&self) -> Vec<Entity> {
        vec![Entity::Department, Entity::Employee, Entity::CheckIn]
    }

    fn digest(&self, entity: Entity) -> Option<ContentHash> {
        let text = if entity == Entity::Employee { self.suffix.as_str() } else { "" };
        self.entities().contains(&entity).then(|| ContentHash::of(text.as_bytes()))
    }

    fn map(&self, entity: Entity, records: &[Record]) -> Vec<Mapped> {
        records.iter().map(|record| self.one(entity, record)).collect()
    }
}

impl FakeMapper {
    fn one(&self, entity: Entity, record: &Record) -> Mapped {
        let value: Value = serde_json::from_slice(&record.payload).unwrap();
        let key = |entity, id: &str| ExternalId::of(&self.connection, entity, id).to_string();
        let name = value["name"].as_str().unwrap_or_default();
        if name == "skip" {
            return Mapped::Skipped;
        }
        if name == "bad" {
            let (code, message) = ("mapping::test".to_owned(), "a bad name".to_owned());
            return Mapped::Rejected(Reject { code, field: None, message, place: None });
        }
        let fields = match entity {
            Entity::Department => json!({
                "name": name, "status": "active",
                "parent_external_id": value["parent"].as_str().map(|id| key(entity, id)),
            }),
            Entity::Employee => {
                let departments = value["departments"].as_array().unwrap();
                let departments: Vec<String> = departments
                    .iter()
                    .map(|d| key(Entity::Department, d.as_str().unwrap()))
                    .collect();
                let mut fields = json!({
                    "display_name": format!("{name}{}", self.suffix), "status": "active",
                    "department_external_ids": departments,
                });
                if let Some(number) = value["number"].as_str() {
                    fields["employee_number"] = json!(number);
                }
                if let Some(custom) = value.get("custom") {
                    fields["custom"] = custom.clone();
                }
                fields
            }
            _ => json!({
                "employee_external_id": key(Entity::Employee, value["person"].as_str().unwrap()),
                "at": "2026-03-30T09:00:00+08:00", "timezone": "Asia/Shanghai",
                "work_date": "2026-03-30", "direction": "unknown", "kind": "shift",
            }),
        };
        Mapped::Draft(draft(&self.connection, entity, record.id.as_str(), &fields))
    }
}

/// A target in memory that counts its writes.
#[derive(Default)]
pub(crate) struct FakeTarget {
    pub(crate) rows: Mutex<BTreeMap<(Entity, ExternalId), Held>>,
    pub(crate) writes: AtomicU64,
    /// Every change in the order it came.
    pub(crate) log: Mutex<Vec<String>>,
    /// Fails the set with this number, from 1, and every later one.
    pub(crate) fail_at: Mutex<Option<u64>>,
    pub(crate) sets: AtomicU64,
    /// Keys it refuses.
    pub(crate) refuse: Mutex<BTreeSet<String>>,
}

#[async_trait]
impl Target for FakeTarget {
    async fn is_empty(
        &self,
        connection: &ConnectionId,
        entity: Entity,
    ) -> Result<bool, TargetError> {
        let prefix = format!("{connection}:");
        let rows = self.rows.lock().unwrap();
        Ok(!rows.keys().any(|(kind, id)| *kind == entity && id.as_str().starts_with(&prefix)))
    }

    async fn load(
        &self,
        entity: Entity,
        keys: &[ExternalId],
    ) -> Result<Vec<Option<Held>>, TargetError> {
        let rows = self.rows.lock().unwrap();
        Ok(keys.iter().map(|key| rows.get(&(entity, key.clone())).cloned()).collect())
    }

    async fn apply(&self, set: Arc<ChangeSet>) -> Result<Vec<Result<(), Refusal>>, TargetError> {
        let number = self.sets.fetch_add(1, Ordering::Relaxed) + 1;
        if self.fail_at.lock().unwrap().is_some_and(|at| number >= at) {
            return Err(TargetError::Unavailable("gone".to_owned()));
        }
        let mut rows = self.rows.lock().unwrap();
        let mut log = self.log.lock().unwrap();
        let refuse = self.refuse.lock().unwrap();
        let mut results = Vec::new();
        for change in &set.changes {
            if refuse.contains(change.external_id.source()) {
                let (code, message) = ("target::constraint".to_owned(), "refused".to_owned());
                results.push(Err(Refusal { code, message }));
                continue;
            }
            self.writes.fetch_add(1, Ordering::Relaxed);
            log.push(format!("{:?} {} {}", change.verb, set.entity, change.external_id.source()));
            if let Some(into) = change.merged_into() {
                // As the EHR does: a run of the other connection may have linked the two and not written its own yet.
                let there = rows.contains_key(&(set.entity, into));
                if there {
                    rows.remove(&(set.entity, change.external_id.clone()));
                }
                let message = "not there yet".to_owned();
                let missing = || Refusal { code: "target::missing".to_owned(), message };
                results.push(there.then_some(()).ok_or_else(missing));
                continue;
            }
            let key = (set.entity, change.external_id.clone());
            let retired = change.verb == Verb::Retire;
            let json = if retired { &rows[&key].json } else { &change.json }.clone();
            rows.insert(key, Held { hash: change.hash, retired, json });
            results.push(Ok(()));
        }
        Ok(results)
    }

    async fn settle(&self, _: Entity) -> Result<Vec<Dangling>, TargetError> {
        Ok(Vec::new())
    }
}

/// A valid draft of these fields.
pub(crate) fn draft(
    connection: &ConnectionId,
    entity: Entity,
    source: &str,
    fields: &Value,
) -> Draft {
    let mut set = Fields::new(entity);
    let key = ExternalId::of(connection, entity, source);
    set.set("external_id", rollcall::model::draft::Content::Text(key.as_str().into()));
    for (name, value) in fields.as_object().unwrap() {
        set.set(name, value.into());
    }
    Draft::try_new(&set).unwrap()
}

/// Everything a run needs, kept from run to run.
pub(crate) struct World {
    pub(crate) provider: Arc<FakeProvider>,
    pub(crate) target: Arc<FakeTarget>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) archive: Arc<dyn Archive>,
    pub(crate) clock: Arc<Still>,
    pub(crate) suffix: String,
    pub(crate) connection: ConnectionId,
    pub(crate) matching: Option<Matching>,
    pub(crate) gate: Gate,
}

impl World {
    /// Three departments in a line, `people` people over them, one of them in two, and two punches each.
    pub(crate) fn of(people: usize, store: Arc<dyn Store>) -> Self {
        let provider = FakeProvider::default();
        {
            let mut platform = provider.platform.lock().unwrap();
            for (id, parent) in [("d3", Some("d2")), ("d2", Some("d1")), ("d1", None)] {
                platform
                    .departments
                    .insert(id.into(), (format!("Dept {id}"), parent.map(str::to_owned)));
            }
            for n in 0..people {
                let mut departments = vec![format!("d{}", n % 3 + 1)];
                if n == 1 {
                    departments.push("d1".to_owned());
                }
                platform.people.insert(format!("u{n:03}"), (format!("Person {n}"), departments));
                for k in 0..2 {
                    let at = NOW_MS / 1000 - 86_400 - k * 3_600;
                    platform.punches.insert(format!("p{n:03}-{k}"), (format!("u{n:03}"), at));
                }
            }
        }
        Self {
            provider: Arc::new(provider),
            target: Arc::default(),
            store,
            archive: Arc::new(NoArchive),
            clock: Arc::new(Still(AtomicI64::new(NOW_MS))),
            suffix: String::new(),
            connection: connection(),
            matching: None,
            gate: Gate { retire_share: "10%".parse().unwrap(), retire_count: 2 },
        }
    }

    /// The same tenant on another platform, which is empty.
    pub(crate) fn beside(&self, connection: &str) -> Self {
        Self {
            provider: Arc::default(),
            target: self.target.clone(),
            store: self.store.clone(),
            archive: self.archive.clone(),
            clock: self.clock.clone(),
            suffix: String::new(),
            connection: ConnectionId::parse(connection).unwrap(),
            matching: self.matching.clone(),
            gate: self.gate,
        }
    }

    pub(crate) fn platform(&self) -> std::sync::MutexGuard<'_, Platform> {
        self.provider.platform.lock().unwrap()
    }

    /// Gives everybody own fields as large as they can be, a third of a megabyte: a plan set holds about a dozen of them.
    pub(crate) fn enlarge(&self) -> Value {
        let note = |n: usize| (format!("note {n}"), json!("备".repeat(1000)));
        let custom = Value::Object((0..100).map(note).collect());
        let Platform { people, customs, .. } = &mut *self.platform();
        customs.extend(people.keys().map(|id| (id.clone(), custom.clone())));
        custom
    }

    pub(crate) fn syncer(&self) -> Syncer {
        Syncer {
            tenant: TenantId::parse("acme").unwrap(),
            connection: self.connection.clone(),
            provider: self.provider.clone(),
            target: self.target.clone(),
            store: self.store.clone(),
            archive: self.archive.clone(),
            clock: self.clock.clone(),
            settings: Settings {
                zone: jiff::tz::TimeZone::get("Asia/Shanghai").unwrap(),
                gate: self.gate,
                attendance: Attendance { lookback_days: 3, backfill_days: 30, since: None },
                matching: self.matching.clone(),
                parallel: 3,
                workers: 2,
            },
        }
    }

    pub(crate) fn mapper(&self) -> Arc<FakeMapper> {
        Arc::new(FakeMapper::new(&self.suffix, self.connection.clone()))
    }

    pub(crate) async fn run(&self, mode: Mode) -> Result<Report, SyncError> {
        self.run_approving(mode, None).await
    }

    pub(crate) async fn run_approving(
        &self,
        mode: Mode,
        approve: Option<ContentHash>,
    ) -> Result<Report, SyncError> {
        let request = Request {
            mode,
            approve,
            stop: CancellationToken::new(),
            progress: Arc::new(Silent),
            mapper: self.mapper(),
        };
        self.syncer().run(&request).await
    }

    pub(crate) async fn sync(&self) -> Report {
        self.run(Mode::Sync).await.unwrap()
    }

    /// The log of writes since the last call.
    pub(crate) fn wrote(&self) -> Vec<String> {
        std::mem::take(&mut *self.target.log.lock().unwrap())
    }

    pub(crate) fn standing(&self, entity: Entity) -> usize {
        let rows = self.target.rows.lock().unwrap();
        rows.iter().filter(|((kind, _), held)| *kind == entity && !held.retired).count()
    }

    pub(crate) fn held(&self, entity: Entity, source: &str) -> Option<Value> {
        let key = (entity, ExternalId::of(&self.connection, entity, source));
        let rows = self.target.rows.lock().unwrap();
        rows.get(&key).map(|held| serde_json::from_slice(&held.json).unwrap())
    }
}
