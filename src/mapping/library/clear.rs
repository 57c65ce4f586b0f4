//! `clear`: erase a field on purpose.

use super::{Body, Env, Function, Outcome};
use crate::mapping::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "clear",
    usage: "clear() -> null",
    about: "Erases the field in the target. A field whose value is `()` is left alone instead.",
    examples: [("clear()", "null"), (r#"if "".trimmed() == "" { clear() } else { "x" }"#, "null")],
    least: 0,
    most: 0,
    body: Body::Plain(run),
};

#[expect(clippy::unnecessary_wraps, reason = "the signature of every function")]
fn run<'a>(_env: &'a Env, _args: &mut [Value<'a>]) -> Outcome<'a> {
    Ok(Value::Clear)
}
