//! Values as the function library sees them, wherever they live: on the tape, in the interpreter, or made on the way.
//!
//! Not here: what a field may hold; see `model::draft`. The invariant: reading a value copies no container, and a text
//! is copied only when it changes.

use std::borrow::Cow;
use std::fmt;
use std::ops::{ControlFlow, Deref};

use rhai::{Dynamic, ImmutableString};

use super::tape::{Doc, Node};
use crate::model::draft::Content;

/// Any value of a mapping.
#[derive(Clone, Debug, Default)]
pub(crate) enum Value<'a> {
    /// `()`: missing.
    #[default]
    Unit,
    /// What `clear()` gives: erase on purpose.
    Clear,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Text<'a>),
    List(List<'a>),
    Object(Object<'a>),
    /// A function or another thing that no field can hold.
    Other,
}

/// How the interpreter's `()` is tagged where the record says `null`; to scripts it is `()` all the same.
pub(crate) const NULL_TAG: i32 = 1;

/// The marker in the interpreter for [`Value::Clear`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Clear;

/// A text: borrowed from the record or the script, shared with the interpreter, or new.
#[derive(Clone, Debug)]
pub(crate) enum Text<'a> {
    Plain(&'a str),
    Shared(ImmutableString),
    Owned(String),
}

/// A list.
#[derive(Clone, Debug)]
pub(crate) enum List<'a> {
    Tape(&'a Doc<'a>, u32),
    Script(Cow<'a, Dynamic>),
    Owned(Vec<Value<'a>>),
}

/// An object.
#[derive(Clone, Debug)]
pub(crate) enum Object<'a> {
    Tape(&'a Doc<'a>, u32),
    Script(Cow<'a, Dynamic>),
    Owned(Vec<(Text<'a>, Value<'a>)>),
}

impl Deref for Text<'_> {
    type Target = str;
    #[inline]
    fn deref(&self) -> &str {
        match self {
            Self::Plain(text) => text,
            Self::Shared(text) => text,
            Self::Owned(text) => text,
        }
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl<'a> Text<'a> {
    /// The same text as content of a field.
    #[inline]
    pub(crate) fn into_cow(self) -> Cow<'a, str> {
        match self {
            Self::Plain(text) => Cow::Borrowed(text),
            Self::Shared(text) => Cow::Owned(text.into_owned()),
            Self::Owned(text) => Cow::Owned(text),
        }
    }

    /// The part of the text at `range`, which lies on character borders.
    #[inline]
    pub(crate) fn cut(self, range: std::ops::Range<usize>) -> Self {
        match self {
            _ if range == (0..self.len()) => self,
            Self::Plain(text) => Self::Plain(text.get(range).unwrap_or_default()),
            Self::Shared(text) => Self::Owned(text.get(range).unwrap_or_default().to_owned()),
            Self::Owned(text) => Self::Owned(text.get(range).unwrap_or_default().to_owned()),
        }
    }

    fn into_dynamic(self) -> Dynamic {
        match self {
            Self::Plain(text) => ImmutableString::from(text).into(),
            Self::Shared(text) => text.into(),
            Self::Owned(text) => ImmutableString::from(text).into(),
        }
    }
}

impl<'a> Value<'a> {
    /// A new text.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(Text::Owned(text.into()))
    }

    /// A text that outlives everything.
    #[inline]
    pub(crate) fn word(text: &'a str) -> Self {
        Self::Text(Text::Plain(text))
    }

    /// The value at a place of the tape.
    #[inline]
    pub(crate) fn on_tape(doc: &'a Doc<'a>, at: u32) -> Self {
        match doc.node(at) {
            Node::Null => Self::Unit,
            Node::Bool(flag) => Self::Bool(flag),
            Node::Int(number) => Self::Int(number),
            Node::Float(number) => Self::Float(number),
            node @ (Node::Plain(..) | Node::Side(..)) => {
                Self::word(doc.text(node).unwrap_or_default())
            }
            Node::List(..) => Self::List(List::Tape(doc, at)),
            Node::Object(..) | Node::Partial(_) => Self::Object(Object::Tape(doc, at)),
        }
    }

    /// Becomes the value at a place of the tape, made where it stands.
    #[inline]
    pub(crate) fn become_taped(&mut self, doc: &'a Doc<'a>, at: u32) {
        match doc.node(at) {
            Node::Null => *self = Self::Unit,
            Node::Bool(flag) => *self = Self::Bool(flag),
            Node::Int(number) => *self = Self::Int(number),
            node @ (Node::Plain(..) | Node::Side(..)) => {
                *self = Self::word(doc.text(node).unwrap_or_default());
            }
            Node::List(..) => *self = Self::List(List::Tape(doc, at)),
            Node::Float(_) | Node::Object(..) | Node::Partial(_) => *self = Self::on_tape(doc, at),
        }
    }

    /// JSON that was read on the way; its `null` is `()`.
    pub(crate) fn of_json(json: serde_json::Value) -> Self {
        use serde_json::Value as Json;
        match json {
            Json::Null => Self::Unit,
            Json::Bool(flag) => Self::Bool(flag),
            Json::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(whole), _) => Self::Int(whole),
                (None, Some(float)) if !number.is_u64() => Self::Float(float),
                // An id must not lose digits.
                (None, _) => Self::text(number.to_string()),
            },
            Json::String(text) => Self::text(text),
            Json::Array(items) => {
                Self::List(List::Owned(items.into_iter().map(Self::of_json).collect()))
            }
            Json::Object(entries) => Self::Object(Object::Owned(
                entries
                    .into_iter()
                    .map(|(key, value)| (Text::Owned(key), Self::of_json(value)))
                    .collect(),
            )),
        }
    }

    /// The value of the interpreter; containers are borrowed.
    pub(crate) fn of(value: &'a Dynamic) -> Self {
        Self::scalar_of(value).unwrap_or_else(|| {
            if value.is_array() {
                Self::List(List::Script(Cow::Borrowed(value)))
            } else if value.is_map() {
                Self::Object(Object::Script(Cow::Borrowed(value)))
            } else {
                Self::Other
            }
        })
    }

    /// The value of the interpreter, taken over.
    pub(crate) fn from_dynamic(value: Dynamic) -> Self {
        Self::scalar_of(&value).unwrap_or_else(|| {
            if value.is_array() {
                Self::List(List::Script(Cow::Owned(value)))
            } else if value.is_map() {
                Self::Object(Object::Script(Cow::Owned(value)))
            } else {
                Self::Other
            }
        })
    }

    fn scalar_of(value: &Dynamic) -> Option<Self> {
        if value.is_unit() {
            Some(Self::Unit)
        } else if let Ok(text) = value.as_immutable_string_ref() {
            Some(Self::Text(Text::Shared(text.clone())))
        } else if let Ok(flag) = value.as_bool() {
            Some(Self::Bool(flag))
        } else if let Ok(number) = value.as_int() {
            Some(Self::Int(number))
        } else if let Ok(number) = value.as_float() {
            Some(Self::Float(number))
        } else if let Ok(letter) = value.as_char() {
            Some(Self::text(letter))
        } else if value.is::<Clear>() {
            Some(Self::Clear)
        } else {
            None
        }
    }

    /// The value for the interpreter.
    pub(crate) fn into_dynamic(self) -> Dynamic {
        match self {
            Self::Unit | Self::Other => Dynamic::UNIT,
            Self::Clear => Dynamic::from(Clear),
            Self::Bool(flag) => flag.into(),
            Self::Int(number) => number.into(),
            Self::Float(number) => number.into(),
            Self::Text(text) => text.into_dynamic(),
            Self::List(List::Script(value)) | Self::Object(Object::Script(value)) => {
                value.into_owned()
            }
            Self::List(list) => {
                let mut items = rhai::Array::with_capacity(list.len());
                list.each(|item| {
                    items.push(item.into_dynamic());
                    ControlFlow::<()>::Continue(())
                });
                Dynamic::from_array(items)
            }
            Self::Object(Object::Owned(entries)) => Dynamic::from_map(
                entries
                    .into_iter()
                    .map(|(key, value)| ((*key).into(), value.into_dynamic()))
                    .collect(),
            ),
            Self::Object(Object::Tape(doc, at)) => {
                let mut map = rhai::Map::new();
                for (key, value) in doc.entries(at) {
                    map.entry(key.into()).or_insert_with(|| match doc.node(value) {
                        Node::Null => null(),
                        _ => Value::on_tape(doc, value).into_dynamic(),
                    });
                }
                Dynamic::from_map(map)
            }
        }
    }

    /// The value as content of a field; `None` when it is missing. `Err` names what no field can hold.
    #[inline]
    pub(crate) fn into_content(self) -> Result<Option<Content<'a>>, &'static str> {
        Ok(Some(match self {
            Self::Unit => return Ok(None),
            Self::Other => return Err("a function"),
            Self::Clear => Content::Null,
            Self::Bool(flag) => Content::Bool(flag),
            Self::Int(number) => Content::Int(number),
            Self::Float(number) => Content::Float(number),
            Self::Text(text) => Content::Text(text.into_cow()),
            Self::List(list) => Content::List(list.into_content()?),
            Self::Object(object) => Content::Map(object.into_content()?),
        }))
    }

    /// What kind of value it is, in words that fit "got ..".
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Unit => "nothing",
            Self::Clear => "`clear()`",
            Self::Bool(_) => "true or false",
            Self::Int(_) => "a whole number",
            Self::Float(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
            Self::Other => "a function",
        }
    }

    /// Whether it is `()`.
    #[inline]
    pub(crate) fn is_unit(&self) -> bool {
        matches!(self, Self::Unit)
    }

    /// The value of a property; `()` when the object has none, `None` when this is no object.
    #[inline]
    pub(crate) fn property(&self, key: &str) -> Option<Value<'a>> {
        match self {
            Self::Object(object) => Some(object.property(key)),
            _ => None,
        }
    }

    /// Follows a path such as `value.text`; `()` as soon as a step leads nowhere.
    pub(crate) fn path(&self, path: &str) -> Value<'a> {
        if let Self::Object(Object::Tape(doc, at)) = self {
            let found = path.split('.').try_fold(*at, |at, key| doc.property(at, key));
            return found.map_or(Value::Unit, |at| Value::on_tape(doc, at));
        }
        path.split('.').try_fold(self.clone(), |value, key| value.property(key)).unwrap_or_default()
    }

    /// Whether two scalars are equal; values of different kinds never are.
    #[inline]
    pub(crate) fn same(&self, other: &Value<'_>) -> bool {
        match (self, other) {
            (Self::Text(a), Value::Text(b)) => **a == **b,
            (Self::Int(a), Value::Int(b)) => a == b,
            (Self::Bool(a), Value::Bool(b)) => a == b,
            #[expect(
                clippy::float_cmp,
                reason = "a table row or a flag is met exactly or not at all"
            )]
            (Self::Float(a), Value::Float(b)) => a == b,
            (Self::Unit, Value::Unit) => true,
            _ => false,
        }
    }
}

