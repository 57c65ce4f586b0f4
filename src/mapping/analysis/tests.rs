//! What the check finds, and above all what it does not say.

use super::*;
use crate::mapping::Files;
use crate::mapping::engine;
use crate::mapping::script::Role;
use crate::mapping::testing;

const TABLES: &str = "gender:\n  1: male\n  2: female\nwords:\n  a: mael\n  _: 7\n";

fn files(script: &str) -> Files {
    Files::from_memory("feishu", [("employee.rhai", script), ("tables.yaml", TABLES)])
}

/// A mapping whose second line is the given one.
fn with(line: &str) -> String {
    format!(
        "#{{ display_name: record.name, department_external_ids: [], status: \"active\",\n{line}\n}}"
    )
}

fn pictures() -> Pictures {
    documented("feishu", None)
}

/// The findings as `line:column code`.
fn told(script: &str) -> Vec<String> {
    let findings = Generation::review(&Layers::plain(&files(script), None), &pictures());
    let show =
        |fault: &Fault| format!("{}:{} {}", fault.place().line, fault.place().column, fault.code());
    findings.iter().map(show).collect()
}

fn message(script: &str) -> String {
    let findings = Generation::review(&Layers::plain(&files(script), None), &pictures());
    assert_eq!(findings.len(), 1, "{script}: {findings:#?}");
    format!("{} | {}", findings[0], findings[0].advice().unwrap_or("-"))
}

#[test]
fn values_that_cannot_fit_their_field_are_told_where_they_come_from() {
    for (line, finding) in [
        ("mobile: 1,", "2:9 mapping::type_mismatch"),
        ("mobile: date(record.join_time, tz),", "2:9 mapping::type_mismatch"),
        ("start_date: instant(record.join_time, tz),", "2:13 mapping::type_mismatch"),
        ("start_date: \"2026-13-01\",", "2:13 mapping::value"),
        (
            "manager_external_id: id(\"department\", record.leader_user_id),",
            "2:22 mapping::type_mismatch",
        ),
        ("alias: record.department_ids.map(|d| d),", "2:30 mapping::type_mismatch"),
        ("alias: if record.gender == 1 { 1 } else { \"x\" },", "2:32 mapping::type_mismatch"),
        (
            "alias: switch record.gender { 1 => true, _ => record.name },",
            "2:36 mapping::type_mismatch",
        ),
        (
            "alias: record.nickname ?? len(record.department_ids ?? []),",
            "2:27 mapping::type_mismatch",
        ),
        ("custom: \"x\",", "2:9 mapping::type_mismatch"),
        ("gender: lookup(\"words\", record.gender),", "2:9 mapping::type_mismatch"),
    ] {
        let found = told(&with(line));
        assert!(found.contains(&finding.to_owned()), "{line}: {found:?}");
    }
    let through = "let s = if record.gender == 1 { \"actve\" } else { \"active\" };\n#{ display_name: record.name, department_external_ids: [], status: s }";
    assert_eq!(told(through), ["1:33 mapping::word"]);
    assert_eq!(
        message(&with("mobile: date(record.join_time, tz),")),
        "`mobile` takes a number in E.164, not a day | make one with `phone(..)`"
    );
    assert_eq!(
        message(
            &with("department_external_ids: record.department_ids.map(|d| id(\"employee\", d)),")
                .replace("department_external_ids: [], ", "")
        ),
        "`department_external_ids` names department records, not employee | write `id(\"department\", ..)`"
    );
}

#[test]
fn what_a_record_may_hold_is_given_the_benefit_of_the_doubt() {
    for line in [
        "alias: record.department_ids[0],",
        "alias: record.department_ids[0] ?? record.nickname,",
        "english_name: or_null(record.en_name),",
        "custom: #{ first: record.department_ids[0], none: null_to_clear(record.city) },",
    ] {
        let faults = Generation::load(&files(&with(line)), None).err();
        assert!(faults.is_none(), "{line}: {faults:?}");
    }
    let named = with("").replace("record.name", "or_null(record.name)");
    assert!(Generation::load(&files(&named), None).is_ok(), "only an empty name is refused");
}

#[test]
fn a_value_that_cannot_fit_keeps_the_mappings_out_of_force() {
    let faults = Generation::load(&files(&with("mobile: 1,")), None).unwrap_err();
    assert_eq!(faults[0].code(), "mapping::type_mismatch");
    assert_eq!(faults[0].severity(), Severity::Error);
    assert!(Generation::load(&files(&with("alias: record.no_such_thing,")), None).is_ok());
}

#[test]
fn a_required_field_that_never_has_a_value_is_told_and_so_is_a_branch_without_one() {
    let script = |status: &str| {
        format!("#{{ display_name: record.name, department_external_ids: [], status: {status} }}")
    };
    assert_eq!(told(&script("()")), ["1:60 mapping::never_set"]);
    assert_eq!(told(&script("if record.gender == 1 { }")), ["1:60 mapping::never_set"]);
    assert_eq!(
        told(&script("if record.gender == 1 { \"active\" } else { () }")),
        ["1:110 mapping::left_out"]
    );
    assert_eq!(told(&script("clear()")), ["1:68 mapping::value"]);
    assert_eq!(told(&script("trimmed(record.name)")), Vec::<String>::new());
}

