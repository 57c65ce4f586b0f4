//! `work_date`: the day of the shift that a punch belongs to.

use jiff::ToSpan as _;

use super::time;
use super::{Body, Env, Failure, Function, Outcome, needed, take};
use crate::mapping::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "work_date",
    usage: "work_date(time, zone, cut_off) -> text",
    about: "The day as `YYYY-MM-DD` on the wall clock of `zone`; before `cut_off` (\"HH:mm\") it is still the day before, because a night shift ends in the morning.",
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
    let cut_off = time::clock(cut_off.trim()).ok_or_else(|| {
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
    fn a_cut_off_that_is_no_clock_is_refused() {
        assert!(evaluate(r#"work_date(1767229200, tz, "5 am")"#).is_err());
    }
}
