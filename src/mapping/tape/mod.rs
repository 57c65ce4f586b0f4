//! One JSON record, parsed once into a flat tape; texts stay in the page.
//!
//! Only what a script reads is kept; the rest is skipped. Not here: what a value means to a
//! script; see `value`. The invariant: every index on the tape points into the tape, and of a key that occurs twice in
//! an object the first counts, everywhere.

use std::fmt;
use std::sync::Arc;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::projection::{Projection, ROOT};

mod scan;

/// Levels of nesting that a record may have.
const DEPTH: u32 = 64;

/// A value on the tape. Containers are followed by their content.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Node {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    /// Offset and length in the record's text.
    Plain(u32, u32),
    /// Offset and length in the side buffer: text that had escapes.
    Side(u32, u32),
    /// Number of elements, and the index after the last.
    List(u32, u32),
    /// Number of entries (key, value), and the index after the last.
    Object(u32, u32),
    /// An object of which only the children of a part are kept, in the slots.
    Partial(u32),
}

/// The buffers of a parsed record, used again for the next.
#[derive(Debug, Default)]
pub(crate) struct Tape {
    nodes: Vec<Node>,
    side: String,
    /// By part: the index of its node plus one, 0 when absent.
    slots: Vec<u32>,
    /// By part: the keys of the object read last, in order, and what they lead to. The next record mostly has the same.
    orders: Vec<Order>,
    /// The projection that the orders belong to.
    served: (u64, usize),
}

/// The part that a key leads to, if it is read.
type Child = Option<usize>;

/// Keys without escapes, and what they lead to.
type Order = Vec<(Box<str>, Child)>;

/// Most keys of an object whose order is kept.
const KEYS: usize = 128;

/// Why a record is none. Never holds its text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TapeError {
    #[error("the record is larger than 4 GiB")]
    TooLarge,
    #[error("the record is no JSON (column {0}); the connector handed over something else")]
    Syntax(usize),
    #[error("the record is no JSON object; the connector handed over something else")]
    NoObject,
}

/// A parsed record: the tape and the text it points into.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Doc<'a> {
    tape: &'a Tape,
    text: &'a str,
    projection: &'a Projection,
}

impl Tape {
    /// Parses a record; what was on the tape before is gone.
    pub(crate) fn parse<'a>(
        &'a mut self,
        text: &'a str,
        projection: &'a Projection,
    ) -> Result<Doc<'a>, TapeError> {
        self.read(text, projection)?;
        Ok(Doc { tape: self, text, projection })
    }

    fn read(&mut self, text: &str, projection: &Projection) -> Result<(), TapeError> {
        if u32::try_from(text.len()).is_err() {
            return Err(TapeError::TooLarge);
        }
        self.reset(projection);
        if scan::scan(self, text, projection).is_some() {
            return Ok(());
        }
        self.reset(projection);
        self.deserialize(text, projection)
    }

    fn reset(&mut self, projection: &Projection) {
        self.nodes.clear();
        self.side.clear();
        self.slots.clear();
        self.slots.resize(projection.len(), 0);
        if self.served != projection.state() {
            self.served = projection.state();
            self.orders.clear();
            self.orders.resize_with(projection.len(), Vec::new);
        }
    }

    fn deserialize(&mut self, text: &str, projection: &Projection) -> Result<(), TapeError> {
        let mut json = serde_json::Deserializer::from_str(text);
        let base = text.as_ptr() as usize;
        let mode = Mode::of(projection, ROOT);
        let reader = Reader { tape: self, base, projection, mode, depth: 0 };
        reader
            .deserialize(&mut json)
            .and_then(|()| json.end())
            .map_err(|error| TapeError::Syntax(error.column()))?;
        match self.nodes.first() {
            Some(Node::Object(..) | Node::Partial(_)) => Ok(()),
            _ => Err(TapeError::NoObject),
        }
    }
}

/// A parsed record that owns what it points into, for values that the interpreter keeps while it runs.
#[derive(Debug)]
pub(crate) struct Held {
    tape: Tape,
    text: String,
    projection: Arc<Projection>,
}

impl Held {
    /// Parses a record with the buffers of another, which are gone when it is none.
    pub(crate) fn parse(
        buffers: (Tape, String),
        text: &str,
        projection: &Arc<Projection>,
    ) -> Result<Self, TapeError> {
        let (mut tape, mut own) = buffers;
        own.clear();
        own.push_str(text);
        tape.read(&own, projection)?;
        Ok(Self { tape, text: own, projection: Arc::clone(projection) })
    }

