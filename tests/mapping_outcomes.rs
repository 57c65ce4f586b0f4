//! What becomes of a record: a draft, a rejection that says where and what to do, or nothing on purpose.

use rollcall::mapping::{Files, Generation, SettingError};
use rollcall::model::entity::Entity;
use rollcall::model::ids::{ConnectionId, SourceId};
use rollcall::model::record::Record;
use rollcall::port::mapper::{Mapped, Mapper, Reject};
use serde_json::{Value, json};
use std::sync::Arc;

const TABLES: &str = "gender:\n  1: male\n  2: female\n";

fn mapper_of(base: &[(&str, &str)], layer: &[(&str, &str)]) -> Arc<dyn Mapper> {
    let base = Files::from_memory("feishu", base.iter().copied().chain([("tables.yaml", TABLES)]));
    let layer =
        (!layer.is_empty()).then(|| Files::from_memory("acme/feishu", layer.iter().copied()));
    let generation = Generation::load(&base, layer.as_ref()).expect("the mapping is good");
    generation.mapper(&connection(), "Asia/Shanghai", "CN").expect("the settings are good")
}

fn connection() -> ConnectionId {
    ConnectionId::parse("feishu").expect("a slug")
}

fn record(id: &str, payload: &Value) -> Record {
    Record { id: SourceId::parse(id).expect("an id"), payload: payload.to_string().into() }
}

fn map(script: &str, layer: &[(&str, &str)], payload: &Value) -> Mapped {
    let mapper = mapper_of(&[("employee.rhai", script)], layer);
    mapper.map(Entity::Employee, &[record("e1", payload)]).remove(0)
}

/// A mapping whose second line sets one more field.
fn with(line: &str) -> String {
    format!(
        "#{{ display_name: \"Li\", department_external_ids: [], status: \"active\",\n    {line}\n}}"
    )
}

fn draft(script: &str, payload: &Value) -> Value {
    match map(script, &[], payload) {
        Mapped::Draft(draft) => serde_json::from_slice(draft.json()).expect("JSON"),
        other => json!(format!("{other:?}")),
    }
}

fn rejected(script: &str, payload: &Value) -> Reject {
    match map(script, &[], payload) {
        Mapped::Rejected(reject) => reject,
        other => {
            Reject { code: format!("{other:?}"), field: None, message: String::new(), place: None }
        }
    }
}

#[test]
fn four_states_are_four() {
    let script = with(
        "alias: record.a, english_name: or_null(record.b), job_title: record.c, job_level: record.d,",
    );
    let payload = json!({ "b": "", "c": "", "d": "P7" });
    let draft = draft(&script, &payload);
    assert_eq!(draft.get("alias"), None, "missing is left alone");
    assert_eq!(draft["english_name"], Value::Null, "cleared is erased");
    assert_eq!(draft["job_title"], "", "empty is empty");
    assert_eq!(draft["job_level"], "P7");
}

#[test]
fn json_null_is_missing() {
    assert_eq!(draft(&with("alias: record.a,"), &json!({ "a": null })).get("alias"), None);
}

#[test]
fn a_draft_without_external_id_takes_the_records_own() {
    assert_eq!(draft(&with(""), &json!({}))["external_id"], "feishu:employee:e1");
    assert_eq!(
        draft(&with("external_id: id(\"employee\", \"x\"),"), &json!({}))["external_id"],
        "feishu:employee:x"
    );
}

#[test]
fn records_are_left_out_on_purpose() {
    for script in [
        format!("if record.robot == true {{ () }} else {{ {} }}", with("")),
        format!("if record.robot == true {{ skip() }} {}", with("")),
        format!("if record.robot == true {{ return; }} {}", with("")),
        with("alias: if record.robot == true { skip() } else { \"x\" },"),
        with("alias: [1].map(|x| if record.robot == true { skip() } else { \"x\" }).first(),"),
    ] {
        assert_eq!(map(&script, &[], &json!({ "robot": true })), Mapped::Skipped, "{script}");
        assert!(matches!(map(&script, &[], &json!({})), Mapped::Draft(_)), "{script}");
    }
}

