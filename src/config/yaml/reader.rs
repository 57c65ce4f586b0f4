//! A tree as a serde data format, whose errors say where they stand and what kind they are.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, Expected, IntoDeserializer, MapAccess,
    SeqAccess, Unexpected, Visitor,
};

use super::tree::{Path, Side, Step, Tree};

/// One thing that is wrong in a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::config) struct Wrong {
    pub(in crate::config) path: Path,
    pub(in crate::config) side: Side,
    pub(in crate::config) problem: Problem,
}

/// What is wrong. Holds no value of the document except keys, and words where only some are allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::config) enum Problem {
    UnknownKey { key: String, known: &'static [&'static str] },
    UnknownWord { word: String, known: &'static [&'static str] },
    MissingKey(&'static str),
    SecondKey(String),
    Value(String),
}

/// Reads a value; nodes in `spoiled` are passed over.
pub(super) fn read<T: DeserializeOwned>(tree: &Tree, spoiled: &BTreeSet<Path>) -> Result<T, Wrong> {
    T::deserialize(Node { tree, path: Path::new(), spoiled })
        .map_err(|error| error.at(&[], Side::Value))
}

/// An error on its way up; the innermost node that sees it sets its place.
#[derive(Debug)]
struct Fault {
    place: Option<(Path, Side)>,
    problem: Problem,
}

impl Fault {
    fn placed(self, path: &[Step], side: Side) -> Self {
        Self { place: self.place.or_else(|| Some((path.to_vec(), side))), ..self }
    }

    fn at(self, path: &[Step], side: Side) -> Wrong {
        let (path, side) = self.place.unwrap_or_else(|| (path.to_vec(), side));
        Wrong { path, side, problem: self.problem }
    }
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        Self { place: None, problem }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.problem)
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Problem::Value(message.to_string()).into()
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Problem::Value(format!("found {}; write {}", kind(&found), plain(expected))).into()
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Problem::Value(format!("the value is out of range; write {}", plain(expected))).into()
    }

    fn unknown_variant(word: &str, known: &'static [&'static str]) -> Self {
        Problem::UnknownWord { word: word.to_owned(), known }.into()
    }

    fn unknown_field(key: &str, known: &'static [&'static str]) -> Self {
        Problem::UnknownKey { key: key.to_owned(), known }.into()
    }

    fn missing_field(key: &'static str) -> Self {
        Problem::MissingKey(key).into()
    }

    fn duplicate_field(key: &'static str) -> Self {
        Problem::SecondKey(key.to_owned()).into()
    }
}

/// What was expected, in words for people.
fn plain(expected: &dyn Expected) -> String {
    match expected.to_string().as_str() {
        "usize" | "u64" | "u32" => "a whole number".to_owned(),
        "a string" | "path string" => "text".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" => "keys with values".to_owned(),
        other => other.to_owned(),
    }
}

fn kind(found: &Unexpected<'_>) -> &'static str {
    match found {
        Unexpected::Bool(_) => "true or false",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) | Unexpected::Float(_) => "a number",
        Unexpected::Char(_) | Unexpected::Str(_) => "text",
        Unexpected::Seq => "a list",
        Unexpected::Map => "keys with values",
        Unexpected::Unit | Unexpected::Option => "nothing",
        _ => "something else",
    }
}

#[derive(Clone)]
struct Node<'t> {
    tree: &'t Tree,
    path: Path,
    spoiled: &'t BTreeSet<Path>,
}

impl<'t> Node<'t> {
    fn child(&self, step: Step, tree: &'t Tree) -> Self {
        let mut path = self.path.clone();
        path.push(step);
        Node { tree, path, spoiled: self.spoiled }
    }

    fn entries(&self) -> Children<'t, (String, Tree)> {
        let entries = match self.tree {
            Tree::Map(entries) => entries.as_slice(),
            _ => &[],
        };
        Children { of: self.clone(), all: entries, next: 0, seen: BTreeSet::new() }
    }
}

