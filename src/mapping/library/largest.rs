//! `largest`: the element of a list with the largest number.

use std::ops::ControlFlow;

use super::{Body, Env, Function, Outcome, list, needed, take};
use crate::mapping::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "largest",
    usage: "largest(list, key, path) -> value",
    about: "Of the object in a list whose number at `key` is largest, what stands at `path`; of equal ones the first. Objects without the number do not count; `()` if none is left.",
    examples: [
        (r#"largest([#{order: 1, d: "a"}, #{order: 7, d: "b"}], "order", "d")"#, r#""b""#),
        (r#"[#{d: "a"}].largest("order", "d")"#, "null"),
    ],
    least: 3,
    most: 3,
    body: Body::Plain(run),
};

fn run<'a>(_env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    let Some(items) = list("largest", take(args, 0))? else {
        return Ok(Value::Unit);
    };
    let key = needed("largest", "the key", take(args, 1))?;
    let path = needed("largest", "the path", take(args, 2))?;
    let mut best: Option<(i64, usize)> = None;
    let mut nth = 0;
    items.each(|item| {
        if let Some(Value::Int(number)) = item.property(&key)
            && best.is_none_or(|(best, _)| number > best)
        {
            best = Some((number, nth));
        }
        nth += 1;
        ControlFlow::<()>::Continue(())
    });
    Ok(best.and_then(|(_, nth)| items.at(nth)).map_or(Value::Unit, |item| item.path(&path)))
}
