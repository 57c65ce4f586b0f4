//! `lower`: text in lower case.

use super::{Body, Env, Function, Outcome, lying, take, text};
use crate::mapping::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "lower",
    usage: "lower(text) -> text",
    about: "The text in lower case.",
    examples: [
        (r#"lower("Li.Wei@Example.COM")"#, r#""li.wei@example.com""#),
        (r#"lower("e1")"#, r#""e1""#),
    ],
    least: 1,
    most: 1,
    body: Body::Plain(run),
};

fn run<'a>(_env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    if let Some(text) = lying(args, 0) {
        return Ok(if is_done(text) {
            Value::word(text)
        } else {
            Value::text(text.to_lowercase())
        });
    }
    let Some(text) = text("lower", "its text", take(args, 0))? else {
        return Ok(Value::Unit);
    };
    Ok(if is_done(&text) { Value::Text(text) } else { Value::text(text.to_lowercase()) })
}

/// Whether a text is in lower case already, as far as it can be told without tables.
fn is_done(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase())
}
