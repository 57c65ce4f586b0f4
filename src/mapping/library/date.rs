//! `date`: a day as `YYYY-MM-DD`.

use super::time::{self, When};
use super::{Body, Env, Function, Outcome, needed, take};
use crate::mapping::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "date",
    usage: "date(time [, zone]) -> text",
    about: "The day as `YYYY-MM-DD`, from epoch seconds or milliseconds, `yyyyMMdd`, `yyyy-MM-dd` or RFC 3339. A point in time becomes the day on the wall clock of `zone`, by default the tenant's. `0` and blank text give `()`.",
    examples: [
        ("date(20261120)", r#""2026-11-20""#),
        (r#"date("1767196800", "UTC")"#, r#""2025-12-31""#),
    ],
    least: 1,
    most: 2,
    body: Body::Plain(run),
};

fn run<'a>(env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    let zone = match take(args, 1) {
        Value::Unit => env.zone.clone(),
        value => env.zone("date", &needed("date", "the zone", value)?)?,
    };
    let day = match time::read("date", &take(args, 0))? {
        When::Never => return Ok(Value::Unit),
        When::Day(day) => day,
        When::Wall(wall) => wall.date(),
        When::At(at) | When::Written(at, _) => zone.to_datetime(at).date(),
    };
    Ok(Value::text(time::show_day(day)))
}
