//! `instant_on`: the point in time of a day and a clock, also past midnight.

use jiff::ToSpan as _;

use super::time::{self, When};
use super::{Body, Env, Failure, Function, Outcome, mismatch, needed, take};
use crate::mapping::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "instant_on",
    usage: "instant_on(day, clock [, zone]) -> text",
    about: "The point in time of a clock on a day, as `instant` writes it. The clock is `H:mm[:ss]` and counts on past midnight (26:00 is two in the morning of the next day), or whole seconds after midnight. Reads the day as `date` does. If one of the two is missing the result is `()`.",
    examples: [
        (r#"instant_on(20260101, "26:00")"#, r#""2026-01-02T02:00:00+08:00""#),
        (r#"instant_on("2026-01-01", 32400, "UTC")"#, r#""2026-01-01T09:00:00+00:00""#),
    ],
    least: 2,
    most: 3,
    body: Body::Plain(run),
};

fn run<'a>(env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    const NAME: &str = "instant_on";
    let zone = match take(args, 2) {
        Value::Unit => env.zone.clone(),
        value => env.zone(NAME, &needed(NAME, "the zone", value)?)?,
    };
    let day = match time::read(NAME, &take(args, 0))? {
        When::Never => return Ok(Value::Unit),
        When::Day(day) => day,
        When::Wall(wall) => wall.date(),
        When::At(at) | When::Written(at, _) => zone.to_datetime(at).date(),
    };
    let seconds = match take(args, 1) {
        Value::Unit => return Ok(Value::Unit),
        Value::Int(seconds) => Some(seconds),
        Value::Text(text) if text.trim().is_empty() => return Ok(Value::Unit),
        Value::Text(text) => time::long_clock(text.trim()),
        other => return Err(mismatch(NAME, "the clock", "text or a whole number", &other)),
    };
    let seconds = seconds.filter(|seconds| (0..time::TWO_DAYS).contains(seconds)).ok_or_else(|| {
        Failure::new(
            "mapping::clock",
            "`instant_on` needs its clock as \"H:mm\" up to \"47:59\", or as seconds after midnight",
        )
    })?;
    let wall = day.to_datetime(jiff::civil::Time::midnight()).checked_add(seconds.seconds());
    let at = wall.and_then(|wall| zone.to_timestamp(wall)).map_err(|_| {
        Failure::new("mapping::time_value", "`instant_on` got a day beyond the calendar")
    })?;
    Ok(Value::text(time::show_instant(at, &zone)))
}

#[cfg(test)]
mod tests {
    use crate::mapping::testing::evaluate;

    #[test]
    fn a_clock_is_a_clock_on_the_day_the_clocks_change() {
        // In Berlin the night of 29 March 2026 has no hour between two and three.
        let at = |clock: &str| {
            evaluate(&format!(r#"instant_on("2026-03-28", {clock}, "Europe/Berlin")"#))
        };
        assert_eq!(at("\"33:00\""), Ok("2026-03-29T09:00:00+02:00".into()));
        assert_eq!(at("32400"), Ok("2026-03-28T09:00:00+01:00".into()));
    }

    #[test]
    fn what_is_no_clock_is_refused() {
        for clock in ["\"48:00\"", "\"9 am\"", "\"09:60\"", "-1", "172800", "true"] {
            let found = evaluate(&format!("instant_on(20260101, {clock})"));
            assert!(found.is_err(), "{clock}: {found:?}");
        }
    }
}
