//! An edited mapping is looked at before it is in force, and records tell why they are what they are.

use serde_json::Value;

use crate::live::Daemon;
use crate::rig::Rig;
use simulator::Simulator;

pub(crate) async fn rig() -> Rig {
    let rig = Rig::start(Simulator::builder().people(60).seed(9).days(2)).await;
    // The edits here go against the cases beside the mappings.
    let config = std::fs::read_to_string(rig.path("rollcall.yaml")).unwrap();
    rig.write("rollcall.yaml", &config.replace("cases: gate", "cases: warn"));
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
    std::fs::write(
        &file,
        text.replace("display_name: trimmed(record.name)", "display_name: \"x\""),
    )
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

pub(crate) const STRICT: &str = "mapping_changes:\n  impact: auto\n  hold_above: { share: 100%, count: 0 }\n  fields: { status: { share: 0%, count: 0 } }\n";

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
    edit(&rig, "display_name: trimmed(record.name)", "display_name: \"fox\"");
    rig.json(&["sync"]);
    assert!(rig.value::<i64>("select count(*) from employees where display_name = 'fox'") > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_tells_its_line_what_was_read_its_table_row_and_its_receipt() {
    let rig = rig().await;
    let number: String =
        rig.value("select employee_number from employees where gender = 'male' limit 1");
    let told = rig.json(&["explain", &number, "gender"]);
    let field = &told[0]["fields"][0];
    assert_eq!(field["field"], "gender", "{told}");
    assert_eq!(field["value"], "male");
    assert_eq!(field["place"]["script"], "feishu/employee.rhai");
    assert_eq!(field["reads"][0]["path"], "record.gender");
    assert_eq!(field["reads"][0]["value"], 1);
    assert_eq!(field["rows"][0], serde_json::json!({"table": "gender", "key": 1, "word": "male"}));
    assert!(field["ehr"].is_null());
    assert_eq!(told[0]["plan"]["verb"], "create");
    assert_eq!(told[0]["plan"]["state"], "done");
    assert_eq!(told[0]["same_build"], true);
    assert_eq!(told[0]["why_not"].as_array().unwrap().len(), 0, "{told}");
    let status = rig.json(&["explain", &number, "status"]);
    let reads = status[0]["fields"][0]["reads"].to_string();
    assert!(reads.contains("is_resigned"), "through a variable: {reads}");
    rig.ehr().execute("update employees set gender = 'female'", []).unwrap();
    let text = self::told(&rig, &["explain", &number, "gender"]);
    assert!(text.contains("the EHR holds \"female\""), "{text}");
    let output = rig.run(&["explain", "nobody"]);
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        errors.contains("no connection has ever listed a record known as `nobody`"),
        "{errors}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_a_mapping_leaves_out_says_so_with_the_line() {
    let rig = rig().await;
    let id: String = rig.value("select external_id from employees limit 1");
    edit(&rig, "gender: lookup(\"gender\", record.gender),", "gender: skip(),");
    rig.json(&["sync", "--approve", &held_digest(&rig)]);
    let told = self::told(&rig, &["explain", &id]);
    assert!(told.contains("the mapping leaves it out on purpose"), "{told}");
    assert!(told.contains("gender: skip(),"), "{told}");
}

/// The departments of everybody who is there, by external id.
fn places(rig: &Rig) -> std::collections::BTreeMap<String, Value> {
    let ehr = rig.ehr();
    let sql = "select external_id, department_external_ids from employees where retired_at is null";
    let mut people = ehr.prepare(sql).unwrap();
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get::<_, String>(1)?));
    let people = people.query_map([], row).unwrap().map(Result::unwrap);
    people.map(|(id, list)| (id, serde_json::from_str(&list).unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_tells_its_versions_and_what_each_one_changed() {
    let rig = rig().await;
    let before = places(&rig);
    rig.simulator.step(8);
    rig.json(&["sync"]);
    let after = places(&rig);
    let moved = |(id, place): &(&String, &Value)| after.get(*id).is_some_and(|now| now != *place);
    let (id, place) = before.iter().find(moved).expect("somebody moves within eight steps");
    let versions = rig.json(&["history", id]);
    let [first, last] = &versions.as_array().unwrap()[..] else { panic!("{versions:#}") };
    assert_eq!((&first["run"], &first["until"][0]), (&1.into(), &2.into()), "{versions:#}");
    assert_eq!((&last["run"], &last["until"]), (&2.into(), &Value::Null), "the newest goes on");
    assert_eq!(first["generation"], last["generation"]);
    let change = serde_json::json!(["department_external_ids", place, after[id]]);
    assert!(last["changes"].as_array().unwrap().contains(&change), "{versions:#}");
    assert!(told(&rig, &["history", id]).contains("of run 2, the newest"));
}

/// Runs a sync that is held, and tells the digest of its plan.
fn held_digest(rig: &Rig) -> String {
    let output = rig.run(&["sync", "--format", "json"]);
    let reports: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(reports[0]["state"], "held", "{reports}");
    reports[0]["digest"].as_str().unwrap().to_owned()
}

/// Everybody who stands, with everything the EHR holds of them but when it was written.
fn standing(rig: &Rig) -> Vec<String> {
    let ehr = rig.ehr();
    let sql = "select name from pragma_table_info('employees') where name not in ('updated_at', 'content_hash')";
    let names: Vec<String> = ehr
        .prepare(sql)
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let parts =
        names.iter().map(|name| format!("'{name}', \"{name}\"")).collect::<Vec<_>>().join(", ");
    let sql = format!(
        "select json_object({parts}) from employees where retired_at is null order by external_id"
    );
    let mut rows = ehr.prepare(&sql).unwrap();
    rows.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_ehr_gets_what_it_lost_and_an_earlier_day_comes_back_without_the_platform() {
    let rig = rig().await;
    let then = standing(&rig);
    let moment = jiff::Timestamp::now().to_string();
    rig.ehr().execute("vacuum into ?1", [rig.path("backup.db").to_str().unwrap()]).unwrap();
    rig.simulator.step(15);
    rig.json(&["sync"]);
    let now = standing(&rig);
    assert_ne!(then, now);
    let requests = rig.simulator.requests().total;

    let database = rig.path("ehr.db");
    for end in ["-wal", "-shm"] {
        std::fs::remove_file(format!("{}{end}", database.display())).ok();
    }
    std::fs::rename(rig.path("backup.db"), &database).unwrap();
    assert_eq!(standing(&rig), then);
    let report = rig.json(&["replay", "--since", &moment]);
    assert_eq!(report[0]["state"], "done", "{report}");
    assert_eq!(standing(&rig), now);

    let planned = rig.json(&["replay", "--as-of", &moment, "--dry-run", "--limit", "3"]);
    assert_eq!(planned[0]["changes"].as_array().unwrap().len(), 3);
    assert_eq!(standing(&rig), now, "a dry run writes nothing");
    let text = told(&rig, &["replay", "--as-of", &moment]);
    assert!(text.contains("the next run of a connection brings the EHR back to now"), "{text}");
    assert_eq!(standing(&rig), then);
    assert_eq!(rig.simulator.requests().total, requests, "the platform was not asked");
    rig.json(&["sync"]);
    assert_eq!(standing(&rig), now);

    let early = rig.run(&["replay", "--as-of", "30d"]);
    assert_eq!(early.status.code(), Some(1));
    let told = String::from_utf8_lossy(&early.stderr).into_owned();
    assert!(told.contains("nothing is known of the time before"), "{told}");
}
