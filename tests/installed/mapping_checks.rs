//! What the mapping commands say of a real installation: its stored records, and the cases made of them.

use std::fs;

use rusqlite::Connection;
use serde_json::Value;
use simulator::{Builder, Simulator};

use crate::rig::Rig;

fn small() -> Builder {
    Simulator::builder().people(120).seed(3).days(2)
}

/// The JSON of a verb, whatever its exit code.
fn told(rig: &Rig, args: &[&str]) -> Value {
    let output = rig.run(&[args, &["--format", "json"]].concat());
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{args:?}: {}", String::from_utf8_lossy(&output.stderr)))
}

fn codes(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings.filter(|it| it["severity"] != "note").map(|it| it["code"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_check_looks_at_stored_records() {
    let rig = Rig::start(small()).await;
    rig.json(&["sync"]);
    let report = told(&rig, &["mapping", "check"]);
    assert_eq!(codes(&report), Vec::<&str>::new(), "{report}");
    assert!(report["records"].as_u64().unwrap() > 120, "{report}");
    assert_eq!(told(&rig, &["mapping", "check", "--without-records"])["records"], 0);

    let script = rig.path("mappings/feishu/employee.rhai");
    let text = fs::read_to_string(&script).unwrap();
    fs::write(&script, text.replace("record.join_time", "record.join_tme")).unwrap();
    let tables = rig.path("mappings/feishu/tables.yaml");
    let rows = fs::read_to_string(&tables).unwrap();
    fs::write(&tables, rows.replacen("  1: male\n", "", 1)).unwrap();
    let report = told(&rig, &["mapping", "check"]);
    let mut found = codes(&report);
    found.sort_unstable();
    assert_eq!(found, ["mapping::uncovered", "mapping::unknown_path"], "{report}");
    let text = report.to_string();
    assert!(text.contains("did you mean `join_time`?"), "{text}");
    assert!(
        text.contains("table `gender`: 1 value unmapped, ") && text.contains(" people: "),
        "{text}"
    );
    let file = rig.path("findings.sarif");
    rig.run(&["mapping", "check", "--sarif", file.to_str().unwrap()]);
    let sarif: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    assert!(sarif["runs"][0]["results"].as_array().unwrap().len() >= 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn cases_made_of_stored_records_pass_and_hold_nobody() {
    let rig = Rig::start(small()).await;
    rig.json(&["sync"]);
    fs::remove_dir_all(rig.path("mappings/feishu/cases")).unwrap();
    let reach = |report: &Value| {
        let all = report["coverage"].as_array().unwrap().iter();
        all.map(|it| it["coverage"]["reached"].as_u64().unwrap()).sum::<u64>()
    };
    assert_eq!(reach(&told(&rig, &["mapping", "test"])), 0);
    let written = rig.json(&["mapping", "test", "--generate", "--most", "6"]);
    let files: Vec<String> = written["written"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| fs::read_to_string(it["file"].as_str().unwrap()).unwrap())
        .collect();
    assert!((4..=24).contains(&files.len()), "{written}");
    let report = told(&rig, &["mapping", "test"]);
    assert_eq!(
        (report["failed"].as_u64(), report["cases"].as_u64()),
        (Some(0), Some(files.len() as u64))
    );
    assert!(reach(&report) > 10, "{report}");
    let again = rig.json(&["mapping", "test", "--generate", "--entity", "employee"]);
    assert_eq!(again["written"].as_array().map(Vec::len), Some(0), "what is reached needs no case");

    let ehr = Connection::open(rig.path("ehr.db")).unwrap();
    let mut people =
        ehr.prepare("select display_name, mobile, external_id from employees").unwrap();
    let people: Vec<[String; 3]> = people
        .query_map([], |row| {
            Ok([row.get(0)?, row.get::<_, Option<String>>(1)?.unwrap_or_default(), row.get(2)?])
        })
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert!(people.len() > 100);
    let text = files.concat();
    for [name, mobile, id] in &people {
        // A name of two letters may meet a stand-in by chance.
        assert!(name.chars().count() < 3 || !text.contains(name.as_str()), "{name}");
        assert!(mobile.is_empty() || !text.contains(mobile.as_str()), "{mobile}");
        assert!(!text.contains(id.as_str()), "{id}");
    }
}
