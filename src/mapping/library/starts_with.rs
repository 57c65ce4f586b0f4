//! `starts_with`: whether a text begins with another.

use super::{Body, Env, Function, Outcome, needed, take, text};
use crate::mapping::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "starts_with",
    usage: "starts_with(text, start) -> true or false",
    about: "Whether the text begins with `start`.",
    examples: [(r#"starts_with("od-1", "od-")"#, "true"), (r#""x".starts_with("y")"#, "false")],
    least: 2,
    most: 2,
    body: Body::Plain(run),
};

fn run<'a>(_env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    let Some(text) = text("starts_with", "its text", take(args, 0))? else {
        return Ok(Value::Unit);
    };
    let part = needed("starts_with", "the start", take(args, 1))?;
    Ok(Value::Bool(text.starts_with(&*part)))
}
