//! People: by department, and those that the app is granted one by one (WeCom fact sheet, sections 2.1 to 2.3).
//!
//! What this is not: the walk over the departments, which is the host's. The one invariant: a person who is in several
//! departments is listed in each; only the host, who sees all, counts people.

use rollcall_sdk::codes::Class;
use rollcall_sdk::{Content, Evidence, Fault, Host, Page};

use crate::api::{Api, Call, DETAILS};
use crate::codes::TOO_LARGE;
use crate::failure::Failure;
use crate::records::{self, MOST_RECORDS, sliced};
use crate::single::{self, Object};
use crate::{range, skeleton};

const ITEMS: &str = "/userlist";

/// One page of the people directly in a department, or of those granted by name.
pub(crate) fn list<H: Host>(
    api: &Api<'_, H>,
    within: Option<&str>,
    cursor: Option<&str>,
) -> Result<Page<H::Response>, Fault> {
    match (within, cursor) {
        (Some(department), None) => Ok(members(api, department)?),
        (None, None) => Ok(granted(api)?),
        (within, Some(cursor)) => {
            let ids = match within {
                Some(department) => member_ids(api, department)?,
                None => range::read(api)?.ok_or(Fault::StaleCursor)?.people,
            };
            let after = single::place(cursor, &ids).ok_or(Fault::StaleCursor)?;
            Ok(single::page(api, Object::Person, &ids, after)?)
        }
    }
}

/// People by id; those that do not exist or may not be seen are left out.
pub(crate) fn by_id<H: Host>(
    api: &Api<'_, H>,
    ids: &[String],
) -> Result<Content<H::Response>, Failure> {
    Ok(single::content(single::items(api, Object::Person, ids)?))
}

/// One answer with all people directly in a department.
pub(crate) fn directly_in<H: Host>(
    api: &Api<'_, H>,
    department: &str,
) -> Result<H::Response, Failure> {
    api.send(DETAILS, &Call::get("user/list", &[("department_id", department)], ITEMS))
}

fn members<H: Host>(api: &Api<'_, H>, department: &str) -> Result<Page<H::Response>, Failure> {
    match directly_in(api, department) {
        Ok(response) => match records::length(&response, ITEMS)? {
            0 => Ok(Page { content: Content::Empty, next: None, evidence: None }),
            1..=MOST_RECORDS => {
                let content = sliced(response, ITEMS, &["/userid"]);
                Ok(Page { content, next: None, evidence: None })
            }
            _ => one_by_one(api, department),
        },
        Err(failure) if failure.code == TOO_LARGE || failure.class == Class::TooLarge => {
            one_by_one(api, department)
        }
        Err(failure) => Err(failure),
    }
}

fn one_by_one<H: Host>(api: &Api<'_, H>, department: &str) -> Result<Page<H::Response>, Failure> {
    single::page(api, Object::Person, &member_ids(api, department)?, 0)
}

fn member_ids<H: Host>(api: &Api<'_, H>, department: &str) -> Result<Vec<String>, Failure> {
    let call = Call::get("user/simplelist", &[("department_id", department)], ITEMS);
    let response = api.send(DETAILS, &call)?;
    let id = |index| records::text(&response, &format!("{ITEMS}/{index}/userid"));
    let mut ids =
        (0..records::length(&response, ITEMS)?).map(id).collect::<Result<Vec<String>, _>>()?;
    ids.sort_unstable();
    Ok(ids)
}

/// The people granted by name, and what the platform says about everyone.
fn granted<H: Host>(api: &Api<'_, H>) -> Result<Page<H::Response>, Failure> {
    let total = skeleton::people(api)?;
    let Some(range) = range::read(api)? else {
        let evidence = total.map(|total| Evidence { scope: None, total: Some(total) });
        return Ok(Page { content: Content::Empty, next: None, evidence });
    };
    let scope = Some(range.fingerprint.text("range"));
    let page = single::page(api, Object::Person, &range.people, 0)?;
    Ok(Page { evidence: Some(Evidence { scope, total }), ..page })
}
