//! Mappings of an installation: what is shown of their layers, and the way back to an earlier generation.

use simulator::Simulator;

use crate::live::{Daemon, status, until};
use crate::rig::{Rig, today};

const SCRIPT: &str = "mappings/feishu/employee.rhai";

async fn synced() -> Rig {
    let rig = Rig::start(Simulator::builder().people(12).seed(3).days(1)).await;
    rig.json(&["sync"]);
    rig
}

fn read(rig: &Rig, name: &str) -> String {
    std::fs::read_to_string(rig.path(name)).unwrap()
}

fn generations(rig: &Rig) -> Vec<serde_json::Value> {
    let history = rig.json(&["mapping", "history"]);
    history[0]["generations"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_earlier_generation_comes_back_with_one_command() {
    let rig = synced().await;
    let first = read(&rig, SCRIPT);
    rig.write(SCRIPT, &format!("// edited\n{first}"));
    rig.json(&["sync"]);
    let told = generations(&rig);
    assert_eq!(told.len(), 2, "{told:#?}");
    assert_eq!((&told[0]["in_force"], &told[1]["in_force"]), (&true.into(), &false.into()));
    let change = serde_json::json!([{ "layer": "connector", "file": "feishu/employee.rhai", "change": "changed" }]);
    assert_eq!(told[0]["changes"], change);
    let digest = told[1]["digest"].as_str().unwrap();

    rig.write(SCRIPT, &format!("// mine alone\n{first}"));
    let refused = rig.run(&["mapping", "revert", &digest[..8]]);
    assert!(!refused.status.success());
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(why.contains("feishu/employee.rhai") && why.contains("--force"), "{why}");
    rig.json(&["mapping", "revert", &digest[..8], "--force", "--dry-run"]);
    assert!(read(&rig, SCRIPT).starts_with("// mine alone"));
    rig.json(&["mapping", "revert", &digest[..8], "--force"]);
    assert_eq!(read(&rig, SCRIPT), first);

    rig.json(&["sync"]);
    let told = generations(&rig);
    assert_eq!((told.len(), told[0]["digest"].as_str()), (3, Some(digest)));
    assert!(!rig.run(&["mapping", "revert", "ffffffff"]).status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exception_is_shown_and_is_in_the_ehr() {
    let rig = synced().await;
    let key: String =
        rig.value("select external_id from employees where status = 'active' order by external_id");
    std::fs::create_dir_all(rig.path("layer/feishu")).unwrap();
    rig.write_tenant("mappings: layer\n");
    let exception = |until: &str| {
        format!(
            "- entity: employee\n  match: {{ external_id: \"{key}\" }}\n  set: {{ work_location: Mars }}\n  until: {until}\n  reason: far away\n"
        )
    };
    rig.write("layer/feishu/exceptions.yaml", &exception(&today()));
    rig.json(&["sync"]);
    let where_is = format!("select work_location from employees where external_id = '{key}'");
    assert_eq!(rig.value::<String>(&where_is), "Mars");
    let shown = rig.json(&["mapping", "show", "employee", "--tenant", "acme"]);
    assert_eq!(shown[0]["exceptions"][0]["state"], "in_force");
    let name = shown[0]["fields"]
        .as_array()
        .unwrap()
        .iter()
        .find(|set| set["field"] == "display_name")
        .unwrap();
    assert_eq!(
        (&name["layer"], &name["expression"]),
        (&"connector".into(), &"trimmed(record.name)".into())
    );

    rig.write("layer/feishu/exceptions.yaml", &exception("2020-01-01"));
    rig.json(&["sync"]);
    assert_ne!(rig.value::<Option<String>>(&where_is).as_deref(), Some("Mars"));
    let shown = rig.json(&["mapping", "show", "employee", "--tenant", "acme"]);
    assert_eq!(shown[0]["exceptions"][0]["state"], "expired");
    assert!(!rig.run(&["mapping", "show", "employee", "--tenant", "nobody"]).status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_a_running_daemon_mappings_are_checked_made_cases_of_and_reverted() {
    let rig = synced().await;
    std::fs::create_dir_all(rig.path("layer/feishu")).unwrap();
    rig.write_tenant("mappings: layer\n");
    let key: String = rig.value("select external_id from employees order by external_id");
    let exception = |key: &str| {
        format!(
            "- entity: employee\n  match: {{ external_id: \"{key}\" }}\n  set: {{ work_location: Mars }}\n  until: {}\n  reason: far away\n",
            today()
        )
    };
    let gone = "feishu:employee:nobody";
    rig.write("layer/feishu/exceptions.yaml", &[exception(&key), exception(gone)].concat());
    rig.json(&["sync"]);
    let daemon = Daemon::start(&rig);
    until("the daemon", || status(&rig).is_some());

    let report = rig.json(&["mapping", "check"]);
    assert!(report["records"].as_u64().unwrap() > 12, "{report}");
    let strangers: Vec<_> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["code"] == "mapping::exception_nobody")
        .collect();
    let [stranger] = &strangers[..] else { panic!("{report}") };
    assert_eq!(stranger["place"]["line"], 7, "{stranger}");
    assert_eq!(stranger["place"]["text"], format!("  match: {{ external_id: \"{gone}\" }}"));

    let told = rig.json(&["explain", &key, "work_location"]);
    let field = &told[0]["fields"][0];
    assert_eq!((&field["layer"], &field["place"]["line"]), (&"exception".into(), &3.into()));
    assert_eq!(field["exception"]["until"], today());
    assert_ne!(field["exception"]["without"]["value"], "Mars", "{told}");

    std::fs::remove_dir_all(rig.path("mappings/feishu/cases")).unwrap();
    let cases = rig.json(&["mapping", "test", "--generate", "--entity", "employee"]);
    let written = cases["written"].as_array().unwrap();
    assert!(!written.is_empty() && written.iter().all(|one| one["adds"].as_u64() > Some(0)));

    let told = generations(&rig);
    assert!(told.len() >= 2, "{told:#?}");
    let first = told[told.len() - 1]["digest"].as_str().unwrap().to_owned();
    let reverted = rig.json(&["mapping", "revert", &first, "--force"]);
    let files: Vec<_> = reverted["changes"].as_array().unwrap().iter().collect();
    assert!(files.iter().any(|one| one["file"] == "acme/feishu/exceptions.yaml"), "{reverted}");
    assert!(!rig.path("layer/feishu/exceptions.yaml").exists());
    assert!(rig.path("mappings/feishu/cases/employee").is_dir(), "cases came back too");
    let place = format!("select work_location from employees where external_id = '{key}'");
    until("the daemon to take it up", || {
        rig.value::<Option<String>>(&place).as_deref() != Some("Mars")
    });
    drop(daemon);
}
