//! Punches and daily results, 50 people and 31 days at a time (Feishu fact sheet, sections 3.2 to 3.4).
//!
//! What this is not: which people and windows are due; the host decides that. The one invariant: a window is covered
//! without gap and without overlap, whatever its length, and one bad person never hides the others.

use rollcall_sdk::json;
use rollcall_sdk::{Advice, Batch, Content, Fault, Host, Kind, Level, Page, Window};

use crate::api::{Api, Call, quoted};
use crate::codes::BAD_PERSON;
use crate::cursor::{self, Writer};
use crate::day::{DAY_SECONDS, day_number, yyyymmdd};
use crate::failure::Failure;
use crate::paging::{Shape, records};
use crate::settings::UserIdType;

/// The most people a call takes.
pub(crate) const MOST_PEOPLE: usize = 50;
/// The most days a call is asked for; the platform states no figure for these two calls.
pub(crate) const MOST_DAYS: i64 = 31;
/// No window reaches further than this from 1970.
const LAST_SECOND: i64 = 253_402_300_800;

/// Both kinds, and their limits.
pub(crate) fn batches() -> Vec<Batch> {
    let batch = |kind| Batch { kind, people: 50, days: 31 };
    vec![batch(Kind::CheckIn), batch(Kind::AttendanceDay)]
}

/// Which of the two.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sheet {
    Punches,
    Days,
}

/// Some of the people in a part of the window: still to be asked for. The cursor is a stack of these.
#[derive(Clone, Copy, Debug)]
struct Part {
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
    let sheet = match kind {
        Kind::CheckIn => Sheet::Punches,
        Kind::AttendanceDay => Sheet::Days,
        Kind::Department | Kind::Employee | Kind::Leave => return Err(Fault::Unsupported),
    };
    check(api.settings.user_id_type, people, window)?;
    if people.is_empty() || window.start == window.end {
        // An empty list of people is not everyone: the platform does not say what it is.
        return Ok(Page { content: Content::Empty, next: None, evidence: None });
    }
    let mut parts = match cursor {
        None => vec![Part { start: window.start, end: window.end, from: 0, to: people.len() }],
        Some(cursor) => decode(cursor, people, window)?,
    };
    let content = next(api, sheet, people, &mut parts)?;
    Ok(Page { content, next: encode(&parts), evidence: None })
}