/// Lines of a mapping, where they fail, with what code, and part of what is said.
const FAILING: &str = r#"
alias: record.status.name,                    | 26 property   | `record.status` is missing, so it has no `name`; write `record.status?.name` if it may be missing
alias: record.a.b.c,                          | 23 property   | `record.a.b` is missing, so it has no `c`
alias: record.name.first,                     | 24 property   | `record.name` is text, which has no property `first`
alias: record.number.x,                       | 26 property   | `record.number` is a whole number, which has no property `x`
alias: lower(record.number),                  | 12 type       | `lower` needs text as its text, got a whole number
alias: record.list.lower(),                   | 24 type       | `lower` needs text as its text, got a list
alias: record.name + record.list,             | 24 type       | `+` does not work on text and a list
alias: record.none + 1,                       | 24 type       | `+` does not work on nothing and a whole number; the source does not tell it
alias: -record.name,                          | 12 type       | `-` does not work on text
custom: #{ x: !record.none },                 | 19 type       | `!` does not work on nothing; the source does not tell it
alias: if record.none { "a" } else { "b" },   | 21 type       | true or false is needed here, got nothing; the source does not tell it
alias: if record.name { "a" } else { "b" },   | 21 type       | true or false is needed here, got text
alias: record.list[3],                        | 24 index      | the list has 1 elements
alias: record.list[record.name],              | 24 type       | a whole number is needed here, got text
alias: `${record.number / 0}`,                | 29 arithmetic | the calculation has no result of 64 bits
alias: `${record.number * 9_223_372_036_854_775_807}`, | 29 arithmetic | the calculation has no result
gender: lookup("gender", record.number),      | 13 unmapped   | table `gender` has no row for this value; add the row
start_date: date(record.name),                | 17 time_value | `date` cannot read this time
custom: #{ x: record.list.filter(|x| x) },    | 31 type       | the function of `filter` has to give true or false, it gives text
custom: #{ x: record.name.map(|x| x) },       | 31 type       | `map` needs a list, got text
"#;

#[test]
fn a_failing_field_names_itself_its_line_and_what_to_do() {
    let payload =
        json!({ "name": "geheim-4711", "number": 4711, "list": ["geheim-4711"], "a": {} });
    let mut wrong = Vec::new();
    for case in FAILING.lines().skip(1) {
        let parts: Vec<&str> = case.rsplitn(3, " | ").map(str::trim).collect();
        let [part, place, line] = parts[..] else { panic!("{case}") };
        let reject = rejected(&with(line), &payload);
        let at = reject.place.clone().unwrap();
        let found = format!("{} {}", at.column, reject.code);
        let place = place.split_whitespace().collect::<Vec<_>>().join(" mapping::");
        if found != place || !reject.message.contains(part) {
            wrong.push(format!("{line}: {found} {}", reject.message));
        }
        assert_eq!(reject.field.as_deref(), line.split(':').next(), "{line}");
        assert_eq!((at.script.as_str(), at.line), ("feishu/employee.rhai", 2), "{line}");
        assert_eq!(at.text, format!("    {line}"));
        let said = format!("{}{}", reject.code, reject.message);
        assert!(!said.contains("4711") && !said.contains("geheim"), "{said}");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_fault_inside_a_function_belongs_to_the_field_that_calls_it() {
    let script = format!(
        "fn upper_name(r) {{\n    r.name.upper()\n}}\n{}",
        with("job_level: \"x\", alias: upper_name(record),")
    );
    let reject = rejected(&script, &json!({ "name": 1 }));
    assert_eq!(reject.field.as_deref(), Some("alias"));
    let place = reject.place.unwrap();
    assert_eq!((place.line, place.text.trim()), (2, "r.name.upper()"));
    let reject =
        rejected(&with("custom: #{ x: [1].map(|x| [x].map(|y| y.lower())).first() },"), &json!({}));
    assert_eq!(reject.field.as_deref(), Some("custom"));
    assert!(reject.message.contains("`lower` needs text"), "{}", reject.message);
}

#[test]
fn what_a_script_throws_shows_only_its_own_words() {
    let reject = rejected(
        &format!("if record.x == 1 {{ throw \"no contract\" }}\n{}", with("")),
        &json!({ "x": 1 }),
    );
    assert_eq!(
        (reject.code.as_str(), reject.message.as_str()),
        ("mapping::thrown", "the script refuses this record: no contract")
    );
    let reject =
        rejected(&format!("throw record.name; {}", with("")), &json!({ "name": "geheim" }));
    assert_eq!(reject.message, "the script refuses this record");
}

#[test]
fn the_schemas_refusals_point_at_the_line_of_the_field() {
    let reject = rejected(
        &with("work_email: record.mail, start_date: record.day,"),
        &json!({ "mail": "geheim", "day": "2026-02-30" }),
    );
    assert_eq!(
        (reject.code.as_str(), reject.field.as_deref()),
        ("schema::email", Some("work_email"))
    );
    assert!(
        reject.message.contains("field `start_date` is no date of the calendar"),
        "{}",
        reject.message
    );
    assert!(!reject.message.contains("geheim"), "{}", reject.message);
    assert_eq!(reject.place.unwrap().line, 2);
    let built = rejected("let m = if true { #{ display_name: \"x\", colour: 1 } }; m", &json!({}));
    assert_eq!(built.code, "schema::required");
    assert!(built.message.contains("field `colour` is no field of employee"), "{}", built.message);
}

#[test]
fn a_mapping_cannot_write_into_another_connection_or_kind() {
    let reject =
        rejected(&with("external_id: record.key,"), &json!({ "key": "dingtalk:employee:1" }));
    assert_eq!(
        (reject.code.as_str(), reject.field.as_deref()),
        ("schema::id", Some("external_id"))
    );
    let reject =
        rejected(&with("external_id: id(record.kind, \"1\"),"), &json!({ "kind": "department" }));
    assert_eq!(
        (reject.code.as_str(), reject.field.as_deref()),
        ("schema::id", Some("external_id"))
    );
}

#[test]
fn a_script_value_that_is_no_object_is_told() {
    let reject = rejected("if true { 1 }", &json!({}));
    assert_eq!(reject.code, "mapping::no_value");
    assert!(reject.message.contains("a whole number"), "{}", reject.message);
}

#[test]
fn one_bad_record_never_touches_the_next() {
    let mapper = mapper_of(&[("employee.rhai", &with("alias: lower(record.a),"))], &[]);
    let records: Vec<Record> = (0..50)
        .map(|n| {
            record(
                &format!("e{n}"),
                &if n % 2 == 0 { json!({ "a": "X" }) } else { json!({ "a": 1 }) },
            )
        })
        .collect();
    let outcomes = mapper.map(Entity::Employee, &records);
    assert_eq!(outcomes.len(), 50);
    for (n, outcome) in outcomes.iter().enumerate() {
        assert_eq!(matches!(outcome, Mapped::Draft(_)), n % 2 == 0, "{n}: {outcome:?}");
    }
    assert_eq!(outcomes, mapper.map(Entity::Employee, &records));
}

#[test]
fn threads_share_a_mapper() {
    let mapper = mapper_of(&[("employee.rhai", &with("alias: lower(record.a),"))], &[]);
    let records: Vec<Record> =
        (0..50).map(|n| record(&format!("e{n}"), &json!({ "a": format!("X{n}") }))).collect();
    let alone = mapper.map(Entity::Employee, &records);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(mapper.map(Entity::Employee, &records), alone));
        }
    });
}

