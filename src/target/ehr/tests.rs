//! What the embedded EHR promises.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

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
            let sql = format!("SELECT * FROM {} ORDER BY id", super::tables::table(entity));
            let mut statement = connection.prepare(&sql).unwrap();
            let columns = statement.column_count();
            let mut rows = statement.query(()).unwrap();
            while let Some(row) = rows.next().unwrap() {
                for column in 0..columns {
                    dump.push_str(&format!("{:?}|", row.get_ref(column).unwrap()));
                }
                dump.push('\n');
            }
        }
        dump
    }

    async fn outcomes(&self, entity: Entity, changes: Vec<Change>) -> Vec<Result<(), Refusal>> {
        self.ehr.apply(ChangeSet { entity, changes }).await.unwrap()
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
            json.push_str(&format!(",\"{}\":{value}", field.name));
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

#[tokio::test]
async fn a_record_is_written_once_per_external_id() {
    let world = World::new();
    world.apply(Entity::Employee, vec![person("1", &json!({ "alias": "A" }))]).await;
    world.apply(Entity::Employee, vec![person("1", &json!({ "alias": "B" }))]).await;
    assert_eq!(world.ask("SELECT count(*) FROM employees").as_deref(), Some("1"));
    assert_eq!(world.ask("SELECT alias FROM employees").as_deref(), Some("B"));
    assert_eq!(world.ask("SELECT connection FROM employees").as_deref(), Some("feishu"));
}

#[tokio::test]
async fn the_four_states_of_a_text_stay_apart() {
    let world = World::new();
    let alias = "SELECT alias FROM employees";
    world.apply(Entity::Employee, vec![person("1", &json!({ "alias": "小王" }))]).await;
    assert_eq!(world.ask(alias).as_deref(), Some("小王"));
    world.apply(Entity::Employee, vec![person("1", &json!({}))]).await;
    assert_eq!(world.ask(alias).as_deref(), Some("小王"), "absent: left alone");
    world.apply(Entity::Employee, vec![person("1", &json!({ "alias": "" }))]).await;
    assert_eq!(world.ask(alias).as_deref(), Some(""), "empty is a value");
    world.apply(Entity::Employee, vec![person("1", &json!({ "alias": null }))]).await;
    assert_eq!(world.ask(alias), None, "null: erased");
}

#[tokio::test]
async fn columns_have_the_types_of_their_fields() {
    let world = World::new();
    let custom = json!({ "badge": "a\"b", "floor": 3 });
    world.apply(Entity::Employee, vec![person("1", &json!({ "custom": custom }))]).await;
    world.apply(Entity::CheckIn, vec![punch("p", "1", "2026-11-20T09:02:03+08:00")]).await;
    let day = json!({
        "employee_external_id": id(Entity::Employee, "1"), "work_date": "2026-11-20", "status": "present",
        "worked_minutes": 480, "locked": true,
    });
    world.apply(Entity::AttendanceDay, vec![upsert(Entity::AttendanceDay, "d", &day)]).await;
    assert_eq!(world.ask("SELECT custom ->> 'badge' FROM employees").as_deref(), Some("a\"b"));
    assert_eq!(world.ask("SELECT typeof(longitude) FROM check_ins").as_deref(), Some("real"));
    assert_eq!(world.ask("SELECT at FROM check_ins").as_deref(), Some("2026-11-20T09:02:03+08:00"));
    assert_eq!(world.ask("SELECT at_unix FROM check_ins").as_deref(), Some("1795136523"));
    assert_eq!(
        world.ask("SELECT locked + worked_minutes FROM attendance_days").as_deref(),
        Some("481")
    );
}

#[tokio::test]
async fn what_was_applied_may_be_applied_again_without_a_trace() {
    let world = World::new();
    let departments = vec![department("a", "Company", None), department("b", "Sales", Some("a"))];
    let people = vec![
        managed("1", "2"),
        person("2", &json!({ "department_external_ids": [id(Entity::Department, "b")] })),
        managed("3", "nobody"),
    ];
    let punches = vec![punch("p", "1", "2026-11-20T09:02:03+08:00")];
    let sets =
        [(Entity::Department, departments), (Entity::Employee, people), (Entity::CheckIn, punches)];
    let mut dumps = Vec::new();
    for _ in 0..2 {
        for (entity, changes) in sets.clone() {
            world.apply(entity, changes).await;
            world.ehr.settle(entity).await.unwrap();
        }
        world.apply(Entity::Department, vec![]).await;
        dumps.push(world.dump());
        world.an_hour_later();
    }
    assert_eq!(dumps[0], dumps[1]);
}

#[tokio::test]
async fn a_row_that_someone_changed_is_mended_by_the_same_draft() {
    let world = World::new();
    world.apply(Entity::Employee, vec![person("1", &json!({ "alias": "A" }))]).await;
    world.look().execute("UPDATE employees SET alias = 'X'", ()).unwrap();
    world.apply(Entity::Employee, vec![person("1", &json!({ "alias": "A" }))]).await;
    assert_eq!(world.ask("SELECT alias FROM employees").as_deref(), Some("A"));
}

#[tokio::test]
async fn who_leaves_is_marked_and_who_returns_is_current_again() {
    let world = World::new();
    world.apply(Entity::Department, vec![department("a", "Company", None)]).await;
    world.apply(Entity::Employee, vec![person("1", &json!({ "alias": "A" }))]).await;
    world.an_hour_later();
    world.apply(Entity::Employee, vec![retire(Entity::Employee, "1")]).await;
    world.apply(Entity::Department, vec![retire(Entity::Department, "a")]).await;
    assert_eq!(world.ask("SELECT status FROM departments").as_deref(), Some("inactive"));
    let marked = "SELECT status || retired_at || updated_at || alias FROM employees";
    let expected = "terminated2026-11-20T02:00:00Z2026-11-20T02:00:00ZA";
    assert_eq!(world.ask(marked).as_deref(), Some(expected));
    assert!(world.load_one(Entity::Employee, "1").await.unwrap().retired);
    assert_eq!(world.ask("SELECT count(*) FROM current_employees").as_deref(), Some("0"));

    world.an_hour_later();
    world.apply(Entity::Employee, vec![retire(Entity::Employee, "1")]).await;
    assert_eq!(world.ask(marked).as_deref(), Some(expected), "ending twice keeps the first time");

    world.apply(Entity::Employee, vec![person("1", &json!({ "alias": "A" }))]).await;
    assert_eq!(world.ask("SELECT status FROM employees").as_deref(), Some("active"));
    assert_eq!(world.ask("SELECT retired_at FROM employees"), None);
    assert!(!world.load_one(Entity::Employee, "1").await.unwrap().retired);
}

#[tokio::test]
async fn a_manager_may_come_in_a_later_set_of_the_same_run() {
    let world = World::new();
    world.apply(Entity::Employee, vec![managed("1", "boss")]).await;
    assert_eq!(world.ask("SELECT manager_id FROM employees"), None);
    world.apply(Entity::Employee, vec![person("boss", &json!({ "display_name": "Li Na" }))]).await;
    assert_eq!(world.ehr.settle(Entity::Employee).await.unwrap(), []);
    let manager =
        "SELECT manager_name FROM current_employees WHERE external_id = 'feishu:employee:1'";
    assert_eq!(world.ask(manager).as_deref(), Some("Li Na"));
}

#[tokio::test]
async fn a_changed_or_erased_manager_is_followed() {
    let world = World::new();
    let people = ["1", "2"].map(|source| person(source, &json!({})));
    world.apply(Entity::Employee, people.to_vec()).await;
    let manager = "SELECT manager_id FROM employees WHERE external_id = 'feishu:employee:3'";
    world.apply(Entity::Employee, vec![managed("3", "1")]).await;
    assert_eq!(world.ask(manager).as_deref(), Some("1"));
    world.apply(Entity::Employee, vec![managed("3", "2")]).await;
    assert_eq!(world.ask(manager).as_deref(), Some("2"));
    world.apply(Entity::Employee, vec![person("3", &json!({}))]).await;
    assert_eq!(world.ask(manager).as_deref(), Some("2"), "absent: left alone");
    world.apply(Entity::Employee, vec![person("3", &json!({ "manager_external_id": null }))]).await;
    assert_eq!(world.ask(manager), None);
}

#[tokio::test]
async fn a_reference_to_nothing_is_reported_until_it_is_mended() {
    let world = World::new();
    let lost = json!({ "department_external_ids": [id(Entity::Department, "gone"), "feishu:department:x"] });
    world.apply(Entity::Employee, vec![managed("1", "gone"), person("2", &lost)]).await;
    let dangling = world.ehr.settle(Entity::Employee).await.unwrap();
    let told: Vec<_> =
        dangling.iter().map(|d| (d.external_id.source(), d.field, d.missing.as_str())).collect();
    assert_eq!(
        told,
        [
            ("1", "manager_external_id", "feishu:employee:gone"),
            ("2", "department_external_ids", "feishu:department:gone"),
        ]
    );
    world.apply(Entity::Department, vec![department("gone", "Sales", None)]).await;
    world.ehr.settle(Entity::Department).await.unwrap();
    assert_eq!(
        world.ehr.settle(Entity::Employee).await.unwrap().len(),
        1,
        "departments mend people"
    );
    world.apply(Entity::Employee, vec![retire(Entity::Employee, "1")]).await;
    assert_eq!(
        world.ehr.settle(Entity::Employee).await.unwrap(),
        [],
        "of leavers nothing is reported"
    );
}

#[tokio::test]
async fn at_most_a_hundred_dangling_references_are_reported() {
    let world = World::new();
    let people = (0..150).map(|n| managed(&n.to_string(), "gone")).collect();
    world.apply(Entity::Employee, people).await;
    assert_eq!(world.ehr.settle(Entity::Employee).await.unwrap().len(), 100);
}

#[tokio::test]
async fn punches_and_days_find_their_person_whenever_the_person_comes() {
    let world = World::new();
    world.apply(Entity::CheckIn, vec![punch("p", "1", "2026-11-20T09:02:03+08:00")]).await;
    assert_eq!(world.ehr.settle(Entity::CheckIn).await.unwrap().len(), 1);
    world.apply(Entity::Employee, vec![person("1", &json!({}))]).await;
    world.ehr.settle(Entity::Employee).await.unwrap();
    assert_eq!(world.ask("SELECT employee_id FROM check_ins").as_deref(), Some("1"));
    world.apply(Entity::CheckIn, vec![punch("q", "1", "2026-11-20T18:02:03+08:00")]).await;
    assert_eq!(
        world.ask("SELECT count(employee_id) FROM check_ins").as_deref(),
        Some("2"),
        "at once"
    );
}

#[tokio::test]
async fn paths_follow_names_parents_and_late_parents() {
    let world = World::new();
    let path = "SELECT path FROM departments WHERE external_id = 'feishu:department:c'";
    let settle = || async { world.ehr.settle(Entity::Department).await.unwrap() };
    // The child comes before its parents: order is a courtesy, not a need.
    world.apply(Entity::Department, vec![department("c", "East", Some("b"))]).await;
    assert_eq!(settle().await.len(), 1);
    assert_eq!(world.ask(path).as_deref(), Some("East"));
    let parents = vec![department("b", "Sales", Some("a")), department("a", "Company", None)];
    world.apply(Entity::Department, parents).await;
    assert_eq!(settle().await, []);
    assert_eq!(world.ask(path).as_deref(), Some("Company / Sales / East"));
    world.apply(Entity::Department, vec![department("a", "Group", None)]).await;
    settle().await;
    assert_eq!(world.ask(path).as_deref(), Some("Group / Sales / East"));
    world.apply(Entity::Department, vec![department("c", "East", Some("a"))]).await;
    settle().await;
    assert_eq!(world.ask(path).as_deref(), Some("Group / East"));
}

#[tokio::test]
async fn a_circle_of_parents_has_no_path_and_does_not_hang() {
    let world = World::new();
    let circle = vec![department("a", "A", Some("b")), department("b", "B", Some("a"))];
    world.apply(Entity::Department, circle).await;
    world.ehr.settle(Entity::Department).await.unwrap();
    assert_eq!(world.ask("SELECT count(path) FROM departments").as_deref(), Some("0"));
}

#[tokio::test]
async fn a_refused_change_leaves_the_others_in_force() {
    let world = World::new();
    let nameless = upsert(
        Entity::Employee,
        "2",
        &json!({ "department_external_ids": [], "status": "active" }),
    );
    let mut torn = person("3", &json!({}));
    torn.json = torn.json.slice(..torn.json.len() - 4);
    let mut unknown = person("4", &json!({}));
    unknown.json = r#"{"external_id":"feishu:employee:4","salary":"secret"}"#.into();
    let mut other = person("5", &json!({}));
    other.external_id = id(Entity::Employee, "6");
    let changes = vec![
        person("1", &json!({})),
        nameless,
        torn,
        unknown,
        other,
        retire(Entity::Employee, "7"),
        person("8", &json!({})),
    ];
    let outcomes = world.outcomes(Entity::Employee, changes).await;
    let codes: Vec<_> = outcomes
        .iter()
        .map(|outcome| outcome.as_ref().map_or_else(|refusal| refusal.code.as_str(), |()| "ok"))
        .collect();
    assert_eq!(
        codes,
        [
            "ok",
            "target::constraint",
            "target::draft",
            "target::draft",
            "target::draft",
            "target::missing",
            "ok"
        ]
    );
    let message = &outcomes[1].as_ref().unwrap_err().message;
    assert!(message.contains("employees.display_name"), "{message}");
    assert!(!format!("{outcomes:?}").contains("secret"), "no values in messages");
    assert_eq!(world.ask("SELECT count(*) FROM employees").as_deref(), Some("2"));
}

#[tokio::test]
async fn a_value_of_the_wrong_type_is_refused_without_being_shown() {
    let world = World::new();
    let day = json!({
        "employee_external_id": id(Entity::Employee, "1"), "work_date": "2026-11-20", "status": "present",
        "worked_minutes": "eight hours",
    });
    let fact =
        world.outcomes(Entity::AttendanceDay, vec![upsert(Entity::AttendanceDay, "d", &day)]).await;
    let refusal = fact[0].as_ref().unwrap_err();
    assert_eq!(refusal.code, "target::constraint");
    assert!(
        refusal.message.contains("worked_minutes") && !refusal.message.contains("eight"),
        "{refusal:?}"
    );
    let fact = world.outcomes(Entity::CheckIn, vec![punch("p", "1", "yesterday")]).await;
    let refusal = fact[0].as_ref().unwrap_err();
    assert_eq!(refusal.code, "target::draft");
    assert!(
        refusal.message.contains("`at`") && !refusal.message.contains("yesterday"),
        "{refusal:?}"
    );
}

#[tokio::test]
async fn a_fact_does_not_end() {
    let world = World::new();
    world.apply(Entity::CheckIn, vec![punch("p", "1", "2026-11-20T09:02:03+08:00")]).await;
    let outcomes = world.outcomes(Entity::CheckIn, vec![retire(Entity::CheckIn, "p")]).await;
    assert_eq!(outcomes[0].as_ref().unwrap_err().code, "target::verb");
}

#[tokio::test]
async fn what_is_loaded_is_what_was_drafted() {
    let world = World::new();
    let draft = person(
        "1",
        &json!({
            "alias": "quote \" slash \\ tab \t 花名", "department_external_ids": ["feishu:department:a"],
            "custom": { "floor": 3, "remote": true },
        }),
    );
    let punch = punch("p", "1", "2026-11-20T09:02:03+08:00");
    world.apply(Entity::Employee, vec![draft.clone()]).await;
    world.apply(Entity::CheckIn, vec![punch.clone()]).await;
    let keys = [id(Entity::Employee, "none"), draft.external_id.clone()];
    let held = world.ehr.load(Entity::Employee, &keys).await.unwrap();
    let expected = Held { hash: draft.hash, retired: false, json: draft.json.clone() };
    assert_eq!(held, [None, Some(expected)]);
    assert_eq!(
        world.load_one(Entity::CheckIn, "p").await.unwrap().json,
        punch.json,
        "31.5 and 121"
    );
}

#[tokio::test]
async fn an_erased_field_is_left_out_of_what_is_loaded() {
    let world = World::new();
    let draft = person("1", &json!({ "alias": null, "work_email": "a@example.com" }));
    world.apply(Entity::Employee, vec![draft]).await;
    let json: Value =
        serde_json::from_slice(&world.load_one(Entity::Employee, "1").await.unwrap().json).unwrap();
    assert_eq!(json.get("alias"), None);
    assert_eq!(json["work_email"], "a@example.com");
}

#[tokio::test]
async fn emptiness_is_that_of_one_connection_and_one_kind() {
    let world = World::new();
    let other = ConnectionId::parse("feishu-2").unwrap();
    assert!(world.ehr.is_empty(&connection(), Entity::Employee).await.unwrap());
    world.apply(Entity::Employee, vec![person("1", &json!({}))]).await;
    assert!(!world.ehr.is_empty(&connection(), Entity::Employee).await.unwrap());
    assert!(world.ehr.is_empty(&connection(), Entity::Department).await.unwrap());
    assert!(world.ehr.is_empty(&other, Entity::Employee).await.unwrap());
}

#[tokio::test]
async fn counts_tell_kinds_and_statuses() {
    let world = World::new();
    world.apply(Entity::Employee, ["1", "2", "3"].map(|n| person(n, &json!({}))).to_vec()).await;
    world.apply(Entity::Employee, vec![retire(Entity::Employee, "3")]).await;
    world.apply(Entity::CheckIn, vec![punch("p", "1", "2026-11-20T09:02:03+08:00")]).await;
    let counts = count(world.ehr.path()).unwrap();
    let people = &counts[&Entity::Employee];
    assert_eq!((people.records, people.retired), (3, 1));
    assert_eq!(
        people.by_status.iter().map(|(s, n)| (s.as_str(), *n)).collect::<Vec<_>>(),
        [("active", 2), ("terminated", 1)]
    );
    assert_eq!(counts[&Entity::CheckIn].records, 1);
    assert_eq!(counts[&Entity::Leave].records, 0);
}

#[tokio::test]
async fn departments_of_a_person_can_be_joined() {
    let world = World::new();
    world
        .apply(Entity::Department, vec![department("a", "A", None), department("b", "B", None)])
        .await;
    let both = json!({ "department_external_ids": ["feishu:department:b", "feishu:department:a"] });
    world.apply(Entity::Employee, vec![person("1", &both)]).await;
    let joined = "SELECT group_concat(department_id || ':' || is_main) FROM employee_departments";
    assert_eq!(world.ask(joined).as_deref(), Some("2:1,1:0"));
    assert_eq!(world.ask("SELECT department_name FROM current_employees").as_deref(), Some("B"));
}

#[tokio::test]
async fn a_failed_set_leaves_nothing_and_the_next_one_works() {
    let world = World::new();
    world.apply(Entity::Employee, vec![person("1", &json!({}))]).await;
    // No room for more pages: what a full disk says.
    let pages = world.ehr.call(|ledger| {
        ledger.connection.query_row("PRAGMA page_count", (), |row| row.get::<_, i64>(0))
    });
    let limit = format!("PRAGMA max_page_count = {}", pages.await.unwrap());
    world
        .ehr
        .call(move |ledger| ledger.connection.query_row(&limit, (), |_| Ok(())))
        .await
        .unwrap();
    let before = world.dump();
    let crowd: Vec<_> =
        (0..2000).map(|n| person(&format!("c{n}"), &json!({ "alias": "x".repeat(60) }))).collect();
    let error = world
        .ehr
        .apply(ChangeSet { entity: Entity::Employee, changes: crowd.clone() })
        .await
        .unwrap_err();
    assert!(
        matches!(&error, TargetError::Unusable(text) if text.contains("disk is full")),
        "{error}"
    );
    assert_eq!(world.dump(), before);
    world
        .ehr
        .call(|ledger| {
            ledger.connection.query_row("PRAGMA max_page_count = 1000000", (), |_| Ok(()))
        })
        .await
        .unwrap();
    world.apply(Entity::Employee, crowd).await;
    assert_eq!(world.ask("SELECT count(*) FROM employees").as_deref(), Some("2001"));
}

#[tokio::test]
async fn a_file_that_another_program_writes_is_unavailable_and_then_works() {
    let world = World::new();
    let other = world.look();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let set = || ChangeSet { entity: Entity::Employee, changes: vec![person("1", &json!({}))] };
    let error = world.ehr.apply(set()).await.unwrap_err();
    assert!(
        matches!(&error, TargetError::Unavailable(text) if text.contains("another program")),
        "{error}"
    );
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(world.ehr.apply(set()).await.unwrap(), [Ok(())]);
}

#[tokio::test]
async fn a_file_that_may_only_be_read_says_so() {
    let world = World::new();
    world
        .ehr
        .call(|ledger| ledger.connection.execute_batch("PRAGMA query_only = on"))
        .await
        .unwrap();
    let set = ChangeSet { entity: Entity::Employee, changes: vec![person("1", &json!({}))] };
    let error = world.ehr.apply(set).await.unwrap_err();
    assert!(matches!(&error, TargetError::Unusable(text) if text.contains("read-only")), "{error}");
}

#[test]
fn a_file_that_is_no_ehr_is_refused_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(Hands(AtomicI64::new(0)));
    let path = folder.path().join("ehr.db");
    let refused = |wanted: &str| {
        let before = std::fs::read(&path).unwrap();
        let error = open(&folder, &clock).unwrap_err();
        assert!(matches!(&error, TargetError::Unusable(text) if text.contains(wanted)), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
        std::fs::remove_file(&path).unwrap();
    };
    std::fs::write(&path, "name,email\n".repeat(500)).unwrap();
    refused("is no SQLite database");
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE invoices (id)").unwrap();
    refused("database of another program");
    drop(open(&folder, &clock).unwrap());
    Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 9").unwrap();
    refused("upgrade rollcall");
}

#[test]
fn a_missing_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(Hands(AtomicI64::new(0)));
    let path = folder.path().join("none").join("ehr.db");
    let error = EmbeddedEhr::open(&path, clock, Options::default()).unwrap_err();
    assert!(
        matches!(&error, TargetError::Unusable(text) if text.contains("folder exists")),
        "{error}"
    );
    assert!(matches!(count(&path).unwrap_err(), TargetError::Unusable(_)));
}

