//! A platform that misbehaves costs time, never people: whatever it answers, nobody is lost and the next run is whole.

use crate::rig::Rig;
use serde_json::Value;
use simulator::feishu::Endpoint;
use simulator::{Builder, Fault, FaultRule, Simulator};

fn small() -> Builder {
    Simulator::builder().people(120).seed(3).days(2)
}

/// A company whose department tree takes more than one page.
fn large() -> Builder {
    Simulator::builder().people(1_300).seed(3).days(1)
}

/// A set-up that has synced once.
async fn synced() -> (Rig, String) {
    let rig = Rig::start(small()).await;
    assert_eq!(rig.json(&["sync"])[0]["state"], "done");
    let content = rig.content();
    (rig, content)
}

/// Syncs whatever the exit code and returns the report.
fn report(rig: &Rig) -> Value {
    let output = rig.run(&["sync", "--format", "json"]);
    let reports: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| {
        panic!("no report: {}", String::from_utf8_lossy(&output.stderr));
    });
    reports[0].clone()
}

fn standing(rig: &Rig) -> i64 {
    rig.value("select count(*) from employees where retired_at is null")
}

#[tokio::test(flavor = "multi_thread")]
async fn passing_faults_are_ridden_out_and_change_nothing() {
    let calm = Rig::start(small()).await;
    calm.json(&["sync"]);
    let rough = Rig::start(small().rate_limit_reset(1)).await;
    let faults = [Fault::RateLimited, Fault::ServerError, Fault::Reset, Fault::ExpiredToken];
    // Calls run side by side: nothing keeps one of them from meeting every fault.
    rough.allow_attempts(faults.len() + 1);
    for (nth, fault) in (0..).zip(faults) {
        rough.simulator.inject(FaultRule::times(fault, 1).after(2 + 5 * nth));
    }
    assert_eq!(rough.json(&["sync"])[0]["state"], "done");
    assert_eq!(rough.content(), calm.content());
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_are_no_answers_retire_nobody_and_the_next_run_is_whole() {
    for fault in [Fault::Html, Fault::TruncatedBody, Fault::WrongTypes] {
        let (rig, content) = synced().await;
        rig.simulator.set_faults([FaultRule::times(fault, 12).on(Endpoint::UsersByDepartment)]);
        let output = rig.run(&["sync", "--format", "json"]);
        assert!(!output.status.success(), "{fault:?} passed for a good answer");
        let told =
            String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(told.contains("od-") || told.contains("department"), "{fault:?}: {told}");
        assert_eq!(rig.content(), content, "{fault:?}");
        rig.simulator.set_faults([]);
        assert_eq!(report(&rig)["state"], "done");
        assert_eq!(rig.content(), content, "{fault:?}, after");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tree_cut_short_is_contradicted_by_the_platforms_own_count_of_people() {
    let rig = Rig::start(large()).await;
    rig.json(&["sync"]);
    let content = rig.content();
    rig.simulator.set_faults([FaultRule::rate(Fault::TruncatedList, 1.0).on(Endpoint::Children)]);
    let report = report(&rig);
    for entity in ["department", "employee"] {
        assert!(report["doubts"][entity].as_array().is_some_and(|d| !d.is_empty()), "{report}");
    }
    assert_eq!(rig.content(), content);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_department_tree_retires_nobody() {
    let (rig, content) = synced().await;
    rig.simulator.set_faults([FaultRule::rate(Fault::EmptyTree, 1.0)]);
    let report = report(&rig);
    assert!(report["doubts"]["department"].as_array().is_some_and(|d| !d.is_empty()), "{report}");
    assert_eq!(rig.content(), content);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_that_is_suddenly_four_fifths_shorter_is_held_and_says_how_to_go_on() {
    let (rig, content) = synced().await;
    rig.simulator.set_faults([FaultRule::rate(Fault::ShorterList, 1.0)]);
    let output = rig.run(&["sync"]);
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(told.contains("HELD before its first write") && told.contains("--approve"), "{told}");
    assert_eq!(rig.content(), content);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_token_that_repeats_ends_the_run_and_changes_nothing() {
    let rig = Rig::start(large()).await;
    rig.json(&["sync"]);
    let content = rig.content();
    rig.simulator.set_faults([FaultRule::rate(Fault::RepeatedToken, 1.0).on(Endpoint::Children)]);
    let output = rig.run(&["sync"]);
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("token"), "{told}");
    assert_eq!(rig.content(), content);
}

#[tokio::test(flavor = "multi_thread")]
async fn hires_leavers_moves_and_late_punches_arrive() {
    let (rig, _) = synced().await;
    rig.simulator.step(4);
    assert_eq!(report(&rig)["state"], "done");
    let fresh = Rig::start(small()).await;
    fresh.simulator.step(4);
    fresh.json(&["sync"]);
    let active = "select count(*) from employees where status = 'active'";
    assert_eq!(rig.value::<i64>(active), fresh.value::<i64>(active));
    assert_eq!(standing(&rig), standing(&fresh));
    let left: i64 = rig.value("select count(*) from employees where retired_at is not null");
    assert!(left > 0, "someone left in four steps");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_credentials_stop_the_run_and_say_who_must_act() {
    let (rig, content) = synced().await;
    rig.write("secret", "not-it");
    let output = rig.run(&["sync"]);
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("refuses the credentials"), "{told}");
    assert!(!told.contains("not-it"), "a secret was printed");
    assert_eq!(rig.content(), content);
}
