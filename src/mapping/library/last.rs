//! `last`: the last element of a list.

use super::{Body, Env, Function, Outcome, list, take};
use crate::mapping::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "last",
    usage: "last(list) -> value",
    about: "The last element of a list, `()` when it is empty.",
    examples: [(r#"last(["a", "b"])"#, r#""b""#), ("last([])", "null")],
    least: 1,
    most: 1,
    body: Body::Plain(run),
};

fn run<'a>(_env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    let items = list("last", take(args, 0))?;
    Ok(items.and_then(|items| items.at(items.len().wrapping_sub(1))).unwrap_or_default())
}
