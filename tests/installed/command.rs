//! The command line as a user meets it: results, exit codes, errors with a next step.

use std::process::{Command, Output};

use crate::rig::Rig;
use simulator::Simulator;

fn rollcall(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rollcall")).args(args).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

async fn rig() -> Rig {
    Rig::start(Simulator::builder().people(60).seed(5).days(2)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_syncs_twice_and_prints_one_object() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("demo");
    let args = ["demo", "--once", "--people", "150", "--days", "7", "--format", "json", "--dir"];
    let output = rollcall(&[&args[..], &[dir.to_str().unwrap()]].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    let once: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    for entity in ["department", "employee", "check_in", "attendance_day"] {
        assert!(once["pulled"][entity].as_u64().unwrap() > 0, "{once}");
        // WeCom's root department is the company itself, and an invalid swipe on DingTalk is no punch: read, not written.
        let count = |part: &str| once[part][entity].as_u64().unwrap();
        assert!(count("written") > 0 && count("written") <= count("pulled"), "{once}");
        assert_eq!(once["parked"][entity], 0, "{once}");
    }
    assert_eq!(once["second_run_writes"], 0);
    assert_eq!(once["hire_arrived_ms"].as_object().unwrap().len(), 3, "{once}");
    assert!(once["peak_rss_bytes"].as_u64().unwrap() > 0);
    assert!(dir.join("ehr.db").exists());
}

#[test]
fn the_demo_does_not_replace_a_folder_that_is_not_its_own() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("payroll.xlsx"), "dear").unwrap();
    let output =
        rollcall(&["demo", "--once", "--people", "10", "--dir", dir.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("hint: give the demo another folder"), "{}", stderr(&output));
    assert!(dir.path().join("payroll.xlsx").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_shows_every_change_and_writes_nothing() {
    let rig = rig().await;
    let plan = rig.json(&["plan", "--limit", "5"]);
    assert_eq!(plan[0]["state"], "planned");
    assert_eq!(plan[0]["changes"].as_array().unwrap().len(), 5);
    assert_eq!(plan[0]["changes"][0]["verb"], "create");
    assert_eq!(rig.value::<i64>("select count(*) from employees"), 0);
    let report = rig.json(&["sync"]);
    assert_eq!(report[0]["digest"], plan[0]["digest"], "what was planned is what is written");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_do_not_share_a_state_folder() {
    let rig = rig().await;
    let _held =
        rollcall::state::SledStore::open(&rig.path("state"), rollcall::state::Options::default())
            .unwrap();
    let output = rig.run(&["sync"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("in use by another rollcall; stop it"), "{}", stderr(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schema_of_an_entity_is_printed() {
    let schema: serde_json::Value =
        serde_json::from_slice(&rollcall(&["schema", "employee", "--format", "json"]).stdout)
            .unwrap();
    assert_eq!(schema["properties"]["status"]["enum"][1], "active");
    assert_eq!(rollcall(&["schema", "employe"]).status.code(), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn status_tells_of_the_last_run_and_of_parked_records() {
    let rig = rig().await;
    let script = std::fs::read_to_string(rig.path("mappings/feishu/employee.rhai")).unwrap();
    let broken = script
        .replace("gender: lookup(\"gender\", record.gender)", "gender: lookup(\"gender\", 99)");
    assert_ne!(script, broken);
    rig.write("mappings/feishu/employee.rhai", &broken);
    std::fs::remove_dir_all(rig.path("mappings/feishu/cases")).unwrap();
    let output = rig.run(&["sync"]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let status = rig.run(&["status"]);
    let told = String::from_utf8_lossy(&status.stdout);
    assert!(told.contains("no daemon is running"), "{told}");
    assert!(told.contains("parked employee") && told.contains("feishu/employee.rhai:"), "{told}");
    assert!(told.contains("lookup(\"gender\", 99)"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_sync_is_replayed_without_the_platform() {
    let rig = rig().await;
    let file = rig.path("run.jsonl.zst");
    let file = file.to_str().unwrap();
    let output = rig.run(&["sync", "--record", file]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stderr(&output).contains("; 0 calls left out"), "{}", stderr(&output));
    let url = rig.simulator.url();
    let Rig { dir, simulator, .. } = rig;
    simulator.shutdown().await;
    assert!(std::net::TcpStream::connect(url.trim_start_matches("http://")).is_err());
    let config = dir.path().join("rollcall.yaml");
    let replay = |more: &[&str]| {
        let args = ["--config", config.to_str().unwrap(), "plugin", "replay", file];
        rollcall(&[&args[..], more].concat())
    };
    let output = replay(&["--format", "json"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let replayed: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(replayed["calls"].as_u64().unwrap() > 5, "{replayed}");
    assert!(replayed["records"].as_u64().unwrap() > 60, "{replayed}");
    assert!(replayed.get("differs").is_none(), "{replayed}");
    let other = dir.path().join("other.wasm");
    std::fs::copy("plugins/feishu.wasm", &other).unwrap();
    let refused = replay(&["--plugin", other.to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(1), "a component under another name");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_of_several_connections_is_refused_before_anything_is_read() {
    let rig = rig().await;
    let tenant = std::fs::read_to_string(rig.path("tenants/acme.yaml")).unwrap();
    rig.write("tenants/beta.yaml", &tenant.replace("ehr.db", "beta.db"));
    let file = rig.path("run.jsonl.zst");
    let output = rig.run(&["sync", "--record", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("select one with `--tenant`"), "{}", stderr(&output));
    assert!(!file.exists());
}

#[test]
fn usage_errors_end_with_two() {
    assert_eq!(rollcall(&["snyc"]).status.code(), Some(2));
}

#[test]
fn a_missing_configuration_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_rollcall"))
        .current_dir(dir.path())
        .arg("sync")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("rollcall init"), "{}", stderr(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_embedding_example_fills_a_target_of_its_own() {
    let rig = rig().await;
    let url = rig.simulator.url();
    // Examples are built with the tests, beside the binary.
    let example =
        std::path::Path::new(env!("CARGO_BIN_EXE_rollcall")).with_file_name("examples/embed");
    let output = Command::new(example)
        .args([url.as_str(), rig.simulator.app_id(), rig.simulator.app_secret()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let told = String::from_utf8_lossy(&output.stdout);
    let numbers: Vec<u64> =
        told.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok()).collect();
    assert!(numbers[0] > 60 && numbers[0] == numbers[1], "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_names_what_is_missing_and_what_to_do_with_and_without_a_daemon() {
    let rig = rig().await;
    let probed = rig.json(&["probe"]);
    assert!(probed[0]["findings"].as_array().unwrap().len() > 5, "{probed}");
    rig.simulator.revoke_scope("contact:user.phone:readonly");
    let missing = |output: &Output| {
        assert_eq!(output.status.code(), Some(1), "{}", stderr(output));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut lines = text.lines().skip_while(|line| !line.contains("MISSING"));
        assert!(lines.next().unwrap().contains("contact:user.phone:readonly"), "{text}");
        assert!(lines.next().unwrap().starts_with("           "), "what to do: {text}");
        assert_eq!(text.matches("MISSING").count(), 1, "{text}");
    };
    missing(&rig.run(&["probe"]));
    let _daemon = crate::live::Daemon::start(&rig);
    crate::live::until("the daemon", || crate::live::status(&rig).is_some());
    missing(&rig.run(&["probe", "--connection", "feishu"]));
    assert_eq!(rig.run(&["probe", "--connection", "nowhere"]).status.code(), Some(1));
}
