//! What matching promises: the same person on two platforms is one employee, whatever the order of runs.

#![expect(clippy::unwrap_used, reason = "a set-up that fails is a test that fails")]

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::support::{NOW_MS, World};
use rollcall::config::{Gate, Matching};
use rollcall::model::entity::Entity;
use rollcall::model::ids::ConnectionId;
use rollcall::state::MemoryStore;
use rollcall::sync::Mode;

fn matching(authority: &[&str]) -> Matching {
    let authority = authority.iter().map(|name| ConnectionId::parse(name).unwrap()).collect();
    Matching { key: "employee_number".to_owned(), authority }
}

/// Feishu and `DingTalk` of one tenant: `people` on each with numbers of their own, as many of them on both as `shared`.
fn platforms(people: usize, shared: usize) -> (World, World) {
    let mut feishu = World::of(people, Arc::new(MemoryStore::default()));
    feishu.matching = Some(matching(&["feishu", "dingtalk"]));
    feishu.gate = Gate { retire_share: "100%".parse().unwrap(), retire_count: 0 };
    let ding = feishu.beside("dingtalk");
    for n in 0..people {
        let number = if n < shared { format!("E{n}") } else { format!("F{n}") };
        feishu.platform().numbers.insert(format!("u{n:03}"), number);
        let number = if n < shared { format!(" e{n}") } else { format!("D{n}") };
        hire(&ding, &format!("m{n:03}"), Some(&number));
    }
    (feishu, ding)
}

fn hire(world: &World, id: &str, number: Option<&str>) {
    let mut platform = world.platform();
    let department = ("Everyone".to_owned(), None);
    platform.departments.insert("all".to_owned(), department);
    platform.people.insert(id.to_owned(), (format!("Person {id}"), vec!["all".to_owned()]));
    platform.punches.insert(format!("p{id}"), (id.to_owned(), NOW_MS / 1000 - 86_400));
    if let Some(number) = number {
        platform.numbers.insert(id.to_owned(), number.to_owned());
    }
}

/// The standing employees and punches: key to what it refers to, or to `ended`.
fn rows(world: &World) -> BTreeMap<String, String> {
    let rows = world.target.rows.lock().unwrap();
    let kept = rows.iter().filter(|((entity, _), _)| *entity != Entity::Department);
    let shown = kept.map(|((_, id), held)| {
        let json: serde_json::Value = serde_json::from_slice(&held.json).unwrap();
        let refers = json["employee_external_id"].as_str().unwrap_or("");
        let shown = if held.retired { "ended" } else { refers };
        (id.to_string(), shown.to_owned())
    });
    shown.collect()
}

fn parked(report: &rollcall::sync::report::Report) -> Vec<(String, String)> {
    let parked = report.parked_first.get(&Entity::Employee).into_iter().flatten();
    parked.map(|one| (one.id.clone(), one.why.code.clone())).collect()
}

#[tokio::test]
async fn the_same_person_on_two_platforms_is_one_employee() {
    let (feishu, ding) = platforms(4, 2);
    feishu.sync().await;
    let report = ding.sync().await;
    assert_eq!((report.linked, report.clashing), (2, 0));
    let rows = rows(&feishu);
    assert_eq!(rows.keys().filter(|key| key.contains(":employee:")).count(), 6);
    assert!(!rows.contains_key("dingtalk:employee:m000"));
    assert_eq!(rows["dingtalk:check_in:pm000"], "feishu:employee:u000");
    assert_eq!(rows["dingtalk:check_in:pm003"], "dingtalk:employee:m003");
    let departments = feishu.standing(Entity::Department);
    assert_eq!(departments, 4, "departments stay apart by platform");
}

#[tokio::test]
async fn a_later_run_over_unchanged_platforms_writes_nothing() {
    let (feishu, ding) = platforms(4, 2);
    ding.sync().await;
    feishu.sync().await;
    ding.sync().await;
    feishu.sync().await;
    feishu.wrote();
    for _ in 0..2 {
        assert_eq!((ding.sync().await.writes(), feishu.sync().await.writes()), (0, 0));
    }
    assert_eq!(feishu.wrote(), [""; 0]);
}

#[tokio::test]
async fn whoever_came_first_the_authority_owns_the_employee_in_the_end() {
    let (feishu, ding) = platforms(4, 2);
    ding.sync().await;
    assert!(rows(&ding).contains_key("dingtalk:employee:m000"));
    feishu.sync().await;
    let report = ding.sync().await;
    assert_eq!(report.plan[&Entity::Employee].retire, 2, "the duplicates are merged");
    let late = rows(&ding);
    let (feishu, ding) = platforms(4, 2);
    feishu.sync().await;
    ding.sync().await;
    assert_eq!(late, rows(&ding));
}

