//! A row as what the target holds of a record.
//!
//! The invariant: the JSON of a row is the canonical JSON of the draft that wrote it, without the fields it left out or
//! erased.

use bytes::Bytes;
use rusqlite::types::ValueRef;
use rusqlite::{Error, Row};

use super::tables::{self, push};
use crate::model::entity::Entity;
use crate::model::hash::ContentHash;
use crate::model::ids::ExternalId;
use crate::model::schema::FieldType;
use crate::port::target::Held;

/// The query of one record by external id.
pub(super) fn sql(entity: Entity) -> String {
    let mut sql = "SELECT \"content_hash\", \"retired_at\" IS NOT NULL".to_owned();
    for field in tables::fields(entity) {
        push(&mut sql, format_args!(", \"{}\"", field.name));
    }
    push(&mut sql, format_args!(" FROM \"{}\" WHERE \"external_id\" = ?1", tables::table(entity)));
    sql
}

/// Reads a row of that query.
pub(super) fn read(entity: Entity, key: &ExternalId, row: &Row<'_>) -> rusqlite::Result<Held> {
    let hash = ContentHash(row.get(0)?);
    let retired = row.get(1)?;
    let mut json = String::with_capacity(512);
    json.push_str("{\"external_id\":");
    push_text(&mut json, key.as_str());
    for (column, field) in (2..).zip(tables::fields(entity)) {
        let value = row.get_ref(column)?;
        if value == ValueRef::Null {
            continue;
        }
        push(&mut json, format_args!(",\"{}\":", field.name));
        push_value(&mut json, field.ty, value).ok_or_else(|| {
            Error::InvalidColumnType(column, field.name.to_owned(), value.data_type())
        })?;
    }
    json.push('}');
    Ok(Held { hash, retired, json: Bytes::from(json) })
}

fn push_value(json: &mut String, ty: FieldType, value: ValueRef<'_>) -> Option<()> {
    match value {
        ValueRef::Integer(number) if ty == FieldType::Bool => {
            json.push_str(if number == 0 { "false" } else { "true" });
        }
        ValueRef::Integer(number) => push(json, format_args!("{number}")),
        ValueRef::Real(number) => push_real(json, number)?,
        ValueRef::Text(text) => {
            let text = std::str::from_utf8(text).ok()?;
            match ty {
                FieldType::Ids | FieldType::Custom => json.push_str(text),
                _ => push_text(json, text),
            }
        }
        ValueRef::Null | ValueRef::Blob(_) => return None,
    }
    Some(())
}

/// A whole number has no fraction in a draft, whatever its column's type.
fn push_real(json: &mut String, number: f64) -> Option<()> {
    let number = serde_json::Number::from_f64(number)?.to_string();
    json.push_str(number.strip_suffix(".0").unwrap_or(&number));
    Some(())
}

fn push_text(json: &mut String, text: &str) {
    json.push_str(&serde_json::Value::from(text).to_string());
}
