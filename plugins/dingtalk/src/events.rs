//! What events point at (DingTalk fact sheet, section 5.5).
//!
//! What this is not: the truth. Payloads differ by channel and by age, so that only ids are taken from them, whatever the
//! case of their names. The one invariant: an event that is about a person or a department always gives a hint or a fault.

use rollcall_sdk::{Advice, Fault, Hint, Kind};
use serde_json::Value;

/// What kinds of records a person's attendance event points at.
const ATTENDANCE: &[Kind] = &[Kind::CheckIn, Kind::AttendanceDay];

pub(crate) fn hints(event: &[u8]) -> Result<Vec<Hint>, Fault> {
    let event: Value = serde_json::from_slice(event).map_err(|_| unreadable())?;
    let kind = member(&event, "eventtype").and_then(Value::as_str).ok_or_else(unreadable)?;
    match kind {
        "user_add_org" | "user_modify_org" | "user_active_org" => {
            about(&event, "userid", &[Kind::Employee], false)
        }
        "user_leave_org" => about(&event, "userid", &[Kind::Employee], true),
        "org_dept_create" | "org_dept_modify" => {
            about(&event, "deptid", &[Kind::Department], false)
        }
        "org_dept_remove" => about(&event, "deptid", &[Kind::Department], true),
        "hrm_user_record_change" | "hrm_mdm_user_change" => {
            about(&event, "staffid", &[Kind::Employee], false)
        }
        "attendance_check_record" | "attendance_overtime_duration" => {
            listed(&event, &["userid"], ATTENDANCE)
        }
        "attendance_schedule_change" => listed(&event, &["userids"], &[Kind::AttendanceDay]),
        "attend_bossCheck_change" => about(&event, "userid", ATTENDANCE, false),
        "attend_user_daily_summary_refresh" => {
            about(&event, "userid", &[Kind::AttendanceDay], false)
        }
        // What the app may see has changed: only a listing tells.
        "org_suite_change" | "org_suite_auth" | "change_auth" => Err(Fault::StaleCursor),
        _ => Ok(Vec::new()),
    }
}

/// One hint for each kind and id at the top of the event.
fn about(event: &Value, name: &str, kinds: &[Kind], gone: bool) -> Result<Vec<Hint>, Fault> {
    let ids = member(event, name).map(ids).unwrap_or_default();
    if ids.is_empty() {
        return Err(unreadable());
    }
    Ok(pointing(ids, kinds, gone))
}

/// One hint for each kind and id in the event's list.
fn listed(event: &Value, names: &[&str], kinds: &[Kind]) -> Result<Vec<Hint>, Fault> {
    let list = member(event, "datalist").and_then(Value::as_array).ok_or_else(unreadable)?;
    let of = |entry: &Value| -> Vec<String> {
        names.iter().filter_map(|name| member(entry, name)).flat_map(ids).collect()
    };
    let found: Vec<String> = list.iter().flat_map(of).collect();
    if found.is_empty() {
        return Err(unreadable());
    }
    Ok(pointing(found, kinds, false))
}

fn pointing(mut ids: Vec<String>, kinds: &[Kind], gone: bool) -> Vec<Hint> {
    ids.sort_unstable();
    ids.dedup();
    let hint =
        |id: String| kinds.iter().map(move |kind| Hint { kind: *kind, id: id.clone(), gone });
    ids.into_iter().flat_map(hint).collect()
}

/// A member whatever the case of its name.
fn member<'e>(object: &'e Value, name: &str) -> Option<&'e Value> {
    let found = object.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value)
}

/// Ids as they come: one or a list, texts or numbers.
fn ids(value: &Value) -> Vec<String> {
    let one = |value: &Value| match value {
        Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    match value {
        Value::Array(values) => values.iter().filter_map(one).collect(),
        other => one(other).into_iter().collect(),
    }
}

fn unreadable() -> Fault {
    Fault::Invalid(Advice {
        code: "event".to_owned(),
        message: "an event does not say whom or what it is about".to_owned(),
        remedy: "everything is read again; report this if it happens often".to_owned(),
    })
}
