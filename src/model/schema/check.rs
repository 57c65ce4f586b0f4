//! Whether one value fits its field, and its one canonical spelling.
//!
//! Not here: which fields a draft has; see [`crate::model::draft`]. The invariant: a problem describes the value's kind
//! or size, never its content, because it ends up in logs and reports.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::shapes::{is_e164, is_email, is_id, is_instant, is_zone, parse_date};
use super::{Field, FieldType, Need};
use crate::model::draft::Content;

/// Most ids in a list.
pub(super) const IDS: usize = 500;
/// Most minutes: a week.
pub(super) const WEEK_MINUTES: i64 = 10_080;
/// Most entries of `custom`.
pub(super) const CUSTOM_ENTRIES: usize = 100;
/// Most characters of a key of `custom`.
pub(super) const CUSTOM_KEY_CHARS: usize = 64;
/// Most characters of a text in `custom`.
pub(super) const CUSTOM_TEXT_CHARS: usize = 1000;

/// Why a value does not fit: a stable code and a sentence's end, such as "is a list; text is expected".
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::model) struct Problem {
    pub(in crate::model) code: &'static str,
    pub(in crate::model) text: String,
}

impl Problem {
    pub(in crate::model) fn new(code: &'static str, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }
}

type Verdict = Result<(), Problem>;

/// Checks `value` against `field` and appends its canonical JSON to `out`. After an error `out` holds garbage.
pub(in crate::model) fn write_value(
    field: &Field,
    value: &Content<'_>,
    out: &mut String,
) -> Verdict {
    if matches!(value, Content::Null) {
        return match field.need {
            Need::Required => {
                Err(Problem::new("schema::required", "is required; it cannot be cleared"))
            }
            Need::Optional => {
                out.push_str("null");
                Ok(())
            }
        };
    }
    match field.ty {
        FieldType::Ids => write_ids(value, out),
        FieldType::Custom => write_custom(value, out),
        FieldType::Integer | FieldType::Minutes => write_integer(field.ty, value, out),
        FieldType::Decimal => match value {
            Content::Int(number) => write_int(*number, out),
            Content::Float(number) => write_float(*number, out),
            other => Err(kind(other, "a number")),
        },
        FieldType::Bool => match value {
            Content::Bool(flag) => {
                out.push_str(if *flag { "true" } else { "false" });
                Ok(())
            }
            other => Err(kind(other, "true or false")),
        },
        _ => match value {
            Content::Text(text) => {
                check_text(field, text)?;
                write_text(text, out);
                Ok(())
            }
            other => Err(kind(other, "text")),
        },
    }
}

fn kind(found: &Content<'_>, wanted: &str) -> Problem {
    Problem::new("schema::type", format!("is {}; {wanted} is expected", found.kind()))
}

fn check_text(field: &Field, text: &str) -> Verdict {
    match field.ty {
        FieldType::Id => check_id(text),
        FieldType::Text(limit) => {
            if field.need == Need::Required && text.trim().is_empty() {
                return Err(Problem::new("schema::required", "is blank; it is required"));
            }
            check_chars(text, limit)
        }
        FieldType::Date => match parse_date(text) {
            Some(_) => Ok(()),
            None => Err(Problem::new(
                "schema::date",
                "is no date of the calendar as YYYY-MM-DD; use `date(..)` to make one",
            )),
        },
        FieldType::Instant => {
            if is_instant(text) {
                Ok(())
            } else {
                Err(Problem::new(
                    "schema::instant",
                    "is no instant to the second with its offset, such as 2026-11-20T09:02:03+08:00; use `instant(..)` to make one",
                ))
            }
        }
        FieldType::Zone => {
            if is_zone(text) {
                Ok(())
            } else {
                Err(Problem::new(
                    "schema::zone",
                    "is no time zone of the IANA database, such as Asia/Shanghai",
                ))
            }
        }
        FieldType::Mobile => {
            if is_e164(text) {
                Ok(())
            } else {
                Err(Problem::new(
                    "schema::mobile",
                    "is no number in E.164, such as +8613800000000; use `phone(..)` to make one",
                ))
            }
        }
        FieldType::Email => {
            if is_email(text) {
                Ok(())
            } else {
                Err(Problem::new("schema::email", "has not the shape of a mail address"))
            }
        }
        FieldType::Enum(words) => {
            if words.contains(&text) {
                Ok(())
            } else {
                Err(Problem::new(
                    "schema::enum",
                    format!(
                        "is none of: {}; use `lookup(..)` or `switch` to turn the source's words into these",
                        words.join(", ")
                    ),
                ))
            }
        }
        FieldType::Ids
        | FieldType::Integer
        | FieldType::Minutes
        | FieldType::Decimal
        | FieldType::Bool
        | FieldType::Custom => Err(Problem::new("schema::type", "is text")),
    }
}

fn check_chars(text: &str, limit: usize) -> Verdict {
    // A character takes at most four bytes: most texts need no count.
    let found = if text.len() <= limit { 0 } else { text.chars().count() };
    if found > limit {
        return Err(Problem::new(
            "schema::length",
            format!("has {found} characters, {limit} are allowed; shorten it"),
        ));
    }
    if text.bytes().fold(1, u8::min) == 0 {
        return Err(Problem::new("schema::text", "contains a NUL character; remove it"));
    }
    Ok(())
}

fn check_id(text: &str) -> Verdict {
    if is_id(text) {
        return Ok(());
    }
    Err(Problem::new(
        "schema::id",
        "is no external id `<connection>:<entity>:<source id>`; use `id(\"employee\", ..)` to make one",
    ))
}

fn write_ids(value: &Content<'_>, out: &mut String) -> Verdict {
    let Content::List(items) = value else {
        return Err(kind(value, "a list of ids"));
    };
    if items.len() > IDS {
        return Err(Problem::new(
            "schema::length",
            format!("has {} ids, {IDS} are allowed", items.len()),
        ));
    }
    out.push('[');
    for (nth, item) in items.iter().enumerate() {
        let Content::Text(text) = item else {
            return Err(Problem::new(
                "schema::type",
                format!("lists {}; ids are text", item.kind()),
            ));
        };
        check_id(text)?;
        if items[..nth].contains(item) {
            continue;
        }
        if nth > 0 {
            out.push(',');
        }
        write_text(text, out);
    }
    out.push(']');
    Ok(())
}

fn write_custom(value: &Content<'_>, out: &mut String) -> Verdict {
    let Content::Map(entries) = value else {
        return Err(kind(value, "an object"));
    };
    if entries.len() > CUSTOM_ENTRIES {
        return Err(Problem::new(
            "schema::length",
            format!("has {} entries, {CUSTOM_ENTRIES} are allowed", entries.len()),
        ));
    }
    let mut order: Vec<&(Cow<'_, str>, Content<'_>)> = entries.iter().collect();
    order.sort_by(|a, b| a.0.cmp(&b.0));
    out.push('{');
    let mut last: Option<&str> = None;
    for (key, value) in order {
        if last == Some(&**key) {
            continue;
        }
        let chars = key.chars().count();
        if chars == 0 || chars > CUSTOM_KEY_CHARS || key.chars().any(char::is_control) {
            return Err(Problem::new(
                "schema::custom",
                format!(
                    "has a key of {chars} characters; use 1 to {CUSTOM_KEY_CHARS}, none of them a control character"
                ),
            ));
        }
        if last.is_some() {
            out.push(',');
        }
        write_text(key, out);
        out.push(':');
        write_custom_value(value, out)?;
        last = Some(key);
    }
    out.push('}');
    Ok(())
}

fn write_custom_value(value: &Content<'_>, out: &mut String) -> Verdict {
    match value {
        Content::Text(text) => {
            check_chars(text, CUSTOM_TEXT_CHARS)?;
            write_text(text, out);
            Ok(())
        }
        Content::Int(number) => write_int(*number, out),
        Content::Float(number) => write_float(*number, out),
        Content::Bool(flag) => {
            out.push_str(if *flag { "true" } else { "false" });
            Ok(())
        }
        Content::Null => Err(Problem::new(
            "schema::custom",
            "has an entry that is cleared; leave the entry out, or clear `custom` as a whole",
        )),
        Content::List(_) | Content::Map(_) => Err(Problem::new(
            "schema::custom",
            format!("has an entry that is {}; use texts, numbers and booleans", value.kind()),
        )),
    }
}

fn write_integer(ty: FieldType, value: &Content<'_>, out: &mut String) -> Verdict {
    let number = match value {
        Content::Int(number) => *number,
        Content::Float(number) => whole(*number).ok_or_else(|| {
            Problem::new("schema::type", "is a fraction; a whole number is expected")
        })?,
        other => return Err(kind(other, "a whole number")),
    };
    if ty == FieldType::Minutes && !(0..=WEEK_MINUTES).contains(&number) {
        return Err(Problem::new(
            "schema::range",
            format!("is not between 0 and {WEEK_MINUTES} minutes"),
        ));
    }
    write_int(number, out)
}

/// The integer that a float stands for, where floats are exact.
fn whole(number: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "checked: a whole number below 2^53")]
    (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64)
}

