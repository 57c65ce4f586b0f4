//! What is missing before a first run: credentials, permissions, the range, fields, the month's calls.
//!
//! What this is not: a guarantee; a permission that is granted may still show nothing. The one invariant: a field that
//! is absent in every record looked at is a missing permission, one that is there and empty is not.

use rollcall_sdk::codes::Class;
use rollcall_sdk::{Advice, Fault, Finding, Host, Response, Window};

use crate::api::Api;
use crate::departments::{self, ROOT};
use crate::failure::Failure;
use crate::range::{self, Range};
use crate::window::DAY_SECONDS;
use crate::{people, roster, swipes};

/// How many departments are looked into for somebody to look at.
const MOST_DEPARTMENTS: usize = 5;
/// How many people are looked at.
const MOST_PEOPLE: u32 = 10;

/// Fields, and the permission without which the platform leaves all of them out.
struct Field {
    scope: &'static str,
    names: &'static [&'static str],
}

const PERSON: &[Field] = &[
    Field { scope: "fieldMobile", names: &["mobile", "state_code"] },
    Field { scope: "fieldEmail", names: &["email", "work_place", "remark", "extension"] },
];
const BASE: &str = "permission qyapi_base";
const DEPARTMENTS: &str = "permission qyapi_get_department_list";
const MEMBERS: &str = "permission qyapi_get_department_member";
const MEMBER: &str = "permission qyapi_get_member";
const ATTENDANCE: &str = "permission qyapi_get_attendance_data";
const ROSTER: &str = "permission qyapi_hrm_read_user";

/// Checks one after the other and stops where the next check could say nothing.
pub(crate) fn probe<H: Host>(api: &Api<'_, H>) -> Result<Vec<Finding>, Fault> {
    let mut report = Report::default();
    if let Err(failure) = api.token() {
        report.failed("credentials", failure)?;
        return Ok(report.findings);
    }
    report.passed("credentials");
    let Some(range) = granted(api, &mut report)? else { return Ok(report.findings) };
    let departments = below(api, &range, &mut report)?;
    let people = some_people(api, &range, &departments, &mut report)?;
    if let Some(person) = people.first() {
        in_full(api, person, &mut report)?;
        roster(api, &people, &mut report)?;
        attendance(api, person, &mut report)?;
    }
    Ok(report.findings)
}

/// The address-book range.
fn granted<H: Host>(api: &Api<'_, H>, report: &mut Report) -> Result<Option<Range>, Fault> {
    let range = match range::read(api) {
        Ok(range) => range,
        Err(failure) => {
            report.failed(BASE, failure)?;
            return Ok(None);
        }
    };
    report.passed(BASE);
    if range.has_everyone() {
        report.passed("address-book range: all staff");
        return Ok(Some(range));
    }
    let (departments, people) = (range.departments.len(), range.people.len());
    let check = format!("address-book range: {departments} departments and {people} people");
    if departments + people == 0 {
        report.missing(
            &check,
            "nobody is visible: widen the address-book range on the app's page `Permissions`",
        );
        return Ok(None);
    }
    report.passed(&check);
    Ok(Some(range))
}

/// The permission to read departments; gives some to look into.
fn below<H: Host>(
    api: &Api<'_, H>,
    range: &Range,
    report: &mut Report,
) -> Result<Vec<String>, Fault> {
    let Some(start) = range.departments.first() else { return Ok(Vec::new()) };
    let start = if range.has_everyone() { ROOT } else { start };
    let children = departments::children(api, start).and_then(|answer| departments::ids(&answer));
    let mut found = vec![start.to_owned()];
    match children {
        Ok(ids) => {
            report.passed(DEPARTMENTS);
            found.extend(ids.into_iter().take(MOST_DEPARTMENTS - 1));
        }
        Err(failure) => report.failed(DEPARTMENTS, failure)?,
    }
    Ok(found)
}

/// The permission to read members, and the fields of a few. Gives those.
fn some_people<H: Host>(
    api: &Api<'_, H>,
    range: &Range,
    departments: &[String],
    report: &mut Report,
) -> Result<Vec<String>, Fault> {
    let few = |ids: &[String]| ids.iter().take(MOST_PEOPLE as usize).cloned().collect();
    for of in departments {
        let found = people::page(api, "topapi/v2/user/list", of, 0)
            .and_then(|answer| Ok((people::userids(&answer)?, answer)));
        match found {
            Ok((ids, _)) if ids.is_empty() => {}
            Ok((ids, answer)) => {
                report.passed(MEMBERS);
                report.fields(&answer, PERSON);
                return Ok(few(&ids));
            }
            Err(failure) => {
                report.failed(MEMBERS, failure)?;
                return Ok(Vec::new());
            }
        }
    }
    if range.people.is_empty() {
        report
            .missing("people", "nobody is visible where this looked: check the address-book range");
    }
    Ok(few(&range.people))
}

fn in_full<H: Host>(api: &Api<'_, H>, person: &str, report: &mut Report) -> Result<(), Fault> {
    match people::answer(api, person) {
        Ok(_) => report.passed(MEMBER),
        Err(failure) => report.failed(MEMBER, failure)?,
    }
    Ok(())
}

/// The permission to read the roster, and whether it has the fields that are asked for.
fn roster<H: Host>(api: &Api<'_, H>, people: &[String], report: &mut Report) -> Result<(), Fault> {
    let Some(roster) = &api.settings.roster else {
        report.passed("roster: not set up, `agent_id` is not set");
        return Ok(());
    };
    match roster::ask(api, roster, people).and_then(|answer| roster::absent(&answer, roster)) {
        Ok(absent) => {
            report.passed(ROSTER);
            let known = roster.fields.len() - absent.len();
            let check = format!("roster: {known} of {} fields", roster.fields.len());
            if absent.is_empty() {
                report.passed(&check);
            } else {
                report.missing(
                    &check,
                    &format!(
                        "nobody of {} people has these: {}; check the codes in `roster_fields`, or fill the fields in \
                         for somebody",
                        people.len(),
                        absent.join(", ")
                    ),
                );
            }
        }
        Err(failure) => report.failed(ROSTER, failure)?,
    }
    Ok(())
}

/// The permission to read attendance, by one metered call.
fn attendance<H: Host>(api: &Api<'_, H>, person: &str, report: &mut Report) -> Result<(), Fault> {
    let now = api.host.now_ms() / 1_000;
    let window = Window { start: now - DAY_SECONDS, end: now };
    match swipes::list(api, &[person.to_owned()], window) {
        Ok(_) => report.passed(ATTENDANCE),
        Err(failure) if failure.class == Class::Month => {
            report.passed(ATTENDANCE);
            report.failed("metered calls of this month", failure)?;
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

    /// One finding for each permission that brings fields.
    fn fields(&mut self, answer: &impl Response, fields: &[Field]) {
        let looked_at = answer.count("/result/list").unwrap_or(0).min(MOST_PEOPLE);
        for field in fields {
            let there = |name: &&str| {
                (0..looked_at)
                    .any(|index| answer.pointer(&format!("/result/list/{index}/{name}")).is_some())
            };
            let check = format!("permission {}", field.scope);
            if field.names.iter().any(there) {
                self.passed(&check);
            } else {
                let names = field.names.join(", ");
                self.missing(
                    &check,
                    &format!(
                        "the platform leaves out these fields of every person: {names}; where they are needed, enable the \
                         permission on the app's page `Permissions` in the developer console"
                    ),
                );
            }
        }
    }
}
