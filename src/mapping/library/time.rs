//! Points in time in every shape the platforms use; shared by the functions of time.
//!
//! The invariant: an ambiguous shape is refused, never guessed.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};

use super::Failure;
use crate::mapping::value::Value;

/// What a value says about time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// Unset: `()`, blank, `0`.
    Never,
    /// A day without a time.
    Day(Date),
    /// A wall clock without a zone.
    Wall(DateTime),
    /// A point in time.
    At(Timestamp),
    /// A point in time with the offset it was written with.
    Written(Timestamp, Offset),
}

/// Epoch seconds and milliseconds meet here: as seconds the year 5138, as milliseconds 1973.
const MILLISECONDS_FROM: i64 = 100_000_000_000;

/// Reads a value; the failure names the function.
pub(super) fn read(function: &str, value: &Value<'_>) -> Result<When, Failure> {
    match value {
        Value::Unit => Ok(When::Never),
        Value::Int(number) => of_number(*number).ok_or_else(|| unreadable(function)),
        Value::Text(text) => of_text(text.trim()).ok_or_else(|| unreadable(function)),
        other => Err(super::mismatch(function, "time", "a number or text", other)),
    }
}

fn unreadable(function: &str) -> Failure {
    Failure::new(
        "mapping::time_value",
        format!(
            "`{function}` cannot read this time; it knows epoch seconds and milliseconds, yyyyMMdd[HHmmss], yyyy-MM-dd, yyyy-MM-dd HH:mm[:ss] and RFC 3339"
        ),
    )
}

fn of_number(number: i64) -> Option<When> {
    if number == 0 {
        return Some(When::Never);
    }
    if (19_000_000..22_000_000).contains(&number) {
        return day_of_number(number).map(When::Day);
    }
    // As milliseconds these would be the years 2572 to 2667.
    if (19_000_101_000_000..22_000_000_000_000).contains(&number) {
        return wall_of_number(number).map(When::Wall);
    }
    if number.abs() >= MILLISECONDS_FROM {
        return Timestamp::from_millisecond(number).ok().map(When::At);
    }
    Timestamp::from_second(number).ok().map(When::At)
}

/// `20261120` as a day.
fn day_of_number(number: i64) -> Option<Date> {
    let year = i16::try_from(number / 10_000).ok()?;
    let month = i8::try_from(number / 100 % 100).ok()?;
    let day = i8::try_from(number % 100).ok()?;
    Date::new(year, month, day).ok()
}

/// `20261120090203` as a wall clock.
fn wall_of_number(number: i64) -> Option<DateTime> {
    let two = |from: i64| i8::try_from(number / from % 100).ok();
    let clock = Time::new(two(10_000)?, two(100)?, two(1)?, 0).ok()?;
    Some(day_of_number(number / 1_000_000)?.to_datetime(clock))
}

fn of_text(text: &str) -> Option<When> {
    if text.is_empty() {
        return Some(When::Never);
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return of_number(text.parse().ok()?);
    }
    if let Some((text, zone)) = text.strip_suffix(']').and_then(|text| text.rsplit_once('[')) {
        // The offset is what counts; the zone in brackets stands for it where there is none.
        return match of_text(text)? {
            When::Wall(wall) => TimeZone::get(zone).ok()?.to_timestamp(wall).ok().map(When::At),
            when @ (When::Written(..) | When::At(_)) => Some(when),
            When::Day(_) | When::Never => None,
        };
    }
    let (day, rest, words) = leading_day(text)?;
    match rest {
        "" => Some(When::Day(day)),
        rest => of_clock(day, rest.strip_prefix(['T', 't', ' ']).or(words.then_some(rest))?),
    }
}

/// The day that a text begins with, what follows it, and whether it was written with 年月日.
fn leading_day(text: &str) -> Option<(Date, &str, bool)> {
    let (year, rest) = (text.get(..4)?, text.get(4..)?);
    let sign = rest.chars().next()?;
    let (second, words) = match sign {
        '-' | '/' | '.' => (sign, false),
        '年' => ('月', true),
        _ => return None,
    };
    let (month, rest) = leading_digits(rest.get(sign.len_utf8()..)?);
    let (number, rest) = leading_digits(rest.strip_prefix(second)?);
    let rest = if words { rest.strip_prefix(['日', '号'])? } else { rest };
    Some((day(year, month, number)?, rest, words))
}

