//! `len`: how long something is.

use super::{Body, Env, Function, Outcome, mismatch, take};
use crate::mapping::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "len",
    usage: "len(value) -> whole number",
    about: "How many elements a list has, entries an object, or characters a text.",
    examples: [(r#"len("李伟")"#, "2"), (r#"["a"].len()"#, "1")],
    least: 1,
    most: 1,
    body: Body::Plain(run),
};

fn run<'a>(_env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    let count = match take(args, 0) {
        Value::Unit => return Ok(Value::Unit),
        Value::Text(text) => text.chars().count(),
        Value::List(items) => items.len(),
        Value::Object(object) => object.len(),
        other => return Err(mismatch("len", "its value", "text, a list or an object", &other)),
    };
    Ok(Value::Int(i64::try_from(count).unwrap_or(i64::MAX)))
}
