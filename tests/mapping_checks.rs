//! Mistakes in a mapping are found before it runs, with the line, a stable code and what to do.

use rollcall::mapping::{Fault, Files, Generation};

const TABLES: &str = "gender:\n  1: male\n  2: female\n";

/// The faults of an employee mapping as `line:column code message | help`.
fn faults(script: &str) -> Vec<String> {
    shown(&Files::from_memory("feishu", [("employee.rhai", script), ("tables.yaml", TABLES)]))
}

fn shown(files: &Files) -> Vec<String> {
    let faults = Generation::check(files, None);
    let show = |fault: &Fault| {
        let place = fault.place();
        let help = fault.advice().unwrap_or("-");
        format!("{}:{} {} {fault} | {help}", place.line, place.column, fault.code())
    };
    faults.iter().map(show).collect()
}

/// A mapping whose second line is the given one.
fn with(line: &str) -> String {
    format!(
        "#{{ display_name: record.name, department_external_ids: [], status: \"active\",\n{line}\n}}"
    )
}

fn only(line: &str) -> String {
    let mut faults = faults(&with(line));
    assert_eq!(faults.len(), 1, "{line}: {faults:#?}");
    faults.remove(0)
}

#[test]
fn a_good_mapping_has_no_fault() {
    assert_eq!(faults(&with("mobile: phone(record.mobile),")), Vec::<String>::new());
}

#[test]
fn names_that_do_not_exist_are_told_with_the_nearest_one() {
    for (line, fault) in [
        (
            "moblie: record.mobile,",
            "2:1 mapping::unknown_field employee has no field `moblie` | did you mean `mobile`?",
        ),
        (
            "mobile: phnoe(record.mobile),",
            "2:9 mapping::unknown_function there is no function `phnoe` | did you mean `phone`?",
        ),
        (
            "mobile: record.mobile.trimed(),",
            "2:23 mapping::unknown_function there is no function `trimed` | did you mean `trimmed`?",
        ),
        (
            "mobile: recrod.mobile,",
            "2:9 mapping::unknown_variable there is no variable `recrod` | did you mean `record`?",
        ),
        (
            "gender: lookup(\"gendre\", record.gender),",
            "2:16 mapping::unknown_table `tables.yaml` has no table `gendre` | did you mean `gender`?",
        ),
        (
            "manager_external_id: id(\"employe\", record.leader),",
            "2:25 mapping::kind there is no kind of record `employe` | did you mean `employee`?",
        ),
        (
            "gender: if record.g == 1 { \"mael\" } else { \"female\" },",
            "2:28 mapping::word `gender` cannot be \"mael\" | did you mean \"male\"?",
        ),
        (
            "gender: switch record.g { 1 => \"male\", _ => \"unknown\" },",
            "2:45 mapping::word `gender` cannot be \"unknown\" | use one of: male, female, other, unspecified",
        ),
    ] {
        assert_eq!(only(line), fault);
    }
}

#[test]
fn names_far_from_all_others_are_told_where_to_look() {
    assert!(only("salary: 1,").ends_with(
        "| `rollcall schema employee` lists the fields; the tenant's own go under `custom: #{ .. }`"
    ));
    assert!(
        only("mobile: frobnicate(1),")
            .ends_with("| `rollcall mapping functions` lists what a mapping can call")
    );
}

#[test]
fn calls_with_the_wrong_number_of_arguments_are_told() {
    assert_eq!(
        only("mobile: phone(),"),
        "2:9 mapping::arguments `phone` does not take 0 arguments | write it as `phone(number [, region]) -> text`"
    );
    assert!(
        only("mobile: record.m.lower(1),")
            .contains("mapping::arguments `lower` does not take 2 arguments")
    );
    let own = format!("fn f(x) {{ x }}\n{}", with("mobile: f(1, 2),"));
    assert!(
        faults(&own)[0]
            .contains("3:9 mapping::arguments the script's function `f` does not take 2 arguments")
    );
}

#[test]
fn own_functions_are_not_called_with_a_dot() {
    let own = format!("fn f(x) {{ x }}\n{}", with("mobile: record.m.f(),"));
    assert!(faults(&own)[0].ends_with("`f` cannot be called with a dot | write `f(..)`"));
}