    /// The record.
    pub(crate) fn doc(&self) -> Doc<'_> {
        Doc { tape: &self.tape, text: &self.text, projection: &self.projection }
    }

    /// The buffers, for the next record.
    pub(crate) fn into_buffers(self) -> (Tape, String) {
        (self.tape, self.text)
    }
}

/// What to keep of the value that is read next.
#[derive(Clone, Copy)]
enum Mode {
    Whole,
    Part(usize),
}

impl Mode {
    fn of(projection: &Projection, part: usize) -> Self {
        if projection.parts[part].whole { Self::Whole } else { Self::Part(part) }
    }
}

struct Reader<'r> {
    tape: &'r mut Tape,
    base: usize,
    projection: &'r Projection,
    mode: Mode,
    depth: u32,
}

impl Reader<'_> {
    fn next(&mut self, mode: Mode) -> Reader<'_> {
        Reader {
            tape: self.tape,
            base: self.base,
            projection: self.projection,
            mode,
            depth: self.depth + 1,
        }
    }

    fn push(self, node: Node) {
        self.tape.nodes.push(node);
    }

    #[inline]
    fn index(&self) -> u32 {
        index(self.tape.nodes.len())
    }

    fn check_depth<E: serde::de::Error>(&self) -> Result<(), E> {
        if self.depth > DEPTH { Err(E::custom("nested too deep")) } else { Ok(()) }
    }
}

