//! `minutes_between`: whole minutes from one point in time to another.

use super::time;
use super::{Body, Env, Function, Outcome, take};
use crate::mapping::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "minutes_between",
    usage: "minutes_between(from, to) -> whole number",
    about: "Whole minutes from `from` to `to`, negative when `to` is earlier; a started minute does not count. Each may have any shape that `instant` reads; if one is missing the result is `()`.",
    examples: [
        (r#"minutes_between("1767574500", "1767574800")"#, "5"),
        (r#"minutes_between("2026-01-05 18:00", "2026-01-05 17:30")"#, "-30"),
    ],
    least: 2,
    most: 2,
    body: Body::Plain(run),
};

fn run<'a>(env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    const NAME: &str = "minutes_between";
    let (from, to) = (take(args, 0), take(args, 1));
    if from.is_unit() || to.is_unit() {
        return Ok(Value::Unit);
    }
    let from = time::point(NAME, time::read(NAME, &from)?, &env.zone)?;
    let to = time::point(NAME, time::read(NAME, &to)?, &env.zone)?;
    Ok(match (from, to) {
        (Some(from), Some(to)) => Value::Int((to.as_second() - from.as_second()) / 60),
        _ => Value::Unit,
    })
}