#[test]
fn what_never_runs_is_told() {
    for (line, finding) in [
        ("alias: if true { \"a\" } else { \"b\" },", "2:11 mapping::dead_branch"),
        ("alias: if trimmed(\"x\") == () { \"a\" } else { \"b\" },", "2:11 mapping::dead_branch"),
        (
            "alias: if date(record.join_time) == 7 { \"a\" } else { \"b\" },",
            "2:11 mapping::dead_branch",
        ),
        ("alias: \"a\" ?? record.nickname,", "2:15 mapping::dead_default"),
        ("alias: record.nickname ?? \"a\" ?? \"b\",", "2:34 mapping::dead_default"),
        (
            "alias: switch record.gender { 1 => \"a\", 2 => \"b\", 1 => \"c\", _ => \"d\" },",
            "2:56 mapping::dead_arm",
        ),
        (
            "alias: switch lower(record.name) { \"a\" => \"a\", 1 => \"b\", _ => \"d\" },",
            "2:53 mapping::dead_arm",
        ),
    ] {
        assert_eq!(told(&with(line)), [finding], "{line}");
    }
    let own =
        "fn same(x, y) { x == y }\nlet a = same(\"a\", 1);\nlet b = same(record.name, \"a\");\n";
    assert_eq!(
        told(&format!("{own}{}", with(""))),
        Vec::<String>::new(),
        "what one call makes constant"
    );
    let dead = "fn f(x) { if false { x } else { 1 } }\n";
    assert_eq!(told(&format!("{dead}{}", with(""))), ["1:14 mapping::dead_branch"]);
}

#[test]
fn parts_of_the_record_that_nobody_has_seen_are_told_with_the_nearest() {
    for (line, finding) in [
        (
            "alias: record.nikname,",
            "`record.nikname`: no page of the platform, no stored record | did you mean `nickname`?",
        ),
        (
            "alias: record.status?.is_resignd,",
            "`record.status.is_resignd`: no page of the platform, no stored record | did you mean `status.is_resigned`?",
        ),
        (
            "alias: first(record.orders.map(|o| o.departmentid)),",
            "`record.orders[].departmentid`: no page of the platform, no stored record | did you mean `orders[].department_id`?",
        ),
        (
            "alias: pick(record.orders, \"is_primary\", true, \"department_id\"),",
            "`record.orders[].is_primary`: no page of the platform, no stored record | look the name up in the platform's pages; where it is right, sync once, so that a record shows it",
        ),
        (
            "alias: (record.orders ?? []).filter(|o| o.is_main == true).len().to_text(),",
            "`record.orders[].is_main`: no page of the platform, no stored record | look the name up in the platform's pages; where it is right, sync once, so that a record shows it",
        ),
    ] {
        assert!(message(&with(line)).ends_with(finding), "{line}: {}", message(&with(line)));
    }
    let function = "fn main_of(o) { o.is_primary_dpt }\n";
    let line = "alias: first(record.orders.map(|o| main_of(o))),";
    assert_eq!(told(&format!("{function}{}", with(line))), ["1:19 mapping::unknown_path"]);
    for known in [
        "alias: record.custom_attrs[0].value.anything.at_all,",
        "alias: { let key = record.name; record[key] },",
        "alias: record.custom_attrs.find(|a| a.id == \"C-1\")?.value?.text,",
    ] {
        assert_eq!(told(&with(known)), Vec::<String>::new(), "{known}");
    }
}

#[test]
fn what_runs_in_the_interpreter_is_a_note() {
    let files = files(&with("alias: to_text(2 ** 3),"));
    let findings = Generation::review(&Layers::plain(&files, None), &pictures());
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert_eq!(
        (findings[0].code(), findings[0].severity()),
        ("mapping::interpreted", Severity::Note)
    );
}

#[test]
fn a_script_with_an_error_does_not_hide_what_is_said_of_another() {
    let script = with("alias: record.nikname,");
    let files = Files::from_memory(
        "feishu",
        [("employee.rhai", script.as_str()), ("department.rhai", "#{")],
    );
    let codes: Vec<&str> = Generation::review(&Layers::plain(&files, None), &pictures())
        .iter()
        .map(Fault::code)
        .collect();
    assert_eq!(codes, ["mapping::syntax", "mapping::unknown_path"]);
}

#[test]
fn functions_that_call_each_other_in_many_ways_are_read_in_bounded_time() {
    let mut script = String::from("fn f0(x) { x }\n");
    for n in 1..12 {
        let call = format!("f{}(x)", n - 1);
        let calls = [call.as_str(); 6].join(", ");
        script.push_str(&["fn f", &n.to_string(), "(x) { [", &calls, "] }\n"].concat());
    }
    script += "fn g(x) { g(x) }\n";
    script += &with("alias: record.nickname ?? f11(1).len().to_text() ?? g(1),");
    assert!(Generation::load(&files(&script), None).is_ok());
}

