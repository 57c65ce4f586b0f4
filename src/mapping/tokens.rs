//! The words of a script, as far as following its imports needs them.
//!
//! Not here: what a script means; rhai parses it afterwards. The invariant: nothing within a text or a comment is a token
//! of its own, except the code within an interpolated text.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name or a keyword.
    Word,
    /// A text in quotes, with them.
    Text,
    /// `::`.
    Scope,
    /// `.` or `?.`
    Dot,
    /// `(`.
    Open,
    /// Any other sign.
    Sign,
}

/// A token and its bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Token {
    /// The token's text.
    pub(crate) fn text<'s>(&self, text: &'s str) -> &'s str {
        text.get(self.start..self.end).unwrap_or_default()
    }
}

/// Every token of a script.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let mut scan =
        Scan { text, bytes: text.as_bytes(), at: 0, found: Vec::new(), open: Vec::new() };
    while scan.at < scan.bytes.len() {
        scan.step();
    }
    scan.found
}

struct Scan<'s> {
    text: &'s str,
    bytes: &'s [u8],
    at: usize,
    found: Vec<Token>,
    /// For each interpolated text around: the braces that are open in its code.
    open: Vec<usize>,
}

impl Scan<'_> {
    fn byte(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn push(&mut self, kind: Kind, end: usize) {
        let end = end.min(self.bytes.len());
        self.found.push(Token { kind, start: self.at, end });
        self.at = end;
    }

    fn step(&mut self) {
        match (self.byte(0), self.byte(1)) {
            (byte, _) if byte.is_ascii_whitespace() => self.at += 1,
            (b'/', b'/') => self.at += self.rest().find('\n').unwrap_or(self.rest().len()),
            (b'/', b'*') => self.comment(),
            (b'"', _) => self.push(Kind::Text, self.quoted(b'"')),
            (b'\'', _) => self.push(Kind::Sign, self.quoted(b'\'')),
            (b'#', b'"' | b'#') => self.raw(),
            (b'`', _) => self.interpolated(1),
            (b'{', _) => {
                if let Some(open) = self.open.last_mut() {
                    *open += 1;
                }
                self.push(Kind::Sign, self.at + 1);
            }
            (b'}', _) => self.close(),
            (b':', b':') => self.push(Kind::Scope, self.at + 2),
            (b'?', b'.') => self.push(Kind::Dot, self.at + 2),
            (b'.', _) => self.push(Kind::Dot, self.at + 1),
            (b'(', _) => self.push(Kind::Open, self.at + 1),
            (byte, _) if byte.is_ascii_alphanumeric() || byte == b'_' => {
                let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
                let length = self.bytes.iter().skip(self.at).take_while(|byte| word(byte)).count();
                self.push(
                    if byte.is_ascii_digit() { Kind::Sign } else { Kind::Word },
                    self.at + length,
                );
            }
            _ => {
                let length = self.rest().chars().next().map_or(1, char::len_utf8);
                self.push(Kind::Sign, self.at + length);
            }
        }
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn comment(&mut self) {
        let mut depth = 0_usize;
        while self.at < self.bytes.len() {
            match (self.byte(0), self.byte(1)) {
                (b'/', b'*') => depth += 1,
                (b'*', b'/') => depth = depth.saturating_sub(1),
                _ => {
                    self.at += 1;
                    continue;
                }
            }
            self.at += 2;
            if depth == 0 {
                return;
            }
        }
    }

    /// The byte after a quoted text.
    fn quoted(&self, quote: u8) -> usize {
        let mut at = self.at + 1;
        while let Some(byte) = self.bytes.get(at) {
            match *byte {
                b'\\' => at += 2,
                byte if byte == quote => return at + 1,
                _ => at += 1,
            }
        }
        self.bytes.len()
    }

    /// `#"..."#`, with any number of signs; or a sign.
    fn raw(&mut self) {
        let signs = self.rest().bytes().take_while(|byte| *byte == b'#').count();
        if self.byte(signs) != b'"' {
            return self.push(Kind::Sign, self.at + 1);
        }
        let end = format!("\"{}", "#".repeat(signs));
        let body = self.text.get(self.at + signs + 1..).unwrap_or_default();
        let length = body.find(&end).map_or(body.len(), |at| at + end.len());
        self.push(Kind::Text, self.at + signs + 1 + length);
    }

    /// An interpolated text, up to its end or to the code within.
    fn interpolated(&mut self, skip: usize) {
        let mut at = self.at + skip;
        while let Some(byte) = self.bytes.get(at) {
            match (byte, self.bytes.get(at + 1)) {
                (b'`', Some(b'`')) => at += 2,
                (b'`', _) => return self.push(Kind::Sign, at + 1),
                (b'$', Some(b'{')) => {
                    self.open.push(0);
                    return self.push(Kind::Sign, at + 2);
                }
                _ => at += 1,
            }
        }
        self.push(Kind::Sign, at);
    }

    /// A brace that closes a block, or the code within an interpolated text.
    fn close(&mut self) {
        match self.open.last_mut() {
            Some(0) => {
                self.open.pop();
                self.interpolated(1);
            }
            Some(open) => {
                *open -= 1;
                self.push(Kind::Sign, self.at + 1);
            }
            None => self.push(Kind::Sign, self.at + 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<&str> {
        let words = tokens(text).into_iter().filter(|token| token.kind == Kind::Word);
        words.map(|token| token.text(text)).collect()
    }

    #[test]
    fn nothing_in_texts_and_comments_is_a_word() {
        for (text, found) in [
            ("a // b\nc", vec!["a", "c"]),
            ("a /* b /* c */ d */ e", vec!["a", "e"]),
            (r#"a "b \" c" d 'e' f"#, vec!["a", "d", "f"]),
            (r##"a #"b " c"# d"##, vec!["a", "d"]),
            ("a `b ${c} d ${ #{ e: `f ${g}` } } h` i", vec!["a", "c", "e", "g", "i"]),
            ("`a``b` c", vec!["c"]),
            ("李 a1 1a _b", vec!["a1", "_b"]),
            ("a \"b", vec!["a"]),
            ("a `b", vec!["a"]),
            ("a /* b", vec!["a"]),
            ("} a", vec!["a"]),
        ] {
            assert_eq!(words(text), found, "{text}");
        }
    }

    #[test]
    fn tokens_cover_the_text_in_order() {
        let text = "import \"lib/a\" as a; x?.y.z(a::b(1.5))";
        let mut end = 0;
        for token in tokens(text) {
            assert!(token.start >= end && token.end > token.start, "{token:?}");
            end = token.end;
        }
        assert_eq!(end, text.len());
    }
}