#[test]
fn a_layer_overrides_single_fields_and_rows() {
    let base = with(
        "alias: record.nick, gender: lookup(\"gender\", record.g), job_title: fail(record), mobile: phone(record.m),",
    );
    let base = format!("fn fail(r) {{ r.none.none }}\n{base}");
    let layer = [
        (
            "employee.rhai",
            "#{ alias: \"layer\", job_title: \"fixed\", mobile: (), custom: #{ badge: record.badge } }",
        ),
        ("tables.yaml", "gender:\n  2: other\n"),
    ];
    let Mapped::Draft(draft) =
        map(&base, &layer, &json!({ "nick": "n", "g": 2, "m": "13800138000", "badge": 7 }))
    else {
        panic!("no draft");
    };
    let draft: Value = serde_json::from_slice(draft.json()).unwrap();
    assert_eq!(draft["alias"], "layer");
    assert_eq!(draft["job_title"], "fixed", "what is overridden is not even evaluated");
    assert_eq!(draft["gender"], "other");
    assert_eq!(draft.get("mobile"), None, "a layer can leave a field alone");
    assert_eq!(draft["custom"], json!({ "badge": 7 }));
    assert_eq!(draft["display_name"], "Li");
}

#[test]
fn an_empty_layer_changes_nothing_and_a_skipping_one_skips() {
    let base = with("");
    let plain = map(&base, &[], &json!({}));
    assert_eq!(
        map(&base, &[("employee.rhai", "// the fields of this tenant go here\n")], &json!({})),
        plain
    );
    assert_eq!(
        map(&base, &[("employee.rhai", "if true { () } else { #{} }")], &json!({})),
        Mapped::Skipped
    );
}

