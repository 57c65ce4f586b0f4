//! From what a guest returns to records: a page's items are slices of the response, never copies.
//!
//! The invariant: every record's payload is one JSON object and its id is valid.

use std::borrow::Cow;

use bytes::Bytes;
use wasmtime::component::ResourceTable;

use crate::model::ids::SourceId;
use crate::model::record::{Cursor, Evidence, Page, Record};

use super::bounded;
use super::contract::since_v0_1::types;
use super::failure::{Failure, PageError};
use super::json::{Node, Span, Spine, descend, tokens};
use super::response::Response;

/// Takes a page out of the guest's hands.
pub(super) fn page(
    page: types::Page,
    table: &mut ResourceTable,
    limit: usize,
) -> Result<Page, Failure> {
    let records = records(page.content, table, limit)?;
    let next = bounded::opaque("cursor", page.next)?.map(Cursor);
    let mut evidence: Option<Evidence> = page.evidence.map(Into::into);
    if let Some(evidence) = &mut evidence {
        evidence.scope = bounded::opaque("scope", evidence.scope.take())?;
    }
    Ok(Page { records, next, evidence })
}

/// Takes records out of the guest's hands.
pub(super) fn records(
    content: types::Content,
    table: &mut ResourceTable,
    limit: usize,
) -> Result<Vec<Record>, Failure> {
    match content {
        types::Content::Empty => Ok(Vec::new()),
        types::Content::Built(items) => Ok(built(items, limit)?),
        types::Content::Sliced(slice) => {
            let response = table.delete(slice.response).map_err(wasmtime::Error::from)?;
            Ok(sliced(&response, &slice.items, &slice.id, limit)?)
        }
    }
}

fn built(items: Vec<types::Item>, limit: usize) -> Result<Vec<Record>, PageError> {
    check_count(items.len(), limit)?;
    let record = |(at, item): (usize, types::Item)| {
        let payload = Bytes::from(item.payload);
        match Spine::build(&payload).as_ref().map(Spine::root) {
            Ok(Node::Object { .. }) => Ok(Record { id: id(&item.id, at)?, payload }),
            _ => Err(PageError::Payload { at }),
        }
    };
    items.into_iter().enumerate().map(record).collect()
}

fn check_count(found: usize, limit: usize) -> Result<(), PageError> {
    if found > limit { Err(PageError::TooMany { found, limit }) } else { Ok(()) }
}

fn sliced(
    response: &Response,
    items: &str,
    ids: &[String],
    limit: usize,
) -> Result<Vec<Record>, PageError> {
    let body = response.body();
    let spine = response.spine().map_err(|reason| PageError::Response {
        status: response.status(),
        reason,
        hint: if body.trim_ascii_start().starts_with(b"<") {
            "; it looks like a web page"
        } else {
            ""
        },
    })?;
    let at = tokens(items).ok_or_else(|| PageError::Pointer(items.to_owned()))?;
    let ids = IdPointers::parse(ids)?;
    let spans = spans(spine.node(body, &at), body, items)?;
    check_count(spans.len(), limit)?;
    let record = |(at, span): (usize, &Span)| {
        let payload = body.slice(span.range());
        if payload.first() != Some(&b'{') {
            return Err(PageError::Item { pointer: items.to_owned(), at });
        }
        Ok(Record { id: ids.read(&payload, at)?, payload })
    };
    spans.iter().enumerate().map(record).collect()
}

/// Where the items stand. Absent or null is an empty list: platforms leave empty lists out.
fn spans<'n>(
    node: Option<&'n Node>,
    body: &[u8],
    pointer: &str,
) -> Result<Cow<'n, [Span]>, PageError> {
    match node {
        None => Ok(Cow::Borrowed(&[])),
        Some(Node::Array { items, .. }) => Ok(Cow::Borrowed(items)),
        Some(Node::Object { span, .. }) => Ok(Cow::Owned(vec![*span])),
        Some(Node::Scalar(span)) if &body[span.range()] == b"null" => Ok(Cow::Borrowed(&[])),
        Some(Node::Scalar(_)) => Err(PageError::Items { pointer: pointer.to_owned() }),
    }
}

/// Where the parts of an id stand inside an item.
struct IdPointers<'p>(Vec<(&'p str, Vec<String>)>);

impl<'p> IdPointers<'p> {
    fn parse(pointers: &'p [String]) -> Result<Self, PageError> {
        if pointers.is_empty() {
            return Err(PageError::NoIdPointer);
        }
        let split = |pointer: &'p String| {
            let tokens = tokens(pointer).ok_or_else(|| PageError::Pointer(pointer.clone()))?;
            Ok((pointer.as_str(), tokens))
        };
        pointers.iter().map(split).collect::<Result<_, _>>().map(Self)
    }

    fn read(&self, item: &[u8], at: usize) -> Result<SourceId, PageError> {
        let mut text = String::new();
        for (n, (pointer, tokens)) in self.0.iter().enumerate() {
            if n > 0 {
                text.push(':');
            }
            let part = descend(item, tokens).and_then(id_part);
            text.push_str(
                &part.ok_or_else(|| PageError::NoId { at, pointer: (*pointer).to_owned() })?,
            );
        }
        id(&text, at)
    }
}

fn id(text: &str, at: usize) -> Result<SourceId, PageError> {
    SourceId::parse(text).map_err(|reason| PageError::Id { at, reason })
}

/// The text of a JSON string, or a number as it is written.
fn id_part(value: &[u8]) -> Option<Cow<'_, str>> {
    match value.first()? {
        b'"' if !value.contains(&b'\\') => {
            std::str::from_utf8(&value[1..value.len() - 1]).ok().map(Cow::Borrowed)
        }
        b'"' => serde_json::from_slice(value).ok().map(Cow::Owned),
        b'-' | b'0'..=b'9' => std::str::from_utf8(value).ok().map(Cow::Borrowed),
        _ => None,
    }
}
