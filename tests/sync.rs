//! What a run of the sync promises, over a platform and a target in memory.

mod promises;
mod support;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use rollcall::model::entity::Entity;
use rollcall::model::hash::ContentHash;
use rollcall::model::ids::{ExternalId, RunId};
use rollcall::model::plan::{Change, Verb};
use rollcall::model::record::Record;
use rollcall::port::store::{Op, Space};
use rollcall::state::MemoryStore;
use rollcall::sync::Mode;
use rollcall::sync::certify::Doubt;
use rollcall::sync::ledger::{Ledger, OpenSet, Phase, RunState};
use serde_json::json;
use support::World;

fn world(people: usize) -> World {
    World::of(people, Arc::new(MemoryStore::default()))
}

#[tokio::test]
async fn large_records_are_kept_and_written_a_few_at_a_time() {
    const MOST_BYTES: usize = 2 << 20;
    let world = world(20);
    let custom = world.enlarge();
    assert_eq!(world.sync().await.state, RunState::Done);
    assert_eq!(world.standing(Entity::Employee), 20);
    assert_eq!(world.held(Entity::Employee, "u019").unwrap()["custom"], custom);
    let syncer = world.syncer();
    let ledger = Ledger::open(world.store.clone(), &syncer.tenant, &syncer.connection).unwrap();
    let bytes = |records: Vec<Record>| records.iter().map(|it| it.payload.len()).sum::<usize>();
    let frames = ledger.frames(Entity::Employee, None).map(|frame| bytes(frame.unwrap().1));
    let frames: Vec<usize> = frames.collect();
    assert!(frames.len() > 1 && frames.iter().all(|&it| it <= MOST_BYTES), "{frames:?}");
    // One of departments, one of punches, and people in more than one.
    assert!(world.target.sets.load(Ordering::Relaxed) > 3);
}

#[tokio::test]
async fn a_first_run_writes_everything_once() {
    let world = world(7);
    let report = world.sync().await;
    assert_eq!(report.state, RunState::Done);
    assert_eq!(report.pulled[&Entity::Employee], 7);
    assert_eq!(report.written[&Entity::Department], 3);
    assert_eq!(report.written[&Entity::Employee], 7);
    assert_eq!(report.written[&Entity::CheckIn], 14);
}

#[tokio::test]
async fn a_second_run_over_an_unchanged_world_writes_nothing() {
    let world = world(7);
    world.sync().await;
    let writes = world.target.writes.load(Ordering::Relaxed);
    let report = world.sync().await;
    assert_eq!(report.writes(), 0);
    assert_eq!(report.plan.values().map(rollcall::model::plan::Tally::total).sum::<u64>(), 0);
    assert_eq!(world.target.writes.load(Ordering::Relaxed), writes);
}

#[tokio::test]
async fn somebody_whose_record_differs_by_where_it_is_listed_is_written_once() {
    let world = world(7);
    let twice = |log: &[String]| log.iter().filter(|line| line.ends_with("employee u001")).count();
    assert_eq!(world.platform().people["u001"].1.len(), 2, "in two departments");
    let report = world.sync().await;
    assert_eq!(report.plan[&Entity::Employee].create, 7);
    assert_eq!(twice(&world.wrote()), 1);
    assert_eq!(world.sync().await.writes(), 0);
}

#[tokio::test]
async fn parents_are_written_before_their_children_and_departments_before_people() {
    let world = world(1);
    world.sync().await;
    let log = world.wrote();
    let expected = ["d1", "d2", "d3"].map(|id| format!("Create department {id}"));
    assert_eq!(log[..3], expected);
    assert_eq!(log[3], "Create employee u000");
}

#[tokio::test]
async fn only_what_changed_is_written() {
    let world = world(7);
    world.sync().await;
    world.wrote();
    world.platform().people.get_mut("u003").unwrap().0 = "Renamed".to_owned();
    world.sync().await;
    assert_eq!(world.wrote(), ["Update employee u003"]);
}

