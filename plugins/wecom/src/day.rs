//! Days where the connection is, as their first seconds.
//!
//! What this is not: time zones; an offset is handed in. The one invariant: a second lies in the day that begins at
//! its midnight.

pub(crate) const DAY_SECONDS: i64 = 86_400;

/// The second at which the day of a Unix second begins, at `offset_seconds` east of UTC.
pub(crate) fn midnight(second: i64, offset_seconds: i64) -> i64 {
    (second + offset_seconds).div_euclid(DAY_SECONDS) * DAY_SECONDS - offset_seconds
}