/// What the interpreter sees where the record says `null`.
fn null() -> Dynamic {
    let mut null = Dynamic::UNIT;
    null.set_tag(NULL_TAG);
    null
}

impl<'a> List<'a> {
    /// How many elements.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Tape(doc, at) => match doc.node(*at) {
                Node::List(count, _) => count as usize,
                _ => 0,
            },
            Self::Script(value) => value.as_array_ref().map_or(0, |items| items.len()),
            Self::Owned(items) => items.len(),
        }
    }

    /// The element at a place.
    pub(crate) fn at(&self, nth: usize) -> Option<Value<'a>> {
        match self {
            Self::Tape(doc, at) => doc.element(*at, nth).map(|at| Value::on_tape(doc, at)),
            Self::Script(value) => {
                let items = value.as_array_ref().ok()?;
                items.get(nth).map(|item| Value::from_dynamic(item.clone()))
            }
            Self::Owned(items) => items.get(nth).cloned(),
        }
    }

    /// Shows every element until the visitor breaks; nothing is copied on the way.
    pub(crate) fn each<B>(&self, mut visit: impl FnMut(Value<'_>) -> ControlFlow<B>) -> Option<B> {
        match self {
            Self::Tape(doc, at) => {
                doc.elements(*at).try_for_each(|at| visit(Value::on_tape(doc, at))).break_value()
            }
            Self::Script(value) => {
                let items = value.as_array_ref().ok()?;
                items.iter().try_for_each(|item| visit(Value::of(item))).break_value()
            }
            Self::Owned(items) => {
                items.iter().try_for_each(|item| visit(item.clone())).break_value()
            }
        }
    }

    fn into_content(self) -> Result<Vec<Content<'a>>, &'static str> {
        let items: Vec<Value<'a>> = match self {
            Self::Tape(doc, at) => doc.elements(at).map(|at| Value::on_tape(doc, at)).collect(),
            Self::Script(value) => match value.into_owned().into_array() {
                Ok(items) => items.into_iter().map(Value::from_dynamic).collect(),
                Err(_) => Vec::new(),
            },
            Self::Owned(items) => items,
        };
        items.into_iter().filter_map(|item| item.into_content().transpose()).collect()
    }
}