#[tokio::test]
async fn whoever_a_complete_listing_no_longer_shows_is_retired_and_may_return() {
    let world = world(7);
    world.sync().await;
    world.wrote();
    let gone = world.platform().people.remove("u003").unwrap();
    world.sync().await;
    assert_eq!(world.wrote(), ["Retire employee u003"]);
    world.sync().await;
    assert_eq!(world.wrote(), [""; 0]);
    world.platform().people.insert("u003".to_owned(), gone);
    world.sync().await;
    assert_eq!(world.wrote(), ["Update employee u003"]);
}

#[tokio::test]
async fn departments_end_after_their_people_and_children_before_parents() {
    let world = world(7);
    world.sync().await;
    world.wrote();
    {
        let mut platform = world.platform();
        platform.departments.retain(|id, _| id == "d1");
        platform.people.retain(|_, (_, departments)| departments == &["d1"]);
    }
    let report = world.run(Mode::Sync).await.unwrap();
    assert_eq!(report.state, RunState::Held);
    world.run_approving(Mode::Sync, Some(report.digest)).await.unwrap();
    let log = world.wrote();
    let ends: Vec<&str> = log.iter().rev().take(2).map(String::as_str).collect();
    assert_eq!(ends, ["Retire department d2", "Retire department d3"]);
    assert!(log.iter().take(log.len() - 2).all(|line| line.starts_with("Retire employee")));
}

#[tokio::test]
async fn a_short_listing_that_the_platform_itself_contradicts_retires_nobody() {
    let world = world(7);
    world.platform().total = Some(7);
    world.sync().await;
    world.wrote();
    world.platform().cut = Some(2);
    let report = world.sync().await;
    assert_eq!(world.wrote(), [""; 0]);
    assert_eq!(report.doubts[&Entity::Employee], [Doubt::Total { platform: 7, listed: 2 }]);
}

#[tokio::test]
async fn a_department_whose_people_do_not_add_up_may_only_be_missing() {
    let world = world(7);
    world.platform().total = Some(7);
    world.sync().await;
    world.wrote();
    world.platform().departments.remove("d3");
    let report = world.sync().await;
    assert_eq!(world.wrote(), [""; 0]);
    assert_eq!(report.doubts[&Entity::Department], [Doubt::People]);
}

#[tokio::test]
async fn a_department_that_cannot_be_read_retires_nobody_and_stops_nobody() {
    let world = world(7);
    world.sync().await;
    world.wrote();
    world.platform().broken.insert("d2".to_owned());
    world.platform().people.get_mut("u000").unwrap().0 = "Renamed".to_owned();
    let report = world.sync().await;
    assert_eq!(world.wrote(), ["Update employee u000"]);
    assert!(matches!(report.doubts[&Entity::Employee][..], [Doubt::Unread { parts: 1, .. }]));
    assert_eq!(report.failures.len(), 1);
}

#[tokio::test]
async fn people_are_listed_by_the_departments_that_are_there_and_outside_of_all() {
    let world = world(7);
    world.platform().people.insert("u900".to_owned(), ("Outside".to_owned(), Vec::new()));
    world.sync().await;
    assert!(world.held(Entity::Employee, "u000").is_some());
    assert!(world.held(Entity::Employee, "u900").is_some());
    {
        // It is known from before and would fail if anybody asked for its people.
        let mut platform = world.platform();
        platform.departments.remove("d3");
        platform.broken.insert("d3".to_owned());
    }
    let report = world.sync().await;
    assert_eq!(report.failures, [""; 0]);
}

#[tokio::test]
async fn a_listing_that_lost_most_people_is_held_before_its_first_write() {
    let world = world(30);
    world.sync().await;
    world.wrote();
    world.platform().cut = Some(6);
    let report = world.sync().await;
    assert_eq!(report.state, RunState::Held);
    assert_eq!((report.held[0].retire, report.held[0].known), (24, 30));
    assert_eq!(world.wrote(), [""; 0]);
    world.platform().cut = None;
    assert_eq!(world.sync().await.state, RunState::Done);
    assert_eq!(world.standing(Entity::Employee), 30);
    assert_eq!(world.wrote(), [""; 0]);
}

