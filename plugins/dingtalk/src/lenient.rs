//! Values that the platform writes now as a number or a boolean, now as a text.
//!
//! What this is not: guessing. The one invariant: an absent value is none, one of another type is an error.

use rollcall_sdk::Response;
use rollcall_sdk::json::{self, WrongType};

/// A boolean, also one in quotes; an absent one is false.
pub(crate) fn flag(response: &impl Response, path: &str) -> Result<bool, WrongType> {
    match response.pointer(path).as_deref().map(|raw| raw.trim_matches('"')) {
        None | Some("null" | "false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(WrongType { path: path.to_owned(), expected: "a boolean" }),
    }
}

/// An integer that must be there.
pub(crate) fn integer(response: &impl Response, path: &str) -> Result<i64, WrongType> {
    json::integer(response, path)?
        .ok_or_else(|| WrongType { path: path.to_owned(), expected: "an integer" })
}

/// The integers of an array as texts; an absent array has none.
pub(crate) fn integers(response: &impl Response, path: &str) -> Result<Vec<String>, WrongType> {
    let at = |index| Ok(integer(response, &format!("{path}/{index}"))?.to_string());
    (0..json::length(response, path)?).map(at).collect()
}
