//! What a run over single objects promises, over a platform and a target in memory.

#![expect(clippy::unwrap_used, reason = "a set-up that fails is a test that fails")]

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::support::{FakeMapper, NOW_MS, World};
use rollcall::model::entity::Entity;
use rollcall::model::fault::Fault;
use rollcall::model::hint::Hint;
use rollcall::model::ids::SourceId;
use rollcall::state::MemoryStore;
use rollcall::sync::ledger::RunState;
use rollcall::sync::look::{Looked, Sight};
use rollcall::sync::progress::Silent;
use rollcall::sync::report::Report;
use rollcall::sync::service::{Service, Trigger, Wiring};
use rollcall::sync::{Mode, SyncError, Targets};
use tokio_util::sync::CancellationToken;

/// A world that was synced once.
async fn synced(people: usize) -> World {
    let world = World::of(people, Arc::new(MemoryStore::default()));
    world.sync().await;
    world.wrote();
    world
}

fn targets(hints: &[(Entity, &str)]) -> Mode {
    let hint = |&(entity, id): &(Entity, &str)| Hint {
        entity,
        id: SourceId::parse(id).unwrap(),
        gone: false,
    };
    Mode::Targeted(Arc::new(hints.iter().map(hint).collect::<Targets>()))
}

async fn look(world: &World, hints: &[(Entity, &str)]) -> Report {
    world.run(targets(hints)).await.unwrap()
}

fn hire(world: &World, id: &str, department: &str) {
    let person = ("New".to_owned(), vec![department.to_owned()]);
    world.platform().people.insert(id.to_owned(), person);
}

#[tokio::test]
async fn only_what_was_hinted_at_is_read_and_written() {
    let world = synced(7).await;
    world.platform().people.get_mut("u003").unwrap().0 = "Renamed".to_owned();
    world.platform().people.get_mut("u004").unwrap().0 = "Not hinted at".to_owned();
    let calls = world.provider.calls.load(Ordering::Relaxed);
    let report = look(&world, &[(Entity::Employee, "u003")]).await;
    assert_eq!(report.state, RunState::Done);
    assert_eq!(world.wrote(), ["Update employee u003"]);
    assert_eq!(world.provider.calls.load(Ordering::Relaxed) - calls, 1);
}

#[tokio::test]
async fn a_hint_at_what_did_not_change_writes_nothing() {
    let world = synced(3).await;
    let report = look(&world, &[(Entity::Employee, "u001"), (Entity::Department, "d2")]).await;
    assert_eq!((report.writes(), world.wrote()), (0, Vec::<String>::new()));
}

#[tokio::test]
async fn an_unknown_department_is_read_with_its_parents_before_the_person_in_it() {
    let world = synced(1).await;
    for (id, parent) in [("d8", "d3"), ("d9", "d8")] {
        let department = (format!("Dept {id}"), Some(parent.to_owned()));
        world.platform().departments.insert(id.to_owned(), department);
    }
    hire(&world, "u100", "d9");
    look(&world, &[(Entity::Employee, "u100")]).await;
    assert_eq!(
        world.wrote(),
        ["Create department d8", "Create department d9", "Create employee u100"]
    );
    let hired = world.held(Entity::Employee, "u100").unwrap();
    assert_eq!(hired["department_external_ids"], serde_json::json!(["feishu:department:d9"]));
}

#[tokio::test]
async fn nobody_is_retired_because_a_fetch_did_not_return_them() {
    let world = synced(3).await;
    world.platform().people.remove("u001");
    let report = look(&world, &[(Entity::Employee, "u001")]).await;
    assert_eq!((report.state, report.writes()), (RunState::Done, 0));
    assert_eq!(world.standing(Entity::Employee), 3);
    world.sync().await;
    assert_eq!(world.wrote(), ["Retire employee u001"], "a certified listing settles it");
}

#[tokio::test]
async fn a_punch_is_read_of_the_person_concerned_alone() {
    let world = synced(5).await;
    for person in ["u001", "u002"] {
        let punch = (person.to_owned(), NOW_MS / 1000 - 60);
        world.platform().punches.insert(format!("late-{person}"), punch);
    }
    look(&world, &[(Entity::CheckIn, "u001")]).await;
    assert_eq!(world.wrote(), ["Create check_in late-u001"]);
    world.sync().await;
    assert_eq!(world.wrote(), ["Create check_in late-u002"], "no window counts as read");
}

