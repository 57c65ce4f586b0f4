//! Tree and interpreter are held to the same outcome: by hand for every shape, and on random scripts and records.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use rhai::Engine;
use serde_json::{Map, Value as Json, json};

use super::{Halt, Program, Target};
use crate::mapping::analysis::tests::allows;
use crate::mapping::engine::{LIMITS, build};
use crate::mapping::explain::{End, explain};
use crate::mapping::fault::Source;
use crate::mapping::interpret::Room;
use crate::mapping::library::Env;
use crate::mapping::paths;
use crate::mapping::projection::Projection;
use crate::mapping::script::{Role, Script};
use crate::mapping::tape::{Held, Tape};
use crate::mapping::testing;
use crate::mapping::value::Value;
use crate::model::entity::Entity;
use crate::model::schema;

/// What a script makes of a record.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Outcome {
    Fields(BTreeMap<String, Json>),
    Skipped,
    /// The code of the rejection; a tree only knows that there is one.
    Rejected(String),
}

impl Outcome {
    /// What a tree's end and the fields up to there come to.
    fn of(end: Result<bool, Halt>, fields: BTreeMap<String, Json>) -> Self {
        match end {
            Ok(true) => Self::Fields(fields),
            Ok(false) | Err(Halt::Skip) => Self::Skipped,
            Err(Halt::Fail) => Self::Rejected(String::new()),
        }
    }
}

/// Notes a field as a tree shows it.
fn note(
    fields: &mut BTreeMap<String, Json>,
    target: &Target,
    value: Value<'_>,
) -> Result<(), Halt> {
    fields.insert(name(target), shown(value).ok_or(Halt::Fail)?);
    Ok(())
}

pub(super) struct Bench {
    env: Arc<Env>,
    pub(super) engine: Engine,
}

impl Bench {
    pub(super) fn new() -> Self {
        let env = testing::env();
        let engine = build(&env, LIMITS);
        Self { env, engine }
    }

    pub(super) fn script(&self, text: &str) -> Result<Script, String> {
        let source = Arc::new(Source { name: "test.rhai".to_owned(), text: text.to_owned() });
        Script::compile(&self.engine, &source, Entity::Employee, Role::Base, &self.env.tables)
            .map_err(|faults| format!("no script: {text}\n{faults:#?}"))?
            .ok_or_else(|| "empty".to_owned())
    }

    fn tree(&self, program: &Program, projection: &Projection, record: &str) -> Outcome {
        let mut tape = Tape::default();
        let doc = tape.parse(record, projection).unwrap();
        let mut fields = BTreeMap::new();
        let end = program.run(&doc, &self.env, |target, value| note(&mut fields, target, value));
        Outcome::of(end, fields)
    }

    /// A script in which the interpreter has a part.
    pub(super) fn mixed(
        &self,
        program: &Program,
        projection: &Arc<Projection>,
        record: &str,
    ) -> Outcome {
        let held = Held::parse(<_>::default(), record, projection).unwrap();
        let mut fields = BTreeMap::new();
        let mut room = Room::new(&self.env.zone_name);
        let end = room.mixed(
            (&self.engine, &self.env),
            program,
            &Arc::new(held),
            &mut |target, value| note(&mut fields, target, value),
        );
        Outcome::of(end, fields)
    }

    pub(super) fn interpreter(&self, script: &Script, record: &str) -> Outcome {
        let mut projection = Projection::new();
        paths::add(&mut projection, &script.ast);
        let mut tape = Tape::default();
        let doc = tape.parse(record, &projection).unwrap();
        match Room::new(&self.env.zone_name).evaluate(&self.engine, &script.ast, &doc) {
            Ok(value) if value.is_unit() => Outcome::Skipped,
            Ok(value) => match value.try_cast::<rhai::Map>() {
                Some(map) => map
                    .into_iter()
                    .map(|(name, value)| {
                        Some((name.to_string(), shown(Value::from_dynamic(value))?))
                    })
                    .collect::<Option<_>>()
                    .map_or(Outcome::Rejected("no content".to_owned()), Outcome::Fields),
                None => Outcome::Rejected("no map".to_owned()),
            },
            Err(error) => match explain(script, &error) {
                End::Skipped => Outcome::Skipped,
                End::Rejected(reject) => Outcome::Rejected(reject.code),
            },
        }
    }
}

