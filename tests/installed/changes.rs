//! An edited mapping is looked at before it is in force, and records tell why they are what they are.

use serde_json::Value;

use crate::live::Daemon;
use crate::rig::Rig;
use simulator::Simulator;

pub(crate) async fn rig() -> Rig {
    let rig = Rig::start(Simulator::builder().people(60).seed(9).days(2)).await;
    rig.json(&["sync"]);
    rig
}

pub(crate) fn edit(rig: &Rig, from: &str, to: &str) {
    let file = "mappings/feishu/employee.rhai";
    let text = std::fs::read_to_string(rig.path(file)).unwrap();
    assert!(text.contains(from), "{from}");
    rig.write(file, &text.replace(from, to));
}

/// The text that a verb prints.
pub(crate) fn told(rig: &Rig, args: &[&str]) -> String {
    let output = rig.run(args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_shows_whom_it_changes_before_it_is_in_force_and_asks_no_platform() {
    let rig = rig().await;
    assert!(told(&rig, &["mapping", "impact"]).contains("no mapping differs"));
    edit(&rig, "        \"active\"\n", "        \"on_leave\"\n");
    let requests = rig.simulator.requests().total;
    let impact = rig.json(&["mapping", "impact"]);
    assert_eq!(rig.simulator.requests().total, requests);
    let kind = &impact[0]["kinds"][0];
    let active: i64 = rig.value("select count(*) from employees where status = 'active'");
    let group = &kind["fields"][0];
    assert_eq!(group["records"], active, "{impact}");
    assert_eq!(group["before"]["word"], "active");
    assert_eq!(group["after"]["word"], "on_leave");
    let text = told(&rig, &["mapping", "impact", "--entity", "employee"]);
    let line =
        format!("{active} people: `status` active -> on_leave, by feishu/employee.rhai line 3");
    assert!(text.contains(&line), "{text}");
    assert_eq!(rig.value::<i64>("select count(*) from employees where status = 'on_leave'"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_daemon_answers_for_its_own_state_and_only_to_its_own_user() {
    let rig = rig().await;
    let daemon = Daemon::start(&rig);
    crate::live::until("the daemon", || crate::live::status(&rig).is_some());
    std::fs::create_dir(rig.path("draft")).unwrap();
    crate::rig::copy(&rig.path("mappings"), &rig.path("draft"));
    let file = rig.path("draft/feishu/employee.rhai");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("alias: or_null(trimmed(record.nickname))", "alias: \"x\""))
        .unwrap();
    let folder = rig.path("draft").display().to_string();
    let number: String = rig.value("select employee_number from employees limit 1");
    let args = ["mapping", "impact", "--mappings", &folder, "--person", &number];
    let impact = rig.json(&args);
    assert_eq!(impact[0]["people"][0]["fields"][0]["after"], "x", "{impact}");
    let note: Value =
        serde_json::from_slice(&std::fs::read(rig.path("state/daemon.json")).unwrap()).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(rig.path("state/daemon.json")).unwrap().permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
    let wrong = serde_json::json!({"pid": 1, "listen": note["listen"], "key": "0"});
    rig.write("state/daemon.json", &wrong.to_string());
    let output = rig.run(&args);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(errors.contains("the daemon answered 403"), "{errors}");
    drop(daemon);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_nobody_knows_is_an_error_with_a_next_step() {
    let rig = rig().await;
    let output = rig.run(&["mapping", "impact", "--person", "nobody"]);
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(errors.contains("no stored record is known as `nobody`"), "{errors}");
}

const STRICT: &str =
    "mapping_changes:\n  impact: auto\n  fields: { status: { share: 0%, count: 0 } }\n";

fn on_leave(rig: &Rig) -> i64 {
    rig.value("select count(*) from employees where status = 'on_leave'")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_beyond_its_bounds_is_held_over_restarts_until_somebody_approves_it() {
    let rig = rig().await;
    rig.write_tenant(STRICT);
    let daemon = Daemon::start(&rig);
    let held = || crate::live::status(&rig).is_some_and(|it| it["held_mappings"][0].is_object());
    let up = || crate::live::status(&rig).is_some();
    crate::live::until("the daemon", up);
    edit(&rig, "        \"active\"\n", "        \"on_leave\"\n");
    crate::live::until("the hold", held);
    assert_eq!(on_leave(&rig), 0);
    drop(daemon);
    assert!(told(&rig, &["status"]).contains("`status` active -> on_leave"));
    rig.json(&["sync"]);
    assert_eq!(on_leave(&rig), 0, "a single run holds it as well");
    let daemon = Daemon::start(&rig);
    crate::live::until("the daemon again", held);
    let text = told(&rig, &["mapping", "approve", "--tenant", "acme"]);
    assert!(text.contains("comes into force"), "{text}");
    crate::live::until("the edit", || on_leave(&rig) > 0);
    assert!(!held());
    drop(daemon);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_edit_stays_out_of_force_and_the_next_one_is_judged_anew() {
    let rig = rig().await;
    rig.write_tenant(STRICT);
    let none = rig.run(&["mapping", "reject"]);
    assert_eq!(none.status.code(), Some(1), "nothing is held yet");
    edit(&rig, "        \"active\"\n", "        \"on_leave\"\n");
    rig.json(&["sync"]);
    rig.json(&["mapping", "reject"]);
    rig.json(&["sync"]);
    assert_eq!(on_leave(&rig), 0);
    edit(&rig, "        \"on_leave\"\n", "        \"active\"\n");
    edit(&rig, "alias: or_null(trimmed(record.nickname))", "alias: \"fox\"");
    rig.json(&["sync"]);
    assert!(rig.value::<i64>("select count(*) from employees where alias = 'fox'") > 0);
}
