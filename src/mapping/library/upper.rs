//! `upper`: text in upper case.

use super::{Body, Env, Function, Outcome, lying, take, text};
use crate::mapping::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "upper",
    usage: "upper(text) -> text",
    about: "The text in upper case.",
    examples: [(r#"upper("e1001")"#, r#""E1001""#), (r#"upper("A")"#, r#""A""#)],
    least: 1,
    most: 1,
    body: Body::Plain(run),
};

fn run<'a>(_env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    if let Some(text) = lying(args, 0) {
        return Ok(if is_done(text) {
            Value::word(text)
        } else {
            Value::text(text.to_uppercase())
        });
    }
    let Some(text) = text("upper", "its text", take(args, 0))? else {
        return Ok(Value::Unit);
    };
    Ok(if is_done(&text) { Value::Text(text) } else { Value::text(text.to_uppercase()) })
}

/// Whether a text is in upper case already, as far as it can be told without tables.
fn is_done(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_lowercase())
}
