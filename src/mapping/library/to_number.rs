//! `to_number`: text as a number with a fraction.

use super::{Body, Env, Failure, Function, Outcome, mismatch, take};
use crate::mapping::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "to_number",
    usage: "to_number(text) -> number",
    about: "The number that a text writes in digits, with or without a fraction; blank text gives `()`. A number stays what it is.",
    examples: [(r#"to_number(" 31.5 ")"#, "31.5"), (r#"to_number("")"#, "null")],
    least: 1,
    most: 1,
    body: Body::Plain(run),
};

fn run<'a>(_env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    match take(args, 0) {
        value @ (Value::Unit | Value::Int(_) | Value::Float(_)) => Ok(value),
        Value::Text(text) if text.trim().is_empty() => Ok(Value::Unit),
        Value::Text(text) => parsed(text.trim()).map(Value::Float).ok_or_else(|| {
            Failure::new("mapping::number", "`to_number` got text that is no decimal number")
        }),
        other => Err(mismatch("to_number", "its value", "text or a number", &other)),
    }
}

/// Digits alone: neither `inf` nor an exponent is what a platform means.
fn parsed(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    text.parse().ok().filter(|number: &f64| plain && number.is_finite())
}