fn write_int(number: i64, out: &mut String) -> Verdict {
    write!(out, "{number}").map_err(|_| Problem::new("schema::type", "cannot be written"))
}

fn write_float(number: f64, out: &mut String) -> Verdict {
    if let Some(number) = whole(number) {
        return write_int(number, out);
    }
    match serde_json::Number::from_f64(number) {
        Some(number) => {
            out.push_str(&number.to_string());
            Ok(())
        }
        None => Err(Problem::new("schema::type", "is no finite number")),
    }
}

/// Writes a JSON string with the fewest escapes, so that equal texts have equal spellings.
pub(super) fn write_text(text: &str, out: &mut String) {
    out.reserve(text.len() + 2);
    out.push('"');
    if !text.bytes().fold(false, |found, byte| found | needs_escape(byte)) {
        out.push_str(text);
        out.push('"');
        return;
    }
    let mut rest = text;
    while let Some(at) = rest.bytes().position(needs_escape) {
        out.push_str(&rest[..at]);
        match rest.as_bytes()[at] {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            byte => {
                const HEX: &[u8; 16] = b"0123456789abcdef";
                out.push_str("\\u00");
                out.push(char::from(HEX[usize::from(byte >> 4)]));
                out.push(char::from(HEX[usize::from(byte & 15)]));
            }
        }
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    out.push('"');
}

fn needs_escape(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}
