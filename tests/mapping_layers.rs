//! Layers of mappings: which one counts, what modules and exceptions do, and what is told when they are wrong.

#![expect(clippy::panic, reason = "a set-up that fails is a test that fails")]

use std::sync::Arc;

use jiff::civil::{Date, date};
use rollcall::mapping::{ExceptionState, Fault, Files, Generation, Layers, Shared};
use rollcall::model::entity::Entity;
use rollcall::model::ids::{ConnectionId, SourceId};
use rollcall::model::record::Record;
use rollcall::model::sources::LayerKind;
use rollcall::port::mapper::{Excepted, Mapped, Mapper, Reject, Without};
use serde_json::{Value, json};

const WHOLE: &str = "#{ display_name: record.name, department_external_ids: (record.places ?? []).map(|d| id(\"department\", d)),\n    \
    status: \"active\", job_title: record.title, alias: \"built in\" }";

fn files(label: &str, files: &[(&str, &str)]) -> Files {
    Files::from_memory(label, files.iter().copied())
}

fn layers(connector: &[(&str, &str)], tenant: &[(&str, &str)]) -> Layers {
    Layers {
        builtin: Some(files(
            "built-in/feishu",
            &[("employee.rhai", WHOLE), ("tables.yaml", "t:\n  1: one\nu:\n  1: one\n")],
        )),
        connector: files("feishu", connector),
        tenant: (!tenant.is_empty()).then(|| files("acme/feishu", tenant)),
        shared: Shared::default(),
        day: Some(date(2026, 6, 15)),
    }
}

