//! The records of an answer, left where they are.
//!
//! What this is not: a particular listing. The one invariant: a list that is not there is a fault where its absence would
//! speak of people.

use rollcall_sdk::codes::Class;
use rollcall_sdk::json;
use rollcall_sdk::{Advice, Content, Response, Slice};

use crate::failure::Failure;

/// The most records that one page may have; the host takes no more.
pub(crate) const MOST_RECORDS: u32 = 10_000;

/// The records at a pointer, known by these fields.
pub(crate) fn sliced<R: Response>(response: R, items: &str, id: &[&str]) -> Content<R> {
    let id = id.iter().map(|name| (*name).to_owned()).collect();
    Content::Sliced(Slice { response, items: items.to_owned(), id })
}

/// How many records there are. Without a list at all nothing is known.
pub(crate) fn length(response: &impl Response, items: &str) -> Result<u32, Failure> {
    let count = json::length(response, items)?;
    if count == 0 && response.pointer(items).is_none() {
        let message = format!("the answer holds no `{items}`");
        let remedy = "list again later; if it lasts, ask the platform's support";
        let advice = Advice::new("shape", message, remedy);
        return Err(Failure::of(Class::Unavailable, advice));
    }
    Ok(count)
}

/// The whole number of an item.
pub(crate) fn number(response: &impl Response, path: &str) -> Result<u64, Failure> {
    let number = json::integer(response, path)?.and_then(|number| u64::try_from(number).ok());
    number.ok_or_else(|| missing(path))
}

/// The text of an item.
pub(crate) fn text(response: &impl Response, path: &str) -> Result<String, Failure> {
    json::text(response, path)?.filter(|text| !text.is_empty()).ok_or_else(|| missing(path))
}

fn missing(path: &str) -> Failure {
    let message = format!("the platform leaves out `{path}`");
    let remedy = "look for a newer version of the plugin; if there is none, report this";
    let advice = Advice::new("shape", message, remedy);
    Failure::of(Class::Invalid, advice)
}
