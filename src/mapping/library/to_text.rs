//! `to_text`: a scalar as text.

use super::{Body, Env, Function, Outcome, mismatch, take};
use crate::mapping::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "to_text",
    usage: "to_text(value) -> text",
    about: "A number, true/false or text as text; `()` stays `()`.",
    examples: [("to_text(42)", r#""42""#), ("to_text(true)", r#""true""#)],
    least: 1,
    most: 1,
    body: Body::Plain(run),
};

fn run<'a>(_env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    match take(args, 0) {
        value @ (Value::Unit | Value::Text(_)) => Ok(value),
        Value::Int(number) => Ok(Value::text(number.to_string())),
        Value::Float(number) => Ok(Value::text(number.to_string())),
        Value::Bool(flag) => Ok(Value::word(if flag { "true" } else { "false" })),
        other => Err(mismatch("to_text", "its value", "text, a number or true/false", &other)),
    }
}
