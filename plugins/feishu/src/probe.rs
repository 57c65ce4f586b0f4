//! What is missing before a first run: credentials, permissions, ranges, fields.
//!
//! What this is not: a guarantee; a permission that is granted may still show nothing. The one invariant: a field that
//! is absent in every record looked at is a missing permission, one that is there and empty is not.

use rollcall_sdk::json;
use rollcall_sdk::{Advice, Fault, Finding, Host, Response};

use crate::api::Api;
use crate::attendance::days_call;
use crate::codes::{BAD_PERSON, NO_DATA_RANGE, OUTSIDE_RANGE, refuses_recursion};
use crate::day::day_number;
use crate::departments::{self, Depth, ROOT};
use crate::failure::Failure;
use crate::people;
use crate::range;
use crate::settings::UserIdType;

/// How many departments are looked into for somebody to look at.
const MOST_DEPARTMENTS: usize = 5;
/// How many people are looked at where they are granted by name.
const MOST_PEOPLE: usize = 10;
/// How many records of an answer are looked at.
const MOST_RECORDS: u32 = 10;

/// Fields, and the permission without which the platform leaves all of them out.
struct Field {
    scope: &'static str,
    names: &'static [&'static str],
}

const PERSON: &[Field] = &[
    Field { scope: "contact:user.employee_id:readonly", names: &["user_id"] },
    Field { scope: "contact:user.base:readonly", names: &["name"] },
    Field {
        scope: "contact:user.employee:readonly",
        names: &["status", "employee_type", "employee_no", "join_time", "job_title"],
    },
    Field { scope: "contact:user.department:readonly", names: &["department_ids", "orders"] },
    Field { scope: "contact:user.email:readonly", names: &["email"] },
    Field { scope: "contact:user.phone:readonly", names: &["mobile"] },
    Field { scope: "contact:user.gender:readonly", names: &["gender"] },
];
const DEPARTMENT: &[Field] = &[
    Field { scope: "contact:department.base:readonly", names: &["name", "department_id"] },
    Field {
        scope: "contact:department.organize:readonly",
        names: &["parent_department_id", "member_count"],
    },
];
const CONTACT: &str = "permission contact:contact.base:readonly";
const ATTENDANCE: &str = "permission attendance:task:readonly";
const ATTENDANCE_RANGE: &str = "attendance data range";

/// Checks one after the other and stops where the next check could say nothing.
pub(crate) fn probe<H: Host>(api: &Api<'_, H>) -> Result<Vec<Finding>, Fault> {
    let mut report = Report::default();
    if let Err(failure) = api.token() {
        report.failed("credentials", failure)?;
        return Ok(report.findings);
    }
    report.passed("credentials");
    let Some(sample) = contact(api, &mut report)? else { return Ok(report.findings) };
    let person = somebody(api, &sample, &mut report)?;
    match (api.settings.user_id_type, person) {
        (UserIdType::User, Some(person)) => attendance(api, person, &mut report)?,
        (UserIdType::User, None) => {}
        (UserIdType::Open | UserIdType::Union, _) => {
            report.missing(ATTENDANCE, "set `user_id_type` to user_id: attendance knows no other");
        }
    }
    Ok(report.findings)
}

/// Where somebody may be found.
enum Sample {
    Departments(Vec<String>),
    People(Vec<String>),
}

/// The permission to read the directory, the contact range and the fields of departments. None when the directory
/// cannot be read at all.
fn contact<H: Host>(api: &Api<'_, H>, report: &mut Report) -> Result<Option<Sample>, Fault> {
    let tree = match departments::below(api, ROOT, Depth::All, None) {
        Err(failure) if refuses_recursion(failure.code) => {
            departments::below(api, ROOT, Depth::One, None)
        }
        other => other,
    };
    match tree {
        Ok(response) => {
            report.passed(CONTACT);
            report.passed("contact range: all members");
            report.fields(&response, DEPARTMENT, "department")?;
            Ok(Some(Sample::Departments(populated(api, &response)?)))
        }
        Err(failure) if failure.code == OUTSIDE_RANGE => partial(api, report),
        Err(failure) => {
            report.failed(CONTACT, failure)?;
            Ok(None)
        }
    }
}

/// The root, then the smallest departments that have people: those most likely have them directly.
fn populated<H: Host>(api: &Api<'_, H>, tree: &H::Response) -> Result<Vec<String>, Fault> {
    let shape = departments::shape(api);
    let mut smallest: Vec<(i64, String)> = Vec::new();
    for index in 0..json::length(tree, shape.items).map_err(Failure::from)? {
        let at = format!("{}/{index}", shape.items);
        let id = json::text(tree, &format!("{at}/{}", shape.id)).map_err(Failure::from)?;
        let count = json::integer(tree, &format!("{at}/member_count")).map_err(Failure::from)?;
        if let (Some(id), false) = (id, count == Some(0)) {
            let found = (count.unwrap_or(i64::MAX), id);
            let at = smallest.partition_point(|known| *known <= found);
            smallest.insert(at, found);
            smallest.truncate(MOST_DEPARTMENTS);
        }
    }
    Ok(std::iter::once(ROOT.to_owned()).chain(smallest.into_iter().map(|(_, id)| id)).collect())
}

