//! Reading a record onto the tape in one pass, with the keys of the record before as a guess for the next.
//!
//! Only what records are mostly made of is known here; escapes and fractions that are kept are read by `serde_json`, value by
//! value. Not here: what is wrong with a text; whoever gives up leaves all of it to `serde_json`. The invariant: a text
//! that is taken is one that `serde_json` takes, and the tape is the same.

use serde::de::DeserializeSeed as _;

use super::read::{Mode, Reader};
use super::{Child, DEPTH, KEYS, Node, Order, Projection, ROOT, Tape, index};

/// Levels of what is skipped.
const SKIPPED: u32 = 64;

/// Reads a record; `None` when `serde_json` has to.
pub(super) fn scan(tape: &mut Tape, text: &str, projection: &Projection) -> Option<()> {
    let mut scanner = Scanner { tape, text, bytes: text.as_bytes(), at: 0, projection };
    scanner.blank();
    if scanner.peek()? != b'{' {
        return None;
    }
    scanner.value(Mode::of(projection, ROOT), 0)?;
    scanner.blank();
    (scanner.at == text.len()).then_some(())
}

struct Scanner<'r> {
    tape: &'r mut Tape,
    text: &'r str,
    bytes: &'r [u8],
    at: usize,
    projection: &'r Projection,
}

