//! One JSON record, parsed once into a flat tape; texts stay in the page.
//!
//! Only what a script reads is kept; the rest is skipped. Not here: what a value means to a
//! script; see `value`. The invariant: every index on the tape points into the tape, and of a key that occurs twice in
//! an object the first counts, everywhere.

use std::sync::Arc;

use super::projection::{Projection, ROOT};

mod read;
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

    /// Whether a node is this text.
    #[inline]
    fn is_text(self, node: Node, wanted: &str) -> bool {
        match node {
            Node::Plain(_, len) | Node::Side(_, len) if len as usize != wanted.len() => false,
            _ => self.text(node) == Some(wanted),
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
                    if self.is_text(self.node(entry), key) {
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
        let (count, mut next) = match self.node(at) {
            Node::List(count, _) => (count, at + 1),
            _ => (0, at),
        };
        (0..count).map(move |_| {
            let element = next;
            next = self.after(element);
            element
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

/// Tape indexes fit: every node takes at least one byte of a text that is shorter than 4 GiB.
fn index(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

#[inline]
fn slice(text: &str, offset: u32, len: u32) -> &str {
    let start = offset as usize;
    text.get(start..start + len as usize).unwrap_or_default()
}

#[cfg(test)]
mod tests;