fn name(target: &Target) -> String {
    match target {
        Target::Field(at) => schema::fields(Entity::Employee)[*at].name.to_owned(),
        Target::Name(name) => name.to_string(),
    }
}

/// A value as JSON that tells missing, cleared and present apart.
fn shown(value: Value<'_>) -> Option<Json> {
    let content = value.into_content().ok()?;
    Some(content.map_or(json!("missing"), |content| {
        json!([format!("{content:?}").replace("Owned(", "Borrowed(")])
    }))
}

/// Compares the two on some records; how many of them the tree left to the interpreter without need.
fn compare(bench: &Bench, text: &str, records: &[Json]) -> Result<usize, String> {
    let script = bench.script(text)?;
    let mut projection = Projection::new();
    let program = match Program::compile(&bench.engine, &script, Entity::Employee, &mut projection)
    {
        Ok(program) if !program.is_mixed() => program,
        Ok(program) => return Err(format!("left to the interpreter: {:?}", program.reasons)),
        Err(reason) => return Err(format!("left to the interpreter: {reason:?}")),
    };
    let mut needless = 0;
    for record in records {
        let record = record.to_string();
        let told = bench.interpreter(&script, &record);
        if let Outcome::Fields(fields) = &told
            && let Some(value) = fields.get("custom")
        {
            let shown = value[0].as_str().or(value.as_str()).unwrap_or_default();
            if !allows(&script, shown) {
                return Err(format!("{text}\n{record}\nthe analysis does not allow {shown}"));
            }
        }
        let tree = bench.tree(&program, &projection, &record);
        let interpreter = told;
        match (&tree, &interpreter) {
            (Outcome::Rejected(_), Outcome::Rejected(_)) => {}
            (Outcome::Rejected(_), _) => needless += 1,
            (tree, interpreter) if tree == interpreter => {}
            _ => {
                return Err(format!(
                    "{text}\n{record}\ntree {tree:?}\ninterpreter {interpreter:?}"
                ));
            }
        }
    }
    Ok(needless)
}

pub(super) fn records() -> Vec<Json> {
    vec![
        json!({
            "t": "Li", "n": 3, "f": 2.5, "b": true, "l": ["b", "a"], "e": "", "d": "1767229200",
            "o": [{ "id": "a", "k": 1, "v": { "w": "x" } }, { "id": "b", "k": 7, "v": null }],
            "m": { "x": "y", "y": { "z": 5 } },
        }),
        json!({ "t": "a", "n": -1, "b": false, "l": [], "o": [], "m": {} }),
        json!({ "t": 1, "n": "3", "f": 2, "b": "x", "l": "a", "o": { "id": 1 }, "m": ["x"], "e": null, "d": 20_260_101 }),
        json!({}),
    ]
}

