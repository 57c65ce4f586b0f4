//! Days and instants of one time zone, Asia/Shanghai, which has kept UTC+8 without change since 1991.
//!
//! Not a calendar library: a day is a count of days since 1970-01-01, an instant is Unix seconds, and every day of
//! the simulator begins at midnight in Shanghai.

use std::fmt::Write as _;

const SECONDS_A_DAY: i64 = 86_400;
const EAST_OF_UTC: i64 = 8 * 3_600;

/// The day on which an instant falls.
pub(crate) const fn day_of(instant: i64) -> i64 {
    (instant + EAST_OF_UTC).div_euclid(SECONDS_A_DAY)
}

/// The instant at which a day begins.
pub(crate) const fn midnight(day: i64) -> i64 {
    day * SECONDS_A_DAY - EAST_OF_UTC
}

/// 0 for Monday to 6 for Sunday.
pub(crate) const fn weekday(day: i64) -> usize {
    ((day + 3).rem_euclid(7).unsigned_abs() & 7) as usize
}

/// How many Mondays to Fridays lie before a day, counted from one Monday; weekends count as the Friday before.
pub(crate) const fn workday_number(day: i64) -> i64 {
    let from_monday = day + 3;
    let weekday = from_monday.rem_euclid(7);
    from_monday.div_euclid(7) * 5 + if weekday > 4 { 4 } else { weekday }
}

/// Year, month and day of month.
pub(crate) const fn civil(day: i64) -> (i64, i64, i64) {
    let z = day + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, doy - (153 * mp + 2) / 5 + 1)
}

/// The day of a date, `None` when there is no such date.
pub(crate) const fn from_civil(year: i64, month: i64, day: i64) -> Option<i64> {
    if month < 1 || month > 12 || day < 1 || day > 31 {
        return None;
    }
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let mp = (month + 9) % 12;
    let doy = (153 * mp + 2) / 5 + day - 1;
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    let found = era * 146_097 + doe - 719_468;
    match civil(found) {
        (_, m, d) if m == month && d == day => Some(found),
        _ => None,
    }
}

/// `2026-03-31` as the number 20260331.
pub(crate) const fn compact(day: i64) -> i64 {
    let (year, month, dom) = civil(day);
    year * 10_000 + month * 100 + dom
}

/// The day behind 20260331.
pub(crate) const fn from_compact(date: i64) -> Option<i64> {
    if date < 19_000_101 || date > 99_991_231 {
        return None;
    }
    from_civil(date / 10_000, date / 100 % 100, date % 100)
}

/// The day behind `2026-03-31`.
pub(crate) fn parse_date(text: &str) -> Option<i64> {
    let mut parts = text.splitn(3, '-');
    let mut next = || parts.next()?.parse::<i64>().ok();
    let (year, month, day) = (next()?, next()?, next()?);
    (text.len() == 10).then(|| from_civil(year, month, day)).flatten()
}

/// `2026-03-31`.
pub(crate) fn date_text(day: i64) -> String {
    let (year, month, dom) = civil(day);
    format!("{year:04}-{month:02}-{dom:02}")
}

/// `2026-03-31 09:05:00`, local.
pub(crate) fn local_text(instant: i64) -> String {
    let day = day_of(instant);
    let second = instant - midnight(day);
    let mut text = date_text(day);
    // Writing to a String cannot fail.
    write!(text, " {:02}:{:02}:{:02}", second / 3_600, second / 60 % 60, second % 60)
        .unwrap_or_default();
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_round_trip_over_four_centuries() {
        for day in (-30_000..120_000).step_by(17) {
            let (y, m, d) = civil(day);
            assert_eq!(from_civil(y, m, d), Some(day));
            assert_eq!(from_compact(compact(day)).is_some(), compact(day) >= 19_000_101);
        }
    }

    #[test]
    fn a_day_begins_at_midnight_in_shanghai() {
        let day = parse_date("2026-01-01").unwrap();
        assert_eq!(midnight(day), 1_767_196_800);
        assert_eq!(day_of(1_767_196_800), day);
        assert_eq!(day_of(1_767_196_799), day - 1);
        assert_eq!(local_text(1_767_229_200), "2026-01-01 09:00:00");
        assert_eq!(weekday(day), 3);
    }

    #[test]
    fn impossible_dates_are_refused() {
        for text in ["2026-02-30", "2026-13-01", "2026-1-1", "yesterday", "2026-01-01x"] {
            assert_eq!(parse_date(text), None, "{text}");
        }
        assert_eq!(from_compact(20_260_230), None);
    }

    #[test]
    fn working_days_count_five_a_week() {
        let monday = parse_date("2026-03-30").unwrap();
        assert_eq!(workday_number(monday + 7) - workday_number(monday), 5);
        assert_eq!(workday_number(monday + 4), workday_number(monday + 6));
    }
}