#[tokio::test]
async fn a_held_plan_passes_once_that_very_plan_is_approved() {
    let world = world(30);
    world.sync().await;
    world.platform().cut = Some(6);
    let held = world.sync().await;
    let other = rollcall::model::hash::ContentHash::of(b"another plan");
    let refused = world.run_approving(Mode::Sync, Some(other)).await.unwrap();
    assert_eq!(refused.state, RunState::Held);
    let report = world.run_approving(Mode::Sync, Some(held.digest)).await.unwrap();
    assert_eq!(report.written[&Entity::Employee], 24);
}

#[tokio::test]
async fn a_changed_scope_retires_nobody_once() {
    let world = world(7);
    world.platform().scope = Some("all".to_owned());
    world.sync().await;
    world.wrote();
    world.platform().scope = Some("half".to_owned());
    world.platform().people.remove("u003");
    let doubts = world.sync().await.doubts;
    assert_eq!(doubts[&Entity::Employee], [Doubt::Scope, Doubt::Departments]);
    assert_eq!(world.wrote(), [""; 0]);
    world.sync().await;
    assert_eq!(world.wrote(), ["Retire employee u003"]);
}

#[tokio::test]
async fn a_page_token_that_repeats_ends_the_part_and_retires_nobody() {
    let world = world(7);
    world.sync().await;
    world.platform().repeat_token = true;
    let report = world.sync().await;
    assert!(report.failures[0].contains("same page token twice"), "{:?}", report.failures);
    assert_eq!(world.standing(Entity::Employee), 7);
}

#[tokio::test]
async fn a_plan_alone_writes_nothing_and_the_next_run_writes_it_all() {
    let world = world(7);
    let planned = world.run(Mode::Plan).await.unwrap();
    assert_eq!(planned.state, RunState::Planned);
    assert_eq!(planned.plan[&Entity::Employee].create, 7);
    assert_eq!(world.target.writes.load(Ordering::Relaxed), 0);
    let report = world.sync().await;
    assert_eq!(report.digest, planned.digest);
    assert_eq!(report.written[&Entity::Employee], 7);
}

#[tokio::test]
async fn a_planned_run_can_be_shown_field_by_field() {
    let world = world(3);
    world.sync().await;
    world.platform().people.get_mut("u001").unwrap().0 = "Renamed".to_owned();
    let planned = world.run(Mode::Plan).await.unwrap();
    let mut shown = Vec::new();
    world.syncer().show(planned.run, 10, |change| shown.push(change)).await.unwrap();
    assert_eq!(shown.len(), 1);
    assert_eq!(shown[0].fields[0].before, "Person 1");
    assert_eq!(shown[0].fields[0].after, "Renamed");
}

#[tokio::test]
async fn an_edited_mapping_is_applied_to_stored_records_without_calling_the_platform() {
    let mut world = world(7);
    world.sync().await;
    world.wrote();
    let calls = world.provider.calls.load(Ordering::Relaxed);
    world.suffix = "!".to_owned();
    let report = world.run(Mode::Remap).await.unwrap();
    assert_eq!(world.provider.calls.load(Ordering::Relaxed), calls);
    assert_eq!(report.remapped, [(Entity::Employee, 7)].into());
    assert_eq!(world.wrote().len(), 7);
    assert_eq!(world.held(Entity::Employee, "u001").unwrap()["display_name"], "Person 1!");
    assert_eq!(world.run(Mode::Remap).await.unwrap().writes(), 0);
}

#[tokio::test]
async fn a_mapping_edit_and_a_change_on_the_platform_meet_in_one_run() {
    let mut world = world(7);
    world.sync().await;
    world.suffix = "!".to_owned();
    world.platform().people.get_mut("u003").unwrap().0 = "Renamed".to_owned();
    world.sync().await;
    assert_eq!(world.held(Entity::Employee, "u003").unwrap()["display_name"], "Renamed!");
    assert_eq!(world.held(Entity::Employee, "u004").unwrap()["display_name"], "Person 4!");
    assert_eq!(world.sync().await.writes(), 0);
}

