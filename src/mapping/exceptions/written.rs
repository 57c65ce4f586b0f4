//! Where the parts of an exception stand in its file, and its fields as a script that leads back there.
//!
//! YAML is read elsewhere (`yaml`), without places; they are looked up in the text. Not here: what an exception says
//! (`read`). The invariant: a place that cannot be found is that of what holds it, never one of another exception.

use std::ops::Range;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use crate::mapping::fault::{Source, position};
use crate::mapping::linked::{Linked, Piece};

/// The text of one exception, as bytes of its file.
#[derive(Clone, Debug)]
pub(super) struct Block<'a> {
    pub(super) text: &'a str,
    pub(super) range: Range<usize>,
}

impl<'a> Block<'a> {
    /// The exceptions of a file, one after the other.
    pub(super) fn all(text: &'a str, count: usize) -> Vec<Self> {
        let (mut starts, mut indent, mut at) = (Vec::new(), None, 0);
        for line in text.split_inclusive('\n') {
            let bare = line.trim_end();
            let item = bare.trim_start_matches(' ');
            let width = bare.len() - item.len();
            if (item == "-" || item.starts_with("- ")) && *indent.get_or_insert(width) == width {
                starts.push(at);
            }
            at += line.len();
        }
        if starts.len() != count {
            // Written in another way, the file as a whole is named.
            return vec![Self { text, range: 0..text.len() }; count];
        }
        let ends = starts.iter().copied().skip(1).chain([text.len()]);
        starts.iter().zip(ends).map(|(start, end)| Self { text, range: *start..end }).collect()
    }

    /// The line on which it begins, from 1.
    pub(super) fn line(&self) -> usize {
        position(self.text, self.range.start).0
    }

    /// The line and column of a byte.
    pub(super) fn position(&self, at: usize) -> (usize, usize) {
        position(self.text, at)
    }

    /// The byte at which a key stands, the first one from a byte on.
    pub(super) fn key(&self, from: usize, name: &str) -> Option<usize> {
        let part = self.text.get(from..self.range.end)?;
        let is_key = |at: usize| {
            let line = part.get(..at).unwrap_or_default().rsplit('\n').next().unwrap_or_default();
            let before = line.chars().next_back();
            let after = part.get(at + name.len()..).unwrap_or_default();
            let after = after.trim_start_matches(['"', '\'']).trim_start_matches(' ');
            let comment = line.trim_start().starts_with('#') || line.contains(" #");
            let begins = before.is_none_or(|letter| " {,\"'".contains(letter));
            begins && !comment && after.starts_with(':')
        };
        part.match_indices(name).map(|(at, _)| at).find(|at| is_key(*at)).map(|at| from + at)
    }

    /// The byte at which the value of a key begins.
    fn value(&self, key: usize) -> usize {
        let rest = self.text.get(key..self.range.end).unwrap_or_default();
        let Some(colon) = rest.find(':') else { return key };
        let value = &rest[colon + 1..];
        key + rest.len() - value.trim_start().len()
    }
}

/// The fields of an exception as a script. An error names the field whose value no field can have, and the byte of its key.
pub(super) fn script(
    source: &Arc<Source>,
    block: &Block<'_>,
    set: &Map<String, Json>,
) -> Result<Linked, (String, usize)> {
    let mut writer = Writer { out: "#{\n".to_owned(), places: Vec::new() };
    let start = block.key(block.range.start, "set").unwrap_or(block.range.start);
    let fields = block.value(start);
    for (field, value) in set {
        let key = block.key(fields, field).unwrap_or(start);
        writer.place(key, false);
        writer.out.push_str(&quoted(field));
        writer.out.push_str(": ");
        writer.value(block, key, value).ok_or_else(|| (field.clone(), key))?;
        writer.out.push_str(",\n");
    }
    writer.out.push('}');
    let piece = |(here, there, verbatim): &(usize, usize, bool)| Piece {
        here: position(&writer.out, *here),
        there: block.position(*there),
        verbatim: *verbatim,
    };
    let pieces = writer.places.iter().map(piece).collect();
    Ok(Linked::made(source, writer.out, pieces))
}