impl Scanner<'_> {
    #[inline]
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[inline]
    fn blank(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    /// Steps over one byte that has to be there, and over white space around it.
    #[inline]
    fn mark(&mut self, mark: u8) -> Option<()> {
        self.blank();
        if self.peek()? != mark {
            return None;
        }
        self.at += 1;
        self.blank();
        Some(())
    }

    /// After an element: whether another one follows.
    #[inline]
    fn goes_on(&mut self, end: u8) -> Option<bool> {
        self.blank();
        let next = self.peek()?;
        self.at += 1;
        if next == b',' {
            self.blank();
            Some(true)
        } else {
            (next == end).then_some(false)
        }
    }

    /// Steps into a container; whether there is anything in it.
    #[inline]
    fn opens(&mut self, end: u8) -> Option<bool> {
        self.at += 1;
        self.blank();
        let empty = self.peek()? == end;
        self.at += usize::from(empty);
        Some(!empty)
    }

    fn word(&mut self, word: &str) -> Option<()> {
        let end = self.at + word.len();
        let found = self.bytes.get(self.at..end)? == word.as_bytes();
        self.at = end;
        found.then_some(())
    }

    fn value(&mut self, mode: Mode, depth: u32) -> Option<()> {
        let node = match self.peek()? {
            b'"' => return self.text(),
            b'{' => return self.object(mode, depth),
            b'[' => return self.list(depth),
            b't' => self.word("true").map(|()| Node::Bool(true)),
            b'f' => self.word("false").map(|()| Node::Bool(false)),
            b'n' => self.word("null").map(|()| Node::Null),
            b'-' | b'0'..=b'9' => return self.number(),
            _ => None,
        };
        self.tape.nodes.push(node?);
        Some(())
    }

    fn text(&mut self) -> Option<()> {
        let (from, start) = (self.at, self.at + 1);
        let end = special(self.bytes, start)?;
        if self.bytes[end] == b'"' {
            self.tape.nodes.push(Node::Plain(index(start), index(end - start)));
            self.at = end + 1;
            return Some(());
        }
        self.skip_text()?;
        self.leave(from)
    }

    fn number(&mut self) -> Option<()> {
        let from = self.at;
        let whole = self.skip_number()?;
        let token = self.text.get(from..self.at)?;
        // The digits that always fit; `-0` is a fraction.
        if whole && token.len() <= 18 && token != "-0" {
            self.tape.nodes.push(Node::Int(token.parse().ok()?));
            return Some(());
        }
        self.leave(from)
    }

    /// Leaves a value that was stepped over to `serde_json`.
    fn leave(&mut self, from: usize) -> Option<()> {
        let mut json = serde_json::Deserializer::from_str(self.text.get(from..self.at)?);
        let reader = Reader {
            tape: self.tape,
            base: self.text.as_ptr() as usize,
            projection: self.projection,
            mode: Mode::Whole,
            depth: 0,
        };
        reader.deserialize(&mut json).and_then(|()| json.end()).ok()
    }

    fn list(&mut self, depth: u32) -> Option<()> {
        if depth > DEPTH {
            return None;
        }
        let at = self.tape.nodes.len();
        self.tape.nodes.push(Node::Null);
        let mut count = 0;
        let mut more = self.opens(b']')?;
        while more {
            self.value(Mode::Whole, depth + 1)?;
            count += 1;
            more = self.goes_on(b']')?;
        }
        self.tape.nodes[at] = Node::List(count, index(self.tape.nodes.len()));
        Some(())
    }

    fn object(&mut self, mode: Mode, depth: u32) -> Option<()> {
        if depth > DEPTH {
            return None;
        }
        let at = self.tape.nodes.len();
        self.tape.nodes.push(Node::Null);
        self.tape.nodes[at] = match mode {
            Mode::Whole => {
                let count = self.entries(depth)?;
                Node::Object(count, index(self.tape.nodes.len()))
            }
            Mode::Part(part) => {
                let mut order = std::mem::take(&mut self.tape.orders[part]);
                self.parts(part, &mut order, depth)?;
                self.tape.orders[part] = order;
                Node::Partial(index(part))
            }
        };
        Some(())
    }

    fn entries(&mut self, depth: u32) -> Option<u32> {
        let mut count = 0;
        let mut more = self.opens(b'}')?;
        while more {
            if self.peek()? != b'"' {
                return None;
            }
            self.text()?;
            self.mark(b':')?;
            self.value(Mode::Whole, depth + 1)?;
            count += 1;
            more = self.goes_on(b'}')?;
        }
        Some(count)
    }

    fn parts(&mut self, part: usize, order: &mut Order, depth: u32) -> Option<()> {
        let mut nth = 0;
        let mut more = self.opens(b'}')?;
        while more {
            let child = self.key(part, order, nth)?;
            self.mark(b':')?;
            nth += 1;
            match child {
                Some(child) if self.tape.slots[child] == 0 => {
                    self.tape.slots[child] = index(self.tape.nodes.len()) + 1;
                    self.value(Mode::of(self.projection, child), depth + 1)?;
                }
                _ => self.skip(SKIPPED)?,
            }
            more = self.goes_on(b'}')?;
        }
        Some(())
    }

    /// Reads a key as the child of a part that it names.
    fn key(&mut self, part: usize, order: &mut Order, nth: usize) -> Option<Child> {
        if self.peek()? != b'"' {
            return None;
        }
        let start = self.at + 1;
        if let Some((known, child)) = order.get(nth) {
            let end = start + known.len();
            // No quote stands in a key that is kept: this is all of it.
            if self.bytes.get(end) == Some(&b'"') && same(&self.bytes[start..end], known.as_bytes())
            {
                self.at = end + 1;
                return Some(*child);
            }
        }
        let end = special(self.bytes, start)?;
        if self.bytes[end] != b'"' {
            // A key with escapes.
            return None;
        }
        let key = self.text.get(start..end)?;
        let child = self.projection.child(part, key);
        if nth < KEYS {
            order.truncate(nth);
            order.push((key.into(), child));
        }
        self.at = end + 1;
        Some(child)
    }

    fn skip(&mut self, levels: u32) -> Option<()> {
        match self.peek()? {
            b'"' => self.skip_text(),
            b'{' => {
                let mut more = self.opens(b'}')?;
                while more {
                    if self.peek()? != b'"' {
                        return None;
                    }
                    self.skip_text()?;
                    self.mark(b':')?;
                    self.skip(levels.checked_sub(1)?)?;
                    more = self.goes_on(b'}')?;
                }
                Some(())
            }
            b'[' => {
                let mut more = self.opens(b']')?;
                while more {
                    self.skip(levels.checked_sub(1)?)?;
                    more = self.goes_on(b']')?;
                }
                Some(())
            }
            b't' => self.word("true"),
            b'f' => self.word("false"),
            b'n' => self.word("null"),
            b'-' | b'0'..=b'9' => self.skip_number().map(drop),
            _ => None,
        }
    }

    fn skip_text(&mut self) -> Option<()> {
        let mut at = self.at + 1;
        loop {
            at = special(self.bytes, at)?;
            at += match (self.bytes[at], self.bytes.get(at + 1)) {
                (b'"', _) => break,
                (b'\\', Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't')) => 2,
                (b'\\', Some(b'u')) => {
                    let digits = self.bytes.get(at + 2..at + 6)?;
                    digits.iter().all(u8::is_ascii_hexdigit).then_some(6)?
                }
                _ => return None,
            };
        }
        self.at = at + 1;
        Some(())
    }

    /// Steps over a number; whether it is a whole one.
    fn skip_number(&mut self) -> Option<bool> {
        self.at += usize::from(self.peek()? == b'-');
        let first = self.peek()?;
        if self.digits()? > 1 && first == b'0' {
            return None;
        }
        let mut whole = true;
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
            whole = false;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            self.at += usize::from(matches!(self.peek()?, b'+' | b'-'));
            self.digits()?;
            whole = false;
        }
        Some(whole)
    }

    /// Steps over at least one digit; how many.
    fn digits(&mut self) -> Option<usize> {
        let from = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > from).then_some(self.at - from)
    }
}

