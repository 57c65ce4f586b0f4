//! A company on WeCom, from the platform to the EHR.

use std::time::Duration;

use serde_json::Value;
use simulator::wecom::Endpoint;
use simulator::{
    Builder, CallbackKeys, Churn, ContactRange, Fault, FaultRule, Platform, Simulator,
};

use crate::live::{Daemon, all_worked_off, status, until};
use crate::rig::Rig;

const TOKEN: &str = "simulatorToken";
/// A key with bits in its last character that no byte needs.
const KEY: &str = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C";

fn small() -> Builder {
    Simulator::builder().platform(Platform::WeCom).people(150).seed(3).days(4)
}

async fn synced(builder: Builder) -> (Rig, String) {
    let rig = Rig::start(builder).await;
    assert_eq!(rig.json(&["sync"])[0]["state"], "done");
    let content = rig.content();
    (rig, content)
}

fn count(rig: &Rig, sql: &str) -> u64 {
    rig.value::<i64>(&format!("select count(*) from {sql}")).try_into().unwrap()
}

/// Syncs whatever the exit code and returns the report.
fn report(rig: &Rig) -> Value {
    let output = rig.run(&["sync", "--format", "json"]);
    let reports: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| {
        panic!("no report: {}", String::from_utf8_lossy(&output.stderr));
    });
    reports[0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ehr_equals_the_company_and_a_second_run_writes_nothing() {
    let (rig, content) = synced(small().older_app()).await;
    let truth = rig.simulator.truth();
    assert_eq!(count(&rig, "departments"), truth.departments);
    assert_eq!(count(&rig, "employees"), truth.people);
    for (status, wanted) in
        [("active", truth.active), ("suspended", truth.frozen), ("pending", truth.unjoined)]
    {
        assert_eq!(
            count(&rig, &format!("employees where status = '{status}'")),
            wanted,
            "{status}"
        );
    }
    assert_eq!(count(&rig, "check_ins"), truth.punches);
    assert_eq!(count(&rig, "attendance_days"), truth.days);
    assert_eq!(count(&rig, "employees where mobile is null"), 0);
    assert_eq!(count(&rig, "employees where employee_number is null"), 0);
    assert_eq!(count(&rig, "employees where manager_id is null"), 1, "all but the first are led");
    assert_eq!(count(&rig, "check_ins where employee_id is null"), 0);
    let again = report(&rig);
    assert_eq!(again["state"], "done");
    assert_eq!(rig.content(), content);
    let written = again["written"].as_object();
    assert!(written.is_none_or(|written| written.values().all(|count| count == 0)), "{again}");
    assert_eq!(again["doubts"].as_object().map_or(0, serde_json::Map::len), 0, "{again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_newer_app_is_not_told_stays_as_it_is() {
    let (rig, _) = synced(small()).await;
    assert_eq!(count(&rig, "employees where mobile is not null or gender is not null"), 0);
    rig.ehr().execute("update employees set mobile = '+8613800000000'", []).unwrap();
    rig.simulator.step(2);
    assert_eq!(report(&rig)["state"], "done");
    let kept = count(&rig, "employees where mobile is not null");
    assert!(kept >= 140, "{kept}");
}

#[tokio::test(flavor = "multi_thread")]
async fn hires_leavers_and_moves_arrive() {
    let (rig, _) = synced(small()).await;
    rig.simulator.step(4);
    assert_eq!(report(&rig)["state"], "done");
    let truth = rig.simulator.truth();
    assert_eq!(count(&rig, "employees where retired_at is null"), truth.people);
    assert!(count(&rig, "employees where retired_at is not null") > 0, "someone left");
    assert_eq!(count(&rig, "departments where retired_at is null"), truth.departments);
}

#[tokio::test(flavor = "multi_thread")]
async fn listings_that_fall_short_of_the_companys_own_count_retire_nobody() {
    let faults = [
        FaultRule::rate(Fault::TruncatedList, 1.0).on(Endpoint::Departments),
        FaultRule::rate(Fault::EmptyTree, 1.0).on(Endpoint::Departments),
        FaultRule::rate(Fault::ShorterList, 1.0).on(Endpoint::Users),
    ];
    let (rig, content) = synced(small()).await;
    for fault in faults {
        rig.simulator.set_faults([fault]);
        let report = report(&rig);
        assert!(report["doubts"].as_object().is_some_and(|doubts| !doubts.is_empty()), "{report}");
        assert_eq!(rig.content(), content, "{fault:?}");
    }
    rig.simulator.set_faults([]);
    rig.simulator.set_contact_range(ContactRange::Part {
        departments: vec!["2".to_owned()],
        users: vec!["E000001".to_owned()],
    });
    let report = report(&rig);
    assert!(report["doubts"]["employee"].as_array().is_some_and(|d| !d.is_empty()), "{report}");
    assert_eq!(count(&rig, "employees where retired_at is not null"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_untrusted_address_stops_the_run_and_is_shown() {
    let (rig, content) = synced(small()).await;
    rig.simulator.revoke_scope("企业可信IP");
    let output = rig.run(&["sync"]);
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("60020") && told.contains("203.0.113.7"), "{told}");
    assert_eq!(rig.content(), content);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hire_is_in_the_ehr_through_its_callback_without_a_full_run() {
    let churn =
        Churn { hires: 3, leavers: 0, moves: 0, titles: 0, late_punches: 0, reorganise: false };
    // Signatures bear the platform's time: it is the machine's, as in real life.
    let company = small().churn(churn).now(jiff::Timestamp::now().as_second());
    let again = [Duration::from_millis(200); 100];
    let rig = Rig::start_as_is(company.push_repeats(again)).await;
    rig.write("token", TOKEN);
    rig.write("key", KEY);
    let tenant = std::fs::read_to_string(rig.path("tenants/acme.yaml")).unwrap();
    let secrets = "secrets: { app_secret: \"file:secret\"";
    assert!(tenant.contains(secrets), "{tenant}");
    let more = ", callback_token: \"file:token\", callback_aes_key: \"file:key\"";
    rig.write("tenants/acme.yaml", &tenant.replace(secrets, &format!("{secrets}{more}")));
    rig.json(&["sync"]);
    let before = count(&rig, "employees");
    let _daemon = Daemon::start(&rig);
    until("a first run", || {
        status(&rig).is_some_and(|status| status["connections"][0]["runs"].as_u64() > Some(0))
    });
    let note: Value =
        serde_json::from_slice(&std::fs::read(rig.path("state/daemon.json")).unwrap()).unwrap();
    let url = format!("http://{}/callbacks/acme/wecom", note["listen"].as_str().unwrap());
    let wrong = CallbackKeys { token: "another".to_owned(), key: Some(KEY.to_owned()) };
    assert!(rig.simulator.set_callback(&url, wrong).await.is_err(), "a forged trial fails");
    let keys = CallbackKeys { token: TOKEN.to_owned(), key: Some(KEY.to_owned()) };
    rig.simulator.set_callback(&url, keys).await.unwrap();
    rig.simulator.step(1);
    all_worked_off(&rig);
    assert_eq!(count(&rig, "employees") - before, 3);
    let status = status(&rig).unwrap();
    assert_eq!(status["connections"][0]["runs"], 1, "the run of the daemon's start alone");
    let tally = &status["callbacks"][0];
    assert_eq!((&tally["forged"], &tally["lost"]), (&Value::from(1), &Value::from(0)), "{tally}");
}
