//! `local_time`: a point in time as a wall clock without offset.

use super::time;
use super::{Body, Env, Function, Outcome, needed, take};
use crate::mapping::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "local_time",
    usage: "local_time(time [, zone]) -> text",
    about: "The point in time on the wall clock of `zone` (by default the tenant's) as `yyyy-MM-dd HH:mm:ss`, for systems that keep no offset. Reads what `instant` reads. `0` and blank text give `()`.",
    examples: [
        (r#"local_time("1767229200")"#, r#""2026-01-01 09:00:00""#),
        (r#"local_time("2026-01-01T09:00:00+08:00", "UTC")"#, r#""2026-01-01 01:00:00""#),
    ],
    least: 1,
    most: 2,
    body: Body::Plain(run),
};

fn run<'a>(env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    let zone = match take(args, 1) {
        Value::Unit => env.zone.clone(),
        value => env.zone("local_time", &needed("local_time", "the zone", value)?)?,
    };
    let at = time::point("local_time", time::read("local_time", &take(args, 0))?, &zone)?;
    Ok(at.map_or(Value::Unit, |at| {
        let mut text = time::show_instant(at, &zone).replacen('T', " ", 1);
        text.truncate("2026-01-01 09:00:00".len());
        Value::text(text)
    }))
}
