//! What was kept is written again, as it is or as it was, and the platform is not called.

#![expect(clippy::unwrap_used, reason = "a set-up that fails is a test that fails")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rollcall::archive::FileArchive;
use rollcall::model::entity::Entity;
use rollcall::model::ids::ExternalId;
use rollcall::port::archive::Retention;
use rollcall::state::MemoryStore;
use rollcall::sync::ledger::RunState;
use rollcall::sync::report::Report;
use rollcall::sync::{Mode, Replay, Span};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{NOW_MS, World};

type Directory = BTreeMap<(Entity, ExternalId), Value>;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

fn world(people: usize) -> (World, TempDir) {
    let dir = TempDir::new().unwrap();
    let retention = Retention { days: 30, bytes: 1 << 30 };
    let mut world = World::of(people, Arc::new(MemoryStore::default()));
    world.archive = Arc::new(FileArchive::new(dir.path().join("archive"), retention));
    world.gate.retire_share = "100%".parse().unwrap();
    world.gate.retire_count = 1_000;
    (world, dir)
}

/// The directory as the EHR shows it: whoever stands.
fn directory(world: &World) -> Directory {
    let rows = world.target.rows.lock().unwrap();
    let stands = rows.iter().filter(|((entity, _), held)| {
        matches!(entity, Entity::Department | Entity::Employee) && !held.retired
    });
    stands.map(|(key, held)| (key.clone(), serde_json::from_slice(&held.json).unwrap())).collect()
}

/// Who is not as in `other`.
fn unlike(world: &World, other: &Directory) -> Vec<String> {
    let now = directory(world);
    let keys = now.keys().chain(other.keys().filter(|key| !now.contains_key(key)));
    let differs = keys.filter(|key| now.get(key) != other.get(key));
    differs.take(5).map(|(_, id)| id.to_string()).collect()
}

async fn sync_at(world: &World, ms: i64) -> Report {
    world.clock.0.store(ms, Ordering::Relaxed);
    world.sync().await
}

async fn replay(world: &World, span: Span) -> Report {
    world.run(Mode::Replay(Replay { span, dry: false })).await.unwrap()
}

fn rename(world: &World, id: &str, name: &str) {
    name.clone_into(&mut world.platform().people.get_mut(id).unwrap().0);
}

/// Someone is renamed, someone hired, someone leaves.
fn churn(world: &World) {
    rename(world, "u003", "Ada");
    let mut platform = world.platform();
    platform.people.insert("u900".to_owned(), ("New".to_owned(), vec!["d1".to_owned()]));
    platform.people.remove("u004");
}

const CHURNED: [&str; 3] = ["Create employee u900", "Retire employee u004", "Update employee u003"];

#[tokio::test]
async fn an_ehr_that_lost_its_last_writes_gets_them_again_without_a_call() {
    let (world, _dir) = world(7);
    sync_at(&world, NOW_MS).await;
    let backup = world.target.rows.lock().unwrap().clone();
    churn(&world);
    sync_at(&world, NOW_MS + HOUR_MS).await;
    let (after, calls) = (directory(&world), world.provider.calls.load(Ordering::Relaxed));
    *world.target.rows.lock().unwrap() = backup;
    world.wrote();
    let report = replay(&world, Span::Since(NOW_MS + HOUR_MS)).await;
    let mut wrote = world.wrote();
    wrote.sort();
    assert_eq!(wrote, CHURNED);
    assert_eq!(report.remapped[&Entity::Employee], 3, "nobody else is looked at");
    assert_eq!(unlike(&world, &after), [""; 0]);
    assert_eq!(world.provider.calls.load(Ordering::Relaxed), calls);
    assert_eq!(replay(&world, Span::Since(NOW_MS)).await.writes(), 0);
    sync_at(&world, NOW_MS + 2 * HOUR_MS).await;
    assert_eq!(world.wrote(), [""; 0]);
}

#[tokio::test]
async fn the_directory_of_then_is_written_and_the_next_run_brings_it_back_to_now() {
    let (world, _dir) = world(7);
    sync_at(&world, NOW_MS).await;
    let then = directory(&world);
    churn(&world);
    sync_at(&world, NOW_MS + HOUR_MS).await;
    let now = directory(&world);
    let calls = world.provider.calls.load(Ordering::Relaxed);
    replay(&world, Span::AsOf(NOW_MS + HOUR_MS - 1)).await;
    assert_eq!(unlike(&world, &then), [""; 0]);
    assert_eq!(world.provider.calls.load(Ordering::Relaxed), calls);
    assert_eq!(world.standing(Entity::CheckIn), 14, "what has happened stays");
    sync_at(&world, NOW_MS + 2 * HOUR_MS).await;
    assert_eq!(unlike(&world, &now), [""; 0]);
}