#[test]
fn a_layer_may_set_what_the_base_leaves_open() {
    let base = "#{ display_name: record.name, department_external_ids: [] }";
    let layer = [("employee.rhai", "#{ status: \"active\" }")];
    assert!(matches!(map(base, &layer, &json!({ "name": "Li" })), Mapped::Draft(_)));
    let faults = Generation::load(&Files::from_memory("feishu", [("employee.rhai", base)]), None)
        .unwrap_err();
    assert_eq!(faults[0].code(), "mapping::missing_field");
    let layer = Files::from_memory("acme/feishu", [("leave.rhai", "#{}")]);
    let faults = Generation::load(
        &Files::from_memory("feishu", [("employee.rhai", with("").as_str())]),
        Some(&layer),
    )
    .unwrap_err();
    assert_eq!(faults[0].code(), "mapping::no_base");
}

#[test]
fn the_digest_follows_everything_the_result_depends_on() {
    let digest = |base: &str, layer: &[(&str, &str)], tables: &str, zone: &str, region: &str| {
        let files =
            Files::from_memory("feishu", [("employee.rhai", base), ("tables.yaml", tables)]);
        let layer = (!layer.is_empty()).then(|| Files::from_memory("acme", layer.iter().copied()));
        let generation = Generation::load(&files, layer.as_ref()).unwrap();
        generation.mapper(&connection(), zone, region).unwrap().digest(Entity::Employee).unwrap()
    };
    let base = with("");
    let first = digest(&base, &[], TABLES, "Asia/Shanghai", "CN");
    assert_eq!(first, digest(&base, &[], TABLES, "Asia/Shanghai", "CN"));
    let others = [
        digest(&with("alias: \"x\","), &[], TABLES, "Asia/Shanghai", "CN"),
        digest(&base, &[("employee.rhai", "#{ alias: \"x\" }")], TABLES, "Asia/Shanghai", "CN"),
        digest(&base, &[("tables.yaml", "gender:\n  9: other\n")], TABLES, "Asia/Shanghai", "CN"),
        digest(&base, &[], "gender:\n  1: male\n", "Asia/Shanghai", "CN"),
        digest(&base, &[], TABLES, "Asia/Singapore", "CN"),
        digest(&base, &[], TABLES, "Asia/Shanghai", "SG"),
    ];
    for (n, other) in others.iter().enumerate() {
        assert_ne!(first, *other, "{n}");
        assert!(others.iter().skip(n + 1).all(|later| later != other), "{n}");
    }
}

#[test]
fn zones_and_regions_that_do_not_exist_are_told() {
    let files = Files::from_memory("feishu", [("employee.rhai", with("").as_str())]);
    let generation = Generation::load(&files, None).unwrap();
    let zone = generation.mapper(&connection(), "Asia/Shanghia", "CN").err().unwrap();
    assert_eq!(zone, SettingError::Zone("Asia/Shanghia".to_owned()));
    let region = generation.mapper(&connection(), "Asia/Shanghai", "China").err().unwrap();
    assert_eq!(
        region.to_string(),
        "there is no region `China`; use the two letters of a country, such as `CN`"
    );
}

#[test]
fn an_entity_without_a_mapping_is_left_out() {
    let mapper = mapper_of(&[("employee.rhai", &with(""))], &[]);
    assert_eq!(mapper.entities(), [Entity::Employee]);
    assert_eq!(mapper.digest(Entity::Leave), None);
    assert_eq!(mapper.map(Entity::Leave, &[record("l1", &json!({}))]), [Mapped::Skipped]);
}

#[test]
fn large_numbers_lose_no_digit() {
    let script = with("custom: #{ a: record.a, b: record.b, c: record.c, d: record.d },");
    let payload = json!({ "a": 9_223_372_036_854_775_807_i64, "b": 18_446_744_073_709_551_615_u64, "c": -5, "d": 1.5 });
    let custom = json!({ "a": 9_223_372_036_854_775_807_i64, "b": "18446744073709551615", "c": -5, "d": 1.5 });
    assert_eq!(draft(&script, &payload)["custom"], custom);
}

