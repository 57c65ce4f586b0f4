//! The department tree, walked one level at a time: the platform lists direct children only (DingTalk fact sheet,
//! sections 2.1 and 8).
//!
//! What this is not: a check that the tree is closed, which is the host's. The one invariant: every department that
//! the app may see is on some page, and the root, which is the company itself, on none.

use rollcall_sdk::codes::Class;
use rollcall_sdk::{Advice, Content, Evidence, Fault, Host, Page};

use crate::api::{Api, Call};
use crate::codes::gone_department;
use crate::failure::{Failure, wrong};
use crate::lenient;
use crate::range;
use crate::settings::Detail;
use crate::steps::{self, Shape, Step, listed, single};

/// The department above all others; it is not a record.
pub(crate) const ROOT: &str = "1";
/// A deeper tree is a loop.
const MOST_LEVELS: u8 = 64;

const ONE: Shape = Shape { items: "/result", id: "dept_id" };
const MANY: Shape = Shape { items: "/result", id: "dept_id" };

/// One page of the tree.
pub(crate) fn list<H: Host>(
    api: &Api<'_, H>,
    cursor: Option<&str>,
) -> Result<Page<H::Response>, Fault> {
    let (mut open, evidence) = match cursor {
        Some(cursor) => (steps::decode(cursor)?, None),
        None => begin(api)?,
    };
    let content = match open.pop() {
        // Nothing at all is granted.
        None => Content::Empty,
        Some(Step::Department { id, depth }) => {
            // What is below comes next; the siblings stay where they are.
            open.push(Step::Below { of: id.clone(), depth });
            one(api, &id)?
        }
        Some(Step::Below { of, depth }) => below(api, &of, depth, &mut open)?,
        Some(Step::Members { .. } | Step::People { .. }) => return Err(Fault::StaleCursor),
    };
    Ok(Page { content, next: steps::encode(&open)?, evidence })
}

/// Where the walk starts: at the root, or at what is granted by name.
fn begin<H: Host>(api: &Api<'_, H>) -> Result<(Vec<Step>, Option<Evidence>), Failure> {
    let range = range::read(api)?;
    let evidence = Evidence { scope: Some(range.fingerprint()), total: None };
    let start = if range.has_everyone() {
        vec![Step::Below { of: ROOT.to_owned(), depth: 0 }]
    } else {
        let granted = range.departments.into_iter().rev();
        granted.map(|id| Step::Department { id, depth: 1 }).collect()
    };
    Ok((start, Some(evidence)))
}

/// One department in full. One that has gone since it was listed is left out.
fn one<H: Host>(api: &Api<'_, H>, id: &str) -> Result<Content<H::Response>, Failure> {
    match answer(api, id) {
        Ok(response) => single(response, &ONE),
        Err(failure) if gone_department(failure.code) => Ok(Content::Empty),
        Err(failure) => Err(failure),
    }
}

/// The answer that holds one department at `/result`.
pub(crate) fn answer<H: Host>(api: &Api<'_, H>, id: &str) -> Result<H::Response, Failure> {
    api.send(&Call::post("topapi/v2/department/get", format!(r#"{{"dept_id":{}}}"#, number(id)?)))
}

/// The answer that holds the direct children of one at `/result`.
pub(crate) fn children<H: Host>(api: &Api<'_, H>, of: &str) -> Result<H::Response, Failure> {
    let body = format!(r#"{{"dept_id":{}}}"#, number(of)?);
    api.send(&Call::post("topapi/v2/department/listsub", body))
}

/// The departments directly below one: on this page, or each on one of its own.
fn below<H: Host>(
    api: &Api<'_, H>,
    of: &str,
    depth: u8,
    open: &mut Vec<Step>,
) -> Result<Content<H::Response>, Failure> {
    if depth >= MOST_LEVELS {
        return Err(too_deep());
    }
    let response = match children(api, of) {
        Err(failure) if of != ROOT && gone_department(failure.code) => return Ok(Content::Empty),
        other => other?,
    };
    let ids = ids(&response)?;
    // Taken from the end: the first child's subtree comes next.
    for id in ids.into_iter().rev() {
        open.push(match api.settings.detail {
            Detail::Full => Step::Department { id, depth: depth + 1 },
            Detail::List => Step::Below { of: id, depth: depth + 1 },
        });
    }
    match api.settings.detail {
        Detail::Full => Ok(Content::Empty),
        Detail::List => listed(response, &MANY),
    }
}

/// The ids of a listing; a listing that is none is a fault.
pub(crate) fn ids<R: rollcall_sdk::Response>(response: &R) -> Result<Vec<String>, Failure> {
    let Some(count) = response.count(MANY.items) else {
        return Err(wrong(MANY.items, "an array"));
    };
    (0..count).map(|index| id(response, &format!("{}/{index}/dept_id", MANY.items))).collect()
}

fn id<R: rollcall_sdk::Response>(response: &R, path: &str) -> Result<String, Failure> {
    let found = lenient::integer(response, path)?;
    Ok(found.to_string())
}

/// Whether a department can have this id at all.
pub(crate) fn is_id(id: &str) -> bool {
    id.parse::<i64>().is_ok()
}

/// An id as the number it must be, so that nothing else gets into a body.
pub(crate) fn number(id: &str) -> Result<i64, Failure> {
    id.parse().map_err(|_| {
        let remedy = "list the departments again; report this if it lasts";
        let advice = Advice::new("id", "a department's id is no number on this platform", remedy);
        Failure::of(Class::Invalid, advice)
    })
}

fn too_deep() -> Failure {
    let message = format!("the department tree has more than {MOST_LEVELS} levels");
    let advice = Advice::new("tree", message, "look for a loop in the departments");
    Failure::of(Class::Invalid, advice)
}