/// Every shape that mappings are made of, one a line.
const SHAPES: &str = r#"
record.t
record.u
record.m.x
record.m?.y?.z
record.m.y.z
record["t"]
record.l[0]  // text has letters
record.l[-1]  // text has letters
record.l?[0]  // text has letters
record.o[1].id
record.m["x"]
record.o?[0]?.v?.w
record
record.m == ()
record.t ?? record.u ?? "z"
tz
record.t.lower().upper()
lower(record.t)
record.l.first().upper()
record.o?.pick("id", "b", "k") ?? largest(record.o, "k", "id")
record.n + 1 - 2 * 3 / 2 % 5
record.t + "x" + record.u
record.f + 1
record.n * 1.5
record.n == 3 && record.b || !record.b
record.n < 4
record.t < "M"
record.f == 2.5
record.t != record.n
record.n > record.t
-record.n
if record.b { 1 } else { 2 }
if record.n == 3 { 1 } else if record.t == "a" { 2 } else { 3 }
if record.b { 1 }
switch record.n { 1 | 2 => "low", 3 => "three", -1 => "minus", _ => "else" }
switch record.t { "Li" if record.b => 1, "Li" => 2, "a" => 3 }
switch record.n { 0..2 => "a", 3..=5 => "b", _ => "c" }
switch record.b { true => 1, false => 2, () => 3 }
record.l.map(|x| x + "!")
record.l.filter(|x| x != "a").map(|x| id("department", x))
record.o.find(|x| x.k == 7)?.id
record.o.some(|x| x.id == "a")
record.o.all(|x| x.k > 0)
map(record.l, |x| record.t + x)
filter(record.o, |o| o.k > record.n)
record.l.map(|x| [x].map(|y| y + "?"))
[record.t, record.n, [record.u]]
#{ a: record.t, b: #{ c: record.n } }
`${record.t}-${record.n}-${record.b}-${record.u}`
{ let y = record.n; y + 1 }
{ let y = record.t; let z = y; y = z + "!"; y += "?"; y }
{ let y = 1; let z = { let y = 2; y }; z + y }
double(record.n)
twice(record.t, 3)
record.l.map(|x| twice(x, 1))
fact(4)
fact(9)  // deep
lookup("gender", record.n, "x")
null_to_clear(record.e)
null_to_clear(record.u)
null_to_clear(record.e).map(|x| x + "!")
null_to_clear(v0)
record.e.null_to_clear()
lower(null_to_clear(record.e)) ?? "x"
null_to_clear(record.m?.y?.z)
record.o.map(|x| null_to_clear(x.v))
attribute(record.o, "a", "w")
attribute(record.m, "x")
masked_name(record.t)
pinyin_name(record.t, "joined")
stable_id([record.t, record.n])
department_path(record.l)
instant_on(20260101, record.n)
or_null(record.e)
lower(or_null(record.e))
date(record.d)
instant(record.d, tz)
minutes_between(record.d, record.d)
put_first(record.l, "a")
join(record.l, "-")
"a" in record.l
!("a" in record.l)
record.t.contains("L")
len(record.o)
sum(record.o.map(|x| x.k))
record.l.map(|x| if x == "b" { skip() } else { x })
if record.n == 3 { skip() } else { 1 }
if record.n == 3 { throw "no" } else { 1 }
()
clear()
"#;

fn script(expression: &str) -> String {
    format!(
        "fn double(x) {{ x * 2 }}\nfn twice(x, n) {{ let y = x + n; y + y }}\nfn fact(n) {{ if n <= 1 {{ 1 }} else {{ n * fact(n - 1) }} }}\nlet v0 = record.t;\nlet x = 7;\n#{{ custom: {expression} }}"
    )
}

