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
        unexpected(self.text, self.at)
    }

    pub(super) fn space(&mut self) {
        self.at = space(self.text, self.at);
    }

    /// Steps from one member or element to the next: `false` at the end. The opening bracket is already eaten.
    pub(super) fn next(&mut self, first: &mut bool, close: u8) -> Result<bool, JsonError> {
        self.space();
        if self.peek() == Some(close) {
            self.at += 1;
            return Ok(false);
        }
        if !std::mem::take(first) {
            self.at = expect(self.text, self.at, b',')?;
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
        let (end, escaped) = string(self.text, self.at)?;
        self.at = colon(self.text, end)?;
        Ok((start, end - 1, escaped))
    }

    /// Steps over an opening bracket.
    pub(super) fn open(&mut self, depth: usize) -> Result<(), JsonError> {
        self.at = open(self.at, depth)?;
        Ok(())
    }

    /// Skips one value that begins here, this many levels below the top.
    pub(super) fn skip(&mut self, depth: usize) -> Result<(), JsonError> {
        self.at = skip(self.text, self.at, depth)?;
        Ok(())
    }
}

// What follows takes a position and gives the next one, so that it can stay in a register.

fn unexpected(text: &[u8], at: usize) -> JsonError {
    if at >= text.len() {
        JsonError::Truncated { at: text.len() }
    } else {
        JsonError::Unexpected { at }
    }
}

#[inline]
fn space(text: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = text.get(at) {
        at += 1;
    }
    at
}

#[inline]
fn expect(text: &[u8], at: usize, byte: u8) -> Result<usize, JsonError> {
    if text.get(at) == Some(&byte) { Ok(at + 1) } else { Err(unexpected(text, at)) }
}

fn open(at: usize, depth: usize) -> Result<usize, JsonError> {
    if depth < DEPTH { Ok(at + 1) } else { Err(JsonError::Deep { at }) }
}

/// Steps over the colon after a key, and the space around it.
#[inline]
fn colon(text: &[u8], at: usize) -> Result<usize, JsonError> {
    Ok(space(text, expect(text, space(text, at), b':')?))
}

/// Skips the value at `at`. Which of the brackets that are open are those of objects is in the bits of a number: there are
/// not more levels than that has bits.
fn skip(text: &[u8], mut at: usize, mut depth: usize) -> Result<usize, JsonError> {
    let top = depth;
    let mut objects = 0_u128;
    loop {
        at = match text.get(at) {
            Some(b'"') => string(text, at)?.0,
            Some(bracket @ (b'{' | b'[')) => {
                let object = *bracket == b'{';
                at = space(text, open(at, depth)?);
                if text.get(at) == Some(&closing(object)) {
                    at + 1
                } else {
                    depth += 1;
                    objects = objects << 1 | u128::from(object);
                    if object {
                        at = colon(text, string(text, at)?.0)?;
                    }
                    continue;
                }
            }
            _ => scalar(text, at)?,
        };
        // A value ends here, and with it perhaps what it is in.
        loop {
            if depth == top {
                return Ok(at);
            }
            at = space(text, at);
            let object = objects & 1 == 1;
            match text.get(at) {
                Some(b',') => {
                    at = space(text, at + 1);
                    if object {
                        at = colon(text, string(text, at)?.0)?;
                    }
                    break;
                }
                Some(byte) if *byte == closing(object) => {
                    at += 1;
                    depth -= 1;
                    objects >>= 1;
                }
                _ => return Err(unexpected(text, at)),
            }
        }
    }
}

fn closing(object: bool) -> u8 {
    if object { b'}' } else { b']' }
}

fn scalar(text: &[u8], at: usize) -> Result<usize, JsonError> {
    match text.get(at) {
        Some(b't') => word(text, at, b"true"),
        Some(b'f') => word(text, at, b"false"),
        Some(b'n') => word(text, at, b"null"),
        Some(b'-' | b'0'..=b'9') => number(text, at),
        _ => Err(unexpected(text, at)),
    }
}

fn word(text: &[u8], at: usize, word: &[u8]) -> Result<usize, JsonError> {
    word.iter().try_fold(at, |at, &byte| expect(text, at, byte))
}

fn number(text: &[u8], mut at: usize) -> Result<usize, JsonError> {
    at += usize::from(text[at] == b'-');
    at = if text.get(at) == Some(&b'0') { at + 1 } else { digits(text, at)? };
    if text.get(at) == Some(&b'.') {
        at = digits(text, at + 1)?;
    }
    if let Some(b'e' | b'E') = text.get(at) {
        at += 1;
        at += usize::from(matches!(text.get(at), Some(b'+' | b'-')));
        at = digits(text, at)?;
    }
    Ok(at)
}

fn digits(text: &[u8], start: usize) -> Result<usize, JsonError> {
    let mut at = start;
    while let Some(b'0'..=b'9') = text.get(at) {
        at += 1;
    }
    if at == start { Err(unexpected(text, at)) } else { Ok(at) }
}

/// Skips a string; where it ends and whether it holds escapes.
#[inline]
fn string(text: &[u8], at: usize) -> Result<(usize, bool), JsonError> {
    let mut at = plain(text, expect(text, at, b'"')?);
    let mut escaped = false;
    loop {
        match text.get(at) {
            Some(b'"') => return Ok((at + 1, escaped)),
            Some(b'\\') => {
                escaped = true;
                at = plain(text, escape(text, at)?);
            }
            _ => return Err(unexpected(text, at)),
        }
    }
}

/// The next quote, backslash or control character, looked for eight bytes at a time.
#[inline]
fn plain(text: &[u8], mut at: usize) -> usize {
    while let Some(chunk) = text.get(at..).and_then(<[u8]>::first_chunk) {
        let stops = stops(u64::from_le_bytes(*chunk));
        if stops != 0 {
            return at + (stops.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while let Some(0x20..=0x21 | 0x23..=0x5b | 0x5d..) = text.get(at) {
        at += 1;
    }
    at
}

fn escape(text: &[u8], at: usize) -> Result<usize, JsonError> {
    let at = at + 1;
    match text.get(at) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 1),
        Some(b'u') => (at + 1..at + 5).try_fold(at + 1, |_, at| match text.get(at) {
            Some(byte) if byte.is_ascii_hexdigit() => Ok(at + 1),
            _ => Err(unexpected(text, at)),
        }),
        _ => Err(unexpected(text, at)),
    }
}

/// The high bit of every byte that is a quote, a backslash or below 0x20; exact up to the lowest one set.
#[inline]
fn stops(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let zero = |x: u64| x.wrapping_sub(ONES) & !x;
    let quote = zero(word ^ (ONES * u64::from(b'"')));
    let backslash = zero(word ^ (ONES * u64::from(b'\\')));
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    (quote | backslash | control) & HIGH
}
