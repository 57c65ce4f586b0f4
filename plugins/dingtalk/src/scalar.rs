//! A value of a row as far as a plugin looks at it: a text, an integer, or something else.
//!
//! What this is not: a value that is handed on; what becomes of a row is its text as it came. The one invariant: a text
//! without escapes is borrowed.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// One value.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Scalar<'r> {
    Text(Cow<'r, str>),
    Integer(i64),
    Other,
}

impl<'r> Scalar<'r> {
    pub(crate) fn text(self) -> Option<Cow<'r, str>> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// An integer, also one in quotes.
    pub(crate) fn integer(&self) -> Option<i64> {
        match self {
            Self::Text(text) => text.parse().ok(),
            Self::Integer(number) => Some(*number),
            Self::Other => None,
        }
    }
}

impl<'de: 'r, 'r> Deserialize<'de> for Scalar<'r> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Read)
    }
}

struct Read;

impl<'r> Visitor<'r> for Read {
    type Value = Scalar<'r>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'r str) -> Result<Scalar<'r>, E> {
        Ok(Scalar::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Scalar<'r>, E> {
        Ok(Scalar::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Scalar<'r>, E> {
        Ok(Scalar::Integer(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Scalar<'r>, E> {
        Ok(i64::try_from(number).map_or(Scalar::Other, Scalar::Integer))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Scalar<'r>, E> {
        Ok(Scalar::Other)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Scalar<'r>, E> {
        Ok(Scalar::Other)
    }

    fn visit_unit<E: Error>(self) -> Result<Scalar<'r>, E> {
        Ok(Scalar::Other)
    }

    fn visit_seq<A: SeqAccess<'r>>(self, mut items: A) -> Result<Scalar<'r>, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }

    fn visit_map<A: MapAccess<'r>>(self, mut fields: A) -> Result<Scalar<'r>, A::Error> {
        while fields.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }
}
