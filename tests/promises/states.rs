//! Missing, null, empty and value are four states from the platform to the row in the EHR.

#![expect(clippy::unwrap_used, reason = "a set-up that fails is a test that fails")]

use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use rollcall::mapping::{Files, Generation};
use rollcall::model::entity::Entity;
use rollcall::model::fault::Fault;
use rollcall::model::ids::{ExternalId, SourceId};
use rollcall::model::record::{
    AttendanceBatch, Capabilities, Cursor, Evidence, Finding, Page, Record, Walk, Window,
};
use rollcall::port::mapper::Mapper;
use rollcall::port::provider::Provider;
use rollcall::port::target::Target;
use rollcall::state::MemoryStore;
use rollcall::sync::progress::Silent;
use rollcall::sync::{Mode, Request, Syncer};
use rollcall::target::ehr::{EmbeddedEhr, Options};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::support::{NOW_MS, Still, World, connection};

/// A platform with one person, told as it is set.
struct OnePerson(Mutex<Value>);

fn page(records: Vec<Record>) -> Page {
    Page { records, next: None, evidence: Some(Evidence::default()) }
}

#[async_trait]
impl Provider for OnePerson {
    async fn capabilities(&self) -> Result<Capabilities, Fault> {
        let walks = vec![Walk::Whole(Entity::Department), Walk::Whole(Entity::Employee)];
        Ok(Capabilities { walks, batches: Vec::<AttendanceBatch>::new() })
    }

    async fn probe(&self) -> Result<Vec<Finding>, Fault> {
        Ok(Vec::new())
    }

    async fn list(
        &self,
        entity: Entity,
        _: Option<&SourceId>,
        _: Option<&Cursor>,
    ) -> Result<Page, Fault> {
        let id = SourceId::parse("e1").unwrap();
        let payload = self.0.lock().unwrap().to_string().into();
        let people =
            if entity == Entity::Employee { vec![Record { id, payload }] } else { Vec::new() };
        Ok(page(people))
    }

    async fn list_attendance(
        &self,
        _: Entity,
        _: &[SourceId],
        _: Window,
        _: Option<&Cursor>,
    ) -> Result<Page, Fault> {
        Ok(page(Vec::new()))
    }

    async fn fetch(&self, _: Entity, _: &[SourceId]) -> Result<Vec<Record>, Fault> {
        Ok(Vec::new())
    }

    fn requests(&self) -> u64 {
        0
    }
}

/// What a platform says of a field.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Told {
    Missing,
    Null,
    Empty,
    Value,
}

const ALL: [Told; 4] = [Told::Missing, Told::Null, Told::Empty, Told::Value];

impl Told {
    fn record(self, value: &str) -> Value {
        let mut record = json!({ "name": "李伟" });
        match self {
            Self::Missing => {}
            Self::Null => record["title"] = Value::Null,
            Self::Empty => record["title"] = json!(""),
            Self::Value => record["title"] = json!(value),
        }
        record
    }

    /// What the EHR holds after it was told `self` and held `held` before.
    fn over(self, held: &Value, value: &str) -> Value {
        match self {
            Self::Missing => held.clone(),
            Self::Null => Value::Null,
            Self::Empty => json!(""),
            Self::Value => json!(value),
        }
    }
}

struct Scene {
    provider: Arc<OnePerson>,
    syncer: Syncer,
    target: Arc<EmbeddedEhr>,
    mapper: Arc<dyn Mapper>,
    _folder: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(Still(AtomicI64::new(NOW_MS)));
        let ehr = folder.path().join("ehr.db");
        let target = Arc::new(EmbeddedEhr::open(&ehr, clock, Options::default()).unwrap());
        let provider = Arc::new(OnePerson(Mutex::new(Value::Null)));
        let script = "#{ display_name: record.name, department_external_ids: [], status: \"active\", job_title: null_to_clear(record.title) }";
        let department = "#{ name: record.name, status: \"active\" }";
        let files = Files::from_memory(
            "feishu",
            [("employee.rhai", script), ("department.rhai", department)],
        );
        let generation = Generation::load(&files, None).unwrap();
        let mapper = generation.mapper(&connection(), "Asia/Shanghai", "CN").unwrap();
        let world = World::of(0, Arc::new(MemoryStore::default()));
        let syncer =
            Syncer { provider: provider.clone(), target: target.clone(), ..world.syncer() };
        Self { provider, syncer, target, mapper, _folder: folder }
    }

    async fn run(&self, mode: Mode) -> rollcall::sync::report::Report {
        let request = Request {
            mode,
            approve: None,
            stop: CancellationToken::new(),
            progress: Arc::new(Silent),
            mapper: self.mapper.clone(),
        };
        let report = self.syncer.run(&request).await.unwrap();
        assert!(report.doubts.is_empty() && report.held.is_empty(), "{report:?}");
        report
    }

    /// Tells the platform's record, and returns what the plan says of the field: before and after.
    async fn tell(&self, record: Value) -> Option<(Value, Value)> {
        *self.provider.0.lock().unwrap() = record;
        let report = self.run(Mode::Plan).await;
        let mut shown = None;
        let show = |change: rollcall::sync::diff::Shown| {
            let title = change.fields.into_iter().find(|field| field.field == "job_title");
            shown = title.map(|field| (field.before, field.after));
        };
        self.syncer.show(report.run, 10, show).await.unwrap();
        self.run(Mode::Sync).await;
        shown
    }

    async fn held(&self) -> Value {
        let key = ExternalId::of(&connection(), Entity::Employee, "e1");
        let held = self.target.load(Entity::Employee, &[key]).await.unwrap().remove(0).unwrap();
        let object: Value = serde_json::from_slice(&held.json).unwrap();
        assert_eq!(object["display_name"], "李伟");
        object["job_title"].clone()
    }
}

#[tokio::test]
async fn every_step_from_one_state_to_another_ends_in_the_ehr_as_it_should() {
    for first in ALL {
        for second in ALL {
            let scene = Scene::new();
            scene.tell(first.record("Engineer")).await;
            let before = first.over(&Value::Null, "Engineer");
            assert_eq!(scene.held().await, before, "{first:?}");
            let shown = scene.tell(second.record("Lead")).await;
            let after = second.over(&before, "Lead");
            assert_eq!(scene.held().await, after, "{first:?} to {second:?}");
            let difference = (before != after).then_some((before, after));
            assert_eq!(shown, difference, "the plan from {first:?} to {second:?}");
            // Told again, there is nothing to write.
            let again = scene.run(Mode::Sync).await;
            assert_eq!(again.writes(), 0, "{first:?} to {second:?}");
        }
    }
}