#[tokio::test]
async fn a_record_that_cannot_be_mapped_is_parked_and_the_others_go_on() {
    let world = world(7);
    world.sync().await;
    world.wrote();
    let name =
        std::mem::replace(&mut world.platform().people.get_mut("u003").unwrap().0, "bad".into());
    let report = world.sync().await;
    assert_eq!(report.parked[&Entity::Employee], 1);
    assert_eq!(world.wrote(), [""; 0]);
    assert_eq!(world.sync().await.parked[&Entity::Employee], 1);
    world.platform().people.get_mut("u003").unwrap().0 = name;
    assert_eq!(world.sync().await.parked[&Entity::Employee], 0);
    assert_eq!(world.wrote(), [""; 0]);
}

#[tokio::test]
async fn what_was_wrong_with_somebody_is_forgotten_when_they_leave() {
    let mut world = world(7);
    "bad".clone_into(&mut world.platform().people.get_mut("u003").unwrap().0);
    assert_eq!(world.sync().await.parked[&Entity::Employee], 1);
    world.platform().people.remove("u003");
    assert_eq!(world.sync().await.parked[&Entity::Employee], 0);
    world.suffix = "!".to_owned();
    let report = world.run(Mode::Remap).await.unwrap();
    assert_eq!(report.remapped[&Entity::Employee], 6, "an edit does not look at whoever has left");
    assert_eq!(report.parked[&Entity::Employee], 0);
}

#[tokio::test]
async fn a_record_that_the_target_refuses_is_parked() {
    let world = world(7);
    world.target.refuse.lock().unwrap().insert("u003".to_owned());
    let report = world.sync().await;
    assert_eq!(report.parked[&Entity::Employee], 1);
    assert_eq!(report.written[&Entity::Employee], 6);
}

#[tokio::test]
async fn a_refused_record_is_tried_again_although_it_has_not_changed() {
    let world = world(7);
    world.target.refuse.lock().unwrap().insert("u003".to_owned());
    world.sync().await;
    assert_eq!(world.sync().await.parked[&Entity::Employee], 1);
    world.target.refuse.lock().unwrap().clear();
    world.wrote();
    assert_eq!(world.sync().await.parked[&Entity::Employee], 0);
    assert_eq!(world.wrote(), ["Create employee u003"]);
}

#[tokio::test]
async fn whoever_the_mapping_leaves_out_is_ended_and_comes_back_with_it() {
    let world = world(7);
    world.sync().await;
    world.wrote();
    let name =
        std::mem::replace(&mut world.platform().people.get_mut("u003").unwrap().0, "skip".into());
    let report = world.sync().await;
    assert_eq!((report.skipped[&Entity::Employee], report.failures.len()), (1, 0));
    assert_eq!(world.wrote(), ["Retire employee u003"]);
    world.sync().await;
    assert_eq!(world.wrote(), [""; 0]);
    world.platform().people.get_mut("u003").unwrap().0 = name;
    world.sync().await;
    assert_eq!(world.wrote(), ["Update employee u003"]);
}

#[tokio::test]
async fn a_mapping_that_leaves_out_most_people_is_held() {
    let world = world(30);
    world.sync().await;
    for (name, _) in world.platform().people.values_mut().take(20) {
        *name = "skip".to_owned();
    }
    let report = world.sync().await;
    assert_eq!(report.state, RunState::Held);
    assert_eq!((report.held[0].retire, report.held[0].known), (20, 30));
}

#[tokio::test]
async fn a_run_that_breaks_off_while_writing_is_made_good_by_the_next_and_nothing_is_written_twice()
{
    let world = world(7);
    *world.target.fail_at.lock().unwrap() = Some(3);
    world.run(Mode::Sync).await.unwrap_err();
    let first = world.wrote();
    assert_eq!(first.len(), 10, "departments and people went through");
    *world.target.fail_at.lock().unwrap() = None;
    let report = world.sync().await;
    assert_eq!(report.adopted, 10);
    assert!(world.wrote().iter().all(|line| line.starts_with("Create check_in")));
    assert_eq!(world.sync().await.writes(), 0);
}

#[tokio::test]
async fn a_target_that_lost_its_rows_is_filled_again() {
    let world = world(7);
    world.sync().await;
    world.target.rows.lock().unwrap().clear();
    world.sync().await;
    assert_eq!(world.standing(Entity::Employee), 7);
    assert_eq!(world.standing(Entity::CheckIn), 14);
}

