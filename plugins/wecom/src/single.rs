//! Objects read one at a time, where the platform has no call for many or the many are too many.
//!
//! What this is not: deciding which ids. The one invariant: an object is left out only when the platform says of it that
//! it does not exist or may not be seen.

use rollcall_sdk::codes::Class;
use rollcall_sdk::{Content, Host, Item, Page, Response as _};

use crate::api::{Api, Call, DETAILS};
use crate::failure::Failure;
use crate::{departments, object};

/// How many are read in one page; with what else a page asks for they stay below the requests that a call may make.
const MOST_AT_ONCE: usize = 40;

/// What is read.
#[derive(Clone, Copy)]
pub(crate) enum Object {
    Department,
    Person,
}

/// The page of those after `after`, of ids in ascending order.
pub(crate) fn page<H: Host>(
    api: &Api<'_, H>,
    object: Object,
    ids: &[String],
    after: usize,
) -> Result<Page<H::Response>, Failure> {
    let rest = ids.get(after..).unwrap_or_default();
    let here = &rest[..rest.len().min(MOST_AT_ONCE)];
    let more = rest.len() > here.len();
    let content = content(items(api, object, here)?);
    Ok(Page { content, next: more.then(|| cursor(&here[here.len() - 1])), evidence: None })
}

/// Reads each; those that are gone are left out.
pub(crate) fn items<H: Host>(
    api: &Api<'_, H>,
    object: Object,
    ids: &[String],
) -> Result<Vec<Item>, Failure> {
    let mut items = Vec::with_capacity(ids.len());
    for id in ids {
        items.extend(one(api, object, id)?);
    }
    Ok(items)
}

/// Items as the records of a page.
pub(crate) fn content<R>(items: Vec<Item>) -> Content<R> {
    if items.is_empty() { Content::Empty } else { Content::Built(items) }
}

/// The cursor of a page that ends with this id.
fn cursor(id: &str) -> String {
    format!("after:{id}")
}

/// The place after the id that a cursor names, in ids in ascending order. None when it is no cursor of this kind.
pub(crate) fn place(cursor: &str, ids: &[String]) -> Option<usize> {
    let id = cursor.strip_prefix("after:")?;
    Some(ids.partition_point(|known| known.as_str() <= id))
}

/// The object as a listing shows it, under the id that the platform spells.
fn one<H: Host>(api: &Api<'_, H>, object: Object, id: &str) -> Result<Option<Item>, Failure> {
    let call = match object {
        Object::Department => Call::get("department/get", &[("id", id)], departments::ONE),
        Object::Person => Call::get("user/get", &[("userid", id)], "/userid"),
    };
    let response = match api.send(DETAILS, &call) {
        Err(failure) if failure.class == Class::NotFound => return Ok(None),
        other => other?,
    };
    Ok(Some(match object {
        Object::Department => Item {
            id: crate::records::number(&response, "/department/id")?.to_string(),
            payload: response.pointer(departments::ONE).unwrap_or_default(),
        },
        Object::Person => Item {
            id: crate::records::text(&response, "/userid")?,
            payload: object::without(
                &response.pointer("").unwrap_or_default(),
                &["errcode", "errmsg"],
            ),
        },
    }))
}
