//! The values behind the cases of a `switch`.
//!
//! rhai's syntax tree keeps only a hash of each case's value. Everything in the script's text that looks like a
//! literal becomes a case of a `switch` of its own, and the hashes are read back. The invariant: a hash that is not
//! found leaves the `switch` to the interpreter.

use std::collections::{BTreeSet, HashMap};

use rhai::{Engine, Expr, Stmt};

use super::node::Literal;

/// The literals of a script by the hash that a case with that value has.
pub(in crate::mapping) fn labels(engine: &Engine, script: &str) -> HashMap<u64, Literal> {
    if !script.contains("switch") {
        return HashMap::new();
    }
    let candidates: Vec<(String, Literal)> = spellings(script)
        .into_iter()
        .filter_map(|spelling| Some((read(engine, &spelling)?, spelling)))
        .map(|(literal, spelling)| (spelling, literal))
        .collect();
    let cases: Vec<String> =
        candidates.iter().map(|(spelling, _)| format!("{spelling} => (),")).collect();
    let Ok(ast) = engine.compile(format!("switch () {{ {} }}", cases.concat())) else {
        return HashMap::new();
    };
    let Some(Stmt::Switch(parts, _)) = ast.statements().first() else {
        return HashMap::new();
    };
    let known = parts.1.cases.iter().filter_map(|(hash, case)| {
        let (_, literal) = candidates.get(*case.blocks.first()?)?;
        Some((*hash, literal.clone()))
    });
    known.collect()
}

/// Everything in a script that looks like a literal, as it is written there.
fn spellings(script: &str) -> BTreeSet<String> {
    let mut found: BTreeSet<String> = ["()", "true", "false"].map(str::to_owned).into();
    let bytes = script.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let end = match byte {
            b'"' => end_of_text(bytes, at),
            b'0'..=b'9' => end_of_number(bytes, at),
            _ => at + 1,
        };
        match (byte, script.get(at..end)) {
            (b'"', Some(text)) => {
                found.insert(text.to_owned());
            }
            (b'0'..=b'9', Some(number)) => {
                found.insert(number.to_owned());
                found.insert(format!("-{number}"));
            }
            _ => {}
        }
        at = end;
    }
    found
}

/// The byte after the quote that closes a text.
fn end_of_text(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn end_of_number(bytes: &[u8], start: usize) -> usize {
    let rest = bytes.get(start..).unwrap_or_default();
    let digits = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_');
    start + digits.count()
}

fn read(engine: &Engine, spelling: &str) -> Option<Literal> {
    let ast = engine.compile_expression(spelling).ok()?;
    let Some(Stmt::Expr(value)) = ast.statements().first() else {
        return None;
    };
    match &**value {
        Expr::Unit(_) => Some(Literal::Unit),
        Expr::BoolConstant(flag, _) => Some(Literal::Bool(*flag)),
        Expr::IntegerConstant(number, _) => Some(Literal::Int(*number)),
        Expr::StringConstant(text, _) => Some(Literal::Text(text.as_str().into())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::engine::{LIMITS, build};
    use crate::mapping::testing;

    #[test]
    fn every_case_value_of_a_script_is_found_again() {
        let engine = build(&testing::env(), LIMITS);
        let script = r#"switch record.x { 1 | -7 => 1, "a\"b\\\n李🙂" => 2, true => 3, () => 4, 3..5 => 5, _ => 6 }"#;
        let mut scope = rhai::Scope::new();
        scope.push("record", rhai::Map::new());
        let ast = engine.compile_with_scope(&scope, script).unwrap();
        let Some(Stmt::Switch(parts, _)) = ast.statements().first() else { panic!("a switch") };
        let labels = labels(&engine, script);
        let mut found: Vec<String> = parts
            .1
            .cases
            .keys()
            .filter_map(|hash| labels.get(hash))
            .map(|literal| format!("{literal:?}"))
            .collect();
        found.sort();
        let wanted = ["Bool(true)", "Int(-7)", "Int(1)", "Text(\"a\\\"b\\\\\\n李🙂\")", "Unit"];
        assert_eq!(found, wanted);
    }
}
