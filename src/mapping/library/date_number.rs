//! `date_number`: a day as `yyyyMMdd`.

use super::date;
use super::{Body, Env, Function, Outcome};
use crate::mapping::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "date_number",
    usage: "date_number(time [, zone]) -> whole number",
    about: "The day as the whole number `yyyyMMdd`. Reads what `date` reads. `0` and blank text give `()`.",
    examples: [
        (r#"date_number("2026-11-20")"#, "20261120"),
        (r#"date_number("1767196800", "UTC")"#, "20251231"),
    ],
    least: 1,
    most: 2,
    body: Body::Plain(run),
};

fn run<'a>(env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    let day = date::day("date_number", env, args)?;
    Ok(day.map_or(Value::Unit, |day| {
        let month = i64::from(day.year()) * 100 + i64::from(day.month());
        Value::Int(month * 100 + i64::from(day.day()))
    }))
}
