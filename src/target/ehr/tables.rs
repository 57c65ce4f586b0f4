//! The tables: one per entity, a typed column per schema field, and what the columns refer to.
//!
//! Not here: data. The invariant: columns follow [`crate::model::schema::fields`]; what is written by hand is only what
//! the schema does not know, the bookkeeping and the resolved references.

use std::fmt::Write as _;

use crate::model::entity::Entity;
use crate::model::schema::{self, Field, FieldType, Need};

/// Columns that every table has before its fields.
const BOOKKEEPING: &str = "\"id\" INTEGER PRIMARY KEY, \
    \"external_id\" TEXT NOT NULL UNIQUE, \
    \"connection\" TEXT NOT NULL, \
    \"content_hash\" BLOB NOT NULL, \
    \"retired_at\" TEXT, \
    \"updated_at\" TEXT NOT NULL";

/// Which external id of a record a reference starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The field holds one id.
    Id,
    /// The field holds a list; its first id counts.
    FirstOfList,
}

/// A field that names another record, and the column that holds that record's row id.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reference {
    pub(super) entity: Entity,
    pub(super) field: &'static str,
    pub(super) origin: Origin,
    pub(super) column: &'static str,
    pub(super) to: Entity,
}

/// All references.
pub(super) const REFERENCES: &[Reference] = &[
    one(Entity::Department, "parent_external_id", "parent_id", Entity::Department),
    one(Entity::Employee, "manager_external_id", "manager_id", Entity::Employee),
    Reference {
        entity: Entity::Employee,
        field: "department_external_ids",
        origin: Origin::FirstOfList,
        column: "department_id",
        to: Entity::Department,
    },
    one(Entity::CheckIn, "employee_external_id", "employee_id", Entity::Employee),
    one(Entity::AttendanceDay, "employee_external_id", "employee_id", Entity::Employee),
    one(Entity::Leave, "employee_external_id", "employee_id", Entity::Employee),
];

const fn one(entity: Entity, field: &'static str, column: &'static str, to: Entity) -> Reference {
    Reference { entity, field, origin: Origin::Id, column, to }
}

impl Reference {
    /// SQL for the external id that is named, over the table's columns.
    pub(super) fn named(&self) -> String {
        match self.origin {
            Origin::Id => format!("\"{}\"", self.field),
            Origin::FirstOfList => format!("\"{}\" ->> 0", self.field),
        }
    }

    /// SQL that holds for rows whose reference names something and is not resolved.
    pub(super) fn open(&self) -> String {
        match self.origin {
            Origin::Id => format!("\"{}\" IS NULL AND \"{}\" IS NOT NULL", self.column, self.field),
            Origin::FirstOfList => {
                format!("\"{}\" IS NULL AND \"{}\" <> '[]'", self.column, self.field)
            }
        }
    }
}

/// The references of an entity's table.
pub(super) fn references(entity: Entity) -> impl Iterator<Item = &'static Reference> {
    REFERENCES.iter().filter(move |reference| reference.entity == entity)
}

/// The table of an entity.
pub(super) fn table(entity: Entity) -> &'static str {
    match entity {
        Entity::Department => "departments",
        Entity::Employee => "employees",
        Entity::CheckIn => "check_ins",
        Entity::AttendanceDay => "attendance_days",
        Entity::Leave => "leaves",
    }
}

/// The fields that have a column of their own: all but the external id, which every table has.
pub(super) fn fields(entity: Entity) -> &'static [Field] {
    match schema::fields(entity) {
        [first, rest @ ..] if first.name == "external_id" => rest,
        all => all,
    }
}

/// The type of a field's column.
pub(super) fn column_type(ty: FieldType) -> &'static str {
    match ty {
        FieldType::Integer | FieldType::Minutes | FieldType::Bool => "INTEGER",
        FieldType::Decimal => "REAL",
        FieldType::Id
        | FieldType::Ids
        | FieldType::Text(_)
        | FieldType::Date
        | FieldType::Instant
        | FieldType::Zone
        | FieldType::Mobile
        | FieldType::Email
        | FieldType::Enum(_)
        | FieldType::Custom => "TEXT",
    }
}

/// The statement that makes an entity's table.
pub(super) fn create_table(entity: Entity) -> String {
    let mut sql = format!("CREATE TABLE \"{}\" ({BOOKKEEPING}", table(entity));
    for field in fields(entity) {
        let need = match field.need {
            Need::Required => " NOT NULL",
            Need::Optional => "",
        };
        push(&mut sql, format_args!(", \"{}\" {}{need}", field.name, column_type(field.ty)));
    }
    for reference in references(entity) {
        let to = table(reference.to);
        push(
            &mut sql,
            format_args!(", \"{}\" INTEGER REFERENCES \"{to}\" (\"id\")", reference.column),
        );
    }
    sql.push_str(match entity {
        Entity::Department => ", \"path\" TEXT",
        Entity::CheckIn => ", \"at_unix\" INTEGER NOT NULL",
        Entity::Employee | Entity::AttendanceDay | Entity::Leave => "",
    });
    sql.push_str(") STRICT");
    sql
}

/// The index that finds a reference's open rows without reading the table.
pub(super) fn create_open_index(reference: &Reference) -> String {
    let table = table(reference.entity);
    let column = reference.column;
    let open = reference.open();
    format!("CREATE INDEX \"{table}_open_{column}\" ON \"{table}\" (\"id\") WHERE {open}")
}

/// Appends formatted text; writing to a string cannot fail.
pub(super) fn push(sql: &mut String, text: std::fmt::Arguments<'_>) {
    sql.write_fmt(text).unwrap_or_default();
}