#[tokio::test]
async fn a_state_that_was_lost_adopts_what_the_target_holds() {
    let mut world = world(7);
    world.sync().await;
    world.wrote();
    world.store = Arc::new(MemoryStore::default());
    let report = world.sync().await;
    assert_eq!(report.writes(), 0);
    assert_eq!(report.adopted, 24);
}

#[tokio::test]
async fn late_punches_within_the_look_back_are_found() {
    let world = world(3);
    world.sync().await;
    world.wrote();
    let at = support::NOW_MS / 1000 - 2 * 86_400;
    world.platform().punches.insert("late".to_owned(), ("u001".to_owned(), at));
    world.sync().await;
    assert_eq!(world.wrote(), ["Create check_in late"]);
}

#[tokio::test]
async fn what_a_power_cut_left_without_its_raw_payload_is_kept_anew() {
    let mut world = world(7);
    world.run(Mode::Plan).await.unwrap();
    // The index reached the disk, the frames of the run that was not done did not.
    let blobs = world.store.scan(Space::Blob, b"", None);
    let lost: Vec<_> = blobs.map(|pair| Op::Delete(pair.unwrap().0.to_vec())).collect();
    assert!(!lost.is_empty());
    world.store.write(Space::Blob, lost).unwrap();
    world.sync().await;
    world.suffix = " *".to_owned();
    let report = world.run(Mode::Remap).await.unwrap();
    assert_eq!(report.remapped[&Entity::Employee], 7, "every payload is there to be mapped again");
    assert_eq!(report.written[&Entity::Employee], 7);
}

#[tokio::test]
async fn what_a_run_planned_whose_record_was_lost_is_never_written() {
    let world = world(4);
    // Large values and records of runs reach the disk on their own: of a killed run the plan alone may be there.
    let syncer = world.syncer();
    let ledger = Ledger::open(world.store.clone(), &syncer.tenant, &syncer.connection).unwrap();
    let id = ExternalId::of(&syncer.connection, Entity::Employee, "ghost");
    let change = Change {
        verb: Verb::Create,
        hash: ContentHash::of(b"ghost"),
        json: json!({"external_id": id}).to_string().into(),
        external_id: id,
    };
    let mut set = OpenSet::default();
    set.push(&change).unwrap();
    let set = ledger.put_set(RunId(1), Phase::Upsert(Entity::Employee), 7, &mut set);
    ledger.write_blobs(vec![set.unwrap()]).unwrap();
    assert_eq!(world.sync().await.run, RunId(1));
    assert!(world.held(Entity::Employee, "u000").is_some());
    assert!(world.held(Entity::Employee, "ghost").is_none());
}

#[tokio::test]
async fn raw_frames_do_not_grow_without_end() {
    let world = world(600);
    for round in 0..12 {
        for (name, _) in world.platform().people.values_mut() {
            *name = format!("Person of round {round}");
        }
        world.sync().await;
    }
    let ledger = rollcall::sync::ledger::Ledger::open(
        world.store.clone(),
        &rollcall::model::ids::TenantId::parse("acme").unwrap(),
        &support::connection(),
    )
    .unwrap();
    let framed: usize =
        ledger.frames(Entity::Employee, None).map(|frame| frame.unwrap().1.len()).sum();
    assert!(framed < 600 + 5_700, "{framed} records framed for 600 people");
    let raw = ledger.raw(Entity::Employee, "u007").unwrap().unwrap();
    assert!(String::from_utf8_lossy(&raw.payload).contains("round 11"));
}

#[tokio::test]
async fn an_edited_mapping_brings_nobody_back_who_has_left() {
    let mut world = world(7);
    world.sync().await;
    world.platform().people.remove("u003");
    world.sync().await;
    world.wrote();
    world.suffix = "!".to_owned();
    let report = world.run(Mode::Remap).await.unwrap();
    assert_eq!(report.remapped[&Entity::Employee], 6);
    assert!(!world.wrote().iter().any(|line| line.ends_with("u003")));
}
