//! A script with trees in it is held to what the interpreter alone makes of it: by hand, and on random scripts.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::Program;
use super::tests::{Bench, Outcome, expression, record, records};
use crate::mapping::projection::Projection;
use crate::model::entity::Entity;

const FUNCTIONS: &str = "fn double(x) { x * 2 }\nfn twice(x, n) { let y = x + n; y + y }\n";

/// Compares the two on some records; how many of them the mixed way left to the interpreter alone.
fn compare(bench: &Bench, text: &str, records: &[Json]) -> Result<usize, String> {
    let script = bench.script(&format!("{FUNCTIONS}{text}"))?;
    let mut projection = Projection::new();
    let program = Program::compile(&bench.engine, &script, Entity::Employee, &mut projection)
        .map_err(|reason| format!("not grafted: {reason:?}"))?;
    if !program.is_mixed() {
        return Err("not grafted: it is a tree".to_owned());
    }
    let projection = Arc::new(projection);
    let mut left = 0;
    for record in records {
        let record = record.to_string();
        let alone = bench.interpreter(&script, &record);
        let mixed = bench.mixed(&program, &projection, &record);
        match (&mixed, &alone) {
            (Outcome::Rejected(_), Outcome::Rejected(_)) => {}
            (Outcome::Rejected(_), _) => left += 1,
            (mixed, alone) if mixed == alone => {}
            _ => return Err(format!("{text}\n{record}\nmixed {mixed:?}\nalone {alone:?}")),
        }
    }
    Ok(left)
}

/// Scripts that no tree covers.
const SCRIPTS: &[&str] = &[
    "let n = 0; for i in [1, 2] { n += i; } #{ custom: n + len(record.t ?? \"\"), alias: record.t }",
    "let found = (); for one in record.o ?? [] { if one.k == 7 { found = one.id; break; } } #{ custom: found ?? record.t }",
    "let l = []; let s = record.m; for x in [1] { l = record.l; } #{ custom: l.map(|x| upper(x) + \"!\"), alias: s?.x }",
    "if record.b == true { return #{ custom: lower(record.t) }; } #{ custom: upper(record.t), alias: record.t }",
    "if record.b == true { return; } #{ custom: record.t }",
    "let n = 0; while n < 3 { n += 1; if record.n == n { skip(); } } #{ custom: `${n}-${record.t}` }",
    "let out = #{ custom: record.t }; for x in [1] { out = #{ custom: [x, record.n], alias: out.custom }; } out",
    "let x = 1; { let x = record.n; for i in [x] { x = record.t; } } #{ custom: x }",
    "let n = 1; let l = [1, 2].map(|y| { n += y; n }); for i in l { n += i; } #{ custom: n + 1, alias: to_text(l) }",
    "fn try_it(n) { try { n + 1 } catch { 0 } } let v = try_it(record.n); for i in [1] { } #{ custom: v }",
    "let v = 0; try { v = record.n + 1; } catch { v = lower(record.t); } #{ custom: v }",
    "let v = ' '; for i in [1] { v = 'x'; } #{ custom: v == \"x\", alias: `${v}` }",
    "let f = |y| y + 1; for i in [1] { } #{ custom: [record.n ?? 0].map(f) }",
    "for i in [1] { } let a = record.e; #{ custom: null_to_clear(a) }",
    "for i in [1] { } let a = #{ e: record.e, f: record.m }; #{ custom: null_to_clear(a.e) }",
    "for i in [1] { } let a = record.o; #{ custom: null_to_clear(a[1].v), alias: a[0]?.id }",
    "for i in [1] { } #{ custom: null_to_clear(record.e), alias: 2 ** 3 }",
    "for i in [1] { } let n = record.n; #{ custom: n, alias: to_text(2 ** n), job_title: record.t }",
    "let a = record.t; #{ custom: 2 ** record.n, alias: a }",
    "let r = record; for i in [1] { } #{ custom: r.t, alias: r?.m?.x }",
    "let s = switch record.n { 3 => { let t = 0; for i in 0..3 { t += i; } t }, -1 => record.t, _ => skip() }; #{ custom: s }",
    "let d = []; for one in record.l { d = put_first(d, id(\"department\", one)); } #{ department_external_ids: d }",
    "loop { if record.n == 3 { break; } if true { break; } } #{ custom: double(record.n ?? 1), alias: twice(1, 2) }",
];

