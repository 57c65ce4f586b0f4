//! `first`: the first element of a list.

use super::{Body, Env, Function, Outcome, list, take};
use crate::mapping::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "first",
    usage: "first(list) -> value",
    about: "The first element of a list, `()` when it is empty.",
    examples: [(r#"first(["a", "b"])"#, r#""a""#), ("first([])", "null")],
    least: 1,
    most: 1,
    body: Body::Plain(run),
};

fn run<'a>(_env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    let items = list("first", take(args, 0))?;
    Ok(items.and_then(|items| items.at(0)).unwrap_or_default())
}