impl<'de> Deserializer<'de> for Node<'_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.tree {
            Tree::Null => visitor.visit_unit(),
            Tree::Bool(value) => visitor.visit_bool(*value),
            Tree::Int(value) => match (i64::try_from(*value), u64::try_from(*value)) {
                (Ok(value), _) => visitor.visit_i64(value),
                (Err(_), Ok(value)) => visitor.visit_u64(value),
                (Err(_), Err(_)) => visitor.visit_i128(*value),
            },
            Tree::Float(value) => visitor.visit_f64(*value),
            Tree::Text(text) => visitor.visit_str(text),
            Tree::List(items) => visitor.visit_seq(Children {
                all: items.as_slice(),
                of: self,
                next: 0,
                seen: BTreeSet::new(),
            }),
            Tree::Map(_) => visitor.visit_map(self.entries()),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.tree {
            Tree::Int(number) => visitor.visit_string(number.to_string()),
            Tree::Bool(value) => visitor.visit_string(value.to_string()),
            Tree::Null => {
                Err(de::Error::custom("there is no value; write one, or leave the key out"))
            }
            Tree::Float(_) => {
                Err(de::Error::custom("this reads as a number with a point; put it in quotes"))
            }
            Tree::Text(_) | Tree::List(_) | Tree::Map(_) => self.deserialize_any(visitor),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_string(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.tree {
            Tree::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.tree {
            Tree::Map(_) | Tree::Null => visitor.visit_map(self.entries()),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.tree {
            Tree::Map(_) | Tree::Null => visitor.visit_map(self.entries()),
            _ => Err(de::Error::custom(
                "keys with values are expected here; write `key: value`, one a line, indented",
            )),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.tree {
            Tree::Text(text) => visitor.visit_enum(text.as_str().into_deserializer()),
            _ => Err(de::Error::custom("found no word; write one of the allowed words")),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct seq tuple
        tuple_struct identifier ignored_any
    }
}

/// The children of a list or a map, without the spoiled ones.
struct Children<'t, T> {
    of: Node<'t>,
    all: &'t [T],
    next: Step,
    /// The keys handed out.
    seen: BTreeSet<&'t str>,
}

impl<'t, T> Children<'t, T> {
    fn current(&mut self) -> Option<(Path, &'t T)> {
        loop {
            let mut path = self.of.path.clone();
            path.push(self.next);
            let child = self.all.get(self.next)?;
            if !self.of.spoiled.contains(&path) {
                return Some((path, child));
            }
            self.next += 1;
        }
    }
}

impl<'de> SeqAccess<'de> for Children<'_, Tree> {
    type Error = Fault;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Fault> {
        let Some((path, item)) = self.current() else { return Ok(None) };
        let node = self.of.child(self.next, item);
        self.next += 1;
        seed.deserialize(node).map(Some).map_err(|fault| fault.placed(&path, Side::Value))
    }
}

impl<'de> MapAccess<'de> for Children<'_, (String, Tree)> {
    type Error = Fault;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Fault> {
        let Some((path, (key, _))) = self.current() else { return Ok(None) };
        if !self.seen.insert(key) {
            return Err(Fault::from(Problem::SecondKey(key.clone())).placed(&path, Side::Key));
        }
        let text: StrDeserializer<'_, Fault> = key.as_str().into_deserializer();
        seed.deserialize(text).map(Some).map_err(|fault| fault.placed(&path, Side::Key))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        let Some((path, (_, value))) = self.current() else {
            return Err(de::Error::custom("a value was asked for where none is left"));
        };
        let node = self.of.child(self.next, value);
        self.next += 1;
        let side = |fault: &Fault| match fault.problem {
            Problem::MissingKey(_) => Side::Key,
            _ => Side::Value,
        };
        seed.deserialize(node).map_err(|fault| {
            let side = side(&fault);
            fault.placed(&path, side)
        })
    }
}
