//! `epoch_seconds`: a point in time as seconds since 1970.

use jiff::Timestamp;

use super::time;
use super::{Body, Env, Failure, Function, Outcome, needed, take};
use crate::mapping::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "epoch_seconds",
    usage: "epoch_seconds(time [, zone]) -> whole number",
    about: "The point in time as seconds since 1970. Reads what `instant` reads, a wall clock in `zone`, by default the tenant's. `0` and blank text give `()`.",
    examples: [
        (r#"epoch_seconds("2026-01-01T09:00:00+08:00")"#, "1767229200"),
        (r#"epoch_seconds("1767229200000")"#, "1767229200"),
    ],
    least: 1,
    most: 2,
    body: Body::Plain(run),
};

fn run<'a>(env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    let at = point("epoch_seconds", env, args)?;
    Ok(at.map_or(Value::Unit, |at| Value::Int(at.as_second())))
}

/// The point in time that a call names.
pub(super) fn point<'a>(
    name: &str,
    env: &'a Env,
    args: &mut [Value<'a>],
) -> Result<Option<Timestamp>, Failure> {
    let zone = match take(args, 1) {
        Value::Unit => env.zone.clone(),
        value => env.zone(name, &needed(name, "the zone", value)?)?,
    };
    time::point(name, time::read(name, &take(args, 0))?, &zone)
}
