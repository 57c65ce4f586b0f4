//! `work_date`: the day of the shift that a punch belongs to.

use jiff::ToSpan as _;

use super::time;
use super::{Body, Env, Failure, Function, Outcome, needed, take};
use crate::mapping::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "work_date",
    usage: "work_date(time, zone, cut_off) -> text",
    about: "The day as `YYYY-MM-DD` on the wall clock of `zone`; before `cut_off` (\"HH:mm\", also counted on from the day before: 29:00 is five in the morning) it is still the day before, because a night shift ends in the morning. Set it between the end of the longest night shift and the start of the earliest morning shift.",
    examples: [
        (r#"work_date("2026-01-02T02:10:00+08:00", "Asia/Shanghai", "05:00")"#, r#""2026-01-01""#),
        (r#"work_date("1767229200", tz, "05:00")"#, r#""2026-01-01""#),
    ],
    least: 3,
    most: 3,
    body: Body::Plain(run),
};

fn run<'a>(env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    let when = time::read("work_date", &take(args, 0))?;
    if when == time::When::Never {
        return Ok(Value::Unit);
    }
    let zone = env.zone("work_date", &needed("work_date", "the zone", take(args, 1))?)?;
    let cut_off = needed("work_date", "the cut-off", take(args, 2))?;
    let cut_off = cut_off_of(cut_off.trim()).ok_or_else(|| {
        Failure::new(
            "mapping::cut_off",
            "`work_date` needs its cut-off as \"HH:mm\", such as \"05:00\"",
        )
    })?;
    let Some(at) = time::point("work_date", when, &zone)? else {
        return Ok(Value::Unit);
    };
    let wall = zone.to_datetime(at);
    let day = if wall.time() < cut_off { wall.date().saturating_sub(1.day()) } else { wall.date() };
    Ok(Value::text(time::show_day(day)))
}

/// A clock of the day, or of the day before counted on.
fn cut_off_of(text: &str) -> Option<jiff::civil::Time> {
    time::clock(text).or_else(|| {
        let seconds = time::long_clock(text)? - 86_400;
        Some(jiff::civil::Time::midnight().saturating_add(seconds.seconds()))
    })
}

#[cfg(test)]
mod tests {
    use crate::mapping::testing::evaluate;

    #[test]
    fn the_cut_off_itself_starts_the_new_day() {
        for (clock, day) in
            [("04:59:59", "2026-02-28"), ("05:00:00", "2026-03-01"), ("00:00:00", "2026-02-28")]
        {
            let call = format!(r#"work_date("2026-03-01 {clock}", tz, "05:00")"#);
            assert_eq!(evaluate(&call), Ok(day.into()), "{clock}");
        }
    }

    #[test]
    fn a_cut_off_counts_on_from_the_day_before() {
        for (clock, day) in [("04:59:59", "2026-02-28"), ("05:00:00", "2026-03-01")] {
            let call = format!(r#"work_date("2026-03-01 {clock}", tz, "29:00")"#);
            assert_eq!(evaluate(&call), Ok(day.into()), "{clock}");
        }
    }

    #[test]
    fn the_wall_clock_decides_in_the_night_that_the_clocks_change() {
        // 29 March 2026, Berlin: 01:59:59 is followed by 03:00; 25 October: 02:30 comes twice.
        for (at, day) in [
            ("2026-03-29T02:59:59Z", "2026-03-28"),
            ("2026-03-29T03:00:00Z", "2026-03-29"),
            ("2026-10-25T00:30:00Z", "2026-10-24"),
            ("2026-10-25T01:30:00Z", "2026-10-24"),
            ("2026-10-25T04:00:00Z", "2026-10-25"),
        ] {
            let call = format!(r#"work_date("{at}", "Europe/Berlin", "05:00")"#);
            assert_eq!(evaluate(&call), Ok(day.into()), "{at}");
        }
    }

    #[test]
    fn a_cut_off_that_is_no_clock_is_refused() {
        for cut_off in ["5 am", "48:00", "05:60"] {
            assert!(evaluate(&format!(r#"work_date(1767229200, tz, "{cut_off}")"#)).is_err());
        }
    }
}
