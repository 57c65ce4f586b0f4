//! `instant`: a point in time as RFC 3339 with the offset of the wall clock.

use super::time;
use super::{Body, Env, Function, Outcome, needed, take};
use crate::mapping::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "instant",
    usage: "instant(time [, zone]) -> text",
    about: "The point in time to the second, with the offset that the wall clock of `zone` (by default the tenant's) had then. Reads epoch seconds and milliseconds, RFC 3339 (also with a zone in brackets), and a wall clock without offset in that zone, with `-`, `/`, `.` or 年月日 or as `yyyyMMddHHmmss`. `0` and blank text give `()`.",
    examples: [
        (r#"instant("1767229200")"#, r#""2026-01-01T09:00:00+08:00""#),
        (r#"instant("2026-07-01 09:00", "Europe/Berlin")"#, r#""2026-07-01T09:00:00+02:00""#),
    ],
    least: 1,
    most: 2,
    body: Body::Plain(run),
};

fn run<'a>(env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    let zone = match take(args, 1) {
        Value::Unit => env.zone.clone(),
        value => env.zone("instant", &needed("instant", "the zone", value)?)?,
    };
    let when = time::read("instant", &take(args, 0))?;
    let at = time::point("instant", when, &zone)?;
    Ok(at.map_or(Value::Unit, |at| Value::text(time::show_instant(at, &zone))))
}