#[tokio::test]
async fn a_replay_that_only_plans_leaves_no_trace() {
    let (mut world, _dir) = world(7);
    sync_at(&world, NOW_MS).await;
    churn(&world);
    sync_at(&world, NOW_MS + HOUR_MS).await;
    let now = directory(&world);
    world.wrote();
    let span = Span::AsOf(NOW_MS);
    let report = world.run(Mode::Replay(Replay { span, dry: true })).await.unwrap();
    let tally = report.plan[&Entity::Employee];
    assert_eq!((tally.create, tally.update, tally.retire), (0, 2, 1));
    assert_eq!(report.state, RunState::Planned);
    world.suffix = "!".to_owned();
    world.run(Mode::Remap).await.unwrap();
    world.suffix = String::new();
    world.run(Mode::Remap).await.unwrap();
    assert_eq!(unlike(&world, &now), [""; 0], "whoever has ended stays so when mappings change");
}

#[tokio::test]
async fn any_moment_comes_back_from_any_other() {
    for seed in 1..=12 {
        let (world, _dir) = world(9);
        let mut dice = Dice(seed);
        let mut moments = Vec::new();
        for step in 0..10 {
            for _ in 0..dice.below(4) {
                change(&world, &mut dice);
            }
            let at = NOW_MS + step * HOUR_MS;
            sync_at(&world, at).await;
            moments.push((at, directory(&world)));
        }
        world.clock.0.store(NOW_MS + 40 * HOUR_MS, Ordering::Relaxed);
        for _ in 0..10 {
            let (at, then) = &moments[dice.below(moments.len())];
            replay(&world, Span::AsOf(at + i64::try_from(dice.below(60_000)).unwrap())).await;
            let hours = (at - NOW_MS) / HOUR_MS;
            assert_eq!(unlike(&world, then), [""; 0], "seed {seed}, after {hours} hours");
        }
        world.run(if seed % 2 == 0 { Mode::Remap } else { Mode::Sync }).await.unwrap();
        assert_eq!(unlike(&world, &moments.last().unwrap().1), [""; 0], "seed {seed}");
        sync_at(&world, NOW_MS + 51 * HOUR_MS).await;
        world.wrote();
        sync_at(&world, NOW_MS + 52 * HOUR_MS).await;
        assert_eq!(world.wrote(), [""; 0], "seed {seed}");
    }
}

struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

fn change(world: &World, dice: &mut Dice) {
    let id = format!("u{:03}", dice.below(12));
    let department = format!("d{}", dice.below(3) + 1);
    let mut platform = world.platform();
    match dice.below(4) {
        0 => drop(platform.people.remove(&id)),
        1 => drop(platform.people.insert(id, ("skip".to_owned(), vec![department]))),
        2 => {
            let name = format!("Team {}", dice.below(5));
            platform.departments.get_mut(&department).unwrap().0 = name;
        }
        _ => {
            let name = format!("Name {}", dice.below(5));
            platform.people.insert(id, (name, vec![department]));
        }
    }
}

#[tokio::test]
async fn an_edited_mapping_has_everybody_gone_over() {
    let (mut world, _dir) = world(7);
    sync_at(&world, NOW_MS).await;
    world.suffix = "!".to_owned();
    world.clock.0.store(NOW_MS + HOUR_MS, Ordering::Relaxed);
    let report = replay(&world, Span::Since(NOW_MS + HOUR_MS)).await;
    assert_eq!(report.plan[&Entity::Employee].update, 7);
    world.wrote();
    world.run(Mode::Remap).await.unwrap();
    assert_eq!(world.wrote(), [""; 0]);
}