#[test]
fn the_built_in_mappings_give_no_warning() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings");
    for connector in ["dingtalk", "feishu", "wecom"] {
        let files = Files::read(connector, &folder.join(connector));
        let findings =
            Generation::review(&Layers::plain(&files, None), &documented(connector, None));
        let loud: Vec<String> = findings
            .iter()
            .filter(|fault| fault.severity() != Severity::Note)
            .map(|fault| format!("{:?} {} {fault}", fault.place(), fault.code()))
            .collect();
        assert_eq!(loud, Vec::<String>::new());
    }
}

/// Whether the analysis allows the first field of a script a value of this kind, as `Content` names it.
pub(in crate::mapping) fn allows(script: &Script, content: &str) -> bool {
    use kinds::Kinds;
    let kind = match content.split('(').next().unwrap_or_default() {
        "missing" => Kinds::UNIT,
        "Null" => Kinds::CLEAR,
        "Bool" => Kinds::BOOL,
        "Int" => Kinds::INT,
        "Float" => Kinds::FLOAT,
        "Text" => Kinds::TEXT,
        "List" => Kinds::LIST,
        _ => Kinds::OBJECT,
    };
    let env = testing::env();
    let engine = engine::build(&env, LIMITS);
    let labels = labels(&engine, &script.linked.text());
    let mut infer = Infer::new(script, &env.tables, &labels);
    let [before @ .., _] = script.ast.statements() else { return true };
    infer.statements(before);
    let Some((_, value)) = literal(&script.ast).and_then(<[_]>::first) else { return true };
    kind.within(infer.expr(value).kinds())
}

/// What an expression may give by the analysis.
fn inferred(expression: &str) -> Option<kinds::Kinds> {
    let env = testing::env();
    let engine = engine::build(&env, LIMITS);
    let text = format!("#{{ custom: {expression} }}");
    let source = Arc::new(crate::mapping::Source { name: "t.rhai".to_owned(), text });
    let script = Script::compile(&engine, &source, Entity::Employee, Role::Base, &env.tables);
    let script = script.ok()??;
    let labels = labels(&engine, &source.text);
    let mut infer = Infer::new(&script, &env.tables, &labels);
    let (_, value) = literal(&script.ast)?.first()?;
    Some(infer.expr(value).kinds())
}

#[test]
fn every_function_gives_what_is_inferred_whatever_it_is_called_with() {
    let samples = [
        "()",
        "clear()",
        "\"\"",
        "\"a\"",
        "\"1767229200\"",
        "\"gender\"",
        "\"employee\"",
        "0",
        "1",
        "2.5",
        "true",
        "[]",
        "[1, 2]",
        "[\"a\", ()]",
        "#{}",
        "\"Asia/Shanghai\"",
        "\"05:00\"",
    ];
    let mut wrong = Vec::new();
    for function in crate::mapping::functions() {
        let Some(rest) = rests(function, &samples) else { continue };
        for first in samples {
            for more in &rest {
                let args = [&[first], &more[..]].concat().join(", ");
                let call = format!("{}({args})", function.name);
                let Some(kind) = given(&call) else { continue };
                let inferred = inferred(&call).unwrap();
                if !kind.within(inferred) {
                    wrong.push(format!("{call} gives {}, not {}", kind.words(), inferred.words()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A few choices of the arguments after the first; none for functions without any.
fn rests<'a>(
    function: &crate::mapping::Function,
    samples: &[&'a str],
) -> Option<Vec<Vec<&'a str>>> {
    if function.most == 0 || matches!(function.body, crate::mapping::library::Body::Told) {
        return None;
    }
    if let crate::mapping::library::Body::Closure(_) = function.body {
        return Some(vec![vec!["|x| x"], vec!["|x| true"], vec!["|x| ()"]]);
    }
    let mut rests = vec![Vec::new()];
    if function.most >= 2 {
        rests.extend(samples.iter().map(|sample| vec![*sample]));
    }
    if function.most >= 3 {
        rests.extend(samples.iter().map(|sample| vec!["\"Asia/Shanghai\"", sample]));
        rests.extend(samples.iter().map(|sample| vec![*sample, "\"05:00\""]));
    }
    rests.retain(|rest| (function.least..=function.most).contains(&(rest.len() + 1)));
    Some(rests)
}

/// The kind of what an expression really gives.
fn given(expression: &str) -> Option<kinds::Kinds> {
    use kinds::Kinds;
    Some(match testing::kind_of(expression)? {
        "nothing" => Kinds::UNIT,
        "`clear()`" => Kinds::CLEAR,
        "true or false" => Kinds::BOOL,
        "a whole number" => Kinds::INT,
        "a number" => Kinds::FLOAT,
        "text" => Kinds::TEXT,
        "a list" => Kinds::LIST,
        "an object" => Kinds::OBJECT,
        _ => Kinds::OTHER,
    })
}
