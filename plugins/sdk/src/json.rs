//! Typed reading of single values from a response: absent and `null` are `None`, another type is an error.
//!
//! What this is not: a way to read records; those stay in the host. The one invariant: a value of the wrong type is
//! never taken for an absent one.

use crate::Response;

/// A value has another type than the platform documents.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{path}` is not {expected}; compare the platform's documentation with the plugin's version"
)]
pub struct WrongType {
    /// Where it stands.
    pub path: String,
    /// What it should be, with its article.
    pub expected: &'static str,
}

/// The string at `path`.
///
/// # Errors
/// [`WrongType`] when something else stands there.
pub fn text(response: &impl Response, path: &str) -> Result<Option<String>, WrongType> {
    let Some(raw) = present(response, path) else { return Ok(None) };
    match serde_json::from_str::<String>(&raw) {
        Ok(text) => Ok(Some(text)),
        Err(_) => Err(WrongType { path: path.to_owned(), expected: "a string" }),
    }
}

/// The integer at `path`. Platforms also write integers as strings: both are read.
///
/// # Errors
/// [`WrongType`] when something else stands there.
pub fn integer(response: &impl Response, path: &str) -> Result<Option<i64>, WrongType> {
    let Some(raw) = present(response, path) else { return Ok(None) };
    match raw.trim_matches('"').parse() {
        Ok(number) => Ok(Some(number)),
        Err(_) => Err(WrongType { path: path.to_owned(), expected: "an integer" }),
    }
}

/// The boolean at `path`.
///
/// # Errors
/// [`WrongType`] when something else stands there.
pub fn flag(response: &impl Response, path: &str) -> Result<Option<bool>, WrongType> {
    match present(response, path).as_deref() {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(_) => Err(WrongType { path: path.to_owned(), expected: "a boolean" }),
    }
}

/// How many elements the array at `path` has; an absent array has none.
///
/// # Errors
/// [`WrongType`] when something else stands there.
pub fn length(response: &impl Response, path: &str) -> Result<u32, WrongType> {
    match response.count(path) {
        Some(count) => Ok(count),
        None if present(response, path).is_none() => Ok(0),
        None => Err(WrongType { path: path.to_owned(), expected: "an array" }),
    }
}

/// The strings of the array at `path`; an absent array has none.
///
/// # Errors
/// [`WrongType`] when something else stands there.
pub fn texts(response: &impl Response, path: &str) -> Result<Vec<String>, WrongType> {
    let Some(raw) = present(response, path) else { return Ok(Vec::new()) };
    serde_json::from_str(&raw)
        .map_err(|_| WrongType { path: path.to_owned(), expected: "an array of strings" })
}

fn present(response: &impl Response, path: &str) -> Option<String> {
    response.pointer(path).filter(|raw| raw != "null")
}