/// Tape indexes fit: every node takes at least one byte of a text that is shorter than 4 GiB.
fn index(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.push(Node::Null);
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.push(Node::Bool(value));
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.push(Node::Int(value));
        Ok(())
    }

    /// A number beyond 64 bits with sign becomes text: an id must not lose digits.
    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<(), E> {
        match i64::try_from(value) {
            Ok(value) => self.visit_i64(value),
            Err(_) => self.visit_str(&value.to_string()),
        }
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.push(Node::Float(value));
        Ok(())
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<(), E> {
        let offset = (value.as_ptr() as usize).wrapping_sub(self.base);
        self.push(Node::Plain(index(offset), index(value.len())));
        Ok(())
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        let offset = self.tape.side.len();
        self.tape.side.push_str(value);
        self.push(Node::Side(index(offset), index(value.len())));
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        self.check_depth()?;
        let at = self.tape.nodes.len();
        self.tape.nodes.push(Node::Null);
        let mut count = 0;
        while items.next_element_seed(self.next(Mode::Whole))?.is_some() {
            count += 1;
        }
        self.tape.nodes[at] = Node::List(count, self.index());
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<(), A::Error> {
        self.check_depth()?;
        let at = self.tape.nodes.len();
        self.tape.nodes.push(Node::Null);
        match self.mode {
            Mode::Whole => {
                let mut count = 0;
                while entries.next_key_seed(self.next(Mode::Whole))?.is_some() {
                    entries.next_value_seed(self.next(Mode::Whole))?;
                    count += 1;
                }
                self.tape.nodes[at] = Node::Object(count, self.index());
            }
            Mode::Part(part) => {
                let mut order = std::mem::take(&mut self.tape.orders[part]);
                let mut nth = 0;
                while let Some(child) = entries.next_key_seed(KeyOf {
                    projection: self.projection,
                    part,
                    order: &mut order,
                    nth,
                })? {
                    nth += 1;
                    match child {
                        Some(child) if self.tape.slots[child] == 0 => {
                            self.tape.slots[child] = self.index() + 1;
                            let mode = Mode::of(self.projection, child);
                            entries.next_value_seed(self.next(mode))?;
                        }
                        _ => {
                            entries.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                self.tape.orders[part] = order;
                self.tape.nodes[at] = Node::Partial(index(part));
            }
        }
        Ok(())
    }
}

/// Reads a key as the child of a part that it names.
struct KeyOf<'r> {
    projection: &'r Projection,
    part: usize,
    order: &'r mut Order,
    nth: usize,
}

impl<'de> DeserializeSeed<'de> for KeyOf<'_> {
    type Value = Option<usize>;
    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Option<usize>, D::Error> {
        json.deserialize_str(self)
    }
}

impl Visitor<'_> for KeyOf<'_> {
    type Value = Option<usize>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }
    fn visit_str<E>(self, key: &str) -> Result<Option<usize>, E> {
        match self.order.get(self.nth) {
            Some((known, child)) if **known == *key => return Ok(*child),
            _ => {}
        }
        let child = self.projection.child(self.part, key);
        if self.nth < KEYS && !key.bytes().any(scan::is_special) {
            self.order.truncate(self.nth);
            self.order.push((key.into(), child));
        }
        Ok(child)
    }
}

impl<'a> Doc<'a> {
    /// The node at an index.
    #[inline]
    pub(crate) fn node(self, at: u32) -> Node {
        self.tape.nodes[at as usize]
    }

    /// The text of a text node.
    #[inline]
    pub(crate) fn text(self, node: Node) -> Option<&'a str> {
        match node {
            Node::Plain(offset, len) => Some(slice(self.text, offset, len)),
            Node::Side(offset, len) => Some(slice(&self.tape.side, offset, len)),
            _ => None,
        }
    }

    /// The index after the value at an index.
    #[inline]
    pub(crate) fn after(self, at: u32) -> u32 {
        match self.node(at) {
            Node::List(_, end) | Node::Object(_, end) => end,
            _ => at + 1,
        }
    }

    /// How many values the value at an index holds, and how many bytes of text.
    pub(crate) fn weigh(self, at: u32) -> (usize, usize) {
        let end = match self.node(at) {
            // The parts of a record lie anywhere on the tape.
            Node::Partial(_) => self.tape.nodes.len(),
            _ => self.after(at) as usize,
        };
        let within = self.tape.nodes.get(at as usize..end).unwrap_or_default();
        let bytes = within.iter().map(|node| match node {
            Node::Plain(_, len) | Node::Side(_, len) => *len as usize,
            _ => 0,
        });
        (within.len(), bytes.sum())
    }

    /// How much of a tape the record takes: values, and bytes of its text.
    pub(crate) fn size(self) -> (usize, usize) {
        (self.tape.nodes.len(), self.text.len())
    }

    /// The value of a property of the object at an index.
    #[inline]
    pub(crate) fn property(self, at: u32, key: &str) -> Option<u32> {
        match self.node(at) {
            Node::Object(count, _) => {
                let mut entry = at + 1;
                for _ in 0..count {
                    if self.text(self.node(entry)) == Some(key) {
                        return Some(entry + 1);
                    }
                    entry = self.after(entry + 1);
                }
                None
            }
            Node::Partial(part) => self.slot(self.projection.child(part as usize, key)?),
            _ => None,
        }
    }

    /// The value of a part.
    #[inline]
    pub(crate) fn slot(self, part: usize) -> Option<u32> {
        self.tape.slots[part].checked_sub(1)
    }

    /// The element of the list at an index.
    pub(crate) fn element(self, at: u32, nth: usize) -> Option<u32> {
        self.elements(at).nth(nth)
    }

    /// The elements of the list at an index, in order.
    #[inline]
    pub(crate) fn elements(self, at: u32) -> impl Iterator<Item = u32> + 'a {
        let (mut left, mut next) = match self.node(at) {
            Node::List(count, _) => (count, at + 1),
            _ => (0, at),
        };
        std::iter::from_fn(move || {
            left = left.checked_sub(1)?;
            let element = next;
            next = self.after(element);
            Some(element)
        })
    }

    /// The entries of the object at an index, in order; the first of equal keys counts, later ones may follow.
    pub(crate) fn entries(self, at: u32) -> Vec<(&'a str, u32)> {
        match self.node(at) {
            Node::Object(count, _) => {
                let mut entries = Vec::with_capacity(count as usize);
                let mut entry = at + 1;
                for _ in 0..count {
                    if let Some(key) = self.text(self.node(entry)) {
                        entries.push((key, entry + 1));
                    }
                    entry = self.after(entry + 1);
                }
                entries
            }
            Node::Partial(part) => self.projection.parts[part as usize]
                .children
                .iter()
                .filter_map(|(key, child)| Some((&**key, self.slot(*child)?)))
                .collect(),
            _ => Vec::new(),
        }
    }
}

