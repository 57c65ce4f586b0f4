//! `epoch_milliseconds`: a point in time as milliseconds since 1970.

use super::epoch_seconds::point;
use super::{Body, Env, Function, Outcome};
use crate::mapping::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "epoch_milliseconds",
    usage: "epoch_milliseconds(time [, zone]) -> whole number",
    about: "The point in time as milliseconds since 1970. Reads what `instant` reads, a wall clock in `zone`, by default the tenant's. `0` and blank text give `()`.",
    examples: [
        (r#"epoch_milliseconds("2026-01-01 09:00")"#, "1767229200000"),
        (r#"epoch_milliseconds("2026-01-01 09:00", "UTC")"#, "1767258000000"),
    ],
    least: 1,
    most: 2,
    body: Body::Plain(run),
};

fn run<'a>(env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    let at = point("epoch_milliseconds", env, args)?;
    Ok(at.map_or(Value::Unit, |at| Value::Int(at.as_millisecond())))
}