#[test]
fn every_shape_compiles_and_means_the_same() {
    let bench = Bench::new();
    let mut wrong = Vec::new();
    for expression in SHAPES.lines().filter(|line| !line.is_empty()) {
        // Letters of a text, and deep calls, are the interpreter's.
        let (expression, why) = expression.split_once("  // ").unwrap_or((expression, ""));
        let allowed = if why.is_empty() { 0 } else { records().len() };
        match compare(&bench, &script(expression), &records()) {
            Ok(needless) if needless <= allowed => {}
            Ok(needless) => {
                wrong.push(format!("{expression}: {needless} records left to the interpreter"));
            }
            Err(difference) => wrong.push(difference),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn what_a_tree_does_not_cover_stays_with_the_interpreter() {
    let bench = Bench::new();
    for expression in [
        "{ let s = 0; for i in [1, 2] { s += i; } s }",
        "{ let i = 0; while i < 3 { i += 1; } i }",
        "{ let f = |y| y; [1].map(f) }",
        "{ let n = 0; [1, 2].map(|y| { n += y; n }) }",
        "{ try { 1 } catch { 2 } }",
        "2 ** 3",
        "'x'",
    ] {
        let found = compare(&bench, &script(expression), &records());
        assert!(
            found.clone().is_err_and(|why| why.starts_with("left to")),
            "{expression}: {found:?}"
        );
    }
}

#[test]
fn a_field_that_is_left_to_the_interpreter_leaves_the_others_in_the_tree() {
    let bench = Bench::new();
    let script = bench
        .script("let a = record.t; #{ alias: a, custom: 2 ** 3, job_title: record.u }")
        .unwrap();
    let mut projection = Projection::new();
    let program =
        Program::compile(&bench.engine, &script, Entity::Employee, &mut projection).unwrap();
    let reasons: Vec<(&str, &str)> =
        program.reasons.iter().map(|(field, reason)| (field.as_str(), reason.what)).collect();
    assert_eq!(reasons, [("custom", "this operator")]);
    let Outcome::Fields(fields) = bench.tree(&program, &projection, r#"{"t":"x"}"#) else {
        panic!("no fields")
    };
    assert_eq!(fields.keys().collect::<Vec<_>>(), ["alias", "job_title"]);
    assert!(program.rest.is_some());
}

#[test]
fn steps_sizes_and_depth_are_limited_in_trees_too() {
    let bench = Bench::new();
    let many: Vec<String> = (0..1_900).map(|n| n.to_string()).collect();
    let record = json!({ "l": many, "t": "x".repeat(60_000) });
    for expression in [
        "record.l.map(|a| record.l.map(|b| b))",
        "record.l.map(|a| [a, a, a])",
        "record.t + record.t",
        "`${record.t}${record.t}`",
        "[record.t, record.t]",
        "#{ a: record.t, b: record.t }",
        "record.l.all(|a| record.l.all(|b| b != \"x\"))",
        "endless(1)",
        "replace(record.t, \"x\", \"yy\")",
    ] {
        let text = format!("fn endless(n) {{ endless(n + 1) }}\n#{{ custom: {expression} }}");
        let script = bench.script(&text).unwrap();
        let mut projection = Projection::new();
        let program =
            Program::compile(&bench.engine, &script, Entity::Employee, &mut projection).unwrap();
        assert!(program.rest.is_none(), "{expression}");
        let tree = bench.tree(&program, &projection, &record.to_string());
        assert_eq!(tree, Outcome::Rejected(String::new()), "{expression}");
    }
}

/// The smallest expressions.
const LEAVES: &[&str] = &[
    "record.t",
    "record.n",
    "record.f",
    "record.b",
    "record.l",
    "record.o",
    "record.m",
    "record.u",
    "record.e",
    "record.d",
    "record.m.x",
    "record.m?.y",
    "record.m?.y?.z",
    "record.o[0].id",
    "record.l[0]",
    "record.l[-1]",
    "v0",
    "x",
    "tz",
    "record.t",
    "0",
    "1",
    "-3",
    "3",
    "2.5",
    "0.0",
    "\"a\"",
    "\"Li\"",
    "\"\"",
    "\"1\"",
    "true",
    "false",
    "()",
    "[]",
    "#{}",
    "clear()",
    "1767229200",
    "\"2026-01-05 09:00\"",
    "20260105",
    "record.x?.y",
    "9223372036854775807",
];

/// Expressions of the subset as text. `x` is always a variable, in closures their parameter.
pub(super) fn expression() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(LEAVES).prop_map(str::to_owned);
    leaf.prop_recursive(4, 40, 5, |inner| {
        let binary = prop::sample::select(vec![
            "+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||", "??", "in",
        ]);
        let one = prop::sample::select(vec![
            "lower", "trimmed", "upper", "or_null", "blank_to_missing", "first", "last", "len", "to_text", "to_int", "to_number", "sum", "date",
            "instant", "phone", "half_width", "earliest", "double", "!", "-",
        ]);
        let two = prop::sample::select(vec![
            "or_default", "max", "min", "contains", "put_first", "join", "split", "starts_with", "minutes_between", "lookup", "id",
            "shortened", "twice",
        ]);
        let method = prop::sample::select(vec![
            ".lower()", ".first()", ".len()", "?.x", ".x", "?.y.z", "[0]", "?[0]", "[\"x\"]", "?.o[0]?.id", ".pick(\"id\", \"a\", \"k\")",
            ".largest(\"k\", \"id\")", "?.trimmed().upper()", ".to_text()", "[-1]", ".v?.w",
        ]);
        let over = prop::sample::select(vec!["map", "filter", "find", "some", "all"]);
        let closure_body = prop_oneof![
            inner.clone(),
            prop::sample::select(vec!["x == \"a\"", "x != ()", "x.k > 1", "x?.id", "x + x", "[x]", "x?.v?.w ?? x"]).prop_map(str::to_owned),
        ];
        prop_oneof![
            (inner.clone(), binary, inner.clone()).prop_map(|(a, op, b)| format!("({a} {op} {b})")),
            (one, inner.clone()).prop_map(|(f, a)| if f.len() == 1 { format!("({f}({a}))") } else { format!("{f}({a})") }),
            (two, inner.clone(), inner.clone()).prop_map(|(f, a, b)| format!("{f}({a}, {b})")),
            (inner.clone(), method).prop_map(|(a, m)| format!("({a}){m}")),
            (inner.clone(), over, closure_body).prop_map(|(a, f, body)| format!("({a}).{f}(|x| {body})")),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("(if {a} {{ {b} }} else {{ {c} }})")),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c)| format!("(if {a} == {b} {{ {c} }} else {{ {a} }})")),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c)| format!("(switch {a} {{ 1 | 3 => {b}, \"a\" if {c} => 1, true => {c}, 5..9 => 2, _ => {b} }})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("[{a}, {b}]")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("#{{ a: {a}, b: {b} }}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("`p${{{a}}}-${{{b}}}`")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({{ let y = {a}; let x = {b}; x = y; x }})")),
            inner.prop_map(|a| format!("(if {a} == \"skip\" {{ skip() }} else {{ {a} }})")),
        ]
    })
}

