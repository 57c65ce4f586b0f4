//! DingTalk end to end: the simulated platform, the real component, the real binary, the EHR.

use std::collections::BTreeSet;

use serde_json::Value;
use simulator::dingtalk::Endpoint;
use simulator::{Builder, Fault, FaultRule, Platform, Simulator, Truth};

use crate::rig::Rig;

fn company() -> Builder {
    Simulator::builder().platform(Platform::DingTalk).people(60).seed(3).days(4)
}

fn report(rig: &Rig) -> Value {
    let output = rig.run(&["sync", "--format", "json"]);
    let reports: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| {
        panic!("no report: {}", String::from_utf8_lossy(&output.stderr));
    });
    reports[0].clone()
}

fn count(rig: &Rig, sql: &str) -> u64 {
    u64::try_from(rig.value::<i64>(&format!("select count(*) from {sql}"))).unwrap()
}

/// The EHR holds what a correct sync must end with, and nothing else.
fn holds(rig: &Rig, truth: Truth) {
    assert_eq!(count(rig, "departments where retired_at is null"), truth.departments);
    assert_eq!(count(rig, "employees where retired_at is null"), truth.people);
    let standing = "employees where retired_at is null and status";
    assert_eq!(count(rig, &format!("{standing} = 'pending'")), truth.unjoined);
    assert_eq!(count(rig, &format!("{standing} = 'active'")), truth.active + truth.frozen);
    assert_eq!(count(rig, "check_ins"), truth.punches);
    assert_eq!(count(rig, "attendance_days"), truth.judged_days);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_true_on_the_platform_is_in_the_ehr_and_a_second_run_writes_nothing() {
    let rig = Rig::start(company()).await;
    let first = report(&rig);
    assert_eq!(first["state"], "done", "{first}");
    assert_eq!(first["doubts"], serde_json::json!({}), "{first}");
    holds(&rig, rig.simulator.truth());
    let managed = "employees where manager_id is null and department_id is not null";
    assert_eq!(count(&rig, managed), 0, "everyone in a department has a manager");
    let statuses: BTreeSet<String> = rig
        .ehr()
        .prepare("select distinct status from attendance_days")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    // Which other ones there are follows from the date on which this runs.
    assert!(statuses.contains("present"), "{statuses:?}");
    let content = rig.content();
    let second = report(&rig);
    assert_eq!(second["state"], "done", "{second}");
    assert_eq!(rig.content(), content);
    let written = second["written"].as_object().unwrap().values().filter_map(Value::as_u64);
    assert_eq!(written.sum::<u64>(), 0, "{second}");
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_arrive_and_who_left_is_ended_because_the_listing_was_complete() {
    let rig = Rig::start(company()).await;
    rig.json(&["sync"]);
    rig.simulator.step(6);
    assert_eq!(report(&rig)["state"], "done");
    let truth = rig.simulator.truth();
    assert_eq!(count(&rig, "employees where retired_at is null"), truth.people);
    assert!(count(&rig, "employees where retired_at is not null") > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn listings_alone_bring_everyone_with_a_tenth_of_the_calls() {
    let rig = Rig::start(company()).await;
    rig.write_setting("detail: list");
    assert_eq!(report(&rig)["state"], "done");
    holds(&rig, rig.simulator.truth());
    assert_eq!(rig.simulator.requests().of(Endpoint::User), 0);
    assert_eq!(count(&rig, "employees where manager_id is not null"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn people_come_with_their_roster_and_keep_what_it_told_when_it_is_withdrawn() {
    for detail in ["full", "list"] {
        let rig = Rig::start(company()).await;
        rig.write_setting(&format!("detail: {detail}, agent_id: \"7\""));
        assert_eq!(report(&rig)["state"], "done");
        holds(&rig, rig.simulator.truth());
        for field in ["employment_type", "job_level", "gender", "start_date"] {
            assert_eq!(count(&rig, &format!("employees where {field} is null")), 0, "{field}");
        }
        assert!(count(&rig, "(select distinct employment_type from employees)") > 1);
        let asked = rig.simulator.requests().of(Endpoint::Roster);
        assert!((1..60).contains(&asked), "{asked} calls for 60 people");
        let told = "select group_concat(external_id || employment_type || job_level || gender || start_date) \
                    from (select * from employees order by external_id)";
        let before: String = rig.value(told);
        rig.simulator.revoke_scope("qyapi_hrm_read_user");
        assert_eq!(report(&rig)["state"], "done");
        assert_eq!(rig.value::<String>(told), before);
        let refused = rig.simulator.requests().of(Endpoint::Roster) - asked;
        assert!((1..=4).contains(&refused), "each of 4 instances asks once at most: {refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_count_an_empty_tree_and_a_page_of_html_retire_nobody() {
    let rig = Rig::start(company()).await;
    rig.json(&["sync"]);
    let content = rig.content();
    for rule in [
        FaultRule::rate(Fault::ShorterList, 1.0).on(Endpoint::UsersSimple),
        FaultRule::rate(Fault::EmptyTree, 1.0),
        FaultRule::times(Fault::Html, 12).on(Endpoint::UsersSimple),
        FaultRule::times(Fault::TruncatedBody, 12).on(Endpoint::Children),
    ] {
        rig.simulator.set_faults([rule]);
        drop(rig.run(&["sync"]));
        assert_eq!(rig.content(), content, "{rule:?}");
    }
    rig.simulator.set_faults([]);
    assert_eq!(report(&rig)["state"], "done");
    assert_eq!(rig.content(), content);
}

#[tokio::test(flavor = "multi_thread")]
async fn passing_faults_are_ridden_out() {
    let calm = Rig::start(company()).await;
    calm.json(&["sync"]);
    let rough = Rig::start(company()).await;
    let faults = [Fault::RateLimited, Fault::ServerError, Fault::Reset, Fault::ExpiredToken];
    // Calls run side by side: nothing keeps one of them from meeting every fault.
    rough.allow_attempts(faults.len() + 1);
    for (nth, fault) in (0..).zip(faults) {
        rough.simulator.inject(FaultRule::times(fault, 1).after(3 + 8 * nth));
    }
    assert_eq!(rough.json(&["sync"])[0]["state"], "done");
    assert_eq!(rough.content(), calm.content());
}
