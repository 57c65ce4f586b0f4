//! Punches and day reports, 100 people and 29 or 30 days at a time (WeCom fact sheet, sections 3.1 to 3.3).
//!
//! What this is not: which people and windows are due; the host decides that. The one invariant: a window is covered
//! without gap, whatever its length, and one bad person never hides the others.
//!
//! # Why a punch is known by person, kind and second
//! The platform gives punches no id. Rule, shift and device of a punch are filled in or corrected later; person, kind
//! and second are what makes it the punch it is.

use rollcall_sdk::codes::Class;
use rollcall_sdk::{Advice, Batch, Content, Fault, Host, Kind, Level, Page, Window, json};

use crate::api::{Api, CHECK_IN, Call, quoted};
use crate::codes::{BAD_PERSON, BAD_SPAN, TOO_LARGE};
use crate::day::{DAY_SECONDS, midnight};
use crate::failure::Failure;
use crate::records::{MOST_RECORDS, sliced};
use crate::settings::Punches;

/// The most people a call takes.
pub(crate) const MOST_PEOPLE: usize = 100;
/// The most days of punches that are asked for: a day below what the platform takes, for the hour before.
const MOST_PUNCH_DAYS: i64 = 29;
/// The most days of day reports that are asked for; the platform states no figure.
const MOST_REPORT_DAYS: i64 = 30;
/// Punches are asked for from this long before the window. The end of a night shift belongs to the day before: a query
/// that starts at midnight leaves it out, and so does the query that ends there.
const BEFORE_SECONDS: i64 = 3_600;
/// No window reaches further than this from 1970.
const LAST_SECOND: i64 = 253_402_300_800;
const ITEMS: &str = "/checkindata";
const REPORTS: &str = "/datas";

