//! Writes JSON straight into a buffer: a page of fifty people must cost microseconds, and nothing is kept.
//!
//! Not a serialiser: whoever calls it opens and closes in the right order. The invariant: commas and escapes are
//! always right.

/// A JSON document in the making.
#[derive(Debug, Default)]
pub(crate) struct Json {
    out: Vec<u8>,
    comma: bool,
}

impl Json {
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self { out: Vec::with_capacity(bytes), comma: false }
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    /// `{` … `}` as a value.
    pub(crate) fn object(&mut self, fill: impl FnOnce(&mut Self)) {
        self.nest(b'{', b'}', fill);
    }

    /// `[` … `]` as a value.
    pub(crate) fn array(&mut self, fill: impl FnOnce(&mut Self)) {
        self.nest(b'[', b']', fill);
    }

    /// The next member's name; a value must follow.
    pub(crate) fn key(&mut self, name: &str) -> &mut Self {
        self.before_value();
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.comma = false;
        self
    }

    pub(crate) fn text(&mut self, value: &str) {
        self.before_value();
        self.out.push(b'"');
        self.escape(value.as_bytes());
        self.after_text();
    }

    /// A string made of several pieces.
    pub(crate) fn pieces(&mut self, pieces: &[&str]) {
        self.before_value();
        self.out.push(b'"');
        for piece in pieces {
            self.escape(piece.as_bytes());
        }
        self.after_text();
    }

    /// A string written by someone who writes nothing that needs an escape: ids and digits.
    pub(crate) fn plain(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.before_value();
        self.out.push(b'"');
        write(&mut self.out);
        self.after_text();
    }

    /// A number as a string, as the platform gives most instants and ids.
    pub(crate) fn quoted(&mut self, value: impl Into<i128>) {
        let value = value.into();
        self.plain(|out| write_digits(out, value));
    }

    pub(crate) fn number(&mut self, value: impl Into<i128>) {
        self.before_value();
        write_digits(&mut self.out, value.into());
        self.comma = true;
    }

    pub(crate) fn bool(&mut self, value: bool) {
        self.raw(if value { b"true" } else { b"false" });
    }

    /// JSON that is already written.
    pub(crate) fn raw(&mut self, json: &[u8]) {
        self.before_value();
        self.out.extend_from_slice(json);
        self.comma = true;
    }

    fn nest(&mut self, open: u8, close: u8, fill: impl FnOnce(&mut Self)) {
        self.before_value();
        self.out.push(open);
        self.comma = false;
        fill(self);
        self.out.push(close);
        self.comma = true;
    }

    fn before_value(&mut self) {
        if self.comma {
            self.out.push(b',');
        }
    }

    fn after_text(&mut self) {
        self.out.push(b'"');
        self.comma = true;
    }

    fn escape(&mut self, text: &[u8]) {
        if !text.iter().any(|b| matches!(b, 0..0x20 | b'"' | b'\\')) {
            self.out.extend_from_slice(text);
            return;
        }
        for byte in text {
            match byte {
                b'"' | b'\\' => self.out.extend_from_slice(&[b'\\', *byte]),
                0..0x20 => self.out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
                _ => self.out.push(*byte),
            }
        }
    }
}

/// Decimal digits, by hand: formatting machinery would take a tenth of a page's time.
fn write_digits(out: &mut Vec<u8>, value: i128) {
    if value < 0 {
        out.push(b'-');
    }
    let start = out.len();
    let mut left = value.unsigned_abs();
    loop {
        out.push(b'0' + (left % 10) as u8);
        left /= 10;
        if left == 0 {
            break;
        }
    }
    out[start..].reverse();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_json() {
        let mut json = Json::default();
        json.object(|json| {
            json.key("text").text("quote \" slash \\ line \n");
            json.key("list").array(|json| {
                json.number(-12);
                json.quoted(u64::MAX);
                json.bool(true);
                json.array(|_| ());
            });
            json.key("pieces").pieces(&["欧阳", "雨桐"]);
            json.key("id").plain(|out| out.extend_from_slice(b"od-1"));
            json.key("raw").raw(b"null");
        });
        let value: serde_json::Value = serde_json::from_slice(&json.into_bytes()).unwrap();
        let expected = serde_json::json!({
            "text": "quote \" slash \\ line \n",
            "list": [-12, "18446744073709551615", true, []],
            "pieces": "欧阳雨桐",
            "id": "od-1",
            "raw": null,
        });
        assert_eq!(value, expected);
    }
}