/// One or two digits, and what follows.
fn leading_digits(text: &str) -> (&str, &str) {
    let digits = text.bytes().take(2).take_while(u8::is_ascii_digit).count();
    text.split_at_checked(digits).unwrap_or((text, ""))
}

fn of_clock(day: Date, clock: &str) -> Option<When> {
    let border = clock.find(['Z', 'z', '+', '-']).unwrap_or(clock.len());
    let (clock, zone) = clock.split_at_checked(border)?;
    let wall = day.to_datetime(self::clock(clock.trim_end())?);
    let offset = match zone {
        "" => return Some(When::Wall(wall)),
        "Z" | "z" => Offset::UTC,
        signed => offset(signed)?,
    };
    Some(When::Written(offset.to_timestamp(wall).ok()?, offset))
}

/// `HH:mm`, `HH:mm:ss` or `HH:mm:ss.fff`; the fraction is dropped.
pub(super) fn clock(text: &str) -> Option<Time> {
    let text = match text.split_once('.') {
        Some((whole, fraction)) if number(fraction).is_some() => whole,
        Some(_) => return None,
        None => text,
    };
    let mut parts = text.split(':');
    let hour = two(parts.next()?)?;
    let minute = two(parts.next()?)?;
    let second = parts.next().map_or(Some(0), two)?;
    if parts.next().is_some() {
        return None;
    }
    Time::new(hour, minute, second, 0).ok()
}

/// The seconds of two days: no clock counts further.
pub(super) const TWO_DAYS: i64 = 172_800;

/// `H:mm` or `H:mm:ss` as seconds, the hours counting on past midnight to 47.
pub(super) fn long_clock(text: &str) -> Option<i64> {
    let (hours, rest) = text.split_once(':')?;
    let hours = i64::from(two(hours)?);
    let within = clock(&format!("00:{rest}"))?;
    let seconds = hours * 3600 + i64::from(within.minute()) * 60 + i64::from(within.second());
    (hours < 48).then_some(seconds)
}

fn offset(text: &str) -> Option<Offset> {
    let (sign, text) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = match text.len() {
        5 => text.split_once(':')?,
        4 => text.split_at_checked(2)?,
        2 => (text, "00"),
        _ => return None,
    };
    let minutes = two(minutes).filter(|minutes| *minutes < 60)?;
    let seconds = i32::from(two(hours)?) * 3600 + i32::from(minutes) * 60;
    Offset::from_seconds(sign * seconds).ok()
}

fn day(year: &str, month: &str, day: &str) -> Option<Date> {
    let year = i16::try_from(number(year)?).ok()?;
    Date::new(year, two(month)?, two(day)?).ok()
}

fn two(text: &str) -> Option<i8> {
    if text.len() > 2 { None } else { i8::try_from(number(text)?).ok() }
}

