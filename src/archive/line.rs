//! One version as a line of JSON.

use std::io;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::model::hash::ContentHash;
use crate::model::ids::{RunId, SourceId};
use crate::port::archive::Version;

#[derive(Serialize, Deserialize)]
struct Line<'a> {
    id: SourceId,
    run: RunId,
    until_run: RunId,
    until_ms: i64,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    ended: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mapping: Option<ContentHash>,
    /// The payload itself, where it stands on one line; it nearly always does.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    raw: Option<&'a RawValue>,
    /// The payload as text, where it is no JSON or has line breaks between its tokens: it is kept byte for byte.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

/// Writes a version and a line break.
pub(super) fn write(version: &Version, out: &mut Vec<u8>) -> io::Result<()> {
    let text = std::str::from_utf8(&version.raw).map_err(io::Error::other)?;
    let plain = !text.contains(['\n', '\r']) && text == text.trim();
    let raw = plain.then(|| serde_json::from_str::<&RawValue>(text).ok()).flatten();
    let line = Line {
        id: version.id.clone(),
        run: version.run,
        until_run: version.until_run,
        until_ms: version.until_ms,
        ended: version.ended,
        mapping: version.mapping,
        raw,
        text: raw.is_none().then(|| text.to_owned()),
    };
    serde_json::to_writer(&mut *out, &line)?;
    out.push(b'\n');
    Ok(())
}

/// Reads a line, or passes over it when it is not about `id`.
pub(super) fn read(line: &str, id: Option<&SourceId>) -> io::Result<Option<Version>> {
    let line: Line<'_> = serde_json::from_str(line)?;
    if id.is_some_and(|id| *id != line.id) {
        return Ok(None);
    }
    let raw = match (line.raw, line.text) {
        (Some(raw), _) => raw.get().to_owned(),
        (None, text) => text.unwrap_or_default(),
    };
    Ok(Some(Version {
        id: line.id,
        run: line.run,
        until_run: line.until_run,
        until_ms: line.until_ms,
        ended: line.ended,
        mapping: line.mapping,
        raw: Bytes::from(raw),
    }))
}
