//! Typed reading of single values from a response: absent and `null` are `None`, another type is an error.
//!
//! What this is not: a way to read records; those stay in the host. The one invariant: a value of the wrong type is
//! never taken for an absent one.

use std::str::Chars;

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
    match unquote(&raw) {
        Some(text) => Ok(Some(text)),
        None => Err(WrongType { path: path.to_owned(), expected: "a string" }),
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
/// [`WrongType`] when something else stands there, or in it.
pub fn texts(response: &impl Response, path: &str) -> Result<Vec<String>, WrongType> {
    let mut texts = Vec::new();
    for index in 0..length(response, path)? {
        let path = format!("{path}/{index}");
        let Some(text) = text(response, &path)? else {
            return Err(WrongType { path, expected: "a string" });
        };
        texts.push(text);
    }
    Ok(texts)
}

fn present(response: &impl Response, path: &str) -> Option<String> {
    response.pointer(path).filter(|raw| raw != "null")
}

/// `text` as a JSON string, quotes and all.
pub fn quote(text: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    if text.bytes().all(is_plain) {
        quoted.push_str(text);
    } else {
        for c in text.chars() {
            match c {
                '"' | '\\' => quoted.extend(['\\', c]),
                '\0'..='\x1f' => {
                    let code = u32::from(c) as usize;
                    quoted.push_str("\\u00");
                    quoted.extend([HEX[code >> 4], HEX[code & 15]].map(char::from));
                }
                _ => quoted.push(c),
            }
        }
    }
    quoted.push('"');
    quoted
}

/// Whether a byte stands in a JSON string as it is.
fn is_plain(byte: u8) -> bool {
    byte >= b' ' && !matches!(byte, b'"' | b'\\')
}

/// The text of a JSON string; none when it is no such string. By hand, because a JSON library would be a third of a
/// small plugin.
fn unquote(raw: &str) -> Option<String> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if inner.bytes().all(is_plain) {
        return Some(inner.to_owned());
    }
    let mut text = String::with_capacity(inner.len());
    let mut rest = inner.chars();
    while let Some(c) = rest.next() {
        match c {
            '"' | '\0'..='\x1f' => return None,
            '\\' => text.push(match rest.next()? {
                c @ ('"' | '\\' | '/') => c,
                'b' => '\x08',
                'f' => '\x0c',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'u' => escaped(&mut rest)?,
                _ => return None,
            }),
            c => text.push(c),
        }
    }
    Some(text)
}

/// The character after `\u`: one unit of UTF-16, or two that belong together.
fn escaped(rest: &mut Chars<'_>) -> Option<char> {
    let first = unit(rest)?;
    if !(0xd800..0xdc00).contains(&first) {
        return char::from_u32(first);
    }
    let second = (rest.next()? == '\\' && rest.next()? == 'u').then(|| unit(rest))??;
    if !(0xdc00..0xe000).contains(&second) {
        return None;
    }
    char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00))
}

fn unit(rest: &mut Chars<'_>) -> Option<u32> {
    let mut unit = 0;
    for _ in 0..4 {
        unit = unit << 4 | rest.next()?.to_digit(16)?;
    }
    Some(unit)
}