/// Both kinds, and their limits.
pub(crate) fn batches() -> Vec<Batch> {
    vec![
        Batch { kind: Kind::CheckIn, people: 100, days: 29 },
        Batch { kind: Kind::AttendanceDay, people: 100, days: 30 },
    ]
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sheet {
    /// What the check-in app counts.
    Counted,
    /// The log of the attendance machines.
    Devices,
    Reports,
}

/// Some of the people in a part of the window: still to be asked for. The cursor is a stack of these.
#[derive(Clone, Copy, Debug)]
struct Part {
    sheet: Sheet,
    start: i64,
    end: i64,
    from: usize,
    to: usize,
}

/// One page.
pub(crate) fn list<H: Host>(
    api: &Api<'_, H>,
    kind: Kind,
    people: &[String],
    window: Window,
    cursor: Option<&str>,
) -> Result<Page<H::Response>, Fault> {
    let sheets: &[Sheet] = match (kind, api.settings.punches) {
        (Kind::CheckIn, Punches::CheckIn) => &[Sheet::Counted],
        (Kind::CheckIn, Punches::Devices) => &[Sheet::Devices],
        (Kind::CheckIn, Punches::Both) => &[Sheet::Devices, Sheet::Counted],
        (Kind::AttendanceDay, _) => &[Sheet::Reports],
        (Kind::Department | Kind::Employee | Kind::Leave, _) => return Err(Fault::Unsupported),
    };
    check(people, window)?;
    if people.is_empty() || window.start == window.end {
        return Ok(Page { content: Content::Empty, next: None, evidence: None });
    }
    let whole = |sheet: &Sheet| Part {
        sheet: *sheet,
        start: window.start,
        end: window.end,
        from: 0,
        to: people.len(),
    };
    let mut parts = match cursor {
        None => sheets.iter().map(whole).collect(),
        Some(cursor) => decode(cursor, sheets, people, window)?,
    };
    let content = next(api, people, &mut parts)?;
    Ok(Page { content, next: encode(&parts), evidence: None })
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

impl Sheet {
    const fn name(self) -> &'static str {
        match self {
            Self::Counted => "counted",
            Self::Devices => "devices",
            Self::Reports => "reports",
        }
    }
}

fn encode(parts: &[Part]) -> Option<String> {
    let step = |Part { sheet, start, end, from, to }: &Part| {
        format!("{},{start},{end},{from},{to}", sheet.name())
    };
    let text = parts.iter().map(step).collect::<Vec<_>>().join(";");
    Some(text).filter(|text| !text.is_empty())
}

/// The parts of a cursor that was made for these people and this window.
fn decode(
    cursor: &str,
    sheets: &[Sheet],
    people: &[String],
    window: Window,
) -> Result<Vec<Part>, Fault> {
    let part = |step: &str| {
        let fields: Vec<&str> = step.split(',').collect();
        let [name, start, end, from, to] = fields[..] else { return None };
        let part = Part {
            sheet: *sheets.iter().find(|sheet| sheet.name() == name)?,
            start: start.parse().ok()?,
            end: end.parse().ok()?,
            from: from.parse().ok()?,
            to: to.parse().ok()?,
        };
        let in_window =
            window.start <= part.start && part.start < part.end && part.end <= window.end;
        (in_window && part.from < part.to && part.to <= people.len()).then_some(part)
    };
    cursor.split(';').map(part).collect::<Option<Vec<Part>>>().ok_or(Fault::StaleCursor)
}

/// Works off the part on top: in halves while the platform refuses it for one person's sake, or has too much to say.
fn next<H: Host>(
    api: &Api<'_, H>,
    people: &[String],
    parts: &mut Vec<Part>,
) -> Result<Content<H::Response>, Fault> {
    let Some(mut part) = parts.pop() else { return Err(Fault::StaleCursor) };
    let cut = cut(api, part);
    if cut < part.end {
        parts.push(Part { start: cut, ..part });
        part.end = cut;
    }
    loop {
        let halves = match ask(api, &people[part.from..part.to], part) {
            Ok(Some(content)) => return Ok(content),
            Ok(None) => by_people(part).or_else(|| by_time(api, part)).ok_or_else(too_many)?,
            Err(failure) if failure.code == BAD_PERSON => {
                let Some(halves) = by_people(part) else {
                    api.host.log(Level::Warn, "1 person is unknown to check-in; left out");
                    return Ok(Content::Empty);
                };
                halves
            }
            Err(failure) if failure.code == BAD_SPAN => by_time(api, part).ok_or(failure.fault)?,
            Err(failure) if failure.code == TOO_LARGE || failure.class == Class::TooLarge => {
                by_people(part).or_else(|| by_time(api, part)).ok_or(failure.fault)?
            }
            Err(failure) => return Err(failure.into()),
        };
        parts.push(halves.1);
        part = halves.0;
    }
}

/// The two halves of the people.
fn by_people(part: Part) -> Option<(Part, Part)> {
    let middle = part.from + (part.to - part.from) / 2;
    (middle > part.from).then_some((Part { to: middle, ..part }, Part { from: middle, ..part }))
}

/// The two halves of the window, cut at a midnight.
fn by_time<H: Host>(api: &Api<'_, H>, part: Part) -> Option<(Part, Part)> {
    let middle =
        midnight(part.start + (part.end - part.start) / 2, api.settings.utc_offset_seconds);
    (part.start < middle && middle < part.end)
        .then_some((Part { end: middle, ..part }, Part { start: middle, ..part }))
}

/// Where the days of a part that one call takes end.
fn cut<H: Host>(api: &Api<'_, H>, part: Part) -> i64 {
    let end = match part.sheet {
        Sheet::Counted | Sheet::Devices => part.start + MOST_PUNCH_DAYS * DAY_SECONDS,
        Sheet::Reports => {
            midnight(part.start, api.settings.utc_offset_seconds) + MOST_REPORT_DAYS * DAY_SECONDS
        }
    };
    end.min(part.end)
}

/// The records of a part; none when they are more than a page may hold.
fn ask<H: Host>(
    api: &Api<'_, H>,
    people: &[String],
    part: Part,
) -> Result<Option<Content<H::Response>>, Failure> {
    let (items, id): (_, &[&str]) = match part.sheet {
        Sheet::Counted => (ITEMS, &["/userid", "/checkin_type", "/checkin_time"]),
        Sheet::Devices => (ITEMS, &["/userid", "/checkin_time"]),
        Sheet::Reports => (REPORTS, &["/base_info/acctid", "/base_info/date"]),
    };
    let response = api.send(CHECK_IN, &call(api, people, part))?;
    Ok(match json::length(&response, items)? {
        0 => Some(Content::Empty),
        1..=MOST_RECORDS => Some(sliced(response, items, id)),
        _ => None,
    })
}

fn call<H: Host>(api: &Api<'_, H>, people: &[String], part: Part) -> Call {
    let people = quoted(people);
    let since = (part.start - BEFORE_SECONDS).max(1);
    match part.sheet {
        Sheet::Counted => {
            let body = format!(
                r#"{{"opencheckindatatype":3,"starttime":{since},"endtime":{},"useridlist":{people}}}"#,
                part.end
            );
            Call::post("checkin/getcheckindata", body, ITEMS)
        }
        Sheet::Devices => {
            let body = format!(
                r#"{{"filter_type":1,"starttime":{since},"endtime":{},"useridlist":{people}}}"#,
                part.end
            );
            Call::post("hardware/get_hardware_checkin_data", body, ITEMS)
        }
        Sheet::Reports => {
            let offset = api.settings.utc_offset_seconds;
            reports(&people, midnight(part.start, offset), midnight(part.end - 1, offset))
        }
    }
}

/// The day reports from one midnight to another, both days included, of people as a JSON array.
pub(crate) fn reports(people: &str, first: i64, last: i64) -> Call {
    let body = format!(r#"{{"starttime":{first},"endtime":{last},"useridlist":{people}}}"#);
    Call::post("checkin/getcheckin_daydata", body, REPORTS)
}

fn too_many() -> Fault {
    let message = format!("one person has more than {MOST_RECORDS} records on one day");
    let remedy = "look at that person's records in the check-in app";
    Fault::Invalid(Advice::new("size", message, remedy))
}
