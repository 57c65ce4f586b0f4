//! `lower`: text in lower case.

use super::{Body, Env, Function, Outcome, take, text};
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
    let Some(text) = text("lower", "its text", take(args, 0))? else {
        return Ok(Value::Unit);
    };
    let done = text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
    Ok(if done { Value::Text(text) } else { Value::text(text.to_lowercase()) })
}
