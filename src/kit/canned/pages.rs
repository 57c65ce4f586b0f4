//! Which part of a listing is asked for, and how the answer says where it goes on.
//!
//! The one invariant: whoever follows what the answers say meets every row once.

use serde_json::{Value, json};

use super::exchange::Asked;
use super::fill::put;
use super::script::{Paging, Place};

/// Part of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) from: u32,
    pub(super) to: u32,
    /// The page was reached by the token of an empty one.
    pub(super) after_empty: bool,
    token: String,
}

impl Part {
    /// Whether there are rows behind it.
    pub(super) fn has_more(&self, rows: u32) -> bool {
        self.to < rows
    }
}

/// How a page is bent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bend {
    Straight,
    /// As if it were the last.
    Cut,
    /// Its next page is itself.
    Repeated,
    /// Without rows, and its next page has them.
    Empty,
}

/// The part that a request asks for; `None` when it asks for what there is not.
pub(super) fn asked_for(paging: &Paging, asked: &Asked, rows: u32) -> Option<Part> {
    let size = paging.size().unwrap_or(rows);
    let read = |place: &Place| asked.text(place);
    let (from, token) = match paging {
        Paging::None => (0, String::new()),
        Paging::Cursor { param, .. } => by_token(read(param))?,
        Paging::Link { param, .. } => {
            by_token(read(&Place { query: Some(param.clone()), body: None }))?
        }
        Paging::Page { param, first, .. } => {
            let page: u32 = read(param).map_or(Some(*first), |text| text.parse().ok())?;
            (page.checked_sub(*first)?.checked_mul(size)?, page.to_string())
        }
        Paging::Offset { param, .. } => {
            let from = read(param).map_or(Some(0), |text| text.parse().ok())?;
            (from, String::new())
        }
    };
    let from = from.min(rows);
    let after_empty = token.starts_with('e');
    Some(Part { from, to: from.saturating_add(size).min(rows), after_empty, token })
}

fn by_token(token: Option<String>) -> Option<(u32, String)> {
    let token = token.unwrap_or_default();
    if token.is_empty() {
        return Some((0, token));
    }
    let from = token.strip_prefix(['c', 'e'])?.parse().ok()?;
    Some((from, token))
}

/// Whether a page of this kind can be bent so.
pub(super) fn bends(paging: &Paging, bend: Bend) -> bool {
    match (paging, bend) {
        (_, Bend::Straight | Bend::Cut)
        | (Paging::Cursor { .. } | Paging::Link { .. }, Bend::Repeated | Bend::Empty) => true,
        (Paging::None | Paging::Page { .. } | Paging::Offset { .. }, _) => false,
    }
}

/// Writes into the answer where the listing goes on; gives the header `Link`, if there is one.
pub(super) fn write(
    paging: &Paging,
    answer: &mut Value,
    (part, rows): (&Part, u32),
    (bend, asked): (Bend, &Asked),
) -> Option<String> {
    let next = match bend {
        Bend::Cut => None,
        Bend::Repeated => {
            Some(if part.token.is_empty() { "c0".to_owned() } else { part.token.clone() })
        }
        Bend::Empty => Some(format!("e{}", part.from)),
        Bend::Straight => part.has_more(rows).then(|| format!("c{}", part.to)),
    };
    let more = next.is_some();
    let mut say_more = |at: &Option<String>| {
        if let Some(at) = at {
            put(answer, at, json!(more));
        }
    };
    match paging {
        Paging::None => None,
        Paging::Cursor { next: at, more: flag, .. } => {
            say_more(flag);
            put(answer, at, next.map_or(Value::Null, Value::String));
            None
        }
        Paging::Page { pages, more: flag, size, first, .. } => {
            say_more(flag);
            if let Some(at) = pages {
                let here = part.token.parse::<u32>().unwrap_or(*first) + 1 - first;
                let pages = if bend == Bend::Cut { here } else { rows.div_ceil(*size) };
                put(answer, at, json!(pages));
            }
            None
        }
        Paging::Offset { more: flag, .. } => {
            say_more(flag);
            None
        }
        Paging::Link { param, next: at, .. } => {
            let link = next.map(|token| asked.url_with(param, &token));
            match at {
                Some(at) => {
                    put(answer, at, link.map_or(Value::Null, Value::String));
                    None
                }
                None => link.map(|link| format!("<{link}>; rel=\"next\"")),
            }
        }
    }
}
