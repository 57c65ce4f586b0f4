//! What an edit of a mapping would do, told before it does.

#![expect(clippy::unwrap_used, reason = "a set-up that fails is a test that fails")]

use std::sync::Arc;
use std::sync::atomic::Ordering;

use rollcall::mapping::{Files, Generation};
use rollcall::model::entity::Entity;
use rollcall::model::ids::TenantId;
use rollcall::port::mapper::Mapper;
use rollcall::state::MemoryStore;
use rollcall::sync::impact::{KindImpact, Outcome, Shade, Sides, Turn, measure, person};
use rollcall::sync::ledger::Ledger;
use rollcall::sync::lineage::find::{Found, by_key};

use crate::support::{World, connection};

/// A mapping of the small world's people with these lines in it.
fn scripted(lines: &str) -> Arc<dyn Mapper> {
    let text = format!(
        "#{{\n    display_name: record.name,\n    department_external_ids: record.departments.map(|d| id(\"department\", d)),\n{lines}\n}}"
    );
    let files = Files::from_memory("feishu", [("employee.rhai", text.as_str())]);
    let generation = Generation::load(&files, None).unwrap();
    generation.mapper(&connection(), "Asia/Shanghai", "CN").unwrap()
}

async fn world(people: usize) -> (World, Ledger) {
    let store: Arc<MemoryStore> = Arc::default();
    let world = World::of(people, store.clone());
    world.sync().await;
    let ledger = Ledger::open(store, &TenantId::parse("acme").unwrap(), &connection()).unwrap();
    (world, ledger)
}

fn impact(ledger: &Ledger, old: &dyn Mapper, new: &dyn Mapper) -> KindImpact {
    let mut kinds = measure(ledger, Sides { old, new }, None, 2).unwrap();
    assert_eq!(kinds.len(), 1);
    kinds.remove(0)
}

#[tokio::test]
async fn people_whose_field_changes_in_the_same_way_are_one_group_with_its_line() {
    let (world, ledger) = world(150).await;
    let calls = world.provider.calls.load(Ordering::Relaxed);
    let old = scripted("    status: \"active\",");
    let new = scripted(
        "    alias: \"x\" + record.id,\n    status: if record.departments[0] == \"d1\" { \"terminated\" } else { \"active\" },",
    );
    let told = impact(&ledger, &*old, &*new);
    assert_eq!((told.entity, told.records, told.changed), (Entity::Employee, 150, 150));
    let groups: Vec<_> = told
        .fields
        .iter()
        .map(|it| (it.field.as_str(), it.before.to_string(), it.after.to_string(), it.records))
        .collect();
    assert_eq!(
        groups,
        [
            ("alias", "left alone".to_owned(), "a value".to_owned(), 150),
            ("status", "active".to_owned(), "terminated".to_owned(), 50),
        ]
    );
    let place = told.fields[1].place.as_ref().unwrap();
    assert_eq!((place.script.as_str(), place.line), ("feishu/employee.rhai", 5));
    assert_eq!(told.fields[1].first, ["u000", "u003", "u006", "u009", "u012"]);
    assert!(!serde_json::to_string(&told).unwrap().contains("xu00"), "values stay out of groups");
    assert_eq!(world.provider.calls.load(Ordering::Relaxed), calls, "the platform is not asked");
}

#[tokio::test]
async fn records_newly_parked_left_out_and_returning_are_told_apart() {
    let (_, ledger) = world(12).await;
    let old = scripted("    status: if record.id == \"u004\" { skip() } else { \"active\" },");
    let new = scripted(
        "    status: if record.id == \"u001\" { record.name } else if record.id == \"u002\" { skip() } else { \"active\" },",
    );
    let told = impact(&ledger, &*old, &*new);
    let mut turns: Vec<_> =
        told.turns.iter().map(|it| (it.turn, it.records, it.first.join(" "))).collect();
    turns.sort();
    assert_eq!(
        turns,
        [
            (Turn::Parked, 1, "u001".to_owned()),
            (Turn::LeftOut, 1, "u002".to_owned()),
            (Turn::Returning, 1, "u004".to_owned()),
        ]
    );
    let parked = told.turns.iter().find(|it| it.turn == Turn::Parked).unwrap();
    assert_eq!(parked.why.as_ref().unwrap().0, "schema::enum");
    assert_eq!(parked.place.as_ref().unwrap().line, 4);
    assert_eq!((told.changed, told.fields.len()), (3, 0));
}

#[tokio::test]
async fn whoever_has_left_is_not_counted_and_a_mapping_that_is_the_same_is_not_compared() {
    let (world, _) = world(7).await;
    world.platform().people.remove("u003");
    world.sync().await;
    let tenant = TenantId::parse("acme").unwrap();
    let ledger = Ledger::open(world.store.clone(), &tenant, &connection()).unwrap();
    let (old, new) = (scripted("    status: \"active\","), scripted("    status: \"suspended\","));
    assert_eq!(impact(&ledger, &*old, &*new).records, 6);
    let sides = Sides { old: &*old, new: &*old };
    assert_eq!(measure(&ledger, sides, None, 2).unwrap(), []);
}

#[tokio::test]
async fn one_person_is_shown_with_the_values_before_and_after() {
    let (_, ledger) = world(7).await;
    let old = scripted("    status: \"active\",\n    alias: \"a\",");
    let new = scripted("    status: \"active\",\n    alias: clear(),\n    job_title: record.name,");
    let found = by_key(&ledger, &connection(), &*old, "Person 4").unwrap();
    assert_eq!(found, [Found { entity: Entity::Employee, source: "u004".to_owned() }]);
    assert_eq!(by_key(&ledger, &connection(), &*old, "feishu:employee:u004").unwrap(), found);
    assert_eq!(by_key(&ledger, &connection(), &*old, "u004").unwrap(), found);
    assert_eq!(by_key(&ledger, &connection(), &*old, "dingtalk:employee:u004").unwrap(), []);
    let record = ledger.raw(Entity::Employee, "u004").unwrap().unwrap();
    let told = person(Sides { old: &*old, new: &*new }, Entity::Employee, &record);
    assert_eq!((&told.before, &told.after), (&Outcome::Mapped, &Outcome::Mapped));
    let fields: Vec<_> = told
        .fields
        .iter()
        .map(|it| (it.field.as_str(), it.before.clone(), it.after.clone()))
        .collect();
    assert_eq!(
        fields,
        [
            ("alias", Some("a".into()), Some(serde_json::Value::Null)),
            ("job_title", None, Some("Person 4".into())),
        ]
    );
    assert_eq!(told.fields[1].place.as_ref().unwrap().line, 6);
    assert_eq!(Shade::Word("active".to_owned()).to_string(), "active");
}
