//! What is missing before a first run: secrets, trusted addresses, the visible range, fields, check-in.
//!
//! What this is not: a guarantee; a permission that is granted may still show nothing. The one invariant: a field that
//! is absent in every person looked at is one the platform keeps from this app.

use rollcall_sdk::codes::Class;
use rollcall_sdk::json;
use rollcall_sdk::{Advice, Fault, Finding, Host, Response};

use crate::api::{Api, CHECK_IN, DETAILS, Secret, quoted};
use crate::attendance::reports;
use crate::codes::BAD_PERSON;
use crate::day::midnight;
use crate::failure::Failure;
use crate::skeleton::{self, Place};
use crate::{people, range, records};

/// How many departments are looked into for somebody to look at.
const MOST_DEPARTMENTS: usize = 5;
/// How many people are looked at.
const MOST_PEOPLE: u32 = 10;

const TRUSTED: &str = "企业可信IP and the app's secret";
const VISIBLE: &str = "应用可见范围";
const COUNTS: &str = "通讯录同步 - API接口同步";
const CHECK_IN_LIST: &str = "打卡 - 可调用接口的应用";

/// What newer apps are not told of people, or told as empty.
const KEPT_BACK: [&str; 4] = ["mobile", "email", "biz_mail", "gender"];

/// Checks one after the other and stops where the next check could say nothing.
pub(crate) fn probe<H: Host>(api: &Api<'_, H>) -> Result<Vec<Finding>, Fault> {
    let mut report = Report::default();
    if let Err(failure) = api.token(Secret::App) {
        report.failed("app_secret", failure)?;
        return Ok(report.findings);
    }
    report.passed("app_secret");
    let Some(places) = visible(api, &mut report)? else { return Ok(report.findings) };
    company(api, &places, &mut report)?;
    app(api, &mut report)?;
    if let Some(person) = somebody(api, &places, &mut report)? {
        check_in(api, person, &mut report)?;
    }
    Ok(report.findings)
}

/// The departments that the app sees. None when it sees none.
fn visible<H: Host>(api: &Api<'_, H>, report: &mut Report) -> Result<Option<Vec<Place>>, Fault> {
    match skeleton::departments(api, DETAILS) {
        Ok(places) if places.is_empty() => {
            report.passed(TRUSTED);
            report.missing(
                VISIBLE,
                "no department is visible: give the app the root department, or those to be read",
            );
            Ok(None)
        }
        Ok(places) => {
            report.passed(TRUSTED);
            report.passed(&format!("{VISIBLE}: {} departments", places.len()));
            Ok(Some(places))
        }
        Err(failure) => {
            report.failed(TRUSTED, failure)?;
            Ok(None)
        }
    }
}

/// Whether contacts sync counts the company, and whether the app sees as much.
fn company<H: Host>(api: &Api<'_, H>, places: &[Place], report: &mut Report) -> Result<(), Fault> {
    match skeleton::all_departments(api) {
        Ok(None) => report.passed(&format!("{COUNTS}: not configured, nothing counts the company")),
        Ok(Some(all)) if all.len() > places.len() => {
            let check = format!("{VISIBLE}: {} of {} departments", places.len(), all.len());
            report.missing(
                &check,
                "give the app the root department; or leave `contacts_secret` out, for as long as the app sees less than \
                 the company nobody's end is certain",
            );
        }
        Ok(Some(_)) => report.passed(COUNTS),
        Err(failure) => report.failed(COUNTS, failure)?,
    }
    Ok(())
}

/// Whether the app is what `agent_id` says, and switched on.
fn app<H: Host>(api: &Api<'_, H>, report: &mut Report) -> Result<(), Fault> {
    match range::read(api) {
        Ok(None) => {}
        Ok(Some(range)) if range.closed => {
            report.missing("agent_id", "the app is switched off: let an administrator enable it");
        }
        Ok(Some(range)) => report.passed(&format!(
            "agent_id: {} departments, {} people and {} tags are granted",
            range.departments,
            range.people.len(),
            range.tags
        )),
        Err(failure) => report.failed("agent_id", failure)?,
    }
    Ok(())
}

/// The fields of a few people. Gives the account of one of them.
fn somebody<H: Host>(
    api: &Api<'_, H>,
    places: &[Place],
    report: &mut Report,
) -> Result<Option<String>, Fault> {
    // The root and the newest departments: the one has few, the others are small.
    let newest = places.iter().rev().take(MOST_DEPARTMENTS - 1);
    for place in places.iter().take(1).chain(newest) {
        let response = match people::directly_in(api, &place.id.to_string()) {
            Ok(response) => response,
            Err(failure) => {
                report.failed("people", failure)?;
                return Ok(None);
            }
        };
        if json::length(&response, "/userlist").map_err(Failure::from)? > 0 {
            report.fields(&response)?;
            return Ok(Some(records::text(&response, "/userlist/0/userid")?));
        }
    }
    report.missing("people", "nobody is visible where this looked: check the app's visible range");
    Ok(None)
}

/// Whether the app may read check-in.
fn check_in<H: Host>(api: &Api<'_, H>, person: String, report: &mut Report) -> Result<(), Fault> {
    let today = midnight(api.host.now_ms() / 1000, api.settings.utc_offset_seconds);
    match api.send(CHECK_IN, &reports(&quoted(&[person]), today, today)) {
        Ok(_) => report.passed(CHECK_IN_LIST),
        Err(failure) if failure.code == BAD_PERSON => report.passed(CHECK_IN_LIST),
        Err(failure) => report.failed(CHECK_IN_LIST, failure)?,
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
        let Failure { class, fault, .. } = failure;
        match fault {
            Fault::Unauthorized(advice) | Fault::Forbidden(advice) | Fault::Invalid(advice)
                if class != Class::TooLarge =>
            {
                let Advice { code, message, remedy } = advice;
                self.missing(check, &format!("{remedy} (code {code}: {message})"));
                Ok(())
            }
            fault => Err(fault),
        }
    }

    /// Which fields the app is told of people.
    fn fields(&mut self, answer: &impl Response) -> Result<(), Fault> {
        let count = json::length(answer, "/userlist").map_err(Failure::from)?.min(MOST_PEOPLE);
        let told = |name: &str| {
            (0..count).any(|index| {
                let value = answer.pointer(&format!("/userlist/{index}/{name}"));
                value.is_some_and(|value| !matches!(value.trim_matches('"'), "" | "0" | "null"))
            })
        };
        self.passed("names and titles of people");
        let hidden: Vec<&str> = KEPT_BACK.into_iter().filter(|name| !told(name)).collect();
        if hidden.is_empty() {
            self.passed("mobile, mail and gender of people");
        } else {
            self.missing(
                "mobile, mail and gender of people",
                &format!(
                    "the platform keeps back {}: it does so from every app made after June 2022; let the EHR keep \
                     them, or let people consent to them when they sign in",
                    hidden.join(", ")
                ),
            );
        }
        Ok(())
    }
}