/// A script while it is written.
struct Writer {
    out: String,
    /// Byte of the script, byte of the file, whether what follows is the same.
    places: Vec<(usize, usize, bool)>,
}

impl Writer {
    fn place(&mut self, there: usize, verbatim: bool) {
        self.places.push((self.out.len(), there, verbatim));
    }

    fn value(&mut self, block: &Block<'_>, key: usize, value: &Json) -> Option<()> {
        let at = block.value(key);
        self.place(at, false);
        let Some(script) = expression(value) else {
            self.out.push_str(&literal(value)?);
            return Some(());
        };
        self.out.push('(');
        let inside = block.key(at, "script").map(|key| block.value(key));
        let followed = inside.and_then(|from| {
            follow(block.text.get(..block.range.end).unwrap_or_default(), from, script)
        });
        for (here, there) in followed.unwrap_or_default() {
            self.places.push((self.out.len() + here, there, true));
        }
        self.out.push_str(script);
        // A comment at its end ends with the line.
        self.out.push_str("\n)");
        Some(())
    }
}

/// Which byte of a file's text each stretch of a YAML scalar has: a byte of the scalar, and one of the text. `None` where
/// the two part.
fn follow(text: &str, from: usize, scalar: &str) -> Option<Vec<(usize, usize)>> {
    let quote = text.get(from..)?.chars().next()?;
    let mut at = match quote {
        '"' | '\'' => from + 1,
        '|' | '>' => from + text.get(from..)?.find('\n')?,
        _ => from,
    };
    if matches!(quote, '|' | '>') {
        at += blank(text.get(at..)?);
    }
    let (mut pieces, mut done) = (vec![(0, at)], 0);
    while let Some(letter) = scalar.get(done..)?.chars().next() {
        let rest = text.get(at..)?;
        let Some(there) = rest.chars().next() else {
            return scalar[done..].trim().is_empty().then_some(pieces);
        };
        let escaped = rest.get(1..).and_then(|rest| rest.chars().next());
        let (mine, its) = match (quote, there, escaped) {
            ('"', '\\', Some(second)) if second == letter && !letter.is_whitespace() => {
                (letter.len_utf8(), 1 + letter.len_utf8())
            }
            ('\'', '\'', Some('\'')) if letter == '\'' => (1, 2),
            _ if letter.is_whitespace() && there.is_whitespace() => {
                (blank(&scalar[done..]), blank(rest))
            }
            _ if letter == there => (letter.len_utf8(), letter.len_utf8()),
            _ if scalar[done..].trim().is_empty() => return Some(pieces),
            _ => return None,
        };
        done += mine;
        at += its;
        if mine != its || letter == '\n' {
            pieces.push((done, at));
        }
    }
    Some(pieces)
}

/// How many bytes of white space a text begins with.
fn blank(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

/// The expression of `{ script: ".." }`.
fn expression(value: &Json) -> Option<&str> {
    match value {
        Json::Object(entries) if entries.len() == 1 => entries.get("script")?.as_str(),
        _ => None,
    }
}

/// A value as it stands in a script; `None` for a number that no field can have.
fn literal(value: &Json) -> Option<String> {
    Some(match value {
        Json::Null => "clear()".to_owned(),
        Json::Bool(flag) => flag.to_string(),
        Json::Number(number) if number.is_i64() => number.to_string(),
        Json::Number(number) => format!("{:?}", number.as_f64()?),
        Json::String(text) => quoted(text),
        Json::Array(items) => {
            let items: Option<Vec<String>> = items.iter().map(literal).collect();
            format!("[{}]", items?.join(", "))
        }
        Json::Object(entries) => {
            if let Some(script) = expression(value) {
                return Some(format!("({script}\n)"));
            }
            let entry = |(key, value): (&String, &Json)| {
                Some(format!("{}: {}", quoted(key), literal(value)?))
            };
            let entries: Option<Vec<String>> = entries.iter().map(entry).collect();
            format!("#{{ {} }}", entries?.join(", "))
        }
    })
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}
