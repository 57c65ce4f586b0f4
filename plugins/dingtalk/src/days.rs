//! Attendance days, joined from the platform's results of single planned punches (DingTalk fact sheet, section 3.2).
//!
//! A day is `{userId, workDate, results: [..], leave: [..]}` with the platform's own objects inside; `leave` is there
//! only where a result was excused by an approval, since only then it says whether that was leave or a trip.
//!
//! What this is not: a judgement. The one invariant: a day holds every result of its person and date, because all pages
//! of its part are read before any day is built.

use std::collections::BTreeMap;

use rollcall_sdk::json;
use rollcall_sdk::{Content, Host, Item, Response, Window};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::api::{Api, Call, quoted};
use crate::failure::{Failure, wrong};
use crate::lenient;
use crate::steps::{built, stuck};
use crate::window::{DAY_SECONDS, clock_text};

/// The most rows of an answer, and of an answer on leave.
const ROWS: usize = 50;
const LEAVE_ROWS: usize = 20;
/// 50 people, 7 days and a dozen planned punches are 84 pages; the host allows a call 64 requests in all.
const MOST_PAGES: usize = 48;
const MOST_LEAVE_PAGES: usize = 12;

/// A person's day while its results are gathered.
#[derive(Default)]
struct Day {
    results: Vec<String>,
    excused: bool,
}

/// One approved absence, in milliseconds.
struct Leave {
    person: String,
    start: i64,
    end: i64,
    raw: String,
}

/// Who, and midnight of the date in milliseconds.
type Key = (String, i64);

pub(crate) fn list<H: Host>(
    api: &Api<'_, H>,
    people: &[String],
    window: Window,
) -> Result<Content<H::Response>, Failure> {
    let days = results(api, people, window)?;
    let mut excused: Vec<String> =
        days.iter().filter(|(_, day)| day.excused).map(|((person, _), _)| person.clone()).collect();
    excused.dedup();
    let leaves = if excused.is_empty() { Vec::new() } else { leaves(api, &excused, window)? };
    let items: Vec<Item> = days.into_iter().map(|(key, day)| item(&key, &day, &leaves)).collect();
    Ok(built(items))
}

/// All results of the window by person and date.
fn results<H: Host>(
    api: &Api<'_, H>,
    people: &[String],
    window: Window,
) -> Result<BTreeMap<Key, Day>, Failure> {
    let mut days: BTreeMap<Key, Day> = BTreeMap::new();
    for page in 0..MOST_PAGES {
        let response = api.send(&call(api, people, window, page * ROWS))?;
        let Some(count) = response.count("/recordresult") else {
            return Err(wrong("/recordresult", "an array"));
        };
        for index in 0..count {
            add(&mut days, &response, &format!("/recordresult/{index}"))?;
        }
        if !lenient::flag(&response, "/hasMore")? {
            return Ok(days);
        }
        if count == 0 {
            return Err(stuck("the platform says there is more, but gives nothing"));
        }
    }
    Err(stuck("the results of one week of fifty people do not end"))
}

fn call<H: Host>(api: &Api<'_, H>, people: &[String], window: Window, offset: usize) -> Call {
    let zone = api.settings.utc_offset_seconds;
    let body = format!(
        r#"{{"workDateFrom":"{}","workDateTo":"{}","userIdList":{},"offset":{offset},"limit":{ROWS},"isI18n":false}}"#,
        clock_text(window.start, zone),
        clock_text(window.end - 1, zone),
        quoted(people),
    );
    Call::post("attendance/list", body)
}

/// What is looked at of a result, each value as it is written.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row<'r> {
    #[serde(borrow)]
    user_id: Option<&'r RawValue>,
    #[serde(borrow)]
    work_date: Option<&'r RawValue>,
    #[serde(borrow)]
    source_type: Option<&'r RawValue>,
    #[serde(borrow)]
    record_id: Option<&'r RawValue>,
}

/// A row crosses from the host as a whole, once.
fn add(days: &mut BTreeMap<Key, Day>, response: &impl Response, at: &str) -> Result<(), Failure> {
    let raw = response.pointer(at).filter(|raw| raw.starts_with('{'));
    let raw = raw.ok_or_else(|| wrong(at, "an object"))?;
    let row: Row<'_> = serde_json::from_str(&raw).map_err(|_| wrong(at, "an object"))?;
    let person = text(row.user_id).filter(|id| !id.is_empty());
    let person = person.ok_or_else(|| wrong(&format!("{at}/userId"), "a string"))?;
    let date = row.work_date.and_then(|date| date.get().trim_matches('"').parse().ok());
    let date = date.ok_or_else(|| wrong(&format!("{at}/workDate"), "an integer"))?;
    let source = text(row.source_type);
    if source.is_none() && row.source_type.is_some() {
        return Err(wrong(&format!("{at}/sourceType"), "a string"));
    }
    let excused = source.as_deref() == Some("APPROVE") && row.record_id.is_none();
    let day = days.entry((person, date)).or_default();
    day.excused |= excused;
    day.results.push(raw);
    Ok(())
}

/// The text of a JSON string.
fn text(raw: Option<&RawValue>) -> Option<String> {
    serde_json::from_str(raw?.get()).ok()
}

/// The approved absences of people that reach into the window.
fn leaves<H: Host>(
    api: &Api<'_, H>,
    people: &[String],
    window: Window,
) -> Result<Vec<Leave>, Failure> {
    const AT: &str = "/result/leave_status";
    let mut leaves = Vec::new();
    for page in 0..MOST_LEAVE_PAGES {
        let body = format!(
            r#"{{"userid_list":{},"start_time":{},"end_time":{},"offset":{},"size":{LEAVE_ROWS}}}"#,
            json::quote(&people.join(",")),
            window.start * 1_000,
            window.end * 1_000 - 1,
            page * LEAVE_ROWS,
        );
        let response = api.send(&Call::post("topapi/attendance/getleavestatus", body))?;
        for index in 0..json::length(&response, AT)? {
            let at = format!("{AT}/{index}");
            let person = json::text(&response, &format!("{at}/userid"))?;
            leaves.push(Leave {
                person: person.ok_or_else(|| wrong(&at, "an object with a userid"))?,
                start: lenient::integer(&response, &format!("{at}/start_time"))?,
                end: lenient::integer(&response, &format!("{at}/end_time"))?,
                raw: response.pointer(&at).ok_or_else(|| wrong(&at, "an object"))?,
            });
        }
        if !lenient::flag(&response, "/result/has_more")? {
            return Ok(leaves);
        }
    }
    Err(stuck("the leave of one week of fifty people does not end"))
}

/// The day as one record; its id is the person and the date.
fn item((person, date): &Key, day: &Day, leaves: &[Leave]) -> Item {
    let end = date + DAY_SECONDS * 1_000;
    let mine = |leave: &&Leave| leave.person == *person && leave.start < end && leave.end > *date;
    let leave = if day.excused {
        let mine: Vec<&str> = leaves.iter().filter(mine).map(|leave| leave.raw.as_str()).collect();
        format!(r#","leave":[{}]"#, mine.join(","))
    } else {
        String::new()
    };
    let payload = format!(
        r#"{{"userId":{},"workDate":{date},"results":[{}]{leave}}}"#,
        json::quote(person),
        day.results.join(",")
    );
    Item { id: format!("{person}:{date}"), payload }
}