#[tokio::test]
async fn a_field_that_the_schema_gains_becomes_a_column() {
    let World { ehr, clock, folder } = World::new();
    drop(ehr);
    let path = folder.path().join("ehr.db");
    Connection::open(&path)
        .unwrap()
        .execute_batch("ALTER TABLE employees DROP COLUMN alias")
        .unwrap();
    let ehr = open(&folder, &clock).unwrap();
    let set = ChangeSet {
        entity: Entity::Employee,
        changes: vec![person("1", &json!({ "alias": "A" }))],
    };
    assert_eq!(ehr.apply(set).await.unwrap(), [Ok(())]);
}

#[tokio::test]
async fn a_writer_that_dies_within_a_set_leaves_whole_sets() {
    let world = World::new();
    world.apply(Entity::Employee, vec![person("1", &json!({}))]).await;
    // What a kill leaves: an open transaction whose process is gone.
    let torn = world.look();
    torn.execute_batch("BEGIN IMMEDIATE; UPDATE employees SET alias = 'half'").unwrap();
    drop(torn);
    assert_eq!(world.ask("SELECT alias FROM employees"), None);
    let before = world.dump();
    let World { ehr, clock, folder } = world;
    drop(ehr);
    let ehr = open(&folder, &clock).unwrap();
    assert_eq!(World { ehr, clock, folder }.dump(), before);
}

#[tokio::test]
async fn more_shapes_of_drafts_than_are_kept_prepared_still_work() {
    let world = World::new();
    let optional: Vec<_> = schema::fields(Entity::Employee)
        .iter()
        .filter(|field| {
            matches!(field.ty, schema::FieldType::Text(_)) && field.name != "display_name"
        })
        .map(|field| field.name)
        .collect();
    for shape in 0..(1 << optional.len().min(7)) {
        let present = optional.iter().enumerate().filter(|(bit, _)| shape >> bit & 1 == 1);
        let fields: serde_json::Map<_, _> =
            present.map(|(_, name)| ((*name).to_owned(), json!(shape.to_string()))).collect();
        world.apply(Entity::Employee, vec![person("1", &Value::Object(fields))]).await;
    }
    assert_eq!(world.ask("SELECT alias FROM employees").as_deref(), Some("127"));
}

#[test]
fn every_kind_has_a_bit_for_each_field() {
    for entity in Entity::ALL {
        assert!(schema::fields(entity).len() <= 64, "{entity}");
    }
}
