//! Whatever a script does, it ends soon, stays small, and only its own record is parked.

use std::time::{Duration, Instant};

use rollcall::mapping::{Fault, Files, Generation};
use rollcall::model::entity::Entity;
use rollcall::model::ids::{ConnectionId, SourceId};
use rollcall::model::record::Record;
use rollcall::port::mapper::Mapped;

const FIELDS: &str = r#"display_name: "Li", department_external_ids: [], status: "active""#;

fn load(script: &str) -> Result<Generation, Vec<Fault>> {
    Generation::load(&Files::from_memory("feishu", [("employee.rhai", script)]), None)
}

/// What becomes of one record, as a word: the code of a fault or a rejection, or `draft`.
fn outcome(script: &str, record: &str) -> String {
    let generation = match load(script) {
        Ok(generation) => generation,
        Err(faults) => return faults[0].code().to_owned(),
    };
    let connection = ConnectionId::parse("feishu").expect("a slug");
    let mapper = generation.mapper(&connection, "Asia/Shanghai", "CN").expect("settings");
    let id = SourceId::parse("e1").expect("an id");
    let records = [
        Record { id: id.clone(), payload: record.to_owned().into() },
        Record { id, payload: "{}".into() },
    ];
    match mapper.map(Entity::Employee, &records).swap_remove(0) {
        Mapped::Draft(_) => "draft".to_owned(),
        Mapped::Skipped => "skipped".to_owned(),
        Mapped::Rejected(reject) => reject.code,
    }
}

fn ends(body: &str) -> String {
    let started = Instant::now();
    let outcome = outcome(&format!("{body}\n#{{ {FIELDS} }}"), "{}");
    assert!(started.elapsed() < Duration::from_secs(10), "took {:?}", started.elapsed());
    outcome
}

#[test]
fn endless_loops_end() {
    for body in [
        "loop {}",
        "while true { let x = 1; }",
        "do { } while true;",
        "for i in 0..1_000_000_000_000 { }",
        "let i = 0; while i >= 0 { i += 1; }",
    ] {
        assert_eq!(ends(body), "mapping::operations", "{body}");
    }
}

#[test]
fn loops_inside_closures_count_as_one() {
    let ten = "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]";
    let body = format!(
        "let n = 0; {ten}.map(|a| {ten}.map(|b| {ten}.map(|c| {{ let i = 0; while i < 1000 {{ i += 1; }} i }})));"
    );
    assert_eq!(ends(&body), "mapping::operations");
}

#[test]
fn functions_that_call_themselves_end() {
    assert_eq!(ends("fn f(x) { f(x + 1) }\nf(0);"), "mapping::calls");
    assert_eq!(ends("fn f(x) { [x].map(|y| f(y)) }\nf(0);"), "mapping::calls");
}

#[test]
fn texts_do_not_grow_without_end() {
    for body in [
        r#"let s = "x"; loop { s += s; }"#,
        r#"let s = "x"; loop { s = s + s; }"#,
        r#"let s = "x"; loop { s = `${s}${s}`; }"#,
        r#"let s = "x"; loop { s = join([s, s], ""); }"#,
        r#"let s = "x"; loop { s = join([s, s], s); }"#,
        r#"let s = "x"; loop { s = replace(s, "x", "xxxx"); }"#,
        r#"let s = "x"; loop { s += 'y'; s += s; }"#,
    ] {
        assert_eq!(ends(body), "mapping::size", "{body}");
    }
}

#[test]
fn lists_do_not_grow_without_end() {
    for body in [
        "let a = [1]; loop { a += a; }",
        "let a = [1]; loop { a = [a, a]; }",
        "let a = [1]; loop { a += [a]; }",
        "let a = [1, 2]; loop { let b = a; a = b.map(|x| b); }",
        "let a = []; loop { a += [#{ b: 1 }]; }",
        r#"let s = "x-"; loop { s += s; s.split("-"); }"#,
    ] {
        assert_eq!(ends(body), "mapping::size", "{body}");
    }
}

#[test]
fn objects_do_not_grow_without_end() {
    assert_eq!(ends("let m = #{}; loop { m = #{ a: m, b: m }; }"), "mapping::size");
    assert_eq!(ends("let m = [#{}]; loop { m = [#{ a: m, b: m }]; }"), "mapping::size");
    // What rhai's own limits do not see is refused before it runs.
    for body in [
        r#"let m = #{}; let i = 0; loop { m["k" + i] = i; i += 1; }"#,
        r#"let m = #{ a: #{} }; let i = 0; loop { m.a["k" + i] = i; i += 1; }"#,
        "let m = #{}; m.x = 1;",
        "let a = [1]; a[0] = a;",
        "let a = [[1]]; a[0][0] = a;",
        r#"let m = #{}; fn grow(m) { m["x"] = 1; m }"#,
        r#"let m = #{}; [1].map(|x| { m["x"] = x; x });"#,
        "let s = \"abc\"; s[0] = 'x';",
        "record.name = 1;",
        "record = 1;",
    ] {
        let code = ends(body);
        assert!(code == "mapping::in_place" || code == "mapping::taken", "{body}: {code}");
    }
}