fn number(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

/// The point in time, a wall clock being read in `zone`. A day alone is none.
pub(super) fn point(
    function: &str,
    when: When,
    zone: &TimeZone,
) -> Result<Option<Timestamp>, Failure> {
    match when {
        When::Never => Ok(None),
        When::At(at) | When::Written(at, _) => Ok(Some(at)),
        When::Wall(wall) => zone.to_timestamp(wall).map(Some).map_err(|_| unreadable(function)),
        When::Day(_) => Err(Failure::new(
            "mapping::time_value",
            format!(
                "`{function}` needs a time of day, this is a day alone; use `date(..)` for days"
            ),
        )),
    }
}

/// `2026-11-20`.
pub(super) fn show_day(day: Date) -> String {
    let mut text = String::with_capacity(25);
    push_day(day, &mut text);
    text
}

/// `2026-11-20T09:02:03+08:00`: to the second, on the wall clock of `zone`.
pub(super) fn show_instant(at: Timestamp, zone: &TimeZone) -> String {
    let offset = zone.to_offset(at);
    let wall = offset.to_datetime(at);
    let mut text = String::with_capacity(25);
    push_day(wall.date(), &mut text);
    text.push('T');
    push_two(wall.hour(), &mut text);
    text.push(':');
    push_two(wall.minute(), &mut text);
    text.push(':');
    push_two(wall.second(), &mut text);
    let minutes = offset.seconds().abs() / 60;
    text.push(if offset.is_negative() && minutes > 0 { '-' } else { '+' });
    push_digits(minutes / 60, 2, &mut text);
    text.push(':');
    push_digits(minutes % 60, 2, &mut text);
    text
}

fn push_day(day: Date, text: &mut String) {
    push_digits(i32::from(day.year()), 4, text);
    text.push('-');
    push_two(day.month(), text);
    text.push('-');
    push_two(day.day(), text);
}

fn push_two(number: i8, text: &mut String) {
    push_digits(i32::from(number), 2, text);
}

fn push_digits(number: i32, width: u32, text: &mut String) {
    for place in (0..width).rev() {
        let digit = number.unsigned_abs() / 10_u32.pow(place) % 10;
        text.push(char::from(b'0' + u8::try_from(digit).unwrap_or(0)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(value: &Value<'_>) -> Option<String> {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let when = read("instant", value).ok()?;
        point("instant", when, &zone).ok().flatten().map(|at| show_instant(at, &zone))
    }

    #[test]
    fn every_shape_of_the_same_moment_reads_alike() {
        let moment = Some("2026-01-01T09:00:00+08:00".to_owned());
        assert_eq!(shown(&Value::Int(1_767_229_200)), moment);
        assert_eq!(shown(&Value::Int(1_767_229_200_000)), moment);
        assert_eq!(shown(&Value::Int(20_260_101_090_000)), moment);
        for text in [
            "1767229200",
            " 1767229200000 ",
            "2026-01-01 09:00:00",
            "2026-01-01 09:00",
            "2026/01/01 9:00",
            "2026-01-01T09:00:00.250",
            "2026-01-01T01:00:00Z",
            "2026-01-01T01:00:00.999Z",
            "2026-01-01T09:00:00+08:00",
            "2026-01-01T09:00:00+0800",
            "2025-12-31T20:00:00-05:00",
            "2026-1-1 9:00",
            "2026.01.01 09:00",
            "2026年1月1日9:00",
            "2026年01月01日 09:00:00",
            "20260101090000",
            "2026-01-01T09:00:00+08:00[Asia/Shanghai]",
            "2026-01-01T09:00:00[Asia/Shanghai]",
            "2026-01-01T02:00:00[Europe/Berlin]",
            "2026-01-01 09:00:00 +0800",
        ] {
            assert_eq!(shown(&Value::text(text)), moment, "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "soon",
            "2026-13-01",
            "2026-02-30 09:00",
            "20261399",
            "2026-01-01 25:00",
            "2026-01-01x09:00",
            "2026-01-01T09:00+99:00",
            "9.5",
            "2026-1-",
            "2026-1/1",
            "2026年1月1",
            "20260101250000",
            "2026-01-01T09:00[Asia/Nowhere]",
            "2026-01-01[Asia/Shanghai]",
            "]",
            "日期日期日期",
            "2026-01-01T09:00:00.",
            "2026-01-01T+08:00",
        ] {
            assert!(read("instant", &Value::text(text)).is_err(), "{text}");
        }
        assert!(read("instant", &Value::Bool(true)).is_err());
    }

    #[test]
    fn a_zone_behind_utc_is_written_with_its_sign() {
        let zone = TimeZone::get("America/New_York").unwrap();
        let at = Timestamp::from_second(1_767_229_200).unwrap();
        assert_eq!(show_instant(at, &zone), "2025-12-31T20:00:00-05:00");
        assert_eq!(show_instant(at, &TimeZone::UTC), "2026-01-01T01:00:00+00:00");
    }
}
