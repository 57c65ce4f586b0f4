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
    let mut list = Vec::with_capacity(items.len() + 1);
    list.push(front);
    let rest = |item: Value<'a>| {
        if !item.same(&list[0]) {
            list.push(item);
        }
    };
    match items {
        List::Tape(doc, at) => doc.elements(at).map(|at| Value::on_tape(doc, at)).for_each(rest),
        List::Owned(items) => items.into_iter().for_each(rest),
        items @ List::Script(_) => {
            (0..items.len()).filter_map(|nth| items.at(nth)).for_each(rest);
        }
    }
    Ok(Value::List(List::Owned(list)))
}