#[test]
fn what_changes_values_in_place_does_not_exist() {
    for call in [
        "a.push(1)",
        "a.insert(0, 1)",
        "a.append(a)",
        "a.pad(9999, 1)",
        "a.splice(0, 1, a)",
        "a.clear(1)",
        "a.remove(0)",
        "a.drain(|x| true)",
        "a.sort()",
        "m.set(\"a\", 1)",
        "m.mixin(m)",
        "m.fill_with(m)",
        "s.pad(9999, 'x')",
        "s.append(s)",
        "blob(99)",
        "range(0, 9)",
        "timestamp()",
        "sleep(1)",
        "parse_json(s)",
        "a.call(1)",
        "exit()",
    ] {
        let body = format!("let a = [1]; let m = #{{}}; let s = \"x\"; {call};");
        let code = ends(&body);
        assert!(
            code == "mapping::unknown_function" || code == "mapping::arguments",
            "{call}: {code}"
        );
    }
    for statement in [
        "import \"x\" as x;",
        "export a;",
        "eval(\"1\");",
        "print(1);",
        "debug(1);",
        "let f = Fn(\"lower\");",
        "curry(a, 1);",
        "type_of(a);",
        "this.x;",
        "is_def_fn(\"f\", 1);",
        "global::x;",
    ] {
        let code = ends(&format!("let a = 1; {statement}"));
        assert!(
            matches!(
                code.as_str(),
                "mapping::forbidden"
                    | "mapping::import"
                    | "mapping::syntax"
                    | "mapping::unknown_function"
                    | "mapping::unknown_variable"
            ),
            "{statement}: {code}"
        );
    }
    assert_eq!(ends("let m = #{}; m += #{ a: 1 };"), "mapping::type");
}

#[test]
fn variables_and_functions_are_counted() {
    let lets: Vec<String> = (0..200).map(|n| format!("let v{n} = {n};\n")).collect();
    assert_eq!(ends(&lets.concat()), "mapping::variables");
    let functions: Vec<String> = (0..100).map(|n| format!("fn f{n}() {{ {n} }}\n")).collect();
    assert_eq!(ends(&functions.concat()), "mapping::syntax");
}

#[test]
fn deep_expressions_are_refused_before_they_run() {
    let deep = format!("let x = {}1{};", "(1 + ".repeat(500), ")".repeat(500));
    assert_eq!(ends(&deep), "mapping::depth");
    let lists = format!("let x = {}1{};", "[".repeat(500), "]".repeat(500));
    assert_eq!(ends(&lists), "mapping::depth");
    let blocks = format!("{}{}", "if true { ".repeat(5000), "}".repeat(5000));
    assert_eq!(ends(&blocks), "mapping::depth");
    // Long is not deep.
    for long in [
        format!("let x = record{};", "?.a".repeat(5000)),
        format!("let x = 1{};", " + 1".repeat(5000)),
        format!("let x = record.a{};", " ?? record.a".repeat(5000)),
        format!("if false {{ }} {}", "else if false { }".repeat(5000)),
        format!("let x = [{}];", "1,".repeat(5000)),
    ] {
        let code = ends(&long);
        assert!(
            matches!(
                code.as_str(),
                "mapping::depth" | "mapping::syntax" | "mapping::size" | "draft"
            ),
            "{long:.30}: {code}"
        );
    }
}

#[test]
fn deep_and_broken_records_are_parked() {
    let script = format!("let x = record.a; #{{ {FIELDS} }}");
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(100), "]".repeat(100));
    assert_eq!(outcome(&script, &deep), "mapping::payload");
    let very_deep = "[".repeat(100_000);
    for record in [
        "",
        "null",
        "[]",
        "\"x\"",
        "{",
        "{}{}",
        "{\"a\":}",
        "<html>",
        "{\"a\": 1e999}",
        very_deep.as_str(),
    ] {
        assert_eq!(outcome(&script, record), "mapping::payload", "{record:.20}");
    }
    // What the script does not read is still checked for syntax.
    assert_eq!(outcome(&format!("#{{ {FIELDS} }}"), r#"{"b": [1, }"#), "mapping::payload");
}

#[test]
fn a_large_record_is_no_fault_of_the_script() {
    let script =
        format!("let x = record.items; #{{ {FIELDS}, job_level: to_text(len(record.items)) }}");
    let items = vec!["1"; 1_000].join(",");
    assert_eq!(outcome(&script, &format!("{{\"items\":[{items}]}}")), "draft");
}
