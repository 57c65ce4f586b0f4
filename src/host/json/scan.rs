//! The strict scanner below the spine: skips values and says where they end.

/// How deep arrays and objects may nest.
pub(super) const DEPTH: usize = 127;

/// Why a text is not the JSON it should be. Holds no part of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::host) enum JsonError {
    #[error("not JSON: unexpected character at byte {at}")]
    Unexpected { at: usize },
    #[error("truncated JSON: it ends at byte {at}")]
    Truncated { at: usize },
    #[error("JSON nested deeper than {DEPTH} levels at byte {at}")]
    Deep { at: usize },
    #[error("JSON with more than {limit} keys and elements")]
    Crowded { limit: usize },
    #[error("text that is not UTF-8")]
    Encoding,
}

/// A position in a JSON text.
pub(super) struct Scanner<'t> {
    text: &'t [u8],
    pub(super) at: usize,
}

impl<'t> Scanner<'t> {
    pub(super) fn new(text: &'t [u8]) -> Self {
        Self { text, at: 0 }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    pub(super) fn unexpected(&self) -> JsonError {
        if self.at >= self.text.len() {
            JsonError::Truncated { at: self.text.len() }
        } else {
            JsonError::Unexpected { at: self.at }
        }
    }

    pub(super) fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let hit = self.peek() == Some(byte);
        self.at += usize::from(hit);
        hit
    }

    pub(super) fn expect(&mut self, byte: u8) -> Result<(), JsonError> {
        if self.eat(byte) { Ok(()) } else { Err(self.unexpected()) }
    }

    /// Steps from one member or element to the next: `false` at the end. The opening bracket is already eaten.
    pub(super) fn next(&mut self, first: &mut bool, close: u8) -> Result<bool, JsonError> {
        self.space();
        if self.eat(close) {
            return Ok(false);
        }
        if !std::mem::take(first) {
            self.expect(b',')?;
            self.space();
            if self.peek() == Some(close) {
                return Err(self.unexpected());
            }
        }
        Ok(true)
    }

    /// Skips a key and its colon; the range inside the quotes and whether it holds escapes.
    pub(super) fn key(&mut self) -> Result<(usize, usize, bool), JsonError> {
        let start = self.at + 1;
        let escaped = self.string()?;
        let end = self.at - 1;
        self.space();
        self.expect(b':')?;
        self.space();
        Ok((start, end, escaped))
    }

    /// Skips one value that begins here.
    pub(super) fn skip(&mut self, depth: usize) -> Result<(), JsonError> {
        match self.peek() {
            Some(b'"') => self.string().map(drop),
            Some(b'{') => self.skip_object(depth),
            Some(b'[') => self.skip_array(depth),
            _ => self.scalar(),
        }
    }

    fn skip_object(&mut self, depth: usize) -> Result<(), JsonError> {
        self.open(depth)?;
        let mut first = true;
        while self.next(&mut first, b'}')? {
            self.key()?;
            self.skip(depth + 1)?;
        }
        Ok(())
    }

    fn skip_array(&mut self, depth: usize) -> Result<(), JsonError> {
        self.open(depth)?;
        let mut first = true;
        while self.next(&mut first, b']')? {
            self.skip(depth + 1)?;
        }
        Ok(())
    }

    /// Steps over an opening bracket.
    pub(super) fn open(&mut self, depth: usize) -> Result<(), JsonError> {
        if depth >= DEPTH {
            return Err(JsonError::Deep { at: self.at });
        }
        self.at += 1;
        Ok(())
    }

    pub(super) fn scalar(&mut self) -> Result<(), JsonError> {
        match self.peek() {
            Some(b't') => self.word(b"true"),
            Some(b'f') => self.word(b"false"),
            Some(b'n') => self.word(b"null"),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(self.unexpected()),
        }
    }

    fn word(&mut self, word: &[u8]) -> Result<(), JsonError> {
        word.iter().try_for_each(|&byte| self.expect(byte))
    }

    fn number(&mut self) -> Result<(), JsonError> {
        self.eat(b'-');
        if !self.eat(b'0') {
            self.digits()?;
        }
        if self.eat(b'.') {
            self.digits()?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            let _signed = self.eat(b'+') || self.eat(b'-');
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == start { Err(self.unexpected()) } else { Ok(()) }
    }

    /// Skips a string; whether it holds escapes.
    pub(super) fn string(&mut self) -> Result<bool, JsonError> {
        self.expect(b'"')?;
        let mut escaped = false;
        loop {
            self.plain();
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(escaped);
                }
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                _ => return Err(self.unexpected()),
            }
        }
    }

    /// Runs to the next quote, backslash or control character, eight bytes at a time.
    fn plain(&mut self) {
        while let Some(chunk) = self.text.get(self.at..self.at + 8) {
            let mut word = [0; 8];
            word.copy_from_slice(chunk);
            let stops = stops(u64::from_le_bytes(word));
            if stops != 0 {
                self.at += (stops.trailing_zeros() / 8) as usize;
                return;
            }
            self.at += 8;
        }
        while let Some(byte) = self.peek() {
            if matches!(byte, b'"' | b'\\' | ..0x20) {
                return;
            }
            self.at += 1;
        }
    }

    fn escape(&mut self) -> Result<(), JsonError> {
        self.at += 1;
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
            Some(b'u') => {
                self.at += 1;
                for _ in 0..4 {
                    if !self.peek().is_some_and(|byte| byte.is_ascii_hexdigit()) {
                        return Err(self.unexpected());
                    }
                    self.at += 1;
                }
            }
            _ => return Err(self.unexpected()),
        }
        Ok(())
    }
}

/// The high bit of every byte that is a quote, a backslash or below 0x20; exact up to the lowest one set.
fn stops(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let zero = |x: u64| x.wrapping_sub(ONES) & !x;
    let quote = zero(word ^ (ONES * u64::from(b'"')));
    let backslash = zero(word ^ (ONES * u64::from(b'\\')));
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    (quote | backslash | control) & HIGH
}
