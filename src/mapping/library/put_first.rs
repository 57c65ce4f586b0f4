//! `put_first`: one element of a list moved to its front.

use super::{Body, Env, Function, Outcome, list, take};
use crate::mapping::value::{List, Value};

pub(super) const FUNCTION: Function = Function {
    name: "put_first",
    usage: "put_first(list, value) -> list",
    about: "The list with `value` in front; it is moved there if the list has it, and added if not. A missing value changes nothing.",
    examples: [
        (r#"put_first(["a", "b", "c"], "b")"#, r#"["b", "a", "c"]"#),
        (r#"put_first(["a"], ())"#, r#"["a"]"#),
    ],
    least: 2,
    most: 2,
    body: Body::Plain(run),
};

fn run<'a>(_env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    let Some(items) = list("put_first", take(args, 0))? else {
        return Ok(Value::Unit);
    };
    let front = take(args, 1);
    if front.is_unit() {
        return Ok(Value::List(items));
    }
    let rest = (0..items.len()).filter_map(|nth| items.at(nth)).filter(|item| !item.same(&front));
    let rest: Vec<Value<'a>> = rest.collect();
    Ok(Value::List(List::Owned(std::iter::once(front).chain(rest).collect())))
}