/// Whether two short texts of one length are equal.
#[inline]
fn same(a: &[u8], b: &[u8]) -> bool {
    let (Some(a_end), Some(b_end)) = (a.last_chunk::<8>(), b.last_chunk::<8>()) else {
        return a.iter().zip(b).all(|(a, b)| a == b);
    };
    let (a, b) = (a.as_chunks::<8>().0, b.as_chunks::<8>().0);
    a_end == b_end && a.iter().zip(b).all(|(a, b)| a == b)
}

/// The place of the next quote, backslash or control character.
#[inline]
fn special(bytes: &[u8], mut at: usize) -> Option<usize> {
    while let Some(eight) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let found = specials(u64::from_le_bytes(*eight));
        if found != 0 {
            return Some(at + found.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    let rest = bytes.get(at..)?;
    let found = rest.iter().position(|byte| is_special(*byte))?;
    Some(at + found)
}

/// Whether a byte of a text is more than itself: a quote, a backslash or a control character.
#[inline]
pub(super) fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// The high bits of the bytes that are special. Above the lowest of them others may be marked too.
#[inline]
fn specials(word: u64) -> u64 {
    const ONE: u64 = 0x0101_0101_0101_0101;
    let is = |byte: u8| {
        let differs = word ^ (ONE * u64::from(byte));
        differs.wrapping_sub(ONE) & !differs
    };
    let control = word.wrapping_sub(ONE * 0x20) & !word;
    (control | is(b'"') | is(b'\\')) & (ONE << 7)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::tape_of;
    use super::*;

    /// What the two make of a text: the scanner may give up, but never differ.
    fn check(text: &str, paths: &[&[&str]]) -> Result<bool, String> {
        let (scanned, read) = (tape_of(text, paths, true), tape_of(text, paths, false));
        match scanned {
            None => Ok(false),
            scanned if scanned == read => Ok(true),
            scanned => Err(format!("{text}\nscanned {scanned:?}\nread {read:?}")),
        }
    }

    const PATHS: &[&[&str]] = &[&["a"], &["b", "x"], &["c", "y", "z"], &["l"], &["a b"]];

    #[test]
    fn what_records_are_made_of_is_scanned() {
        for text in [
            r#"{"a":1,"b":{"x":"y","z":[1,{"q":null}]},"c":{"y":{"z":[true,false,null]}}}"#,
            " {\n\t\"a\" : -17 , \"d\" : [ ] , \"e\" : { } , \"l\" : [ 1 , \"\" ] }\r\n",
            r#"{"a":"\u674e\n","d":"\ud83d\ude42 \" \\ \/","b":{"x":1.5e3},"f":-0.0E-7,"g":123456789012345678901}"#,
            r#"{"a":123456789012345678,"l":[9223372036854775807,18446744073709551615,-0,0,1e2]}"#,
            r#"{"a":1,"a":2,"b":{"x":1,"x":2},"b":3,"":5,"a b":"李伟 a long text, longer than eight bytes"}"#,
            "{}",
        ] {
            assert_eq!(check(text, PATHS), Ok(true), "{text}");
            assert_eq!(check(text, &[&[]]), Ok(true), "{text}");
        }
    }

    #[test]
    fn what_is_no_json_is_never_taken() {
        let deep = format!("{{\"d\":{}1{}}}", "[".repeat(200), "]".repeat(200));
        for text in [
            "",
            " ",
            "[]",
            "1",
            "{",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{\"a\":1}}",
            "{\"a\":01}",
            "{\"d\":01}",
            "{\"d\":1.}",
            "{\"d\":-}",
            "{\"d\":1e}",
            "{\"d\":+1}",
            "{\"d\":.5}",
            "{\"d\":\"\u{1}\"}",
            "{\"a\":\"\n\"}",
            "{\"d\":\"\\x\"}",
            "{\"d\":\"\\u12g4\"}",
            "{\"a\":\"\\ud800\"}",
            "{\"d\":tru}",
            "{\"d\":nulll}",
            "{\"d\":[1,]}",
            "{\"d\":[1 2]}",
            "{\"d\":\"",
            "{\"d\":\"\\",
            "{'a':1}",
            "{\"a\":1}x",
            "{\"a\":1e999}",
            "{a:1}",
            "{\"d\":{\"x\":1 \"y\":2}}",
            &deep,
        ] {
            assert_eq!(check(text, PATHS), Ok(false), "{text}");
        }
    }

    #[test]
    fn a_key_that_was_guessed_is_the_key_that_stands_there() {
        for (first, second) in [
            (r#"{"a":1,"b":{"x":2}}"#, r#"{"ab":1,"b":{"xx":2}}"#),
            (r#"{"a\"":1,"a":2}"#, r#"{"a\"":3,"a":4}"#),
            (r#"{"a":1,"l":[]}"#, r#"{"l":[1],"a":2,"b":{}}"#),
            (r#"{"ab":1,"a":2}"#, r#"{"a":1}"#),
        ] {
            let both = format!("{first}\u{0}{second}");
            assert_eq!(check(first, PATHS).map(drop), Ok(()));
            assert_eq!(check(&both, PATHS).map(drop), Ok(()), "{both}");
        }
    }

    #[test]
    fn the_first_special_byte_is_found_wherever_it_stands() {
        for byte in 0..=255_u8 {
            for at in 0..20 {
                let mut bytes = vec![b'x'; 20];
                bytes[at] = byte;
                let wanted = is_special(byte).then_some(at);
                assert_eq!(special(&bytes, 0), wanted, "{byte} at {at}");
                bytes[19] = b'"';
                assert_eq!(special(&bytes, 0), wanted.or(Some(19)), "{byte} at {at}");
            }
        }
    }

    fn json() -> impl Strategy<Value = String> {
        let scalar = prop::sample::select(vec![
            "1",
            "-1",
            "0",
            "-0",
            "1.5",
            "1e3",
            "12345678901234567890",
            "true",
            "false",
            "null",
            "\"\"",
            "\"a\"",
            "\"\\u674e\\n\"",
            "\"李 is longer than eight\"",
            "\"\\\\\"",
            "[]",
            "{}",
            " 7 ",
        ]);
        scalar.prop_map(str::to_owned).prop_recursive(4, 24, 5, |inner| {
            let key = prop::sample::select(vec![
                "a", "b", "c", "x", "y", "z", "l", "a b", "d", "\\u0061",
            ]);
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4)
                    .prop_map(|items| format!("[{}]", items.join(","))),
                prop::collection::vec((key, inner), 0..5).prop_map(|entries| {
                    let entries: Vec<String> = entries
                        .into_iter()
                        .map(|(key, value)| format!("\"{key}\": {value}"))
                        .collect();
                    format!("{{{}}}", entries.join(" ,"))
                }),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

        #[test]
        fn a_text_that_is_scanned_is_read_the_same(first in json(), second in json(), at in 0..200_usize, byte in prop::sample::select(b"\"\\,:{}[]0-e. x\n".to_vec())) {
            let mut broken = second.clone().into_bytes();
            if at < broken.len() {
                broken[at] = byte;
            }
            let broken = String::from_utf8(broken).unwrap_or_default();
            for text in [format!("{first}\u{0}{second}"), format!("{second}\u{0}{broken}")] {
                for paths in [PATHS, &[&[]]] {
                    if let Err(why) = check(&text, paths) {
                        prop_assert!(false, "{why}");
                    }
                }
            }
        }
    }
}