#[tokio::test]
async fn a_time_that_nothing_is_known_of_is_refused_with_the_reason() {
    let (mut world, _dir) = world(7);
    sync_at(&world, NOW_MS).await;
    let refused = async |world: &World, ms| {
        let span = Span::AsOf(ms);
        let error = world.run(Mode::Replay(Replay { span, dry: false })).await.unwrap_err();
        error.to_string()
    };
    let early = refused(&world, NOW_MS - 1).await;
    assert!(early.starts_with("the first department was read at 2026-03-31T02:00:00Z"), "{early}");
    let late = refused(&world, NOW_MS + 1).await;
    assert!(late.contains("is still to come"), "{late}");
    rename(&world, "u003", "Ada");
    sync_at(&world, NOW_MS + HOUR_MS).await;
    let report = sync_at(&world, NOW_MS + 32 * DAY_MS).await;
    rename(&world, "u003", "Bea");
    sync_at(&world, NOW_MS + 32 * DAY_MS + HOUR_MS).await;
    world.archive.prune(&report.tenant, &report.connection, NOW_MS + 33 * DAY_MS).unwrap();
    let gone = refused(&world, NOW_MS).await;
    assert!(
        gone.starts_with("what was replaced before 2026-03-31T03:00:00Z is no longer"),
        "{gone}"
    );
    replay(&world, Span::AsOf(NOW_MS + HOUR_MS)).await;
    world.archive = Arc::new(rollcall::port::archive::NoArchive);
    let none = refused(&world, NOW_MS).await;
    assert!(none.starts_with("nothing of what was replaced is in an archive here"), "{none}");
    assert_eq!(world.sync().await.run.0, 6, "a replay that is refused is no run");
}

#[tokio::test]
async fn an_archive_that_somebody_emptied_is_not_taken_for_one_in_which_nothing_changed() {
    let (world, dir) = world(7);
    sync_at(&world, NOW_MS).await;
    let backup = world.target.rows.lock().unwrap().clone();
    churn(&world);
    sync_at(&world, NOW_MS + HOUR_MS).await;
    let after = directory(&world);
    std::fs::remove_dir_all(dir.path().join("archive")).unwrap();
    world.clock.0.store(NOW_MS + 2 * HOUR_MS, Ordering::Relaxed);
    let as_of = Mode::Replay(Replay { span: Span::AsOf(NOW_MS), dry: true });
    let refused = world.run(as_of).await.unwrap_err().to_string();
    assert!(refused.starts_with("nothing of what was replaced is in an archive here"), "{refused}");
    *world.target.rows.lock().unwrap() = backup;
    let report = replay(&world, Span::Since(NOW_MS + HOUR_MS)).await;
    assert_eq!(report.remapped[&Entity::Employee], 8, "everybody is looked at");
    assert_eq!(unlike(&world, &after), [""; 0]);
}

#[tokio::test]
async fn a_replay_that_is_killed_while_it_writes_is_undone_by_the_next_run() {
    let (world, _dir) = world(20);
    world.enlarge();
    sync_at(&world, NOW_MS).await;
    for n in 0..20 {
        rename(&world, &format!("u{n:03}"), "Ada");
    }
    sync_at(&world, NOW_MS + HOUR_MS).await;
    let now = directory(&world);
    let sets = world.target.sets.load(Ordering::Relaxed);
    *world.target.fail_at.lock().unwrap() = Some(sets + 2);
    let span = Span::AsOf(NOW_MS);
    world.run(Mode::Replay(Replay { span, dry: false })).await.unwrap_err();
    *world.target.fail_at.lock().unwrap() = None;
    assert!(!unlike(&world, &now).is_empty(), "some was written");
    sync_at(&world, NOW_MS + 2 * HOUR_MS).await;
    assert_eq!(unlike(&world, &now), [""; 0]);
}

#[tokio::test]
async fn what_a_killed_run_wrote_is_taken_back_when_the_platform_has_gone_back() {
    let (world, _dir) = world(20);
    world.enlarge();
    sync_at(&world, NOW_MS).await;
    let before = directory(&world);
    let people = world.platform().people.clone();
    for n in 0..20 {
        rename(&world, &format!("u{n:03}"), "Ada");
    }
    world.platform().people.remove("u004");
    let sets = world.target.sets.load(Ordering::Relaxed);
    *world.target.fail_at.lock().unwrap() = Some(sets + 2);
    world.run(Mode::Sync).await.unwrap_err();
    *world.target.fail_at.lock().unwrap() = None;
    assert!(!unlike(&world, &before).is_empty(), "some was written");
    world.platform().people = people;
    sync_at(&world, NOW_MS + HOUR_MS).await;
    assert_eq!(unlike(&world, &before), [""; 0]);
}