#[test]
fn cases_tell_every_difference() {
    let base = with("alias: record.a,");
    let files = Files::from_memory(
        "feishu",
        [
            ("employee.rhai", base.as_str()),
            (
                "cases/employee/good.yaml",
                "about: x\nrecord: { a: x }\ndraft: { external_id: feishu:employee:case, display_name: Li, alias: x, department_external_ids: [], status: active }\n",
            ),
            (
                "cases/employee/bad.yaml",
                "record: { a: x }\ndraft: { external_id: feishu:employee:case, display_name: Wang, department_external_ids: [], status: active, mobile: \"+8613800138000\" }\n",
            ),
            ("cases/employee/broken.yaml", "record: [\n"),
            ("cases/employee/both.yaml", "record: {}\nskipped: true\nrejected: { code: x }\n"),
            (
                "cases/employee/rejected.yaml",
                "record: { a: 1 }\nrejected: { code: schema::length, field: mobile }\n",
            ),
            ("cases/employee/skipped.yaml", "record: {}\nskipped: true\n"),
            ("cases/leave/none.yaml", "record: {}\nskipped: true\n"),
        ],
    );
    let report = Generation::load(&files, None).unwrap().run_cases(&connection());
    let shown: Vec<String> = report
        .results
        .iter()
        .map(|result| format!("{} {:?}", result.file, result.differences))
        .collect();
    assert!(!report.passed());
    for part in [
        "good.yaml []",
        "\"`alias` is \\\"x\\\", not missing\"",
        "\"`display_name` is \\\"Li\\\", not \\\"Wang\\\"\"",
        "\"`mobile` is missing, not",
        "broken.yaml [\"the case cannot be read",
        "both.yaml [\"a case needs one of",
        "not `schema::length`",
        "the rejected field is `alias`",
        "skipped.yaml [\"the record gives a draft",
        "none.yaml [",
    ] {
        assert!(shown.iter().any(|line| line.contains(part)), "{part}: {shown:#?}");
    }
}

#[test]
fn a_draft_that_is_written_field_by_field_is_the_one_that_is_put_together() {
    let payload = json!({
        "robot": false, "name": " 李 \"Wei\"\n", "mail": "Li@Example.com", "day": 1_767_196_800, "n": 5.0,
        "list": ["a", "b", "a", ""], "no": null, "phone": "138 0013 8000", "long": "x".repeat(200), "id": "e/7",
        "foreign": "dingtalk:employee:1", "kind": "department", "blank": " ", "custom": { "a": [1] },
    });
    let mut drafts = 0;
    for line in [
        "custom: #{ b: record.n, a: record.name }, alias: trimmed(record.name), gender: \"male\",",
        "start_date: date(record.day, tz), external_id: id(\"employee\", record.id), mobile: phone(record.phone),",
        "work_email: lower(record.mail), manager_external_id: id(\"employee\", or_null(record.name)),",
        "work_email: record.name, mobile: record.name, custom: record.custom,",
        "alias: record.long, gender: record.mail, start_date: record.mail,",
        "external_id: record.foreign,",
        "external_id: id(record.kind, record.id),",
        "external_id: or_null(record.blank), custom: record.custom,",
        "alias: record.no, english_name: null_to_clear(record.no), job_title: \"\",",
        "alias: if record.robot { \"a\" } else { skip() }, gender: record.n,",
        "gender: record.n, alias: if record.robot { \"a\" } else { skip() },",
    ] {
        let (written, together) = (with(line), format!("for once in [1] {{ }} {}", with(line)));
        let shown = |script: &str| match map(script, &[], &payload) {
            // A column of the line in front of the fields is another one.
            Mapped::Rejected(reject) => {
                format!("{:?} {} {}", reject.field, reject.code, reject.message)
            }
            other => format!("{other:?}"),
        };
        assert_eq!(shown(&written), shown(&together), "{line}");
        drafts += usize::from(shown(&written).starts_with("Draft("));
    }
    assert_eq!(drafts, 4);
}

#[test]
fn what_is_not_compiled_gives_the_same_drafts_and_is_told() {
    let slow = "let n = 0; for i in [1, 2] { n += i; }\n";
    let line = "alias: record.a, job_level: `${2 ** 3}`, custom: #{ n: record.n },";
    let payload = json!({ "a": "x", "n": 5 });
    let wanted =
        draft(&with("alias: record.a, job_level: \"8\", custom: #{ n: record.n },"), &payload);
    assert_eq!(draft(&with(line), &payload), wanted);
    assert_eq!(draft(&format!("{slow}{}", with(line)), &payload), wanted);
    let told = |script: &str| {
        let files = Files::from_memory("feishu", [("employee.rhai", script)]);
        let generation = Generation::load(&files, None).unwrap();
        let found = generation.interpreted().into_iter();
        found
            .map(|part| format!("{:?} {} {}", part.field, part.place.line, part.reason))
            .collect::<Vec<_>>()
    };
    assert_eq!(told(&with(line)), ["Some(\"job_level\") 2 it contains this operator"]);
    assert_eq!(
        told(&format!("{slow}{}", with(line))),
        ["None 1 it contains a loop", "Some(\"job_level\") 3 it contains this operator"]
    );
    assert_eq!(told(&with("alias: record.a,")), Vec::<String>::new());
}
