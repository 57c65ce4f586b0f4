//! Reading a record onto the tape with `serde_json`, which alone decides what is JSON.
//!
//! Not here: the fast way (`scan`), which comes here with what it does not know. The invariant: of a part only what the
//! projection names is kept, of everything else all of it.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{DEPTH, KEYS, Node, Order, Projection, ROOT, Tape, TapeError, index, scan};

impl Tape {
    /// Reads a record onto an empty tape.
    pub(super) fn deserialize(
        &mut self,
        text: &str,
        projection: &Projection,
    ) -> Result<(), TapeError> {
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

/// What to keep of the value that is read next.
#[derive(Clone, Copy)]
pub(super) enum Mode {
    Whole,
    Part(usize),
}

impl Mode {
    pub(super) fn of(projection: &Projection, part: usize) -> Self {
        if projection.parts[part].whole { Self::Whole } else { Self::Part(part) }
    }
}

/// Reads one value onto the tape.
pub(super) struct Reader<'r> {
    pub(super) tape: &'r mut Tape,
    /// Where the record's text lies.
    pub(super) base: usize,
    pub(super) projection: &'r Projection,
    pub(super) mode: Mode,
    pub(super) depth: u32,
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
