//! What is found wrong with exceptions, and where in their file it is shown.

use jiff::civil::{Date, date};

use crate::mapping::{Fault, Files, Generation, Layers, Severity, documented};
use crate::model::entity::Entity;
use crate::model::ids::{ConnectionId, SourceId};
use crate::model::record::Record;

const BASE: &str = "#{ display_name: record.name, status: \"active\",\n\
    department_external_ids: (record.department_ids ?? []).map(|d| id(\"department\", d)) }";
const TABLES: &str = "gender:\n  1: male\n  2: female\n";

/// An exception of one person with these lines below `set`.
fn setting(lines: &str) -> String {
    let head =
        "# ours\n- entity: employee\n  match: { external_id: \"feishu:employee:e1\" }\n  set:\n";
    format!("{head}{lines}\n  until: 2026-12-31\n  reason: on loan\n")
}

fn layers(exceptions: &str, day: Option<Date>) -> Layers {
    let files = |label: &str, files: &[(&str, &str)]| Files::from_memory(label, files.to_vec());
    let connector = files("feishu", &[("employee.rhai", BASE), ("tables.yaml", TABLES)]);
    let tenant = files("acme/feishu", &[("exceptions.yaml", exceptions)]);
    Layers { day, ..Layers::plain(&connector, Some(&tenant)) }
}

/// The findings as code, line and what stands at the place.
fn found(exceptions: &str, day: Option<Date>) -> Vec<(String, usize, String)> {
    let found = Generation::review(&layers(exceptions, day), &documented("feishu", None));
    let told = |fault: &Fault| {
        let place = fault.place();
        assert_eq!(place.script, "acme/feishu/exceptions.yaml");
        assert_eq!(exceptions.lines().nth(place.line - 1), Some(place.text.as_str()));
        let at: String = place.text.chars().skip(place.column - 1).take(fault.width()).collect();
        (fault.code().to_owned(), place.line, at)
    };
    found.iter().map(told).collect()
}

fn told(lines: &str) -> Vec<(String, usize, String)> {
    found(&setting(lines), None)
}

fn one(code: &str, line: usize, at: &str) -> Vec<(String, usize, String)> {
    vec![(code.to_owned(), line, at.to_owned())]
}

#[test]
fn what_an_exception_sets_is_held_against_the_schema_at_its_place_in_the_file() {
    for (lines, code, at) in [
        ("    mobile: 12", "mapping::type_mismatch", "12"),
        ("    status: actve", "mapping::word", "actve"),
        ("    \"start_date\": '2026-13-01'", "mapping::value", "'"),
        ("    job_titel: Chief", "mapping::unknown_field", "job_titel"),
        ("    status: null", "mapping::value", "null"),
        ("    status: { script: \"()\" }", "mapping::never_set", "status"),
        ("    alias: { script: record.nickname.trimmed(1) }", "mapping::arguments", "trimmed"),
        ("    alias: { script: record.nikname }", "mapping::unknown_path", "nikname"),
        (
            "    start_date: { script: 'instant(record.join_time, tz)' }",
            "mapping::type_mismatch",
            "instant",
        ),
        (
            "    alias: { script: 'if 1 == 2 { \"a\" } else { \"b\" }' }",
            "mapping::dead_branch",
            "1",
        ),
        (
            "    gender: { script: 'lookup(\"gendre\", record.gender)' }",
            "mapping::unknown_table",
            "\"",
        ),
    ] {
        assert_eq!(told(lines), one(code, 5, at), "{lines}");
    }
    assert_eq!(
        told("    gender: { script: 'lookup(\"gender\", record.gender)' }\n    alias: null"),
        []
    );
}

#[test]
fn a_place_is_found_however_the_script_is_written() {
    for (lines, line) in [
        ("    alias: { script: uper(record.name) }", 5),
        ("    alias: { script: 'put_first([uper(''x''), \"y\"], 0)[0]' }", 5),
        ("    alias: { script: \"[\\\"a\\\\\\\\\\\", uper(\\\"x\\\")][1]\" }", 5),
        ("    alias: {script: \"uper(record.name)\"}", 5),
        ("    # alias: a comment\n    alias:\n      script: uper(record.name)", 7),
        (
            "    alias:\n      script: |\n        // why\n        [\n          uper(record.name)\n        ][0]",
            9,
        ),
        ("    alias:\n      script: >-\n        lower(\n        uper(record.name))", 8),
        (
            "    alias:\n      script: |-\n        if record.name == \"x\" {\n          uper(\"y\")\n        } else { () }",
            8,
        ),
    ] {
        assert_eq!(told(lines), one("mapping::unknown_function", line, "uper"), "{lines}");
    }
    // Written as nobody writes it, the field is shown.
    let escaped = "    alias: { script: \"\\x75per(record.name)\" }";
    assert_eq!(told(escaped), one("mapping::unknown_function", 5, "{"));
}

