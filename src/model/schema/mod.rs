//! The EHR schema: which fields each entity has, of which type, and what they mean.
//!
//! One table serves all: validation of drafts, the published JSON Schema, the columns of the embedded EHR, the
//! "did you mean" of a mapping check. A draft says only what its source knows: an absent field is left alone, `null`
//! erases. Personal data that no target needs (identity card, bank account, home address, birthday) has no field.
//! The invariant: [`json_schema`] and the validation of a draft give the same verdict, except that the schema knows a
//! time zone only by its shape.

mod check;
mod nearest;
mod published;
mod shapes;
mod tables;

pub(super) use check::write_value;
pub use nearest::nearest;
pub use published::json_schema;
pub use tables::{EMPLOYEE_STATUSES, EMPLOYMENT_TYPES};

use crate::model::entity::Entity;

/// The type of a field's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldType {
    /// An external id, at most 300 characters.
    Id,
    /// A list of external ids, at most 500; an id listed twice counts once.
    Ids,
    /// Text of at most so many characters, without NUL; a required one is not blank.
    Text(usize),
    /// A whole number.
    Integer,
    /// A count of minutes, 0 to 10,080 (a week).
    Minutes,
    /// A decimal number.
    Decimal,
    /// True or false.
    Bool,
    /// `YYYY-MM-DD`.
    Date,
    /// RFC 3339 with offset, to the second: `2026-11-20T09:02:03+08:00`.
    Instant,
    /// An IANA time zone name.
    Zone,
    /// An E.164 number: `+8613800000000`.
    Mobile,
    /// A mail address.
    Email,
    /// One of these words.
    Enum(&'static [&'static str]),
    /// An object of scalars: the tenant's own fields.
    Custom,
}

/// Whether a draft must carry the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// A draft without it is parked; it cannot be null.
    Required,
    /// A draft may leave it out or clear it.
    Optional,
}

/// One field of an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// The name in mappings, JSON and SQL.
    pub name: &'static str,
    /// The type of its value.
    pub ty: FieldType,
    /// Whether it must be there.
    pub need: Need,
    /// One sentence for people.
    pub about: &'static str,
}

/// The fields of an entity, in the order in which a draft, a column list and a schema show them.
pub fn fields(entity: Entity) -> &'static [Field] {
    match entity {
        Entity::Department => tables::DEPARTMENT,
        Entity::Employee => tables::EMPLOYEE,
        Entity::CheckIn => tables::CHECK_IN,
        Entity::AttendanceDay => tables::ATTENDANCE_DAY,
        Entity::Leave => tables::LEAVE,
    }
}

/// One field of an entity by name.
pub fn field(entity: Entity, name: &str) -> Option<&'static Field> {
    fields(entity).iter().find(|field| field.name == name)
}

/// The position of a field in [`fields`].
pub fn position(entity: Entity, name: &str) -> Option<usize> {
    fields(entity).iter().position(|field| field.name == name)
}