fn load(layers: Layers) -> Generation {
    Generation::of_layers(layers).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

fn faults(layers: Layers) -> Vec<String> {
    let told = |fault: &Fault| {
        format!("{}:{} {} {fault}", fault.place().script, fault.place().line, fault.code())
    };
    Generation::of_layers(layers).expect_err("something is wrong").iter().map(told).collect()
}

fn mapper(generation: &Generation) -> Arc<dyn Mapper> {
    let connection = ConnectionId::parse("feishu").expect("a slug");
    generation.mapper(&connection, "Asia/Shanghai", "CN").expect("settings that exist")
}

fn map(generation: &Generation, id: &str, record: &Value) -> Mapped {
    let id = SourceId::parse(id).expect("an id");
    let record = Record { id, payload: record.to_string().into() };
    mapper(generation).map(Entity::Employee, &[record]).remove(0)
}

fn draft(generation: &Generation, id: &str, record: &Value) -> Value {
    match map(generation, id, record) {
        Mapped::Draft(draft) => serde_json::from_slice(draft.json()).expect("JSON"),
        other => panic!("{other:?}"),
    }
}

fn rejected(generation: &Generation, record: &Value) -> Reject {
    match map(generation, "e1", record) {
        Mapped::Rejected(reject) => reject,
        other => panic!("{other:?}"),
    }
}

fn li() -> Value {
    json!({ "name": "Li", "title": "Engineer", "places": ["d1"] })
}

#[test]
fn a_script_that_sets_some_fields_lies_on_the_built_in_one() {
    let generation = load(layers(&[("employee.rhai", "#{ job_title: `${record.title}!` }")], &[]));
    let found = draft(&generation, "e1", &li());
    assert_eq!((&found["job_title"], &found["alias"]), (&json!("Engineer!"), &json!("built in")));
    assert_eq!(generation.interpreted(), []);
}

#[test]
fn a_script_that_sets_every_required_field_stands_alone() {
    let own = "#{ display_name: record.name, department_external_ids: [], status: \"active\" }";
    let found = draft(&load(layers(&[("employee.rhai", own)], &[])), "e1", &li());
    assert_eq!(found.get("alias"), None, "a field deleted from the copy does not come back");
}

#[test]
fn a_later_layer_leaves_alone_and_erases_what_stands_below() {
    let connector = [("employee.rhai", "#{ job_title: record.title }")];
    let tenant = [("employee.rhai", "#{ alias: (), job_title: clear() }")];
    let found = draft(&load(layers(&connector, &tenant)), "e1", &li());
    assert_eq!((found.get("alias"), found.get("job_title")), (None, Some(&Value::Null)));
}

#[test]
fn a_connectors_folder_with_scripts_decides_what_is_mapped() {
    let department = "#{ name: record.name, status: \"active\" }";
    assert_eq!(
        load(layers(&[("department.rhai", department)], &[])).entities(),
        [Entity::Department]
    );
    assert_eq!(load(layers(&[], &[])).entities(), [Entity::Employee]);
    let tenant = [("leave.rhai", "#{}")];
    assert_eq!(
        faults(layers(&[], &tenant)),
        [
            "acme/feishu/leave.rhai:1 mapping::no_base `acme/feishu/leave.rhai` overrides a mapping that does not exist"
        ]
    );
}

#[test]
fn a_table_of_the_connector_stands_alone_and_others_are_built_in() {
    let script = "#{ job_title: lookup(\"t\", record.t), alias: lookup(\"u\", 1) }";
    let generation =
        load(layers(&[("employee.rhai", script), ("tables.yaml", "t:\n  2: two\n")], &[]));
    let mut record = li();
    record["t"] = json!(2);
    assert_eq!(draft(&generation, "e1", &record)["alias"], "one");
    record["t"] = json!(1);
    assert_eq!(rejected(&generation, &record).code, "mapping::unmapped");
}

const NAMES: &str = "// How we write names.\nimport \"lib/text\" as text;\nfn shown(person) {\n    switch person.kind { \"robot\" => text::loud(person.name), _ => person.name.trimmed() }\n}\nfn never(x) { x.none.none }\n";
const TEXT: &str = "fn loud(text) { upper(text) + \"!\" }\n";
const IMPORTS: &str = "import \"lib/names\" as n;\n\n#{ display_name: n::shown(record), department_external_ids: [], status: \"active\" }";

fn with_modules(script: &str, modules: &[(&str, &str)]) -> Layers {
    let connector = files("feishu", &[("employee.rhai", script)]);
    Layers {
        shared: Shared::from_memory(modules.iter().copied()),
        ..Layers::plain(&connector, None)
    }
}

#[test]
fn a_script_calls_the_functions_of_modules_and_is_compiled_all_the_same() {
    let modules = [("names.rhai", NAMES), ("text.rhai", TEXT)];
    let generation = load(with_modules(IMPORTS, &modules));
    assert_eq!(generation.interpreted(), []);
    assert_eq!(
        draft(&generation, "e1", &json!({ "name": "hal", "kind": "robot" }))["display_name"],
        "HAL!"
    );
    assert_eq!(draft(&generation, "e1", &json!({ "name": " Li " }))["display_name"], "Li");
    // The interpreter sees the same functions.
    let loops = IMPORTS.replace(
        "n::shown(record)",
        "{ let s = \"\"; for i in [1, 2] { s += n::shown(record); } s }",
    );
    let slow = load(with_modules(&loops, &modules));
    assert_eq!(slow.interpreted().len(), 1);
    assert_eq!(
        draft(&slow, "e1", &json!({ "name": "hal", "kind": "robot" }))["display_name"],
        "HAL!HAL!"
    );
}

#[test]
fn an_edit_of_a_module_changes_the_digest_of_those_who_import_it() {
    let digest = |script: &str, text: &str| {
        let generation = load(with_modules(script, &[("names.rhai", NAMES), ("text.rhai", text)]));
        mapper(&generation).digest(Entity::Employee).expect("it is mapped")
    };
    let other = TEXT.replace('!', "?");
    assert_ne!(digest(IMPORTS, TEXT), digest(IMPORTS, &other));
    assert_eq!(digest(WHOLE, TEXT), digest(WHOLE, &other));
}

#[test]
fn what_goes_wrong_in_a_module_is_told_at_its_line() {
    let script = IMPORTS.replace("n::shown(record)", "n::never(record.name)");
    let generation = load(with_modules(&script, &[("names.rhai", NAMES), ("text.rhai", TEXT)]));
    let reject = rejected(&generation, &json!({ "name": { "first": "Li" } }));
    let place = reject.place.expect("a place");
    assert_eq!((place.script.as_str(), place.line), ("lib/names.rhai", 6));
    assert_eq!(place.text, "fn never(x) { x.none.none }");
    assert_eq!(reject.field.as_deref(), Some("display_name"));
}

#[test]
fn faults_of_modules_are_told_once_and_where_they_stand() {
    let of =
        |names: &str| faults(with_modules(IMPORTS, &[("names.rhai", names), ("text.rhai", TEXT)]));
    assert_eq!(
        of("\nfn shown(person) { trimed(person.name) }"),
        ["lib/names.rhai:2 mapping::unknown_function there is no function `trimed`"]
    );
    assert_eq!(
        of("fn shown(r) { r }\nlet x = 1;"),
        ["lib/names.rhai:2 mapping::import a module holds functions and nothing else"]
    );
    assert_eq!(
        of("fn show(r) { r }"),
        ["feishu/employee.rhai:3 mapping::unknown_function there is no function `n::shown`"]
    );
    assert_eq!(of("fn shown(r) { record }").len(), 1);
    assert!(of("fn shown(r) { r")[0].starts_with("lib/names.rhai:1 mapping::syntax"));
    let own = format!("import \"lib/text\" as t;\nfn t__loud(x) {{ x }}\n{WHOLE}");
    let told = faults(with_modules(&own, &[("text.rhai", TEXT)]));
    assert_eq!(
        told,
        ["feishu/employee.rhai:2 mapping::taken `t__loud` could be the function of a module"]
    );
}

const EXCEPTIONS: &str = r#"
# People whose records say too little.
- entity: employee
  match: { external_id: "feishu:employee:e1" }
  set:
    job_title: "Chief \"of\" staff"
    english_name: { script: "upper(record.name)" }
    alias: null
  until: 2026-12-31
  reason: on loan
- entity: employee
  match: { department: [ "feishu:department:d1", "feishu:department:d9" ] }
  set: { job_title: In the field, work_location: Beijing }
  from: 2026-06-01
  until: 2026-06-30
  reason: the site opens
"#;

fn on(day: Date, exceptions: &str) -> Layers {
    let tenant = files("acme/feishu", &[("exceptions.yaml", exceptions)]);
    Layers { tenant: Some(tenant), day: Some(day), ..layers(&[], &[]) }
}

#[test]
fn exceptions_are_set_over_every_layer_and_those_of_a_person_over_those_of_a_department() {
    let generation = load(on(date(2026, 6, 15), EXCEPTIONS));
    let one = draft(&generation, "e1", &li());
    assert_eq!(
        (&one["job_title"], &one["english_name"], &one["alias"], &one["work_location"]),
        (&json!("Chief \"of\" staff"), &json!("LI"), &Value::Null, &json!("Beijing"))
    );
    let colleague = draft(&generation, "e2", &li());
    assert_eq!(
        (&colleague["job_title"], &colleague["alias"]),
        (&json!("In the field"), &json!("built in"))
    );
    let other =
        draft(&generation, "e3", &json!({ "name": "Wu", "title": "Engineer", "places": ["d2"] }));
    assert_eq!(other["job_title"], "Engineer");
}

#[test]
fn an_exception_begins_and_ends_with_its_days() {
    let title =
        |day: Date, id: &str| draft(&load(on(day, EXCEPTIONS)), id, &li())["job_title"].clone();
    for (day, colleague) in [
        (date(2026, 5, 31), "Engineer"),
        (date(2026, 6, 1), "In the field"),
        (date(2026, 6, 30), "In the field"),
        (date(2026, 7, 1), "Engineer"),
    ] {
        assert_eq!(title(day, "e2"), colleague, "{day}");
    }
    assert_eq!(title(date(2026, 12, 31), "e1"), "Chief \"of\" staff");
    assert_eq!(title(date(2027, 1, 1), "e1"), "Engineer");
}

#[test]
fn the_digest_is_that_of_the_exceptions_in_force_and_it_is_known_when_it_changes() {
    let at = |day: Date| {
        let generation = load(on(day, EXCEPTIONS));
        let mapper = mapper(&generation);
        let sources = mapper.sources().expect("texts").clone();
        (mapper.digest(Entity::Employee), sources, generation.next_day())
    };
    let (june, sources, next) = at(date(2026, 6, 2));
    assert_eq!(next, Some(date(2026, 7, 1)));
    assert_eq!((june, &sources), (at(date(2026, 6, 30)).0, &at(date(2026, 6, 30)).1));
    let july = at(date(2026, 7, 1));
    assert_ne!((june, &sources), (july.0, &july.1));
    assert_eq!(july.2, Some(date(2027, 1, 1)));
    assert_eq!(at(date(2027, 1, 1)).2, None);
    assert_eq!(at(date(2026, 1, 1)).2, Some(date(2026, 6, 1)));
    // What was kept in June maps as in June, whenever it is loaded.
    for day in [date(2026, 1, 1), date(2026, 6, 2), date(2026, 7, 1), date(2027, 1, 1)] {
        let (digest, sources, _) = at(day);
        let again = Generation::of_sources(&sources).expect("it was loaded before");
        assert_eq!(mapper(&again).digest(Entity::Employee), digest, "{day}");
    }
}

#[test]
fn exceptions_are_told_with_their_line_and_state() {
    let generation = load(on(date(2026, 7, 1), EXCEPTIONS));
    let told: Vec<(usize, ExceptionState, &str)> = generation
        .exceptions()
        .iter()
        .map(|one| (one.place.line, one.state, one.until.as_str()))
        .collect();
    assert_eq!(
        told,
        [(3, ExceptionState::InForce, "2026-12-31"), (11, ExceptionState::Expired, "2026-06-30")]
    );
}

#[test]
fn an_exception_that_fails_on_a_record_is_told_at_its_own_line() {
    let text = EXCEPTIONS.replace("upper(record.name)", "record.status.name");
    let reject = rejected(&load(on(date(2026, 6, 15), &text)), &li());
    let place = reject.place.expect("a place");
    assert_eq!((place.script.as_str(), place.line), ("acme/feishu/exceptions.yaml", 7));
    assert_eq!(reject.field.as_deref(), Some("english_name"));
}

#[test]
fn a_field_that_an_exception_sets_is_traced_with_its_end_and_what_it_would_be_without() {
    let traced = |text: &str, person: &Value, field: &str| {
        let generation = load(on(date(2026, 6, 15), text));
        let id = SourceId::parse("e1").expect("an id");
        let record = Record { id, payload: person.to_string().into() };
        let traced = mapper(&generation).trace(Entity::Employee, &record);
        let one = traced.into_iter().find(|one| one.field == field).expect("it is set");
        let place = one.place.expect("a place");
        (place.script, place.line, one.layer.map(LayerKind::name), one.exception)
    };
    let file = || "acme/feishu/exceptions.yaml".to_owned();
    let excepted = |until: &str, reason: &str, without| {
        Some(Excepted { until: until.to_owned(), reason: reason.to_owned(), without })
    };
    // Without that of the person, the one of the department still counts.
    let field = Without::Value("In the field".into());
    assert_eq!(
        traced(EXCEPTIONS, &li(), "job_title"),
        (file(), 6, Some("exception"), excepted("2026-12-31", "on loan", field))
    );
    assert_eq!(
        traced(EXCEPTIONS, &li(), "work_location").3,
        excepted("2026-06-30", "the site opens", Without::LeftAlone)
    );
    let elsewhere = json!({ "name": "Li", "title": "Engineer", "places": [] });
    let engineer = Without::Value("Engineer".into());
    assert_eq!(
        traced(EXCEPTIONS, &elsewhere, "job_title").3,
        excepted("2026-12-31", "on loan", engineer)
    );
    let builtin = ("built-in/feishu/employee.rhai".to_owned(), 1, Some("built-in"), None);
    assert_eq!(traced(EXCEPTIONS, &li(), "display_name"), builtin);
    let mends = EXCEPTIONS.replace("job_title: \"Chief", "display_name: \"Chief");
    let nameless = json!({ "name": "", "title": "Engineer", "places": [] });
    let Some(Excepted { without: Without::Parked(why), .. }) =
        traced(&mends, &nameless, "display_name").3
    else {
        panic!("without the exception there is no name")
    };
    assert!(why.starts_with("schema::"), "{why}");
}

#[test]
fn wrong_exceptions_are_told() {
    let one = |change: (&str, &str)| {
        let text = EXCEPTIONS.replace(change.0, change.1);
        assert_ne!(text, EXCEPTIONS, "{change:?}");
        faults(on(date(2030, 1, 1), &text)).join("; ")
    };
    let at = |line: usize, rest: &str| format!("acme/feishu/exceptions.yaml:{line} {rest}");
    for (change, told) in [
        (("until: 2026-12-31", "until: soon"), at(3, "mapping::exception `until` is no day")),
        (
            ("from: 2026-06-01", "from: 2026-07-01"),
            at(11, "mapping::exception `from` is later than `until`"),
        ),
        (
            ("reason: on loan", "reason: \" \""),
            at(3, "mapping::exception the exception has no reason"),
        ),
        (
            ("job_title: \"Chief", "job_titel: \"Chief"),
            at(6, "mapping::unknown_field employee has no field `job_titel`"),
        ),
        (
            ("upper(record.name)", "uper(record.name)"),
            at(7, "mapping::unknown_function there is no function `uper`"),
        ),
        (
            ("feishu:employee:e1", "e1"),
            at(3, "mapping::exception `match` names what is no external id of a kind `employee`"),
        ),
        (
            ("alias: null", "external_id: x"),
            at(
                3,
                "mapping::exception an exception cannot set `external_id`: a record keeps its key",
            ),
        ),
        (
            ("- entity: employee\n  match: { external", "- entity: person\n  match: { external"),
            at(3, "mapping::exception there is no kind of record `person`"),
        ),
        (
            (
                "match: { department: [ \"feishu:department:d1\", \"feishu:department:d9\" ] }",
                "match: {}",
            ),
            at(11, "mapping::exception `match` needs one of `external_id` and `department`"),
        ),
    ] {
        assert_eq!(one(change), told, "{change:?}");
    }
    assert!(one(("  reason: on loan\n", "")).contains("mapping::exception"));
    let connector = [("exceptions.yaml", EXCEPTIONS)];
    assert_eq!(
        faults(layers(&connector, &[])),
        ["feishu/exceptions.yaml:1 mapping::exception exceptions are a tenant's own"]
    );
}