#[test]
fn a_list_that_is_indented_or_in_braces_is_shown_too() {
    let indented = setting("    mobile: 12").replace('\n', "\n  ");
    assert_eq!(found(&indented, None), one("mapping::type_mismatch", 5, "12"));
    let braces = "[{ entity: employee, match: { external_id: \"feishu:employee:e1\" }, set: { alias: x, mobile: 12 }, until: 2026-12-31, reason: x }]";
    assert_eq!(found(braces, None), one("mapping::type_mismatch", 1, "12"));
}

#[test]
fn a_script_that_is_more_than_one_expression_sets_no_other_field() {
    let more = "    alias: { script: '1), external_id: (2' }";
    assert_eq!(told(more), one("mapping::exception", 2, "-"));
    assert_eq!(told("    alias: { script: 'record.name // why' }"), []);
}

#[test]
fn an_exception_is_checked_before_its_first_day_and_not_after_its_last() {
    let text = setting("    mobile: 12").replace("  until", "  from: 2026-06-01\n  until");
    let on = |day: Date| found(&text, Some(day));
    let wrong = one("mapping::type_mismatch", 5, "12");
    assert_eq!(on(date(2026, 5, 1)), wrong);
    assert!(Generation::of_layers(layers(&text, Some(date(2026, 5, 1)))).is_err());
    assert_eq!(on(date(2026, 12, 31)), wrong);
    assert_eq!(on(date(2027, 1, 30)), []);
    assert_eq!(on(date(2027, 1, 31)), one("mapping::exception_ended", 2, "-"));
    let generation = Generation::of_layers(layers(&text, Some(date(2027, 1, 31)))).unwrap();
    let noted = generation.findings(&documented("feishu", None));
    assert_eq!(noted[0].severity(), Severity::Note, "it stands in nobody's way");
}

const NAMED: &str = "- entity: employee\n  match: { external_id: [\"feishu:employee:e1\", \"feishu:employee:gone\"] }\n  \
    set: { gender: { script: 'lookup(\"gender\", record.gender)' } }\n  until: 2026-12-31\n  reason: x\n\
    - entity: employee\n  match: { department: \"feishu:department:d1\" }\n  set: { alias: x }\n  until: 2026-12-31\n  reason: x\n\
    - entity: employee\n  match: { department: \"feishu:department:d9\" }\n  set: { alias: x }\n  until: 2026-12-31\n  reason: x\n";

/// Watches people of `feishu`, one a line as `id department gender`.
fn watched(people: &str) -> (Vec<String>, Vec<String>) {
    let generation = Generation::of_layers(layers(NAMED, Some(date(2026, 6, 1)))).unwrap();
    let connection = ConnectionId::parse("feishu").unwrap();
    let watcher = generation.watcher(Entity::Employee, &connection, "Asia/Shanghai", "CN");
    let mut watcher = watcher.unwrap().unwrap();
    let mut sightings = generation.sightings();
    for person in people.lines() {
        let [id, department, gender] = person.split(' ').collect::<Vec<_>>()[..] else { continue };
        let payload =
            serde_json::json!({ "name": id, "department_ids": [department], "gender": gender });
        let id = SourceId::parse(id).unwrap();
        watcher.look_at(&Record { id, payload: payload.to_string().into() }, &mut sightings);
    }
    if !people.is_empty() {
        sightings.see(&connection, Entity::Department, &SourceId::parse("d5").unwrap());
    }
    let tell = |fault: &Fault| format!("{} {} {fault}", fault.place().line, fault.code());
    let strangers = generation.strangers(&sightings).iter().map(tell).collect();
    (strangers, watcher.uncovered(|_| true).iter().map(tell).collect())
}

#[test]
fn whom_no_stored_record_shows_is_told_and_a_department_shows_in_its_people() {
    let (strangers, _) = watched("e1 d1 1\ne2 d2 2");
    assert_eq!(
        strangers,
        [
            "2 mapping::exception_nobody no stored record is `feishu:employee:gone`",
            "12 mapping::exception_nobody no stored record is `feishu:department:d9`"
        ]
    );
    let nothing: [String; 0] = [];
    assert_eq!(watched("").0, nothing, "where nothing was read yet, nobody is missing");
}

#[test]
fn a_table_that_an_exception_asks_is_covered_for_those_whom_it_is_about() {
    let (_, uncovered) = watched("e1 d1 7\ne2 d2 8\ne3 d3 9");
    assert_eq!(
        uncovered,
        ["3 mapping::uncovered table `gender`: 1 value unmapped, 1 person: \"7\" (1)"]
    );
}
