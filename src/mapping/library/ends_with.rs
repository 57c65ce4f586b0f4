//! `ends_with`: whether a text ends with another.

use super::{Body, Env, Function, Outcome, needed, take, text};
use crate::mapping::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "ends_with",
    usage: "ends_with(text, end) -> true or false",
    about: "Whether the text ends with `end`.",
    examples: [(r#"ends_with("od-1", "-1")"#, "true"), (r#""x".ends_with("y")"#, "false")],
    least: 2,
    most: 2,
    body: Body::Plain(run),
};

fn run<'a>(_env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    let Some(text) = text("ends_with", "its text", take(args, 0))? else {
        return Ok(Value::Unit);
    };
    let part = needed("ends_with", "the end", take(args, 1))?;
    Ok(Value::Bool(text.ends_with(&*part)))
}