#[test]
fn syntax_errors_say_where() {
    for (script, start) in [
        ("#{ display_name: record.name", "1:29 mapping::syntax"),
        ("#{ display_name: record.name, status: }", "1:39 mapping::syntax"),
        ("#{ display_name: \"x }", "1:18 mapping::syntax"),
        ("#{ mobile: 1, mobile: 2 }", "1:15 mapping::duplicate the field `mobile` is set twice"),
        ("let x = ;", "1:9 mapping::syntax"),
        ("print(record)", "1:1 mapping::forbidden `print` has no place in a mapping"),
    ] {
        let found = faults(script);
        assert!(found[0].starts_with(start), "{script}: {found:?}");
    }
}

#[test]
fn a_script_has_to_end_with_its_value() {
    for script in ["", "// nothing yet\n", "let x = 1;", "let x = 1; x = 2;", "for i in [1] { }"] {
        let found = faults(script);
        assert!(found[0].contains("mapping::no_value"), "{script}: {found:?}");
    }
}

#[test]
fn required_fields_that_are_never_set_are_told_together() {
    let found = faults("#{ mobile: phone(record.mobile) }");
    let fields = ["display_name", "department_external_ids", "status"];
    assert_eq!(found.len(), fields.len(), "{found:?}");
    for (fault, field) in found.iter().zip(fields) {
        assert!(
            fault.contains(&format!("mapping::missing_field the mapping never sets `{field}`")),
            "{fault}"
        );
    }
}

#[test]
fn every_fault_of_every_file_is_told_at_once() {
    let files = Files::from_memory(
        "feishu",
        [
            ("employee.rhai", "#{ a: 1, b: foo() }"),
            ("department.rhai", "#{"),
            ("employe.rhai", "#{}"),
            ("tables.yaml", "gender: [1"),
        ],
    );
    let found = shown(&files);
    for code in [
        "mapping::unknown_field",
        "mapping::unknown_function",
        "mapping::syntax",
        "mapping::unknown_entity",
        "mapping::tables",
    ] {
        assert!(found.iter().any(|fault| fault.contains(code)), "{code}: {found:#?}");
    }
    assert!(found.iter().any(|fault| fault.contains("did you mean `employee`?")));
}

#[test]
fn names_of_the_host_cannot_be_taken() {
    for (line, name) in [
        ("let record = 1;", "record"),
        ("let tz = 1;", "tz"),
        ("for record in [1] { }", "record"),
        ("fn f(record) { record }", "record"),
    ] {
        let found = faults(&format!("{line}\n{}", with("")));
        assert!(
            found[0].contains(&format!("mapping::taken `{name}` cannot be defined again")),
            "{line}: {found:?}"
        );
    }
    let found = faults(&format!("fn phone(x) {{ x }}\n{}", with("")));
    assert!(found[0].contains("mapping::taken `phone` is a function of the library"), "{found:?}");
}

#[test]
fn a_fault_shows_its_line_to_people_and_programs() {
    let files = Files::from_memory("feishu", [("employee.rhai", with("moblie: 1,").as_str())]);
    let faults = Generation::check(&files, None);
    let report = format!("{:?}", miette::Report::new(faults[0].clone()));
    for part in [
        "mapping::unknown_field",
        "feishu/employee.rhai:2:1",
        "moblie: 1,",
        "did you mean `mobile`?",
    ] {
        assert!(report.contains(part), "{report}");
    }
    let json = serde_json::to_value(&faults[0]).unwrap();
    assert_eq!(json["code"], "mapping::unknown_field");
    assert_eq!(json["place"]["line"], 2);
    assert_eq!(json["place"]["script"], "feishu/employee.rhai");
    assert_eq!(json["place"]["text"], "moblie: 1,");
}

#[test]
fn folders_are_read_with_their_cases_and_without_an_editor_s_leavings() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("employee.rhai", &with(""));
    write(".employee.rhai.swp", "\u{0}");
    write("employee.rhai~", "#{");
    write("notes.txt", "x");
    write("cases/employee/one.yaml", "record: {}\nskipped: true\n");
    write("cases/employee/.one.yaml.swp", "{");
    assert_eq!(shown(&Files::read("feishu", folder.path())), Vec::<String>::new());
    assert!(Files::read("feishu", &folder.path().join("none")).is_empty());
    write("department.rhai", &"x".repeat(600_000));
    let found = shown(&Files::read("feishu", folder.path()));
    assert!(found[0].contains("mapping::unreadable"), "{found:?}");
}