#[tokio::test]
async fn a_person_without_the_value_is_an_employee_of_their_own() {
    let (feishu, ding) = platforms(2, 2);
    hire(&ding, "blank", Some("  "));
    hire(&ding, "none", None);
    feishu.sync().await;
    assert_eq!(ding.sync().await.linked, 2);
    let rows = rows(&ding);
    assert!(rows.contains_key("dingtalk:employee:blank"));
    assert_eq!(rows["dingtalk:check_in:pnone"], "dingtalk:employee:none");
}

#[tokio::test]
async fn two_records_of_one_platform_are_never_one_employee() {
    let (feishu, ding) = platforms(2, 2);
    feishu.sync().await;
    ding.sync().await;
    hire(&ding, "twin", Some("E0"));
    let report = ding.sync().await;
    assert_eq!((report.linked, report.clashing), (2, 1));
    assert_eq!(parked(&report), [("twin".to_owned(), "matching::twice".to_owned())]);
    ding.platform().numbers.insert("twin".to_owned(), "E9".to_owned());
    assert_eq!(ding.sync().await.clashing, 0);
    assert!(rows(&ding).contains_key("dingtalk:employee:twin"));
}

#[tokio::test]
async fn a_clash_ends_with_the_other_record_although_its_own_has_not_changed() {
    let (feishu, ding) = platforms(2, 2);
    hire(&ding, "twin", Some("E0"));
    feishu.sync().await;
    assert_eq!(ding.sync().await.clashing, 1);
    let clashing = parked(&ding.sync().await).remove(0).0;
    let other = if clashing == "twin" { "m000" } else { "twin" };
    ding.platform().numbers.insert(other.to_owned(), "E9".to_owned());
    // The other one is matched to somebody, so both have to be settled: first the value, then the person.
    assert_eq!(ding.sync().await.clashing, 2);
    ding.platform().people.remove(other);
    ding.sync().await;
    assert_eq!(ding.sync().await.clashing, 0);
    let rows = rows(&ding);
    assert_eq!(rows[&format!("dingtalk:check_in:p{clashing}")], "feishu:employee:u000");
}

#[tokio::test]
async fn a_value_that_changes_moves_nobody_until_the_whole_group_follows() {
    let (feishu, ding) = platforms(2, 2);
    feishu.sync().await;
    ding.sync().await;
    let before = rows(&ding);
    ding.platform().numbers.insert("m000".to_owned(), "E1".to_owned());
    assert_eq!(parked(&ding.sync().await), [("m000".to_owned(), "matching::moved".to_owned())]);
    assert_eq!(rows(&ding), before);
    ding.platform().numbers.insert("m000".to_owned(), "E7".to_owned());
    feishu.platform().numbers.insert("u000".to_owned(), "E7".to_owned());
    ding.sync().await;
    assert_eq!(feishu.sync().await.clashing, 0, "everyone wants it, so the owner goes ahead");
    let report = ding.sync().await;
    assert_eq!((report.linked, report.clashing), (2, 0));
    assert_eq!(rows(&ding), before, "the same people, the same employees");
}

#[tokio::test]
async fn the_employee_stays_as_the_authority_says_when_it_ends_the_person() {
    let (feishu, ding) = platforms(2, 2);
    feishu.sync().await;
    ding.sync().await;
    let gone = feishu.platform().people.remove("u000").unwrap();
    feishu.sync().await;
    ding.sync().await;
    let after = rows(&ding);
    assert_eq!(after["feishu:employee:u000"], "ended");
    assert!(!after.contains_key("dingtalk:employee:m000"));
    assert_eq!(after["dingtalk:check_in:pm000"], "feishu:employee:u000");
    feishu.platform().people.insert("u000".to_owned(), gone);
    feishu.sync().await;
    assert_eq!(rows(&ding)["feishu:employee:u000"], "");
}

#[tokio::test]
async fn a_linked_record_that_ends_leaves_the_employee_alone() {
    let (feishu, ding) = platforms(2, 2);
    feishu.sync().await;
    ding.sync().await;
    feishu.wrote();
    ding.platform().people.remove("m000");
    let report = ding.sync().await;
    assert_eq!(report.linked, 1);
    assert_eq!(ding.wrote(), [""; 0]);
    hire(&ding, "back", Some("E0"));
    assert_eq!(ding.sync().await.linked, 2);
}

