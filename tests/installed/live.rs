//! A running daemon takes up edits while it runs, and says when it does not.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use simulator::Simulator;

use crate::rig::Rig;

/// No edit takes longer than this, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A daemon, stopped when dropped.
pub(crate) struct Daemon(Child);

impl Daemon {
    pub(crate) fn start(rig: &Rig) -> Self {
        let mut child = rig.command(&["serve"]).stderr(Stdio::piped()).spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || log.lines().map_while(Result::ok).for_each(drop));
        Self(child)
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Looks until something holds.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < PATIENCE, "{what} did not come about");
        std::thread::sleep(Duration::from_millis(20));
    }
}

async fn serving() -> (Rig, Daemon) {
    let rig = Rig::start(Simulator::builder().people(60).seed(9).days(2)).await;
    rig.json(&["sync"]);
    let daemon = Daemon::start(&rig);
    until("a first run", || {
        status(&rig).is_some_and(|status| status["connections"][0]["runs"].as_u64() > Some(0))
    });
    (rig, daemon)
}

pub(crate) fn status(rig: &Rig) -> Option<Value> {
    let output = rig.run(&["status", "--format", "json"]);
    let status: Value = serde_json::from_slice(&output.stdout).ok()?;
    status.get("generation").is_some().then_some(status)
}

/// What the daemon counted of the first connection's events.
pub(crate) fn tally(rig: &Rig) -> Value {
    status(rig).map_or(Value::Null, |status| status["callbacks"][0].clone())
}

/// Waits until every event of the platform was acknowledged and worked off.
pub(crate) fn all_worked_off(rig: &Rig) {
    until("all events", || {
        // The platform is asked first: a tally from before an event came knows nothing of it.
        let acknowledged = rig.simulator.pushes().waiting == 0;
        let tally = tally(rig);
        acknowledged && tally["waiting"] == 0 && tally["worked"].as_u64() > Some(0)
    });
    assert_eq!(rig.simulator.pushes().given_up, 0);
}

fn titles(rig: &Rig, wanted: &str) -> bool {
    let sql = format!(
        "select count(*) from employees where work_location <> '{wanted}' or work_location is null"
    );
    rig.value::<i64>(&sql) == 0
}

fn script(rig: &Rig) -> String {
    std::fs::read_to_string(rig.path("mappings/feishu/employee.rhai")).unwrap()
}

fn located(script: &str, place: &str) -> String {
    let edited = script.replace(
        "work_location: or_null(trimmed(null_to_clear(record.city)))",
        &format!("work_location: \"{place}\""),
    );
    assert_ne!(edited, script);
    edited
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_is_in_the_ehr_without_calling_the_platform() {
    let (rig, _daemon) = serving().await;
    let script = script(&rig);
    std::fs::remove_dir_all(rig.path("mappings/feishu/cases")).unwrap();
    let requests = rig.simulator.requests().total;
    rig.write("mappings/feishu/employee.rhai", &located(&script, "by writing"));
    until("an edit by truncating and writing", || titles(&rig, "by writing"));
    rig.write("mappings/feishu/.employee.rhai.new", &located(&script, "by renaming"));
    std::fs::rename(
        rig.path("mappings/feishu/.employee.rhai.new"),
        rig.path("mappings/feishu/employee.rhai"),
    )
    .unwrap();
    until("an edit by renaming", || titles(&rig, "by renaming"));
    assert_eq!(rig.simulator.requests().total, requests);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_edit_changes_nothing_and_says_where_it_is_broken() {
    let (rig, _daemon) = serving().await;
    let content = rig.content();
    let script = script(&rig);
    rig.write(
        "mappings/feishu/employee.rhai",
        &script.replace("display_name: trimmed(record.name)", "display_name: trimed(record.name)"),
    );
    until("the error", || status(&rig).is_some_and(|status| status["reload_error"].is_string()));
    let told = status(&rig).unwrap()["reload_error"].as_str().unwrap().to_owned();
    assert!(
        told.contains("feishu/employee.rhai")
            && told.contains("trimed")
            && told.contains("trimmed"),
        "{told}"
    );
    rig.write("mappings/feishu/employee.rhai", &script[..script.len() / 2]);
    until("another error", || {
        status(&rig).is_some_and(|now| now["reload_error"].as_str() != Some(&told))
    });
    assert_eq!(rig.content(), content);
    rig.write("mappings/feishu/employee.rhai", &script);
    until("peace", || status(&rig).is_some_and(|status| status["reload_error"].is_null()));
    assert_eq!(rig.content(), content);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_that_fails_its_cases_is_not_taken_up() {
    let (rig, _daemon) = serving().await;
    let content = rig.content();
    rig.write("mappings/feishu/employee.rhai", &located(&script(&rig), "nowhere"));
    until("the failing case", || {
        status(&rig).is_some_and(|status| {
            status["reload_error"].as_str().is_some_and(|text| text.contains("cases/employee/"))
        })
    });
    assert_eq!(rig.content(), content);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_cases_only_warn_an_edit_that_fails_them_is_taken_up() {
    let (rig, _daemon) = serving().await;
    let main = std::fs::read_to_string(rig.path("rollcall.yaml")).unwrap();
    rig.write("rollcall.yaml", &main.replace("cases: gate", "cases: warn"));
    rig.write("mappings/feishu/employee.rhai", &located(&script(&rig), "somewhere else"));
    until("an edit against its cases", || titles(&rig, "somewhere else"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_plugin_is_taken_up_and_a_bad_one_is_not() {
    let (rig, _daemon) = serving().await;
    let good = std::fs::read(rig.path("plugins/feishu.wasm")).unwrap();
    std::fs::write(rig.path("plugins/feishu.wasm"), b"no component").unwrap();
    until("the error", || status(&rig).is_some_and(|status| status["reload_error"].is_string()));
    let generation = status(&rig).unwrap()["generation"].as_u64().unwrap();
    let mut stamped = good.clone();
    stamped.extend_from_slice(b"\x00\x05\x04note"); // a custom section named `note`
    std::fs::write(rig.path("plugins/feishu.wasm"), stamped).unwrap();
    until("the new plugin", || {
        status(&rig).is_some_and(|now| {
            now["reload_error"].is_null() && now["generation"].as_u64().unwrap() > generation
        })
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_is_told_to_stop_stops_and_leaves_no_trace_of_running() {
    let (rig, mut daemon) = serving().await;
    let pid = daemon.0.id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    until("its end", || daemon.0.try_wait().unwrap().is_some());
    assert!(rig.run(&["status"]).status.success());
    assert_eq!(rig.run(&["sync"]).status.code(), Some(0));
}
