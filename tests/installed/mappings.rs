//! Mappings of an installation: what is shown of their layers, and the way back to an earlier generation.

use simulator::Simulator;

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
