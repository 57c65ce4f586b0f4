//! `upper`: text in upper case.

use super::{Body, Env, Function, Outcome, take, text};
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
    let Some(text) = text("upper", "its text", take(args, 0))? else {
        return Ok(Value::Unit);
    };
    let done = text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_lowercase());
    Ok(if done { Value::Text(text) } else { Value::text(text.to_uppercase()) })
}
