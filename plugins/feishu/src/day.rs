//! Calendar days of the proleptic Gregorian calendar, counted from 1970-01-01.
//!
//! What this is not: time zones; an offset is handed in. The one invariant: a day number and its `yyyyMMdd` stand for
//! the same day.

pub(crate) const DAY_SECONDS: i64 = 86_400;

/// The number of the day, at `offset_seconds` east of UTC, in which a Unix second lies.
pub(crate) fn day_number(second: i64, offset_seconds: i64) -> i64 {
    (second + offset_seconds).div_euclid(DAY_SECONDS)
}

/// The day as the platform writes it: an integer of year, month and day.
pub(crate) fn yyyymmdd(day_number: i64) -> i64 {
    // Counts in eras of 400 years that begin on a 1 March, so that the leap day is a year's last.
    let day = day_number + 719_468;
    let era = day.div_euclid(146_097);
    let day_of_era = day.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    year * 10_000 + month * 100 + day_of_month
}
