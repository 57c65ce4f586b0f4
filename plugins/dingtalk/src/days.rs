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
use serde::de::IgnoredAny;

use crate::api::{Api, Call, quoted};
use crate::failure::{Failure, wrong};
use crate::lenient;
use crate::scalar::Scalar;
use crate::steps::{built, stuck};
use crate::window::{DAY_SECONDS, clock_text};

/// Where the results stand in an answer.
const RESULTS: &str = "/recordresult";
/// The most rows of an answer, and of an answer on leave.
const ROWS: usize = 50;
const LEAVE_ROWS: usize = 20;
/// 50 people, 7 days and a dozen planned punches are 84 pages; the host allows a call 64 requests in all.
const MOST_PAGES: usize = 48;
const MOST_LEAVE_PAGES: usize = 12;

/// A person's day while its results are gathered.
#[derive(Default)]
struct Day {
    /// The rows as they came, with commas between.
    results: String,
    excused: bool,
}

/// Days by person and midnight of the date in milliseconds.
type Days = BTreeMap<String, BTreeMap<i64, Day>>;

/// One approved absence, in milliseconds.
struct Leave {
    person: String,
    start: i64,
    end: i64,
    raw: String,
}

pub(crate) fn list<H: Host>(
    api: &Api<'_, H>,
    people: &[String],
    window: Window,
) -> Result<Content<H::Response>, Failure> {
    let days = results(api, people, window)?;
    let excused = days.iter().filter(|(_, days)| days.values().any(|day| day.excused));
    let excused: Vec<String> = excused.map(|(person, _)| person.clone()).collect();
    let leaves = if excused.is_empty() { Vec::new() } else { leaves(api, &excused, window)? };
    let items = days.iter().flat_map(|(person, days)| {
        let leaves = &leaves;
        days.iter().map(move |(date, day)| item(person, *date, day, leaves))
    });
    Ok(built(items.collect()))
}

/// All results of the window.
fn results<H: Host>(api: &Api<'_, H>, people: &[String], window: Window) -> Result<Days, Failure> {
    let mut days = Days::new();
    let people = quoted(people);
    for page in 0..MOST_PAGES {
        let response = api.send(&call(api, &people, window, page * ROWS))?;
        let rows = response.pointer(RESULTS).ok_or_else(|| wrong(RESULTS, "an array"))?;
        let count = add_all(&mut days, &rows)?;
        if !lenient::flag(&response, "/hasMore")? {
            return Ok(days);
        }
        if count == 0 {
            return Err(stuck("the platform says there is more, but gives nothing"));
        }
    }
    Err(stuck("the results of one week of fifty people do not end"))
}

fn call<H: Host>(api: &Api<'_, H>, people: &str, window: Window, offset: usize) -> Call {
    let zone = api.settings.utc_offset_seconds;
    let body = format!(
        r#"{{"workDateFrom":"{}","workDateTo":"{}","userIdList":{people},"offset":{offset},"limit":{ROWS},"isI18n":false}}"#,
        clock_text(window.start, zone),
        clock_text(window.end - 1, zone),
    );
    Call::post("attendance/list", body)
}

/// What is looked at of a result.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row<'r> {
    #[serde(borrow)]
    user_id: Option<Scalar<'r>>,
    #[serde(borrow)]
    work_date: Option<Scalar<'r>>,
    #[serde(borrow)]
    source_type: Option<Scalar<'r>>,
    record_id: Option<IgnoredAny>,
}

/// Adds every row of an array; how many there were. The array crosses from the host as a whole, once, and each row is read
/// once: where it ends is where its reader stops.
fn add_all(days: &mut Days, rows: &str) -> Result<usize, Failure> {
    let mut rest = rows.strip_prefix('[').ok_or_else(|| wrong(RESULTS, "an array"))?.trim_start();
    let mut count = 0;
    while !rest.starts_with(']') {
        let mut reader = serde_json::Deserializer::from_str(rest).into_iter::<Row<'_>>();
        let row = reader.next().and_then(Result::ok).filter(|_| rest.starts_with('{'));
        let at = |name: &str| format!("{RESULTS}/{count}{name}");
        let row = row.ok_or_else(|| wrong(&at(""), "an object"))?;
        let (raw, after) = rest.split_at(reader.byte_offset());
        add(days, row, raw).map_err(|(name, expected)| wrong(&at(name), expected))?;
        let after = after.trim_start();
        rest = after.strip_prefix(',').unwrap_or(after).trim_start();
        count += 1;
    }
    Ok(count)
}

/// Adds one row; or which field of it holds something else than what is expected.
fn add(days: &mut Days, row: Row<'_>, raw: &str) -> Result<(), (&'static str, &'static str)> {
    let person = row.user_id.and_then(Scalar::text).filter(|id| !id.is_empty());
    let person = person.ok_or(("/userId", "a string"))?;
    let date = row.work_date.and_then(|date| date.integer()).ok_or(("/workDate", "an integer"))?;
    let excused = match row.source_type.map(Scalar::text) {
        Some(None) => return Err(("/sourceType", "a string")),
        source => source.flatten().as_deref() == Some("APPROVE") && row.record_id.is_none(),
    };
    let of = match days.get_mut(person.as_ref()) {
        Some(days) => days,
        None => days.entry(person.into_owned()).or_default(),
    };
    let day = of.entry(date).or_default();
    day.excused |= excused;
    if !day.results.is_empty() {
        day.results.push(',');
    }
    day.results.push_str(raw);
    Ok(())
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
fn item(person: &str, date: i64, day: &Day, leaves: &[Leave]) -> Item {
    let end = date + DAY_SECONDS * 1_000;
    let mine = |leave: &&Leave| leave.person == person && leave.start < end && leave.end > date;
    let (who, date) = (json::quote(person), date.to_string());
    let leave = if day.excused {
        let mine: Vec<&str> = leaves.iter().filter(mine).map(|leave| leave.raw.as_str()).collect();
        format!(r#","leave":[{}]"#, mine.join(","))
    } else {
        String::new()
    };
    let parts = [
        r#"{"userId":"#,
        &who,
        r#","workDate":"#,
        &date,
        r#","results":["#,
        &day.results,
        "]",
        &leave,
        "}",
    ];
    Item { id: [person, ":", &date].concat(), payload: parts.concat() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_handed_on_to_the_letter() {
        let one = r#"{ "userId" : "u\u0031", "workDate":"86400000", "x":[{"y":"]},"}], "sourceType":null }"#;
        let other = r#"{"workDate":86400000,"userId":"u1","note":"\"] \\"}"#;
        let mut days = Days::new();
        for (rows, count) in [
            ("[]", 0),
            ("[ ]", 0),
            (&format!("[ {one} ,\n\t{other}]"), 2),
            (&format!("[{one}]"), 1),
        ] {
            assert_eq!(add_all(&mut days, rows).ok(), Some(count), "{rows}");
        }
        let day = &days["u1"][&86_400_000];
        assert_eq!((day.results.as_str(), day.excused), (&*format!("{one},{other},{one}"), false));
    }
}