/// The app sees what it is granted by name.
fn partial<H: Host>(api: &Api<'_, H>, report: &mut Report) -> Result<Option<Sample>, Fault> {
    let page = match range::granted(api, None) {
        Ok(page) => page,
        Err(failure) => {
            report.failed(CONTACT, failure)?;
            return Ok(None);
        }
    };
    report.passed(CONTACT);
    let more = if page.next.is_some() { " or more" } else { "" };
    let (departments, people) = (page.departments.len(), page.people.len());
    let check = format!("contact range: {departments} departments and {people} people{more}");
    if departments + people == 0 {
        report
            .missing(&check, "nobody is visible: widen the app's contact range, publish, approve");
        return Ok(None);
    }
    report.passed(&check);
    Ok(Some(if page.people.is_empty() {
        Sample::Departments(page.departments.into_iter().take(MOST_DEPARTMENTS).collect())
    } else {
        Sample::People(page.people.into_iter().take(MOST_PEOPLE).collect())
    }))
}

/// The fields of a few people. Gives the `user_id` of one of them.
fn somebody<H: Host>(
    api: &Api<'_, H>,
    sample: &Sample,
    report: &mut Report,
) -> Result<Option<String>, Fault> {
    let found = match sample {
        Sample::People(ids) => people::answer_by_id(api, ids).map(Some),
        Sample::Departments(ids) => first_with_people(api, ids),
    };
    let response = match found {
        Ok(Some(response)) if response.count("/data/items").unwrap_or(0) > 0 => response,
        Ok(_) => {
            report
                .missing("people", "nobody is visible where this looked: check the contact range");
            return Ok(None);
        }
        Err(failure) => {
            report.failed("people", failure)?;
            return Ok(None);
        }
    };
    report.fields(&response, PERSON, "person")?;
    Ok(json::text(&response, "/data/items/0/user_id").map_err(Failure::from)?)
}

fn first_with_people<H: Host>(
    api: &Api<'_, H>,
    departments: &[String],
) -> Result<Option<H::Response>, Failure> {
    for of in departments {
        let response = people::directly_in(api, of, None)?;
        if json::length(&response, "/data/items")? > 0 {
            return Ok(Some(response));
        }
    }
    Ok(None)
}

/// The permission to read attendance, and whether its data range has this person.
fn attendance<H: Host>(api: &Api<'_, H>, person: String, report: &mut Report) -> Result<(), Fault> {
    let today = day_number(api.host.now_ms() / 1000, api.settings.utc_offset_seconds);
    match api.send(&days_call(&[person], today, today)) {
        Ok(response) => {
            report.passed(ATTENDANCE);
            let outside = json::length(&response, "/data/unauthorized_user_ids");
            if outside.map_err(Failure::from)? == 0 {
                report.passed(ATTENDANCE_RANGE);
            } else {
                report.missing(
                    ATTENDANCE_RANGE,
                    "extend the app's data range in the attendance console",
                );
            }
        }
        Err(failure) if matches!(failure.code, BAD_PERSON | NO_DATA_RANGE) => {
            report.passed(ATTENDANCE);
            report.failed(ATTENDANCE_RANGE, failure)?;
        }
        Err(failure) => report.failed(ATTENDANCE, failure)?,
    }
    Ok(())
}

/// The findings so far.
#[derive(Default)]
struct Report {
    findings: Vec<Finding>,
}

impl Report {
    fn passed(&mut self, check: &str) {
        self.findings.push(Finding { check: check.to_owned(), passed: true, remedy: None });
    }

    fn missing(&mut self, check: &str, remedy: &str) {
        let remedy = Some(remedy.to_owned());
        self.findings.push(Finding { check: check.to_owned(), passed: false, remedy });
    }

    /// What an administrator can mend is a finding; anything else ends the probe.
    fn failed(&mut self, check: &str, failure: Failure) -> Result<(), Fault> {
        match failure.fault {
            Fault::Unauthorized(advice) | Fault::Forbidden(advice) | Fault::Invalid(advice) => {
                let Advice { code, message, remedy } = advice;
                self.missing(check, &format!("{remedy} (code {code}: {message})"));
                Ok(())
            }
            fault @ (Fault::RateLimited(_)
            | Fault::NotFound
            | Fault::StaleCursor
            | Fault::Unavailable(_)
            | Fault::Unsupported) => Err(fault),
        }
    }

    /// One finding for each permission that brings fields. Without a record there is nothing to say.
    fn fields<R: Response>(&mut self, answer: &R, fields: &[Field], of: &str) -> Result<(), Fault> {
        let count = json::length(answer, "/data/items").map_err(Failure::from)?;
        let looked_at = count.min(MOST_RECORDS);
        if looked_at == 0 {
            return Ok(());
        }
        for field in fields {
            let there = |name: &&str| {
                (0..looked_at)
                    .any(|index| answer.pointer(&format!("/data/items/{index}/{name}")).is_some())
            };
            let check = format!("permission {}", field.scope);
            if field.names.iter().any(there) {
                self.passed(&check);
            } else {
                let names = field.names.join(", ");
                self.missing(
                    &check,
                    &format!(
                        "the platform leaves out these fields of every {of}: {names}; where they are needed, request \
                         the permission in the developer console, publish a version and let an administrator approve it"
                    ),
                );
            }
        }
        Ok(())
    }
}
