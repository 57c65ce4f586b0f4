//! Days and windows of attendance. Pure.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::config::Attendance;
use crate::model::record::Window;

pub(super) const DAY: i64 = 86_400;

/// From the start of the first day to read up to the end of today, in the tenant's zone; for looks at single people, who have
/// no place in the gap ledger.
pub(super) fn span(
    now: i64,
    read_until: Option<i64>,
    attendance: Attendance,
    zone: &TimeZone,
) -> Window {
    let days = |count: u32| i64::from(count) * DAY;
    let start = match read_until {
        Some(until) => until.min(now) - days(attendance.lookback_days),
        None => now - days(attendance.backfill_days),
    };
    let since = attendance.since.and_then(|day| day.to_zoned(zone.clone()).ok());
    let start = since.map_or(start, |since| start.max(since.timestamp().as_second()));
    Window { start: day_start(start, zone), end: day_start(now + DAY, zone).max(now + 1) }
}

/// The start of the day in which a moment lies.
pub(super) fn day_start(at: i64, zone: &TimeZone) -> i64 {
    let stamp = Timestamp::from_second(at).unwrap_or(Timestamp::UNIX_EPOCH);
    let local = stamp.to_zoned(zone.clone());
    local.start_of_day().map_or(at, |start| start.timestamp().as_second())
}

/// A span in pieces of at most `days` days.
pub(super) fn slices(span: Window, days: u32) -> impl Iterator<Item = Window> {
    let step = i64::from(days.max(1)) * DAY;
    let mut start = span.start;
    std::iter::from_fn(move || {
        let window = Window { start, end: (start + step).min(span.end) };
        start = window.end;
        (window.start < window.end).then_some(window)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_on_the_wall_clock() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap().as_second();
        let shanghai = TimeZone::get("Asia/Shanghai").unwrap();
        let start = day_start(at("2026-03-31T02:00:00Z"), &shanghai);
        assert_eq!(start, at("2026-03-30T16:00:00Z"));
    }

    #[test]
    fn slices_cover_the_span_without_gap_or_overlap() {
        let span = Window { start: 0, end: 70 * DAY };
        let slices: Vec<Window> = slices(span, 31).collect();
        assert_eq!(slices.len(), 3);
        assert_eq!((slices[0].start, slices[2].end), (span.start, span.end));
        assert!(slices.windows(2).all(|pair| pair[0].end == pair[1].start));
    }
}