fn scalar() -> impl Strategy<Value = Json> {
    prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        (-5_i64..10).prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        prop::sample::select(vec![0.0, 2.5, -1.5, 3.0, 1e300]).prop_map(Json::from),
        prop::sample::select(vec![
            "",
            "a",
            "Li",
            " x ",
            "skip",
            "1",
            "李伟",
            "2026-01-05",
            "\"\\\n"
        ])
        .prop_map(Json::from),
    ]
}

pub(super) fn record() -> impl Strategy<Value = Json> {
    let value = scalar().prop_recursive(2, 12, 4, |inner| {
        let key = prop::sample::select(vec!["id", "k", "v", "w", "x", "y", "z", "o"]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::btree_map(key, inner, 0..4).prop_map(|map| Json::Object(
                map.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()
            )),
        ]
    });
    let key = prop::sample::select(vec!["t", "n", "f", "b", "l", "o", "m", "e", "d", "x"]);
    (prop::collection::btree_map(key, value, 0..8), any::<bool>()).prop_map(|(changes, usual)| {
        let mut record: Map<String, Json> = Map::new();
        if let (true, Some(Json::Object(base))) = (usual, records().into_iter().next()) {
            record.extend(base);
        }
        record.extend(changes.into_iter().map(|(key, value)| (key.to_owned(), value)));
        Json::Object(record)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(150) })]

    #[test]
    fn random_scripts_mean_the_same_on_random_records(
        expression in expression(),
        records in prop::collection::vec(record(), 4),
    ) {
        let bench = Bench::new();
        match compare(&bench, &script(&expression), &records) {
            Err(why) if !why.starts_with("left to") && !why.starts_with("no script") => {
                prop_assert!(false, "{why}");
            }
            _ => {}
        }
    }
}