fn check(user_id_type: UserIdType, people: &[String], window: Window) -> Result<(), Fault> {
    let (code, message, remedy) = if user_id_type != UserIdType::User {
        (
            "setting:user_id_type",
            format!("attendance knows people by user_id, not by {}", user_id_type.name()),
            "set `user_id_type` to user_id, or leave attendance out of this connection",
        )
    } else if people.len() > MOST_PEOPLE {
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

fn encode(parts: &[Part]) -> Option<String> {
    let mut writer = Writer::default();
    for Part { start, end, from, to } in parts {
        let fields = [start.to_string(), end.to_string(), from.to_string(), to.to_string()];
        writer.step("part", &fields);
    }
    writer.finish()
}

/// The parts of a cursor that was made for these people and this window.
fn decode(cursor: &str, people: &[String], window: Window) -> Result<Vec<Part>, Fault> {
    let part = |(name, fields): (&str, Vec<String>)| match (name, fields.as_slice()) {
        ("part", [start, end, from, to]) => Some(Part {
            start: start.parse().ok()?,
            end: end.parse().ok()?,
            from: from.parse().ok()?,
            to: to.parse().ok()?,
        }),
        _ => None,
    };
    let fits = |p: &Part| {
        window.start <= p.start
            && p.start < p.end
            && p.end <= window.end
            && p.from < p.to
            && p.to <= people.len()
    };
    let parts = cursor::read(cursor)
        .and_then(|steps| steps.into_iter().map(part).collect::<Option<Vec<Part>>>());
    parts.filter(|parts| parts.iter().all(fits)).ok_or(Fault::StaleCursor)
}

/// Works off the part on top: in halves while the platform refuses it for one person's sake.
fn next<H: Host>(
    api: &Api<'_, H>,
    sheet: Sheet,
    people: &[String],
    parts: &mut Vec<Part>,
) -> Result<Content<H::Response>, Fault> {
    let Some(mut part) = parts.pop() else { return Err(Fault::StaleCursor) };
    let cut = cut(api, sheet, part);
    if cut < part.end {
        parts.push(Part { start: cut, ..part });
        part.end = cut;
    }
    loop {
        match ask(api, sheet, &people[part.from..part.to], part) {
            Ok(content) => return Ok(content),
            Err(failure) if failure.code != BAD_PERSON => return Err(failure.into()),
            Err(_) if part.to - part.from == 1 => {
                let line = "1 person is missing or outside the attendance data range; left out";
                api.host.log(Level::Warn, line);
                return Ok(Content::Empty);
            }
            Err(_) => {
                let middle = part.from + (part.to - part.from) / 2;
                parts.push(Part { from: middle, ..part });
                part.to = middle;
            }
        }
    }
}

/// Where the first 31 days of a part end. Days are whole days where the connection is.
fn cut<H: Host>(api: &Api<'_, H>, sheet: Sheet, part: Part) -> i64 {
    let end = match sheet {
        Sheet::Punches => part.start + MOST_DAYS * DAY_SECONDS,
        Sheet::Days => {
            let offset = api.settings.utc_offset_seconds;
            (day_number(part.start, offset) + MOST_DAYS) * DAY_SECONDS - offset
        }
    };
    end.min(part.end)
}

fn ask<H: Host>(
    api: &Api<'_, H>,
    sheet: Sheet,
    people: &[String],
    part: Part,
) -> Result<Content<H::Response>, Failure> {
    match sheet {
        Sheet::Punches => {
            let body = format!(
                r#"{{"user_ids":{},"check_time_from":"{}","check_time_to":"{}"}}"#,
                quoted(people),
                part.start,
                part.end
            );
            let query = [("employee_type", "employee_id"), ("include_terminated_user", "true")];
            let call = Call::post("attendance/v1/user_flows/query", &query, body);
            records(api.send(&call)?, &PUNCHES)
        }
        Sheet::Days => {
            let offset = api.settings.utc_offset_seconds;
            let first = day_number(part.start, offset);
            let last = day_number(part.end - 1, offset);
            let response = api.send(&days_call(people, first, last))?;
            tell_left_out(api, &response)?;
            records(response, &DAYS)
        }
    }
}

const PUNCHES: Shape =
    Shape { items: "/data/user_flow_results", id: "record_id", scope: "attendance:task:readonly" };
const DAYS: Shape =
    Shape { items: "/data/user_task_results", id: "result_id", scope: "attendance:task:readonly" };

/// The daily results from one day to another, both included, as days since 1970.
pub(crate) fn days_call(people: &[String], first: i64, last: i64) -> Call {
    let body = format!(
        r#"{{"user_ids":{},"check_date_from":{},"check_date_to":{}}}"#,
        quoted(people),
        yyyymmdd(first),
        yyyymmdd(last)
    );
    let query = [
        ("employee_type", "employee_id"),
        ("ignore_invalid_users", "true"),
        ("include_terminated_user", "true"),
    ];
    Call::post("attendance/v1/user_tasks/query", &query, body)
}

/// Says how many people the platform left out, never who.
fn tell_left_out<H: Host>(api: &Api<'_, H>, response: &H::Response) -> Result<(), Failure> {
    let unknown = json::length(response, "/data/invalid_user_ids")?;
    let outside = json::length(response, "/data/unauthorized_user_ids")?;
    if unknown + outside > 0 {
        let line = format!(
            "daily results: {unknown} people unknown, {outside} outside the attendance data range"
        );
        api.host.log(Level::Warn, &line);
    }
    Ok(())
}