#[tokio::test]
async fn a_number_is_not_given_to_a_newcomer_while_somebody_is_matched_by_it() {
    let (feishu, ding) = platforms(2, 2);
    feishu.sync().await;
    ding.sync().await;
    feishu.platform().people.remove("u000");
    feishu.sync().await;
    hire(&feishu, "new", Some("E0"));
    assert_eq!(parked(&feishu.sync().await), [("new".to_owned(), "matching::reused".to_owned())]);
    ding.platform().people.remove("m000");
    ding.sync().await;
    assert_eq!(feishu.sync().await.clashing, 0);
    assert!(rows(&feishu).contains_key("feishu:employee:new"));
}

#[tokio::test]
async fn without_the_authority_in_the_order_the_next_one_takes_over() {
    let (mut feishu, mut ding) = platforms(2, 2);
    feishu.sync().await;
    ding.sync().await;
    for world in [&mut feishu, &mut ding] {
        world.matching = Some(matching(&["dingtalk", "feishu"]));
    }
    for world in [&ding, &feishu, &ding, &feishu] {
        world.sync().await;
    }
    let rows = rows(&ding);
    assert!(rows.contains_key("dingtalk:employee:m000"));
    assert!(!rows.contains_key("feishu:employee:u000"));
    assert_eq!(rows["feishu:check_in:p000-0"], "dingtalk:employee:m000");
}

#[tokio::test]
async fn nobody_is_merged_into_an_employee_that_is_not_written_yet() {
    let (feishu, ding) = platforms(2, 2);
    ding.sync().await;
    *feishu.target.fail_at.lock().unwrap() = Some(0);
    assert!(feishu.run(Mode::Sync).await.is_err(), "killed before its first write");
    *feishu.target.fail_at.lock().unwrap() = None;
    ding.sync().await;
    assert_eq!(
        rows(&ding)["dingtalk:employee:m000"],
        "",
        "the row stays until the owner's is there"
    );
    feishu.sync().await;
    ding.sync().await;
    let rows = rows(&ding);
    assert!(!rows.contains_key("dingtalk:employee:m000"));
    assert_eq!(rows["dingtalk:check_in:pm000"], "feishu:employee:u000");
}

#[tokio::test]
async fn a_plan_alone_links_nobody() {
    let (feishu, ding) = platforms(2, 2);
    feishu.sync().await;
    let planned = ding.run(Mode::Plan).await.unwrap();
    assert_eq!(planned.plan[&Entity::Employee].total(), 0, "what a sync would do is seen");
    assert_eq!(planned.linked, 0);
    assert_eq!(ding.sync().await.linked, 2);
}

/// A small generator: the same seed gives the same order of runs.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

async fn any_order(seed: u64) -> BTreeMap<String, String> {
    let mut dice = Dice(seed);
    let (feishu, ding) = platforms(6, 4);
    hire(&ding, "twin", Some("D5"));
    for _ in 0..dice.throw(8) {
        let world = if dice.throw(2) == 0 { &feishu } else { &ding };
        match dice.throw(5) {
            0 => {
                // Killed while it writes.
                let sets = feishu.target.sets.load(std::sync::atomic::Ordering::Relaxed);
                *feishu.target.fail_at.lock().unwrap() = Some(sets + 1 + dice.throw(4));
                drop(world.run(Mode::Sync).await);
                *feishu.target.fail_at.lock().unwrap() = None;
            }
            1 => drop(world.run(Mode::Plan).await.unwrap()),
            2 => {
                let both = tokio::join!(feishu.run(Mode::Sync), ding.run(Mode::Sync));
                drop((both.0.unwrap(), both.1.unwrap()));
            }
            _ => drop(world.run(Mode::Sync).await.unwrap()),
        }
    }
    for world in [&feishu, &ding, &feishu, &ding] {
        world.sync().await;
    }
    assert_eq!(feishu.sync().await.writes() + ding.sync().await.writes(), 0, "seed {seed}");
    let mut rows = rows(&feishu);
    // Which of the two with the same number was met first is the platform's affair.
    rows.retain(|key, _| !key.contains("twin") && !key.contains("m005"));
    rows
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_order_of_runs_and_any_kill_ends_with_the_same_employees() {
    let expected = any_order(0).await;
    assert!(expected.len() > 20);
    for seed in 1..60 {
        assert_eq!(any_order(seed).await, expected, "seed {seed}");
    }
}
