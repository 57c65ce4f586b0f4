//! `date`: a day as `YYYY-MM-DD`.

use jiff::civil::Date;

use super::time::{self, When};
use super::{Body, Env, Failure, Function, Outcome, lying, needed, take};
use crate::mapping::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "date",
    usage: "date(time [, zone]) -> text",
    about: "The day as `YYYY-MM-DD`, from epoch seconds or milliseconds, `yyyyMMdd`, `yyyy-MM-dd` (also with `/`, `.` or 年月日, and with one digit), `yyyyMMddHHmmss` or RFC 3339. A point in time becomes the day on the wall clock of `zone`, by default the tenant's. `0` and blank text give `()`.",
    examples: [
        ("date(20261120)", r#""2026-11-20""#),
        (r#"date("1767196800", "UTC")"#, r#""2025-12-31""#),
    ],
    least: 1,
    most: 2,
    body: Body::Plain(run),
};

fn run<'a>(env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    let day = day("date", env, args)?;
    Ok(day.map_or(Value::Unit, |day| Value::text(time::show_day(day))))
}

/// The day that a call names.
pub(super) fn day<'a>(
    name: &str,
    env: &'a Env,
    args: &mut [Value<'a>],
) -> Result<Option<Date>, Failure> {
    let other;
    let zone = match lying(args, 1) {
        Some(zone) if *zone == env.zone_name => &env.zone,
        _ => match take(args, 1) {
            Value::Unit => &env.zone,
            value => {
                other = env.zone(name, &needed(name, "the zone", value)?)?;
                &other
            }
        },
    };
    Ok(match time::read(name, &take(args, 0))? {
        When::Never => None,
        When::Day(day) => Some(day),
        When::Wall(wall) => Some(wall.date()),
        When::At(at) | When::Written(at, _) => Some(zone.to_datetime(at).date()),
    })
}