#[test]
fn what_only_the_interpreter_knows_means_the_same_with_trees_in_it() {
    let bench = Bench::new();
    let mut wrong = Vec::new();
    for text in SCRIPTS {
        if let Err(why) = compare(&bench, text, &records())
            && !why.starts_with("not grafted")
        {
            wrong.push(why);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn what_stands_around_a_loop_is_not_left_to_the_interpreter() {
    let bench = Bench::new();
    for text in &SCRIPTS[..8] {
        assert_eq!(compare(&bench, text, &records()[..1]), Ok(0), "{text}");
    }
}

#[test]
fn a_tree_that_fails_cannot_be_caught() {
    let bench = Bench::new();
    // The interpreter knows letters, trees do not.
    let text = "let v = 1; try { v = record.t[0] + \"\"; } catch { v = 2; } #{ custom: v }";
    assert_eq!(compare(&bench, text, &[json!({ "t": "Li" })]), Ok(1));
}

#[test]
fn steps_of_trees_count_for_the_script_around_them() {
    let bench = Bench::new();
    // One tree takes a few thousand steps, far below what it may.
    let list: Vec<u32> = (0..40).collect();
    let each = "record.l.all(|a| record.l.some(|b| b >= a))";
    let text = format!("let n = 0; for i in 0..200 {{ if {each} {{ n += 1; }} }} #{{ custom: n }}");
    let record = json!({ "l": list });
    assert_eq!(compare(&bench, &text, std::slice::from_ref(&record)), Ok(0));
    let script = bench.script(&text).unwrap();
    let alone = bench.interpreter(&script, &record.to_string());
    assert_eq!(alone, Outcome::Rejected("mapping::operations".to_owned()));
}

/// Random expressions in the places of a script where the interpreter meets them.
fn script() -> impl Strategy<Value = String> {
    let frames = prop::sample::select(vec![
        "let v0 = @; let x = @; for i in [1] { x = @; } #{ custom: @, alias: @ }",
        "let v0 = record.t; let x = 7; for x in [@, @] { if @ == x { v0 = @; } } #{ custom: [v0, x, @] }",
        "let v0 = @; let x = v0; if @ == @ { return #{ custom: @ }; } #{ custom: @, alias: v0 }",
        "let v0 = 1; let x = @; try { v0 = @; } catch { v0 = @; } #{ custom: v0, alias: @ }",
        "let v0 = record.m; let x = @; let out = #{ custom: @ }; while v0 != () { v0 = (); out = #{ custom: @, alias: out.custom }; } out",
        "let v0 = @; let x = @; #{ custom: 2 ** 3, alias: @, job_title: { let s = []; for y in [@] { s = [y, @]; } s } }",
    ]);
    (frames, prop::collection::vec(expression(), 6)).prop_map(|(frame, parts)| {
        let mut parts = parts.iter();
        let pieces = frame.split('@').map(str::to_owned).collect::<Vec<_>>();
        let mut text = String::new();
        for (nth, piece) in pieces.iter().enumerate() {
            text.push_str(piece);
            if nth + 1 < pieces.len() {
                text.push_str(parts.next().map_or("1", String::as_str));
            }
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(150) })]

    #[test]
    fn random_scripts_mean_the_same_with_trees_in_them(
        script in script(),
        records in prop::collection::vec(record(), 4),
    ) {
        let bench = Bench::new();
        match compare(&bench, &script, &records) {
            Err(why) if !why.starts_with("not grafted") && !why.starts_with("no script") => {
                prop_assert!(false, "{why}");
            }
            _ => {}
        }
    }
}