impl<'a> Object<'a> {
    /// The value of a property; `()` when there is none.
    pub(crate) fn property(&self, key: &str) -> Value<'a> {
        match self {
            Self::Tape(doc, at) => {
                doc.property(*at, key).map_or(Value::Unit, |at| Value::on_tape(doc, at))
            }
            Self::Script(value) => value
                .as_map_ref()
                .ok()
                .and_then(|map| map.get(key).map(|value| Value::from_dynamic(value.clone())))
                .unwrap_or_default(),
            Self::Owned(entries) => entries
                .iter()
                .find(|(name, _)| **name == *key)
                .map_or(Value::Unit, |(_, value)| value.clone()),
        }
    }

    /// How many entries.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Tape(doc, at) => {
                let mut keys: Vec<&str> =
                    doc.entries(*at).into_iter().map(|(key, _)| key).collect();
                keys.sort_unstable();
                keys.dedup();
                keys.len()
            }
            Self::Script(value) => value.as_map_ref().map_or(0, |map| map.len()),
            Self::Owned(entries) => entries.len(),
        }
    }

    fn into_content(self) -> Result<Vec<(Cow<'a, str>, Content<'a>)>, &'static str> {
        let entries: Vec<(Cow<'a, str>, Value<'a>)> = match self {
            Self::Tape(doc, at) => doc
                .entries(at)
                .into_iter()
                .map(|(key, at)| (Cow::Borrowed(key), Value::on_tape(doc, at)))
                .collect(),
            Self::Script(value) => match value.into_owned().try_cast_result::<rhai::Map>() {
                Ok(map) => map
                    .into_iter()
                    .map(|(key, value)| (Cow::Owned(key.to_string()), Value::from_dynamic(value)))
                    .collect(),
                Err(_) => Vec::new(),
            },
            Self::Owned(entries) => {
                entries.into_iter().map(|(key, value)| (key.into_cow(), value)).collect()
            }
        };
        entries
            .into_iter()
            .filter_map(|(key, value)| match value.into_content() {
                Ok(None) => None,
                Ok(Some(content)) => Some(Ok((key, content))),
                Err(kind) => Some(Err(kind)),
            })
            .collect()
    }
}
