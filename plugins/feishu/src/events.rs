//! What events point at (fact sheet, sections 5.6 and 5.7).
//!
//! What this is not: the truth. Payloads may be partial and late, so that only ids are taken from them. The one invariant: an
//! event that is about a person or a department always gives a hint or a fault.

use rollcall_sdk::{Advice, Fault, Hint, Host, Kind};
use serde_json::Value;

use crate::settings::{Settings, UserIdType};

pub(crate) fn hints<H: Host>(host: &H, event: &[u8]) -> Result<Vec<Hint>, Fault> {
    let settings = Settings::read(host)?;
    let event: Value = serde_json::from_slice(event).map_err(|_| unreadable())?;
    let v2 = event.pointer("/header/event_type");
    let name = v2.or_else(|| event.pointer("/event/type")).and_then(Value::as_str);
    match name.ok_or_else(unreadable)? {
        "contact.user.created_v3" | "contact.user.updated_v3" => {
            person(&settings, &event, "/event/object", false)
        }
        "contact.user.deleted_v3" => person(&settings, &event, "/event/object", true),
        "contact.department.created_v3" | "contact.department.updated_v3" => {
            department(&settings, &event, "/event/object", false)
        }
        "contact.department.deleted_v3" => department(&settings, &event, "/event/object", true),
        "attendance.user_flow.created_v1" | "attendance.user_task.updated_v1" => {
            attendance(&settings, &event)
        }
        // Who is in the app's range has changed: only a listing tells.
        "contact.scope.updated_v3" | "contact_scope_change" => Err(Fault::StaleCursor),
        // The first version of the events.
        "user_add" | "user_update" | "user_status_change" => {
            person(&settings, &event, "/event", false)
        }
        "user_leave" => person(&settings, &event, "/event", true),
        "dept_add" | "dept_update" => department(&settings, &event, "/event", false),
        "dept_delete" => department(&settings, &event, "/event", true),
        _ => Ok(Vec::new()),
    }
}

fn person(settings: &Settings, event: &Value, at: &str, gone: bool) -> Result<Vec<Hint>, Fault> {
    let field = settings.user_id_type.name();
    // The first version calls the user id `employee_id`.
    let id = text(event, at, field).or_else(|| {
        (settings.user_id_type == UserIdType::User).then(|| text(event, at, "employee_id"))?
    });
    let id = id.ok_or_else(|| without(field, "contact:user.employee_id:readonly"))?;
    Ok(vec![Hint { kind: Kind::Employee, id, gone }])
}

fn department(
    settings: &Settings,
    event: &Value,
    at: &str,
    gone: bool,
) -> Result<Vec<Hint>, Fault> {
    let field = settings.department_id_type.name();
    let id =
        text(event, at, field).ok_or_else(|| without(field, "contact:department.base:readonly"))?;
    Ok(vec![Hint { kind: Kind::Department, id, gone }])
}

/// A punch may change the day, and a day that changed may be about a punch.
fn attendance(settings: &Settings, event: &Value) -> Result<Vec<Hint>, Fault> {
    // Attendance is read by user id alone.
    if settings.user_id_type != UserIdType::User {
        return Ok(Vec::new());
    }
    let id = text(event, "/event", "employee_id")
        .ok_or_else(|| without("employee_id", "attendance:task:readonly"))?;
    let hint = |kind| Hint { kind, id: id.clone(), gone: false };
    Ok(vec![hint(Kind::CheckIn), hint(Kind::AttendanceDay)])
}

fn text(event: &Value, at: &str, field: &str) -> Option<String> {
    let found = event.pointer(at)?.get(field)?.as_str()?;
    (!found.is_empty()).then(|| found.to_owned())
}

fn without(field: &str, scope: &str) -> Fault {
    Fault::Forbidden(Advice {
        code: "event".to_owned(),
        message: format!("an event comes without `{field}`"),
        remedy: format!("give the app the permission `{scope}` and publish a version"),
    })
}

fn unreadable() -> Fault {
    Fault::Invalid(Advice {
        code: "event".to_owned(),
        message: "an event has neither of the platform's two forms".to_owned(),
        remedy: "look for a newer version of the plugin".to_owned(),
    })
}
