//! The text of a cursor: named steps of a few fields each, `name,field,field;name,field`.
//!
//! What this is not: what the steps mean. The one invariant: what was written is read back as it was, and any other
//! text is refused.

/// Writes a cursor.
#[derive(Default)]
pub(crate) struct Writer(String);

impl Writer {
    pub(crate) fn step(&mut self, name: &str, fields: &[String]) {
        if !self.0.is_empty() {
            self.0.push(';');
        }
        self.0.push_str(name);
        for field in fields {
            self.0.push(',');
            self.0.push_str(&encode(field));
        }
    }

    /// The cursor; none without a step.
    pub(crate) fn finish(self) -> Option<String> {
        Some(self.0).filter(|text| !text.is_empty())
    }
}

/// The steps of a cursor, one at least; none when it is not one of these.
pub(crate) fn read(cursor: &str) -> Option<Vec<(&str, Vec<String>)>> {
    cursor
        .split(';')
        .map(|step| {
            let mut parts = step.split(',');
            let name = parts.next()?;
            let fields = parts.map(decode).collect::<Option<Vec<_>>>()?;
            Some((name, fields))
        })
        .collect()
}

/// Undoes percent-encoding.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        if byte == b'%' {
            let hex = std::str::from_utf8(after.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(hex, 16).ok()?);
            rest = &after[2..];
        } else {
            bytes.push(byte);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

/// Percent-encodes all but unreserved characters.
fn encode(text: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push(char::from(HEX[usize::from(byte >> 4)]));
            encoded.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
    encoded
}
