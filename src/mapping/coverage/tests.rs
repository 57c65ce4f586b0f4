//! What records reach, and what tables do not cover.

use super::lookups::VALUES;
use super::*;
use crate::mapping::Files;
use crate::mapping::Severity;

const SCRIPT: &str = r#"#{
display_name: record.name ?? "nobody",
department_external_ids: [],
status: if record.gone == true { "terminated" } else { "active" },
gender: switch record.kind { 1 => "male", 2 => "female", _ => () },
employment_type: lookup("employment_type", record.type),
alias: lookup("alias", record.word, "x"),
}"#;
const TABLES: &str = "employment_type:\n  1: full_time\nalias:\n  a: b\n";

fn watcher() -> Watcher {
    let files = Files::from_memory("feishu", [("employee.rhai", SCRIPT), ("tables.yaml", TABLES)]);
    let generation = Generation::load(&files, None).unwrap();
    let connection = ConnectionId::parse("feishu").unwrap();
    generation.watcher(Entity::Employee, &connection, "Asia/Shanghai", "CN").unwrap().unwrap()
}

fn missed(watcher: &Watcher) -> Vec<String> {
    let missed = watcher.coverage().missed;
    missed.iter().map(|it| format!("{} {}", it.place.line, it.branch)).collect()
}

#[test]
fn branches_that_no_record_reaches_are_told_with_their_line() {
    let mut watcher = watcher();
    assert_eq!(
        missed(&watcher),
        [
            "2 after `??`",
            "4 `if`",
            "4 `else`",
            "5 arm of `switch`",
            "5 arm of `switch`",
            "5 arm of `switch`"
        ]
    );
    watcher.look(br#"{"name":"x","kind":1}"#);
    watcher.look(br#"{"gone":true,"kind":2}"#);
    assert_eq!(missed(&watcher), ["5 arm of `switch`"]);
    let coverage = watcher.coverage();
    assert_eq!((coverage.reached, coverage.branches, coverage.records), (5, 6, 2));
    let gender = coverage.fields.iter().find(|field| field.field == "gender").unwrap();
    assert_eq!((gender.value, gender.null, gender.missing), (2, 0, 0));
}

#[test]
fn records_that_take_the_same_way_reach_the_same() {
    let mut watcher = watcher();
    let one = watcher.look(br#"{"name":"x","kind":1}"#);
    let two = watcher.look(br#"{"name":"y","kind":1}"#);
    let three = watcher.look(br#"{"name":"y","kind":3}"#);
    assert_eq!(one, two);
    assert_ne!(one, three);
    assert_eq!(watcher.look(b"no json"), Reached::default());
}

#[test]
fn values_without_a_row_are_counted_and_those_of_a_person_are_not_shown() {
    let mut watcher = watcher();
    for record in [
        r#"{"type":1,"word":"a"}"#,
        r#"{"type":7}"#,
        r#"{"type":7}"#,
        r#"{"type":8}"#,
        r#"{"type":"李伟","word":"z"}"#,
    ] {
        watcher.look(record.as_bytes());
    }
    let told: Vec<String> = watcher
        .uncovered(str::is_ascii)
        .iter()
        .map(|fault| format!("{} {:?} {fault}", fault.code(), fault.severity()))
        .collect();
    assert_eq!(
        told,
        [
            "mapping::uncovered Warning table `employment_type`: 3 values unmapped, 4 people: \"7\" (2), \"8\" (1), \"李***\" (1)",
            // A record that is parked at another field is not looked at any further.
        ]
    );
}

#[test]
fn a_default_counts_as_covered_and_is_noted() {
    let mut watcher = watcher();
    watcher.look(br#"{"name":"x","word":"z"}"#);
    let told = watcher.uncovered(|_| true);
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].code(), told[0].severity()), ("mapping::defaulted", Severity::Note));
    assert!(told[0].to_string().ends_with("1 value covered by a default, 1 person: \"z\" (1)"));
}

#[test]
fn values_that_are_counted_have_a_bound() {
    let mut watcher = watcher();
    for n in 0..VALUES + 50 {
        watcher.look(format!("{{\"name\":\"x\",\"word\":\"w{n}\"}}").as_bytes());
    }
    let most = watcher.looks.0.values().map(BTreeMap::len).max().unwrap();
    assert_eq!(most, VALUES);
}
