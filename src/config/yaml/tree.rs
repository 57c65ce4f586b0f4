//! A YAML document as a tree, and where its nodes stand in the text.
//!
//! The YAML crate tells places only in errors. So a place is found by reading the text once more and failing on purpose
//! at the node; that costs one pass a fault and needs no second YAML parser that could disagree with the first.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};

/// One node.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::config) enum Tree {
    Null,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(String),
    List(Vec<Tree>),
    /// In the order of the text; a key that stands twice is here twice.
    Map(Vec<(String, Tree)>),
}

/// A step down: the n-th element of a list or entry of a map.
pub(in crate::config) type Step = usize;
/// The way from the root to a node.
pub(in crate::config) type Path = Vec<Step>;

/// Which half of a map's entry is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::config) enum Side {
    Key,
    Value,
}

/// A text that is no YAML: what the parser says, and where (from 1) if it tells.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::config) struct Malformed {
    pub(in crate::config) reason: String,
    pub(in crate::config) at: Option<(usize, usize)>,
}

impl Tree {
    /// Parses one document.
    pub(in crate::config) fn parse(text: &str) -> Result<Self, Malformed> {
        serde_yaml::from_str(text)
            .map_err(|error| Malformed { at: place(&error), reason: error.to_string() })
    }

    /// The node that keys lead to, and the way there; `None` when one is missing.
    pub(in crate::config) fn find(&self, keys: &[&str]) -> Option<(Path, &Self)> {
        let mut found = (Path::new(), self);
        for key in keys {
            let step = match found.1 {
                Self::Map(entries) => entries.iter().position(|(name, _)| name == key)?,
                Self::List(_) => key.parse().ok()?,
                Self::Null | Self::Bool(_) | Self::Int(_) | Self::Float(_) | Self::Text(_) => {
                    return None;
                }
            };
            found.0.push(step);
            found.1 = found.1.child(step)?.1;
        }
        Some(found)
    }

    /// A child and its key, if it has one.
    pub(in crate::config) fn child(&self, step: Step) -> Option<(Option<&str>, &Self)> {
        match self {
            Self::Map(entries) => entries.get(step).map(|(key, value)| (Some(key.as_str()), value)),
            Self::List(items) => items.get(step).map(|item| (None, item)),
            Self::Null | Self::Bool(_) | Self::Int(_) | Self::Float(_) | Self::Text(_) => None,
        }
    }
}

/// Line and column, from 1, of a node in the text it was parsed from.
pub(in crate::config) fn locate(text: &str, path: &[Step], side: Side) -> Option<(usize, usize)> {
    let seek = Seek { path, side };
    let document = serde_yaml::Deserializer::from_str(text);
    seek.deserialize(document).err().as_ref().and_then(place)
}

fn place(error: &serde_yaml::Error) -> Option<(usize, usize)> {
    error.location().map(|at| (at.line(), at.column()))
}

/// Walks to a node and fails there.
#[derive(Clone, Copy)]
struct Seek<'p> {
    path: &'p [Step],
    side: Side,
}

impl<'de> DeserializeSeed<'de> for Seek<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, node: D) -> Result<(), D::Error> {
        node.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seek<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("another node")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((&step, path)) = self.path.split_first() else {
            return Err(A::Error::custom("here"));
        };
        for _ in 0..step {
            map.next_entry::<IgnoredAny, IgnoredAny>()?;
        }
        let here = Seek { path: &[], side: self.side };
        if path.is_empty() && self.side == Side::Key {
            return map.next_key_seed(here).map(drop);
        }
        map.next_key::<IgnoredAny>()?;
        map.next_value_seed(Seek { path, side: self.side })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Some((&step, path)) = self.path.split_first() else {
            return Err(A::Error::custom("here"));
        };
        for _ in 0..step {
            list.next_element::<IgnoredAny>()?;
        }
        list.next_element_seed(Seek { path, side: self.side }).map(drop)
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(node: D) -> Result<Self, D::Error> {
        node.deserialize_any(Grow)
    }
}

struct Grow;

impl<'de> Visitor<'de> for Grow {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a plain YAML value; tags are not read")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_none<E: de::Error>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Int(value.into()))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Int(value.into()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Tree, E> {
        Ok(Tree::Float(value))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Tree, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Tree::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
        let mut entries = Vec::new();
        while let Some(Key(key)) = map.next_key()? {
            entries.push((key, map.next_value()?));
        }
        Ok(Tree::Map(entries))
    }
}

/// A map's key as text.
struct Key(String);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(node: D) -> Result<Self, D::Error> {
        match node.deserialize_any(Grow)? {
            Tree::Text(text) => Ok(Self(text)),
            Tree::Int(number) => Ok(Self(number.to_string())),
            Tree::Bool(value) => Ok(Self(value.to_string())),
            Tree::Null | Tree::Float(_) | Tree::List(_) | Tree::Map(_) => {
                Err(D::Error::custom("a key must be text; put it in quotes"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "a: 1\nb:\n  - x\n  - {c: 2, \"d e\": [3, 4]}\n# 注释\nb2: |\n  long\n  text\nz: &n {k: v}\ny: *n\n";

    #[track_caller]
    fn check_place(keys: &[&str], side: Side, expected: (usize, usize)) {
        let tree = Tree::parse(TEXT).unwrap();
        let (path, _) = tree.find(keys).unwrap();
        assert_eq!(locate(TEXT, &path, side), Some(expected), "{keys:?}");
    }

    #[test]
    fn a_place_is_where_the_parser_saw_the_node() {
        check_place(&["a"], Side::Key, (1, 1));
        check_place(&["a"], Side::Value, (1, 4));
        check_place(&["b", "1", "d e"], Side::Key, (4, 12));
        check_place(&["b", "1", "d e", "1"], Side::Value, (4, 23));
        check_place(&["b2"], Side::Value, (6, 5));
        check_place(&["y", "k"], Side::Value, (9, 11));
    }

    #[test]
    fn an_alias_bomb_is_refused() {
        let mut lines = vec!["a0: &a0 [x, x, x, x, x, x, x, x, x]".to_owned()];
        for n in 1..30 {
            let of = n - 1;
            let items = vec![format!("*a{of}"); 9].join(", ");
            lines.push(format!("a{n}: &a{n} [{items}]"));
        }
        assert!(Tree::parse(&lines.join("\n")).is_err());
    }

    #[test]
    fn a_deep_nest_is_refused() {
        assert!(Tree::parse(&"[".repeat(10_000)).is_err());
    }
}