#[tokio::test]
async fn the_punch_of_someone_unknown_brings_the_person_too() {
    let world = synced(2).await;
    hire(&world, "u100", "d1");
    world.platform().punches.insert("first".to_owned(), ("u100".to_owned(), NOW_MS / 1000 - 60));
    look(&world, &[(Entity::CheckIn, "u100")]).await;
    assert_eq!(world.wrote(), ["Create employee u100", "Create check_in first"]);
}

#[tokio::test]
async fn one_object_that_is_refused_keeps_no_other_from_being_read() {
    let world = synced(4).await;
    for id in ["u001", "u002"] {
        world.platform().people.get_mut(id).unwrap().0 = "Renamed".to_owned();
    }
    world.platform().refused.insert("u002".to_owned());
    let report = look(&world, &[(Entity::Employee, "u001"), (Entity::Employee, "u002")]).await;
    assert_eq!(world.wrote(), ["Update employee u001"]);
    assert_eq!(report.failures.len(), 1);
    assert!(report.failures[0].contains("employee u002"), "{:?}", report.failures);
}

#[tokio::test]
async fn more_objects_than_a_call_takes_are_read_in_several() {
    let world = synced(120).await;
    for (name, _) in world.platform().people.values_mut() {
        name.push('!');
    }
    let ids: Vec<String> = (0..120).map(|n| format!("u{n:03}")).collect();
    let hints: Vec<_> = ids.iter().map(|id| (Entity::Employee, id.as_str())).collect();
    let calls = world.provider.calls.load(Ordering::Relaxed);
    let report = look(&world, &hints).await;
    assert_eq!(report.written[&Entity::Employee], 120);
    assert_eq!(world.provider.calls.load(Ordering::Relaxed) - calls, 3);
}

#[tokio::test]
async fn a_platform_that_is_down_leaves_no_run_behind() {
    let world = synced(2).await;
    let before = world.sync().await.run;
    world.platform().down = true;
    let ended = world.run(targets(&[(Entity::Employee, "u001")])).await;
    assert!(matches!(ended, Err(SyncError::Provider(Fault::Unavailable(_)))), "{ended:?}");
    world.platform().down = false;
    let after = look(&world, &[(Entity::Employee, "u001")]).await.run;
    assert_eq!(after.0, before.0 + 1);
}

#[tokio::test]
async fn a_service_looks_between_its_runs_and_counts_it_apart() {
    let world = World::of(3, Arc::new(MemoryStore::default()));
    let zone = "Asia/Shanghai".to_owned().try_into().unwrap();
    let connection = world.connection.clone();
    let mapper = Arc::new(FakeMapper::new("", connection));
    let schedule = rollcall::config::Schedule::default();
    let full_listing = schedule.clone();
    let wiring = Wiring { syncer: world.syncer(), mapper, schedule, full_listing, zone };
    let (service, handle) = Service::new(wiring, Arc::new(Silent));
    let stop = CancellationToken::new();
    let running = tokio::spawn(service.run(stop.clone()));
    hire(&world, "u100", "d1");
    let Mode::Targeted(targets) = targets(&[(Entity::Employee, "u100")]) else { unreachable!() };
    // The run of the start comes first, so that the look finds the person written.
    let looked = handle.look(Sight::Targets(targets)).await;
    assert!(matches!(&looked, Looked::Done(report) if report.run.0 == 2), "{looked:?}");
    let everything = handle.look(Sight::Everything).await;
    assert!(matches!(&everything, Looked::Done(report) if report.run.0 == 3), "{everything:?}");
    let status = handle.status().borrow().clone();
    assert_eq!((status.runs, status.looks, status.running), (2, 1, None::<Trigger>));
    stop.cancel();
    running.await.unwrap();
    let after = handle.look(Sight::Everything).await;
    assert!(matches!(after, Looked::Failed(_)), "whoever asks too late is told: {after:?}");
}
