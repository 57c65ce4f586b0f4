//! Two drafts of one record, compared. Pure.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::model::draft::Draft;
use crate::model::entity::Entity;
use crate::model::record::Record;
use crate::model::schema::{self, FieldType};
use crate::port::mapper::{Mapped, Place, Reject};

use super::Sides;

/// What a field is, without telling whose: the words of closed lists are shown, other values are not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shade {
    /// Missing: the field is left alone.
    Absent,
    /// Null: the field is erased.
    Erased,
    /// A word of a closed list, or true or false.
    Word(String),
    /// Any other value.
    Value,
}

impl fmt::Display for Shade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("left alone"),
            Self::Erased => f.write_str("erased"),
            Self::Word(word) => f.write_str(word),
            Self::Value => f.write_str("a value"),
        }
    }
}

type Texts<'a> = BTreeMap<&'a str, &'a RawValue>;

/// Calls `differs` with every field that two drafts do not agree on, as the texts of its values.
pub(super) fn fields(
    old: &Draft,
    new: &Draft,
    mut differs: impl FnMut(&str, Option<&str>, Option<&str>),
) {
    if old.hash() == new.hash() {
        return;
    }
    // A draft is canonical JSON: equal texts are equal values.
    let before: Texts<'_> = serde_json::from_slice(old.json()).unwrap_or_default();
    let after: Texts<'_> = serde_json::from_slice(new.json()).unwrap_or_default();
    for (field, old) in &before {
        let new = after.get(field).map(|text| text.get());
        if new != Some(old.get()) {
            differs(field, Some(old.get()), new);
        }
    }
    for (field, new) in after.iter().filter(|(field, _)| !before.contains_key(**field)) {
        differs(field, None, Some(new.get()));
    }
}

/// What may be told of a value.
pub(super) fn shade(entity: Entity, field: &str, text: Option<&str>) -> Shade {
    let closed = schema::field(entity, field)
        .is_some_and(|field| matches!(field.ty, FieldType::Enum(_) | FieldType::Bool));
    match text {
        None => Shade::Absent,
        Some("null") => Shade::Erased,
        Some(text) if closed => Shade::Word(text.trim_matches('"').to_owned()),
        Some(_) => Shade::Value,
    }
}

/// One record under both mappings, with its values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonImpact {
    /// The kind of record.
    pub entity: Entity,
    /// The provider's own id.
    pub id: String,
    /// What the mapping in force makes of it.
    pub before: Outcome,
    /// What the edited one makes of it.
    pub after: Outcome,
    /// Fields that differ.
    pub fields: Vec<FieldChange>,
    /// Whether a canary has it mapped by the edited mapping already.
    #[serde(default)]
    pub in_canary: bool,
}

/// What a mapping made of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A draft.
    Mapped,
    /// It is left out on purpose.
    LeftOut,
    /// It is parked, for this reason.
    Parked(Reject),
}

/// One field before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldChange {
    /// The field.
    pub field: String,
    /// What it was; none when it was left alone.
    pub before: Option<Value>,
    /// What it becomes; none when it is left alone.
    pub after: Option<Value>,
    /// Where it is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// The drill-down: what an edit does to one record, with its values.
pub fn person(sides: Sides<'_>, entity: Entity, record: &Record) -> PersonImpact {
    let one = |mapper: &dyn crate::port::mapper::Mapper| {
        mapper.map(entity, std::slice::from_ref(record)).pop().unwrap_or(Mapped::Skipped)
    };
    let (before, after) = (one(sides.old), one(sides.new));
    let mut changes = Vec::new();
    if let (Mapped::Draft(old), Mapped::Draft(new)) = (&before, &after) {
        let value = |text: Option<&str>| text.and_then(|text| serde_json::from_str(text).ok());
        fields(old, new, |field, old, new| {
            let place = sides.new.place(entity, field).or_else(|| sides.old.place(entity, field));
            let (before, after) = (value(old), value(new));
            changes.push(FieldChange { field: field.to_owned(), before, after, place });
        });
    }
    PersonImpact {
        entity,
        id: record.id.as_str().to_owned(),
        before: outcome(before),
        after: outcome(after),
        fields: changes,
        in_canary: false,
    }
}

fn outcome(mapped: Mapped) -> Outcome {
    match mapped {
        Mapped::Draft(_) => Outcome::Mapped,
        Mapped::Skipped => Outcome::LeftOut,
        Mapped::Rejected(reject) => Outcome::Parked(reject),
    }
}
