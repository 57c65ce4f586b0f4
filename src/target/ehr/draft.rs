//! A draft's JSON as values to bind: borrowed from the text, one slot per column.
//!
//! Not for checking drafts against the schema; that was done when they were made. The invariant: a field that is absent
//! and one that is `null` stay two different things.

use std::borrow::Cow;
use std::fmt;

use rusqlite::ToSql;
use rusqlite::types::{Null, ToSqlOutput};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::tables;
use crate::model::entity::Entity;
use crate::model::schema::{Field, FieldType};

/// The value of one column.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Slot<'a> {
    Absent,
    Null,
    Text(Cow<'a, str>),
    Integer(i64),
    Real(f64),
    /// A list or an object, as JSON text.
    Json(&'a str),
}

/// The values of a draft, one per field of [`tables::fields`].
#[derive(Debug)]
pub(super) struct Draft<'a> {
    pub(super) slots: Vec<Slot<'a>>,
}

impl<'a> Draft<'a> {
    /// Reads a draft of `external_id`.
    pub(super) fn parse(
        entity: Entity,
        external_id: &str,
        json: &'a [u8],
    ) -> Result<Self, serde_json::Error> {
        let mut reader = serde_json::Deserializer::from_slice(json);
        let slots = Slots { fields: tables::fields(entity), external_id };
        let slots = reader.deserialize_map(slots)?;
        reader.end()?;
        Ok(Self { slots })
    }

    /// Which fields are there: bit n for field n.
    pub(super) fn mask(&self) -> u64 {
        let present = self.slots.iter().enumerate().filter(|(_, slot)| **slot != Slot::Absent);
        present.fold(0, |mask, (at, _)| mask | 1 << at)
    }
}

impl ToSql for Slot<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Self::Absent | Self::Null => Null.to_sql(),
            Self::Text(text) => text.to_sql(),
            Self::Integer(number) => number.to_sql(),
            Self::Real(number) => number.to_sql(),
            Self::Json(text) => text.to_sql(),
        }
    }
}

/// Reads the object.
struct Slots<'s> {
    fields: &'static [Field],
    external_id: &'s str,
}

impl<'de> Visitor<'de> for Slots<'_> {
    type Value = Vec<Slot<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a draft")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut slots = vec![Slot::Absent; self.fields.len()];
        let mut next = 0;
        while let Some(name) = map.next_key::<Name<'de>>()? {
            if name.0 == "external_id" {
                let found = map.next_value_seed(Scalar)?;
                if !matches!(found, Slot::Text(ref id) if id == self.external_id) {
                    return Err(A::Error::custom("`external_id` is not the record's key"));
                }
                continue;
            }
            let at = find(self.fields, &name.0, next)
                .ok_or_else(|| A::Error::custom("it has a field that the schema does not know"))?;
            slots[at] = match self.fields[at].ty {
                FieldType::Ids | FieldType::Custom => json(map.next_value::<&'de RawValue>()?),
                _ => map.next_value_seed(Scalar)?,
            };
            next = at + 1;
        }
        Ok(slots)
    }
}

/// Drafts name their fields in schema order, so the next one is nearly always a few ahead.
fn find(fields: &[Field], name: &str, next: usize) -> Option<usize> {
    let named = |field: &Field| field.name == name;
    let ahead = fields.get(next..)?.iter().position(named).map(|at| at + next);
    ahead.or_else(|| fields.iter().position(named))
}

fn json(value: &RawValue) -> Slot<'_> {
    match value.get() {
        "null" => Slot::Null,
        text => Slot::Json(text),
    }
}

/// A key, borrowed where it has no escapes.
#[derive(serde::Deserialize)]
#[serde(transparent)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// Reads one scalar.
struct Scalar;

impl<'de> DeserializeSeed<'de> for Scalar {
    type Value = Slot<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Slot<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Scalar {
    type Value = Slot<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a number, true, false or null")
    }

    fn visit_unit<E>(self) -> Result<Slot<'de>, E> {
        Ok(Slot::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Slot<'de>, E> {
        Ok(Slot::Integer(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Slot<'de>, E> {
        Ok(Slot::Integer(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Slot<'de>, E> {
        i64::try_from(value).map(Slot::Integer).map_err(|_| E::custom("a number is too large"))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Slot<'de>, E> {
        Ok(Slot::Real(value))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Slot<'de>, E> {
        Ok(Slot::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Slot<'de>, E> {
        Ok(Slot::Text(Cow::Owned(value.to_owned())))
    }
}
