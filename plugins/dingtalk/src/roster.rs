//! The roster of Smart HR (智能人事), joined to people: their records get the platform's own list of fields as `roster`
//! (DingTalk fact sheet, section 2.4).
//!
//! What this is not: the address book, nor a choice of fields; that is the connection's. The one invariant: a roster that
//! may not be read costs nobody their record. It is left out and told, and what is left out changes nothing in the EHR.

use rollcall_sdk::codes::Class;
use rollcall_sdk::{Fault, Host, Item, Level, Response};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::api::{Api, Call, quoted};
use crate::failure::{Failure, wrong};
use crate::settings::Roster;

/// The most people of a call.
const MOST_PEOPLE: usize = 100;
/// For so long a roster that was refused is not asked for again.
const REFUSED_SECONDS: u32 = 600;

/// One person's fields as they were written.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'r> {
    user_id: String,
    #[serde(borrow)]
    field_data_list: Option<&'r RawValue>,
}

/// These people, each with what the roster says of them; as they are where no roster is set up or none may be read.
pub(crate) fn join<H: Host>(api: &Api<'_, H>, people: &mut [Item]) -> Result<(), Failure> {
    let Some(roster) = &api.settings.roster else { return Ok(()) };
    let refused = format!("roster refused {}", roster.agent_id);
    for people in people.chunks_mut(MOST_PEOPLE) {
        if api.host.recall(&refused).is_some() {
            return Ok(());
        }
        let ids: Vec<String> = people.iter().map(|person| person.id.clone()).collect();
        match ask(api, roster, &ids) {
            Ok(response) => attach(people, &response)?,
            Err(failure) if matches!(failure.class, Class::RateLimited | Class::Unavailable) => {
                return Err(failure);
            }
            Err(failure) => {
                api.host.remember(&refused, "", REFUSED_SECONDS);
                api.host.log(Level::Warn, &told(&failure.fault));
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The answer with the fields of these people.
pub(crate) fn ask<H: Host>(
    api: &Api<'_, H>,
    roster: &Roster,
    ids: &[String],
) -> Result<H::Response, Failure> {
    let body = format!(
        r#"{{"appAgentId":{},"userIdList":{},"fieldFilterList":{}}}"#,
        roster.agent_id,
        quoted(ids),
        quoted(&roster.fields)
    );
    api.send(&Call::post_new("v1.0/hrm/rosters/lists/query", body))
}

/// Those of the asked-for fields that nobody in an answer has.
pub(crate) fn absent(response: &impl Response, roster: &Roster) -> Result<Vec<String>, Failure> {
    let raw = result(response)?;
    let mut absent = roster.fields.clone();
    for entry in entries(&raw)? {
        let Some(list) = entry.field_data_list else { continue };
        let fields: Vec<Value> = serde_json::from_str(list.get()).map_err(|_| shapeless())?;
        absent.retain(|code| fields.iter().all(|field| field["fieldCode"] != **code));
    }
    Ok(absent)
}

fn attach(people: &mut [Item], response: &impl Response) -> Result<(), Failure> {
    let raw = result(response)?;
    let entries = entries(&raw)?;
    for person in people {
        let entry = entries.iter().find(|entry| entry.user_id == person.id);
        let Some(fields) = entry.and_then(|entry| entry.field_data_list) else { continue };
        if !fields.get().starts_with('[') {
            return Err(shapeless());
        }
        let open = person.payload.trim_end().strip_suffix('}').ok_or_else(shapeless)?;
        let comma = if open.trim_end().ends_with('{') { "" } else { "," };
        person.payload = format!(r#"{open}{comma}"roster":{}}}"#, fields.get());
    }
    Ok(())
}

fn result(response: &impl Response) -> Result<String, Failure> {
    response.pointer("/result").ok_or_else(shapeless)
}

fn entries(raw: &str) -> Result<Vec<Entry<'_>>, Failure> {
    serde_json::from_str(raw).map_err(|_| shapeless())
}

fn shapeless() -> Failure {
    wrong("/result", "a list of people with their fields")
}

/// Why the roster is left out, for an administrator.
fn told(fault: &Fault) -> String {
    let (Fault::Unauthorized(advice) | Fault::Forbidden(advice) | Fault::Invalid(advice)) = fault
    else {
        return "people come without their roster: the platform does not have it".to_owned();
    };
    format!("people come without their roster: {}; {}", advice.message, advice.remedy)
}
