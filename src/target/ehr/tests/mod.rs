//! What the embedded EHR promises: a world to try it in, and small records.

mod failures;
mod log;
mod records;
mod references;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::tables::{push, table};
use super::{EmbeddedEhr, Options, count};
use crate::model::entity::Entity;
use crate::model::hash::ContentHash;
use crate::model::ids::{ConnectionId, ExternalId};
use crate::model::plan::{Change, ChangeSet, Verb};
use crate::model::schema;
use crate::port::clock::Clock;
use crate::port::target::{Held, Refusal, Target, TargetError};

/// A clock that only tests move. Starts at 2026-11-20T01:00:00Z.
struct Hands(AtomicI64);

impl Clock for Hands {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// An EHR in a folder of its own, and a second look at its file.
struct World {
    ehr: EmbeddedEhr,
    clock: Arc<Hands>,
    folder: TempDir,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(Hands(AtomicI64::new(1_795_136_400_000)));
        let ehr = open(&folder, &clock).unwrap();
        Self { ehr, clock, folder }
    }

    fn an_hour_later(&self) {
        self.clock.0.fetch_add(3_600_000, Ordering::Relaxed);
    }

    fn look(&self) -> Connection {
        Connection::open(self.folder.path().join("ehr.db")).unwrap()
    }

    /// The first column of a query, as text.
    fn ask(&self, sql: &str) -> Option<String> {
        let value = self.look().query_row(sql, (), |row| row.get::<_, rusqlite::types::Value>(0));
        match value.unwrap() {
            rusqlite::types::Value::Null => None,
            rusqlite::types::Value::Integer(number) => Some(number.to_string()),
            rusqlite::types::Value::Real(number) => Some(number.to_string()),
            rusqlite::types::Value::Text(text) => Some(text),
            rusqlite::types::Value::Blob(_) => panic!("a blob"),
        }
    }

    /// Every row of every table.
    fn dump(&self) -> String {
        let connection = self.look();
        let mut dump = String::new();
        for entity in Entity::ALL {
            let sql = format!("SELECT * FROM {} ORDER BY id", table(entity));
            let mut statement = connection.prepare(&sql).unwrap();
            let columns = statement.column_count();
            let mut rows = statement.query(()).unwrap();
            while let Some(row) = rows.next().unwrap() {
                for column in 0..columns {
                    push(&mut dump, format_args!("{:?}|", row.get_ref(column).unwrap()));
                }
                dump.push('\n');
            }
        }
        dump
    }

    async fn outcomes(&self, entity: Entity, changes: Vec<Change>) -> Vec<Result<(), Refusal>> {
        self.ehr.apply(Arc::new(ChangeSet { entity, changes })).await.unwrap()
    }

    async fn apply(&self, entity: Entity, changes: Vec<Change>) {
        let outcomes = self.outcomes(entity, changes).await;
        assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    }

    async fn load_one(&self, entity: Entity, source: &str) -> Option<Held> {
        self.ehr.load(entity, &[id(entity, source)]).await.unwrap().remove(0)
    }
}

fn open(folder: &TempDir, clock: &Arc<Hands>) -> Result<EmbeddedEhr, TargetError> {
    let options = Options { busy: Duration::from_millis(50), ..Options::default() };
    EmbeddedEhr::open(&folder.path().join("ehr.db"), clock.clone(), options)
}

fn connection() -> ConnectionId {
    ConnectionId::parse("feishu").unwrap()
}

fn id(entity: Entity, source: &str) -> ExternalId {
    ExternalId::of(&connection(), entity, source)
}

/// A change whose draft has `fields` and the external id in front, as canonical JSON has.
fn upsert(entity: Entity, source: &str, fields: &Value) -> Change {
    let external_id = id(entity, source);
    let mut json = format!("{{\"external_id\":{}", json!(external_id.as_str()));
    for field in schema::fields(entity) {
        if let Some(value) = fields.get(field.name) {
            push(&mut json, format_args!(",\"{}\":{value}", field.name));
        }
    }
    json.push('}');
    let hash = ContentHash::of(json.as_bytes());
    Change { verb: Verb::Update, external_id, json: json.into(), hash }
}

fn retire(entity: Entity, source: &str) -> Change {
    let hash = ContentHash::of(b"");
    Change { verb: Verb::Retire, external_id: id(entity, source), json: "".into(), hash }
}

fn department(source: &str, name: &str, parent: Option<&str>) -> Change {
    let parent = parent.map(|parent| id(Entity::Department, parent));
    let fields = json!({ "name": name, "parent_external_id": parent, "status": "active" });
    upsert(Entity::Department, source, &fields)
}

/// A person with the least a draft needs, and what `extra` says.
fn person(source: &str, extra: &Value) -> Change {
    let mut fields =
        json!({ "display_name": "Wang Wei", "department_external_ids": [], "status": "active" });
    let extra = extra.as_object().unwrap().clone();
    fields.as_object_mut().unwrap().extend(extra);
    upsert(Entity::Employee, source, &fields)
}

fn managed(source: &str, manager: &str) -> Change {
    person(source, &json!({ "manager_external_id": id(Entity::Employee, manager) }))
}

fn punch(source: &str, person: &str, at: &str) -> Change {
    let fields = json!({
        "employee_external_id": id(Entity::Employee, person), "at": at, "timezone": "Asia/Shanghai",
        "work_date": "2026-11-20", "direction": "in", "kind": "shift", "latitude": 31.5, "longitude": 121,
    });
    upsert(Entity::CheckIn, source, &fields)
}
