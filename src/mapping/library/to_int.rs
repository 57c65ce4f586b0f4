//! `to_int`: text as a whole number.

use super::{Body, Env, Failure, Function, Outcome, mismatch, take};
use crate::mapping::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "to_int",
    usage: "to_int(text) -> whole number",
    about: "The whole number that a text writes in digits; blank text gives `()`. A number stays what it is, without its fraction.",
    examples: [(r#"to_int(" 42 ")"#, "42"), (r#"to_int("")"#, "null")],
    least: 1,
    most: 1,
    body: Body::Plain(run),
};

fn run<'a>(_env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    match take(args, 0) {
        value @ (Value::Unit | Value::Int(_)) => Ok(value),
        Value::Float(number) if number.abs() < 9e15 =>
        {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "the fraction goes on purpose, the rest fits"
            )]
            Ok(Value::Int(number as i64))
        }
        Value::Text(text) if text.trim().is_empty() => Ok(Value::Unit),
        Value::Text(text) => text.trim().parse().map(Value::Int).map_err(|_| {
            Failure::new("mapping::number", "`to_int` got text that is no whole number of 64 bits")
        }),
        other => Err(mismatch("to_int", "its value", "text or a number", &other)),
    }
}