#[inline]
fn slice(text: &str, offset: u32, len: u32) -> &str {
    let start = offset as usize;
    text.get(start..start + len as usize).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::value::Value;

    /// What is on the tape after each text, the texts parted by a NUL; `None` when the last one is refused.
    pub(super) fn tape_of(texts: &str, paths: &[&[&str]], scanned: bool) -> Option<String> {
        let mut projection = Projection::new();
        for path in paths {
            let part = path.iter().fold(ROOT, |part, name| projection.below(part, name));
            projection.whole(part);
        }
        let mut tape = Tape::default();
        texts
            .split('\u{0}')
            .map(|text| {
                tape.reset(&projection);
                if scanned {
                    scan::scan(&mut tape, text, &projection)?;
                } else {
                    tape.deserialize(text, &projection).ok()?;
                }
                Some(format!("{:?} {:?} {:?}", tape.nodes, tape.side, tape.slots))
            })
            .last()
            .flatten()
    }

    fn whole() -> Projection {
        let mut projection = Projection::new();
        projection.whole(ROOT);
        projection
    }

    /// What a projection of some paths leaves of a record.
    fn seen(record: &str, paths: &[&[&str]]) -> String {
        let mut projection = Projection::new();
        for path in paths {
            let part = path.iter().fold(ROOT, |part, name| projection.below(part, name));
            projection.whole(part);
        }
        show(record, &projection)
    }

    fn show(record: &str, projection: &Projection) -> String {
        let mut tape = Tape::default();
        let doc = tape.parse(record, projection).unwrap();
        Value::on_tape(&doc, 0).into_dynamic().to_string()
    }

    #[test]
    fn only_what_is_read_is_kept() {
        let record =
            r#"{"a": {"x": 1, "y": [2, {"z": 3}]}, "b": "\u674e", "c": {"d": {"e": 4}}, "f": [5]}"#;
        assert_eq!(seen(record, &[&["a", "x"], &["b"]]), r#"#{"a": #{"x": 1}, "b": "李"}"#);
        assert_eq!(
            seen(record, &[&["a"], &["a", "x"]]),
            r#"#{"a": #{"x": 1, "y": [2, #{"z": 3}]}}"#
        );
        assert_eq!(seen(record, &[&["c", "d", "e"], &["none"]]), r#"#{"c": #{"d": #{"e": 4}}}"#);
        assert_eq!(seen(record, &[&["f", "x"], &["b", "x"]]), r#"#{"b": "李", "f": [5]}"#);
        assert_eq!(seen(record, &[]), "#{}");
    }

    #[test]
    fn the_first_of_equal_keys_counts_everywhere() {
        let record = r#"{"a": {"x": 1, "x": 2}, "a": {"x": 3}, "b": 1, "b": null}"#;
        assert_eq!(seen(record, &[&["a", "x"], &["b"]]), r#"#{"a": #{"x": 1}, "b": 1}"#);
        assert_eq!(show(record, &whole()), r#"#{"a": #{"x": 1}, "b": 1}"#);
        let mut tape = Tape::default();
        let projection = whole();
        let doc = tape.parse(record, &projection).unwrap();
        let a = doc.property(0, "a").unwrap();
        assert!(matches!(doc.property(a, "x").map(|at| doc.node(at)), Some(Node::Int(1))));
    }

    #[test]
    fn a_tape_is_used_again_without_a_trace() {
        let mut tape = Tape::default();
        let mut projection = Projection::new();
        let part = projection.below(ROOT, "a");
        projection.whole(part);
        tape.parse(r#"{"a": ["\n1", "\n2"]}"#, &projection).unwrap();
        let doc = tape.parse("{}", &projection).unwrap();
        assert_eq!(doc.slot(part), None);
        assert_eq!(doc.size(), (1, 2));
    }

    #[test]
    fn a_tape_serves_records_of_any_shape_and_one_projection_after_another() {
        let records = [
            r#"{"a": 1, "b": 2, "c": {"a": 3}}"#,
            r#"{"b": 2, "a": 1}"#,
            r#"{"x": 0, "a": 1, "c": {"b": 4, "a": 3}}"#,
            r#"{"a": 1, "b": 2, "c": {"a": 3}}"#,
        ];
        let mut first = Projection::new();
        let (a, c) = (first.below(ROOT, "a"), first.below(ROOT, "c"));
        let below = first.below(c, "a");
        first.whole(a);
        first.whole(below);
        let mut second = Projection::new();
        let b = second.below(ROOT, "b");
        second.whole(b);
        let mut tape = Tape::default();
        for record in records.iter().cycle().take(12) {
            let fresh = |projection: &Projection| {
                let mut tape = Tape::default();
                let doc = tape.parse(record, projection).unwrap();
                Value::on_tape(&doc, 0).into_dynamic().to_string()
            };
            for projection in [&first, &second, &first] {
                let doc = tape.parse(record, projection).unwrap();
                assert_eq!(Value::on_tape(&doc, 0).into_dynamic().to_string(), fresh(projection));
            }
        }
    }

    #[test]
    fn what_is_no_object_is_told_without_its_text() {
        let projection = Projection::new();
        let mut tape = Tape::default();
        let errors = ["[]", "1", "{\"geheim\": }", "{} x"]
            .map(|text| tape.parse(text, &projection).map(drop).unwrap_err().to_string());
        assert!(
            errors.iter().all(|error| error.contains("the connector handed over something else"))
        );
        assert!(errors.iter().all(|error| !error.contains("geheim")));
    }
}
