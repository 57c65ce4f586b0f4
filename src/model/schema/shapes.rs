//! The shapes of texts: dates, instants, zones, numbers, addresses.
//!
//! Not here: which field has which. The invariant: one value has one accepted spelling.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::model::entity::Entity;
use crate::model::ids::SourceId;

/// Most characters of an external id.
pub(super) const ID_CHARS: usize = 300;
/// Most characters of a connection's name.
const CONNECTION_CHARS: usize = 63;
/// Most characters of a mail address.
pub(super) const EMAIL_CHARS: usize = 254;

/// Reads `YYYY-MM-DD` strictly.
pub(super) fn parse_date(text: &str) -> Option<Date> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let year = i16::try_from(digits(&bytes[..4])?).ok()?;
    let month = i8::try_from(digits(&bytes[5..7])?).ok()?;
    let day = i8::try_from(digits(&bytes[8..])?).ok()?;
    Date::new(year, month, day).ok()
}

fn digits(bytes: &[u8]) -> Option<u32> {
    bytes
        .iter()
        .try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0')))
}

/// RFC 3339 to the second, with the one spelling of each offset: no `Z`, no `-00:00`.
pub(super) fn is_instant(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() != 25
        || bytes[10] != b'T'
        || bytes[13] != b':'
        || bytes[16] != b':'
        || bytes[22] != b':'
        || !matches!(bytes[19], b'+' | b'-')
    {
        return false;
    }
    let within = |range: std::ops::Range<usize>, most: u32| {
        digits(&bytes[range]).is_some_and(|number| number <= most)
    };
    text.get(..10).and_then(parse_date).is_some()
        && within(11..13, 23)
        && within(14..16, 59)
        && within(17..19, 59)
        && within(20..22, 14)
        && within(23..25, 59)
        && !text.ends_with("-00:00")
}

/// An IANA name in its own spelling.
pub(super) fn is_zone(text: &str) -> bool {
    text == "Asia/Shanghai" || TimeZone::get(text).is_ok_and(|zone| zone.iana_name() == Some(text))
}

/// A plus, a country code, 7 to 15 digits in all.
pub(super) fn is_e164(text: &str) -> bool {
    match text.as_bytes() {
        [b'+', b'1'..=b'9', rest @ ..] => {
            (6..=14).contains(&rest.len()) && rest.iter().all(u8::is_ascii_digit)
        }
        _ => false,
    }
}

/// Something before one `@`, and a domain with a dot after it.
pub(super) fn is_email(text: &str) -> bool {
    let at = text.bytes().position(|byte| byte == b'@');
    let Some((local, domain)) = at.map(|at| (&text[..at], &text[at + 1..])) else {
        return false;
    };
    !local.is_empty()
        && (text.len() <= EMAIL_CHARS || text.chars().count() <= EMAIL_CHARS)
        && domain.bytes().all(|byte| byte != b'@')
        && domain.bytes().any(|byte| byte == b'.')
        && domain.as_bytes().split(|byte| *byte == b'.').all(|label| !label.is_empty())
        && (text.bytes().all(|byte| byte.is_ascii_graphic())
            || text.chars().all(|c| !c.is_whitespace() && !c.is_control()))
}

/// `<connection>:<entity>:<source id>`: what [`crate::model::ids::ExternalId::parse`] takes, but a source id that
/// starts with white space.
pub(super) fn is_id(text: &str) -> bool {
    // Bytes one by one: what stands before the colons is short.
    let colon = |from: usize| text.bytes().skip(from).position(|byte| byte == b':');
    let Some(first) = colon(0) else { return false };
    let Some(second) = colon(first + 1).map(|after| first + 1 + after) else { return false };
    let (connection, entity) = (&text[..first], &text[first + 1..second]);
    let source = &text[second + 1..];
    let slug = |(at, byte): (usize, u8)| {
        byte.is_ascii_lowercase()
            || byte.is_ascii_digit()
            || (at > 0 && matches!(byte, b'-' | b'_'))
    };
    (1..=CONNECTION_CHARS).contains(&connection.len())
        && connection.bytes().enumerate().all(slug)
        && Entity::parse(entity).is_some()
        && is_source(source)
}

fn is_source(source: &str) -> bool {
    if source.is_ascii() {
        return (1..=SourceId::LIMIT).contains(&source.len())
            && source.bytes().all(|byte| !byte.is_ascii_control())
            && !source.starts_with(' ');
    }
    source.chars().count() <= SourceId::LIMIT
        && !source.chars().any(char::is_control)
        && !source.starts_with(char::is_whitespace)
}
