//! `earliest`: the earliest point in time of a list.

use std::ops::ControlFlow;

use jiff::Timestamp;

use super::time;
use super::{Body, Env, Failure, Function, Outcome, list, needed, take};
use crate::mapping::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "earliest",
    usage: "earliest(times [, zone]) -> text",
    about: "The earliest of a list of times as `instant` writes it; unset ones do not count. `()` when none is left.",
    examples: [
        (r#"earliest(["1767229200", "1767225600", ()])"#, r#""2026-01-01T08:00:00+08:00""#),
        ("earliest([])", "null"),
    ],
    least: 1,
    most: 2,
    body: Body::Plain(run),
};

fn run<'a>(env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    extreme("earliest", env, args, |new, old| new < old)
}

/// The time of the list that beats all others.
pub(super) fn extreme<'a>(
    name: &'static str,
    env: &'a Env,
    args: &mut [Value<'a>],
    beats: fn(Timestamp, Timestamp) -> bool,
) -> Outcome<'a> {
    let Some(times) = list(name, take(args, 0))? else {
        return Ok(Value::Unit);
    };
    let zone = match take(args, 1) {
        Value::Unit => env.zone.clone(),
        value => env.zone(name, &needed(name, "the zone", value)?)?,
    };
    let mut best: Option<Timestamp> = None;
    let failure = times.each(|value| {
        let at = time::read(name, &value).and_then(|when| time::point(name, when, &zone));
        match at {
            Err(failure) => return ControlFlow::<Failure>::Break(failure),
            Ok(Some(at)) if best.is_none_or(|best| beats(at, best)) => best = Some(at),
            Ok(_) => {}
        }
        ControlFlow::Continue(())
    });
    match failure {
        Some(failure) => Err(failure),
        None => Ok(best.map_or(Value::Unit, |at| Value::text(time::show_instant(at, &zone)))),
    }
}
