//! The ids of the whole company, which contacts sync may read whatever else it may not: how many there must be.
//!
//! What this is not: records; they come from the app. The one invariant: a count is of distinct ids, read to the end, or it
//! is not told.

use rollcall_sdk::codes::Class;
use rollcall_sdk::json;
use rollcall_sdk::{Advice, Host, Level};

use crate::api::{Api, Behalf, Call, SKELETON};
use crate::failure::Failure;
use crate::range::hash;
use crate::records;

/// The most rows that a page may have.
const PAGE_SIZE: u32 = 10_000;
/// How many pages are read at most; a call of the host has room for little more.
const MOST_PAGES: usize = 40;

/// A department's id and its parent's.
pub(crate) struct Place {
    pub(crate) id: u64,
    pub(crate) parent: u64,
}

/// The ids of the departments that these secrets may see.
pub(crate) fn departments<H: Host>(
    api: &Api<'_, H>,
    behalf: Behalf,
) -> Result<Vec<Place>, Failure> {
    let items = "/department_id";
    let response = api.send(behalf, &Call::get("department/simplelist", &[], items))?;
    places(&response, items)
}

/// The places in the tree of the departments at a pointer.
pub(crate) fn places(
    response: &impl rollcall_sdk::Response,
    items: &str,
) -> Result<Vec<Place>, Failure> {
    let place = |index| {
        Ok(Place {
            id: records::number(response, &format!("{items}/{index}/id"))?,
            parent: json::integer(response, &format!("{items}/{index}/parentid"))?
                .and_then(|parent| u64::try_from(parent).ok())
                .unwrap_or(0),
        })
    };
    (0..records::length(response, items)?).map(place).collect()
}

/// The departments of the whole company; none without contacts sync.
pub(crate) fn all_departments<H: Host>(api: &Api<'_, H>) -> Result<Option<Vec<Place>>, Failure> {
    configured(departments(api, SKELETON))
}

/// How many people the whole company has; none without contacts sync.
pub(crate) fn people<H: Host>(api: &Api<'_, H>) -> Result<Option<u64>, Failure> {
    let mut seen = Vec::new();
    let mut cursor = String::new();
    for _ in 0..MOST_PAGES {
        let page = match configured(page(api, &cursor)) {
            Ok(Some(page)) => page,
            Ok(None) => return Ok(None),
            Err(failure) if failure.class == Class::TooLarge => return Ok(uncounted(api)),
            Err(failure) => return Err(failure),
        };
        for index in 0..records::length(&page, "/dept_user")? {
            seen.push(hash('p', &records::text(&page, &format!("/dept_user/{index}/userid"))?));
        }
        match json::text(&page, "/next_cursor")?.filter(|next| !next.is_empty()) {
            None => {
                seen.sort_unstable();
                seen.dedup();
                return Ok(Some(seen.len() as u64));
            }
            Some(next) if next == cursor => return Err(repeating()),
            Some(next) => cursor = next,
        }
    }
    Ok(uncounted(api))
}

fn page<H: Host>(api: &Api<'_, H>, cursor: &str) -> Result<H::Response, Failure> {
    let body = format!(r#"{{"cursor":{},"limit":{PAGE_SIZE}}}"#, json::quote(cursor));
    api.send(SKELETON, &Call::post("user/list_id", body, "/dept_user"))
}

/// Nothing where the secret is not configured; a configured one that does not work is told.
fn configured<T>(read: Result<T, Failure>) -> Result<Option<T>, Failure> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(failure) if failure.class == Class::NoSecret => Ok(None),
        Err(failure) => Err(failure),
    }
}

fn uncounted<H: Host>(api: &Api<'_, H>) -> Option<u64> {
    api.host.log(Level::Warn, "the company has too many people to count its ids in one call");
    None
}

fn repeating() -> Failure {
    let problem = "user/list_id: the platform hands back the cursor that it was given";
    let remedy = "list again later; if it lasts, ask the platform's support";
    let advice = Advice::new("paging", problem, remedy);
    Failure::of(Class::Unavailable, advice)
}
