//! People: by department, and those that hang off none (DingTalk fact sheet, section 2.2).
//!
//! What this is not: the walk over the departments, which is the host's. The one invariant: a person who is in several
//! departments is listed in each; only the host, who sees all, counts people.

use rollcall_sdk::codes::Class;
use rollcall_sdk::json;
use rollcall_sdk::{Content, Evidence, Fault, Host, Item, Level, Page, Response as _};
use serde_json::value::RawValue;

use crate::api::{Api, Call};
use crate::codes::{gone_person, outside_range};
use crate::departments::{ROOT, number};
use crate::failure::{Failure, wrong};
use crate::settings::Detail;
use crate::singles::read_each;
use crate::steps::{self, Shape, Step, built, listed, single, stuck};
use crate::{lenient, range, roster};

/// The most the platform gives at a time.
const PAGE_SIZE: u32 = 100;
/// So many people are read in full for one call to the roster.
const WITH_ROSTER: usize = 25;

const ONE: Shape = Shape { items: "/result", id: "userid" };
const MANY: Shape = Shape { items: "/result/list", id: "userid" };

/// One page of the people directly in a department, or of those in none.
pub(crate) fn list<H: Host>(
    api: &Api<'_, H>,
    within: Option<&str>,
    cursor: Option<&str>,
) -> Result<Page<H::Response>, Fault> {
    let of = within.unwrap_or(ROOT);
    let (mut open, evidence) = match (cursor, within) {
        (Some(cursor), _) => (steps::decode(cursor)?, None),
        (None, Some(_)) => (vec![Step::Members { of: of.to_owned(), from: 0 }], None),
        (None, None) => begin(api)?,
    };
    let content = match open.pop() {
        // Nobody is granted by name.
        None => Content::Empty,
        Some(Step::Members { of: at, from }) if at == of => members(api, of, from, &mut open)?,
        Some(Step::People { ids }) => next_of(api, ids, &mut open)?,
        Some(_) => return Err(Fault::StaleCursor),
    };
    Ok(Page { content, next: steps::encode(&open)?, evidence })
}

/// Those in no department: the root's own where everyone is granted, else those granted by name.
fn begin<H: Host>(api: &Api<'_, H>) -> Result<(Vec<Step>, Option<Evidence>), Failure> {
    let range = range::read(api)?;
    let scope = Some(range.fingerprint());
    if range.has_everyone() {
        let start = vec![Step::Members { of: ROOT.to_owned(), from: 0 }];
        return Ok((start, Some(Evidence { scope, total: head_count(api)? })));
    }
    let start =
        if range.people.is_empty() { Vec::new() } else { vec![Step::People { ids: range.people }] };
    Ok((start, Some(Evidence { scope, total: None })))
}

/// A page of a department: its records, or only who they are, when each is to be read in full.
fn members<H: Host>(
    api: &Api<'_, H>,
    of: &str,
    from: i64,
    open: &mut Vec<Step>,
) -> Result<Content<H::Response>, Failure> {
    let response = match api.settings.detail {
        Detail::Full => page(api, "topapi/user/listsimple", of, from),
        Detail::List => page(api, "topapi/v2/user/list", of, from),
    }?;
    if lenient::flag(&response, "/result/has_more")? {
        let next = json::integer(&response, "/result/next_cursor")?;
        match next {
            Some(next) if next > from => {
                open.push(Step::Members { of: of.to_owned(), from: next });
            }
            Some(_) => return Err(stuck("the platform hands back the place that it was given")),
            None => return Err(stuck("the platform says there is more, but not where")),
        }
    }
    if api.settings.detail == Detail::List {
        return match api.settings.roster {
            None => listed(response, &MANY),
            Some(_) => listed_with_roster(api, &response),
        };
    }
    let ids = userids(&response)?;
    if !ids.is_empty() {
        open.push(Step::People { ids });
    }
    Ok(Content::Empty)
}

