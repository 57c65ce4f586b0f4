//! `or_default`: another value instead of a missing or blank one.

use super::{Body, Env, Function, Outcome, is_blank, lying, take};
use crate::mapping::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "or_default",
    usage: "or_default(value, default) -> value",
    about: "The value, or `default` when it is `()` or blank text.",
    examples: [(r#"or_default("", "Staff")"#, r#""Staff""#), ("or_default((), 0)", "0")],
    least: 2,
    most: 2,
    body: Body::Plain(run),
};

#[expect(clippy::unnecessary_wraps, reason = "the signature of every function")]
fn run<'a>(_env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    if let Some(text) = lying(args, 0).filter(|text| !is_blank(text)) {
        return Ok(Value::word(text));
    }
    let value = take(args, 0);
    let missing = match &value {
        Value::Unit => true,
        Value::Text(text) => is_blank(text),
        _ => false,
    };
    Ok(if missing { take(args, 1) } else { value })
}
