//! What the gap ledger promises: whatever fails, no window of attendance stays unread and no punch is missed.

#![expect(clippy::unwrap_used, reason = "a set-up that fails is a test that fails")]

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::support::World;
use rollcall::config::Gate;
use rollcall::model::entity::Entity;
use rollcall::model::ids::TenantId;
use rollcall::state::MemoryStore;
use rollcall::sync::Mode;
use rollcall::sync::ledger::Ledger;

const DAY: i64 = 86_400;

fn world(people: usize) -> World {
    let mut world = World::of(people, Arc::new(MemoryStore::default()));
    world.gate = Gate { retire_share: "100%".parse().unwrap(), retire_count: 0 };
    world
}

fn now(world: &World) -> i64 {
    world.clock.0.load(Ordering::Relaxed) / 1000
}

fn pass(world: &World, seconds: i64) {
    world.clock.0.fetch_add(seconds * 1000, Ordering::Relaxed);
}

fn punch(world: &World, id: &str, person: &str, at: i64) {
    world.platform().punches.insert(id.to_owned(), (person.to_owned(), at));
}

fn ledger(world: &World) -> Ledger {
    let tenant = TenantId::parse("acme").unwrap();
    Ledger::open(world.store.clone(), &tenant, &world.connection).unwrap()
}

/// Windows that are missing for anyone on the platform.
fn gaps(world: &World) -> Vec<String> {
    let ledger = ledger(world);
    let people: Vec<String> = world.platform().people.keys().cloned().collect();
    let mut gaps = Vec::new();
    for person in people {
        match ledger.read_of(Entity::CheckIn, &person).unwrap() {
            Some(read) => {
                let from = read.from - now(world) + 30 * DAY;
                assert!(from <= DAY, "{person} is read from day {from} on");
                let missing = read.gaps(now(world));
                gaps.extend(missing.iter().map(|gap| format!("{person} {gap:?}")));
            }
            None => gaps.push(format!("{person} was never read")),
        }
    }
    gaps
}

fn missed(world: &World) -> Vec<String> {
    let punches: Vec<String> = world.platform().punches.keys().cloned().collect();
    punches.into_iter().filter(|id| world.held(Entity::CheckIn, id).is_none()).collect()
}

#[tokio::test]
async fn a_window_that_failed_is_read_by_the_next_run() {
    let world = world(7);
    world.platform().flaky = 100;
    let report = world.sync().await;
    assert!(report.gaps[&Entity::CheckIn] > 0, "{:?}", report.gaps);
    assert!(!gaps(&world).is_empty());
    world.platform().flaky = 0;
    assert_eq!(world.sync().await.gaps[&Entity::CheckIn], 0);
    assert_eq!((gaps(&world), missed(&world)), (vec![], vec![]));
}

#[tokio::test]
async fn an_outage_longer_than_the_look_back_leaves_no_hole() {
    let world = world(4);
    world.sync().await;
    world.platform().flaky = 100;
    for day in 0..12 {
        pass(&world, DAY);
        punch(&world, &format!("out{day}"), "u001", now(&world) - 3_600);
        world.sync().await;
    }
    world.platform().flaky = 0;
    world.sync().await;
    assert_eq!((gaps(&world), missed(&world)), (vec![], vec![]));
}

#[tokio::test]
async fn whoever_joins_later_gets_a_back_fill_of_their_own() {
    let world = world(4);
    world.sync().await;
    pass(&world, 5 * DAY);
    world.platform().people.insert("late".to_owned(), ("Late".to_owned(), vec!["d1".to_owned()]));
    punch(&world, "before", "late", now(&world) - 20 * DAY);
    let calls = world.provider.calls.load(Ordering::Relaxed);
    world.sync().await;
    assert_eq!((gaps(&world), missed(&world)), (vec![], vec![]));
    let first = world.provider.calls.load(Ordering::Relaxed) - calls;
    world.sync().await;
    let again = world.provider.calls.load(Ordering::Relaxed) - calls - first;
    assert!(again < first, "the back-fill is made once");
}

#[tokio::test]
async fn whoever_comes_back_is_back_filled_for_the_time_away() {
    let world = world(4);
    world.sync().await;
    let gone = world.platform().people.remove("u001").unwrap();
    for _ in 0..3 {
        pass(&world, 4 * DAY);
        world.sync().await;
    }
    punch(&world, "away", "u001", now(&world) - 8 * DAY);
    world.platform().people.insert("u001".to_owned(), gone);
    world.sync().await;
    assert_eq!((gaps(&world), missed(&world)), (vec![], vec![]));
}

#[tokio::test]
async fn a_run_that_was_killed_claims_nothing() {
    let world = world(4);
    let sets = world.target.sets.load(Ordering::Relaxed);
    *world.target.fail_at.lock().unwrap() = Some(sets + 3);
    world.run(Mode::Sync).await.unwrap_err();
    assert_eq!(gaps(&world).len(), 4, "nothing is claimed that was not written");
    *world.target.fail_at.lock().unwrap() = None;
    world.sync().await;
    assert_eq!((gaps(&world), missed(&world)), (vec![], vec![]));
}

struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: i64) -> i64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from((self.0 >> 33) % sides.unsigned_abs()).unwrap()
    }
}

async fn any_faults(seed: u64) {
    let mut dice = Dice(seed);
    let world = world(9);
    world.platform().dice = seed;
    for step in 0..25 {
        pass(&world, dice.throw(30) * 3_600);
        let person = format!("u{:03}", dice.throw(9));
        // On time, late within the look-back, or corrected: all are punches that were not there before.
        let at = now(&world) - dice.throw(3 * DAY - 3_600);
        punch(&world, &format!("s{step}"), &person, at);
        if dice.throw(6) == 0 {
            let (name, departments) = (format!("New {step}"), vec!["d2".to_owned()]);
            world.platform().people.insert(format!("n{step}"), (name, departments));
            punch(
                &world,
                &format!("n{step}"),
                &format!("n{step}"),
                now(&world) - dice.throw(25 * DAY),
            );
        }
        world.platform().flaky = [0, 10, 40, 95][usize::try_from(dice.throw(4)).unwrap()];
        let killed = dice.throw(4) == 0;
        if killed {
            let sets = world.target.sets.load(Ordering::Relaxed);
            let at = sets + 1 + dice.throw(3).unsigned_abs();
            *world.target.fail_at.lock().unwrap() = Some(at);
        }
        let ran = world.run(Mode::Sync).await;
        assert!(killed || ran.is_ok(), "seed {seed}");
        *world.target.fail_at.lock().unwrap() = None;
        let cohorts = ledger(&world).cohorts(Entity::CheckIn).unwrap();
        assert!(
            cohorts.table.len() <= 12,
            "{} cohorts of 9 people, seed {seed}",
            cohorts.table.len()
        );
    }
    world.platform().flaky = 0;
    world.sync().await;
    assert_eq!((gaps(&world), missed(&world)), (vec![], vec![]), "seed {seed}");
    pass(&world, 40 * DAY);
    world.sync().await;
    pass(&world, DAY);
    world.sync().await;
    let cohorts = ledger(&world).cohorts(Entity::CheckIn).unwrap();
    assert_eq!(cohorts.table.len(), 1, "what is whole becomes one, seed {seed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_fails_and_whenever_it_is_killed_no_window_and_no_punch_is_missed() {
    for seed in 1..40 {
        any_faults(seed).await;
    }
}
