//! `min`: the smallest of two numbers.

use super::{Body, Env, Function, Outcome, mismatch, take};
use crate::mapping::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "min",
    usage: "min(a, b) -> whole number",
    about: "The smaller of two whole numbers; a missing one does not count.",
    examples: [("min(3, 5)", "3"), ("min((), 4)", "4")],
    least: 2,
    most: 2,
    body: Body::Plain(run),
};

fn run<'a>(_env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    match (take(args, 0), take(args, 1)) {
        (Value::Int(a), Value::Int(b)) => Ok(Value::Int(a.min(b))),
        (Value::Unit, other @ (Value::Int(_) | Value::Unit))
        | (other @ Value::Int(_), Value::Unit) => Ok(other),
        (Value::Int(_) | Value::Unit, other) | (other, _) => {
            Err(mismatch("min", "each argument", "a whole number", &other))
        }
    }
}
