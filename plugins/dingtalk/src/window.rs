//! Windows of attendance: 50 people and 7 days at a time, in the platform's own clock (DingTalk fact sheet, section
//! 3.1).
//!
//! What this is not: which people and windows are due; the host decides that. The one invariant: a window is covered
//! without gap, whatever its length; what lies further back than the platform keeps is left out and told.

use rollcall_sdk::{Advice, Batch, Content, Fault, Host, Kind, Level, Page, Window};

use crate::api::Api;
use crate::cursor::{self, Writer};
use crate::{days, swipes};

pub(crate) const DAY_SECONDS: i64 = 86_400;
/// The most people a call takes.
const MOST_PEOPLE: usize = 50;
/// The most days a call takes, the first and the last included.
const MOST_DAYS: i64 = 7;
/// How many days back the platform answers for.
const KEPT_DAYS: i64 = 180;
/// No window reaches further than this from 1970.
const LAST_SECOND: i64 = 253_402_300_800;

/// Both kinds, and their limits.
pub(crate) fn batches() -> Vec<Batch> {
    let batch = |kind| Batch { kind, people: 50, days: 7 };
    vec![batch(Kind::CheckIn), batch(Kind::AttendanceDay)]
}

/// One page: the first seven days of what is left. The cursor is where the rest begins.
pub(crate) fn list<H: Host>(
    api: &Api<'_, H>,
    kind: Kind,
    people: &[String],
    window: Window,
    cursor: Option<&str>,
) -> Result<Page<H::Response>, Fault> {
    if !matches!(kind, Kind::CheckIn | Kind::AttendanceDay) {
        return Err(Fault::Unsupported);
    }
    check(people, window)?;
    let start = match cursor {
        None => first_kept(api, window),
        Some(cursor) => decode(cursor, window).ok_or(Fault::StaleCursor)?,
    };
    if people.is_empty() || start >= window.end {
        // An empty list of people is not everyone: the platform does not say what it is.
        return Ok(Page { content: Content::Empty, next: None, evidence: None });
    }
    // Whole days where the connection is: a day's halves must meet in one part.
    let offset = api.settings.utc_offset_seconds;
    let end = ((day_number(start, offset) + MOST_DAYS) * DAY_SECONDS - offset).min(window.end);
    let part = Window { start, end };
    let content = match kind {
        Kind::CheckIn => swipes::list(api, people, part),
        _ => days::list(api, people, part),
    }?;
    let next = (end < window.end).then(|| encode(end)).flatten();
    Ok(Page { content, next, evidence: None })
}

fn check(people: &[String], window: Window) -> Result<(), Fault> {
    let (code, message, remedy) = if people.len() > MOST_PEOPLE {
        (
            "batch",
            format!("{} people are asked for at once; {MOST_PEOPLE} is the most", people.len()),
            "report this: the host must ask in smaller parts",
        )
    } else if !(0..=window.end).contains(&window.start) || window.end > LAST_SECOND {
        (
            "window",
            format!("the window from {} to {} is none", window.start, window.end),
            "report this: the host must ask for a start before an end",
        )
    } else {
        return Ok(());
    };
    Err(Fault::Invalid(Advice::new(code, message, remedy)))
}

/// Where the window begins, or the first moment that the platform still has.
fn first_kept<H: Host>(api: &Api<'_, H>, window: Window) -> i64 {
    let offset = api.settings.utc_offset_seconds;
    let today = day_number(api.host.now_ms() / 1_000, offset);
    let kept = (today - KEPT_DAYS + 1) * DAY_SECONDS - offset;
    if window.start < kept {
        let line = format!(
            "attendance further back than {KEPT_DAYS} days is not kept by the platform; left out"
        );
        api.host.log(Level::Warn, &line);
    }
    window.start.max(kept)
}

fn encode(start: i64) -> Option<String> {
    let mut writer = Writer::default();
    writer.step("from", &[start.to_string()]);
    writer.finish()
}

fn decode(cursor: &str, window: Window) -> Option<i64> {
    match cursor::read(cursor)?.as_slice() {
        [("from", fields)] => match fields.as_slice() {
            [start] => start.parse().ok().filter(|s| window.start < *s && *s < window.end),
            _ => None,
        },
        _ => None,
    }
}

/// The number of the day, at `offset_seconds` east of UTC, in which a Unix second lies.
pub(crate) fn day_number(second: i64, offset_seconds: i64) -> i64 {
    (second + offset_seconds).div_euclid(DAY_SECONDS)
}

/// A moment as the platform writes it: `2026-03-31 09:05:00` on the clock of the connection.
pub(crate) fn clock_text(second: i64, offset_seconds: i64) -> String {
    let (year, month, day) = civil(day_number(second, offset_seconds));
    let of_day = (second + offset_seconds).rem_euclid(DAY_SECONDS);
    format!(
        "{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}",
        of_day / 3_600,
        of_day / 60 % 60,
        of_day % 60
    )
}

/// Year, month and day of a day counted from 1970-01-01.
fn civil(day_number: i64) -> (i64, i64, i64) {
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
    (year_of_era + era * 400 + i64::from(month <= 2), month, day_of_month)
}