/// The listed people, copied out of the listing, with their roster.
fn listed_with_roster<H: Host>(
    api: &Api<'_, H>,
    response: &H::Response,
) -> Result<Content<H::Response>, Failure> {
    let ids = userids(response)?;
    let raw = response.pointer(MANY.items).unwrap_or_default();
    let people: Vec<&RawValue> =
        serde_json::from_str(&raw).map_err(|_| wrong(MANY.items, "an array"))?;
    let item = |(id, person): (String, &RawValue)| Item { id, payload: person.get().to_owned() };
    let mut items: Vec<Item> = ids.into_iter().zip(people).map(item).collect();
    roster::join(api, &mut items)?;
    Ok(built(items))
}

/// One answer with people directly in a department.
pub(crate) fn page<H: Host>(
    api: &Api<'_, H>,
    endpoint: &'static str,
    of: &str,
    from: i64,
) -> Result<H::Response, Failure> {
    let body = format!(r#"{{"dept_id":{},"cursor":{from},"size":{PAGE_SIZE}}}"#, number(of)?);
    api.send(&Call::post(endpoint, body))
}

/// The ids of a listing; a listing that is none is a fault.
pub(crate) fn userids<R: rollcall_sdk::Response>(response: &R) -> Result<Vec<String>, Failure> {
    let Some(count) = response.count(MANY.items) else {
        return Err(wrong(MANY.items, "an array"));
    };
    (0..count)
        .map(|index| {
            let path = format!("{}/{index}/{}", MANY.items, MANY.id);
            let id = json::text(response, &path)?.filter(|id| !id.is_empty());
            id.ok_or_else(|| wrong(&path, "a string"))
        })
        .collect()
}

/// The first of these in full; the others later. One, or as many as are worth a call to the roster.
fn next_of<H: Host>(
    api: &Api<'_, H>,
    mut ids: Vec<String>,
    open: &mut Vec<Step>,
) -> Result<Content<H::Response>, Failure> {
    let several = if api.settings.roster.is_some() { WITH_ROSTER } else { 1 };
    let later = ids.split_off(several.min(ids.len()));
    if !later.is_empty() {
        open.push(Step::People { ids: later });
    }
    if api.settings.roster.is_some() {
        return Ok(built(in_full(api, &ids)?));
    }
    let Some(id) = ids.first() else { return Ok(Content::Empty) };
    match answer(api, id) {
        Ok(response) => single(response, &ONE),
        // Left since the listing: as good as not listed.
        Err(failure) if gone_person(failure.code) => Ok(Content::Empty),
        Err(failure) if outside_range(failure.code) => {
            api.host.log(Level::Warn, "1 person is outside the address-book range; left out");
            Ok(Content::Empty)
        }
        Err(failure) => Err(failure),
    }
}

/// Each of these people in full, with their roster.
pub(crate) fn in_full<H: Host>(api: &Api<'_, H>, ids: &[String]) -> Result<Vec<Item>, Failure> {
    let mut items = read_each(api, answer, ids)?;
    roster::join(api, &mut items)?;
    Ok(items)
}

/// The answer that holds one person at `/result`.
pub(crate) fn answer<H: Host>(api: &Api<'_, H>, id: &str) -> Result<H::Response, Failure> {
    let body = format!(r#"{{"userid":{}}}"#, json::quote(id));
    api.send(&Call::post("topapi/v2/user/get", body))
}

/// How many people the platform counts in the whole tenant, where it tells.
fn head_count<H: Host>(api: &Api<'_, H>) -> Result<Option<u64>, Failure> {
    let call = Call::post("topapi/user/count", r#"{"only_active":false}"#.to_owned());
    match api.send(&call) {
        Ok(response) => {
            let count = json::integer(&response, "/result/count")?;
            Ok(count.and_then(|count| u64::try_from(count).ok()))
        }
        Err(failure) if matches!(failure.class, Class::RateLimited | Class::Unavailable) => {
            Err(failure)
        }
        Err(failure) => {
            let line = format!("the tenant's head count is not readable: code {}", failure.code);
            api.host.log(Level::Warn, &line);
            Ok(None)
        }
    }
}
