//! The statement that writes one draft.
//!
//! One statement per set of present fields: an absent field is in no clause, so it is left alone. The invariant: a
//! draft that says what its row already says changes nothing, not even `updated_at`.

use std::borrow::Cow;

use rusqlite::Statement;

use super::draft::{Draft, Slot};
use super::tables::{self, Origin, push};
use crate::model::entity::Entity;
use crate::model::hash::ContentHash;

/// Parameters before the fields: external id, connection, content hash, time.
const FIXED: usize = 4;

/// A column that the statement sets, and the SQL of its value.
struct Column {
    name: Cow<'static, str>,
    value: String,
    /// Whether another value makes it a change.
    counts: bool,
}

/// The SQL that writes drafts whose fields are those in `mask`.
pub(super) fn sql(entity: Entity, mask: u64) -> String {
    let table = tables::table(entity);
    let columns = columns(entity, mask);
    let mut sql = format!(
        "INSERT INTO \"{table}\" (\"external_id\", \"connection\", \"content_hash\", \"updated_at\""
    );
    for column in &columns {
        push(&mut sql, format_args!(", \"{}\"", column.name));
    }
    sql.push_str(") VALUES (?1, ?2, ?3, ?4");
    for column in &columns {
        push(&mut sql, format_args!(", {}", column.value));
    }
    sql.push_str(
        ") ON CONFLICT (\"external_id\") DO UPDATE SET \"content_hash\" = excluded.\"content_hash\", \
         \"updated_at\" = excluded.\"updated_at\", \"retired_at\" = NULL",
    );
    for column in &columns {
        push(&mut sql, format_args!(", \"{0}\" = excluded.\"{0}\"", column.name));
    }
    if entity == Entity::Department {
        push(&mut sql, format_args!(", \"path\" = {}", kept_path(&columns)));
    }
    sql.push_str(
        " WHERE \"retired_at\" IS NOT NULL OR \"content_hash\" IS NOT excluded.\"content_hash\"",
    );
    for column in columns.iter().filter(|column| column.counts) {
        push(&mut sql, format_args!(" OR \"{0}\" IS NOT excluded.\"{0}\"", column.name));
    }
    sql
}

/// A path holds while neither the name nor the parent changes; else it is left for settling to make anew.
fn kept_path(columns: &[Column]) -> String {
    let same: Vec<_> = columns
        .iter()
        .filter(|column| matches!(column.name.as_ref(), "name" | "parent_external_id"))
        .map(|column| format!("\"{0}\" IS excluded.\"{0}\"", column.name))
        .collect();
    match same.as_slice() {
        [] => "\"path\"".to_owned(),
        same => format!("CASE WHEN {} THEN \"path\" END", same.join(" AND ")),
    }
}

/// Fields in schema order, then what is derived from them, in the order in which [`bind`] binds.
fn columns(entity: Entity, mask: u64) -> Vec<Column> {
    let mut next = FIXED;
    let mut parameter = || {
        next += 1;
        next
    };
    let mut columns = Vec::new();
    let mut derived = Vec::new();
    for (_, field) in present(entity, mask) {
        let at = parameter();
        columns.push(Column { name: field.into(), value: format!("?{at}"), counts: true });
        if let Some(reference) = tables::references(entity).find(|r| r.field == field) {
            derived.push((reference, at));
        }
    }
    for (reference, at) in derived {
        let at = match reference.origin {
            Origin::Id => at,
            Origin::FirstOfList => parameter(),
        };
        let to = tables::table(reference.to);
        let value = format!("(SELECT \"id\" FROM \"{to}\" WHERE \"external_id\" = ?{at})");
        columns.push(Column { name: reference.column.into(), value, counts: false });
    }
    if has_instant(entity, mask) {
        let value = format!("?{}", parameter());
        columns.push(Column { name: "at_unix".into(), value, counts: false });
    }
    columns
}

fn present(entity: Entity, mask: u64) -> impl Iterator<Item = (usize, &'static str)> {
    let fields = tables::fields(entity).iter().enumerate();
    fields.filter(move |(at, _)| mask >> at & 1 == 1).map(|(at, field)| (at, field.name))
}

fn has_instant(entity: Entity, mask: u64) -> bool {
    entity == Entity::CheckIn && present(entity, mask).any(|(_, name)| name == "at")
}

/// Why a draft cannot be bound.
pub(super) enum BindError {
    /// A field's text does not have the shape that its column needs.
    Field(&'static str),
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for BindError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// Binds a draft to the statement of its mask.
pub(super) fn bind(
    statement: &mut Statement<'_>,
    entity: Entity,
    key: (&str, &str),
    hash: &ContentHash,
    now: &str,
    draft: &Draft<'_>,
) -> Result<(), BindError> {
    let (external_id, connection) = key;
    statement.raw_bind_parameter(1, external_id)?;
    statement.raw_bind_parameter(2, connection)?;
    statement.raw_bind_parameter(3, hash.0.as_slice())?;
    statement.raw_bind_parameter(4, now)?;
    let mut next = FIXED;
    for slot in draft.slots.iter().filter(|slot| **slot != Slot::Absent) {
        next += 1;
        statement.raw_bind_parameter(next, slot)?;
    }
    for reference in tables::references(entity).filter(|r| r.origin == Origin::FirstOfList) {
        match slot(draft, entity, reference.field) {
            Slot::Absent => {}
            Slot::Json(list) => {
                next += 1;
                let first = first(list).map_err(|_| BindError::Field(reference.field))?;
                statement.raw_bind_parameter(next, first)?;
            }
            Slot::Null | Slot::Text(_) | Slot::Integer(_) | Slot::Real(_) => {
                next += 1;
                statement.raw_bind_parameter(next, Slot::Null)?;
            }
        }
    }
    if entity == Entity::CheckIn {
        match slot(draft, entity, "at") {
            Slot::Absent => {}
            Slot::Text(text) => {
                let at: jiff::Timestamp = text.parse().map_err(|_| BindError::Field("at"))?;
                statement.raw_bind_parameter(next + 1, at.as_second())?;
            }
            Slot::Null | Slot::Integer(_) | Slot::Real(_) | Slot::Json(_) => {
                return Err(BindError::Field("at"));
            }
        }
    }
    Ok(())
}

fn slot<'d, 'a>(draft: &'d Draft<'a>, entity: Entity, name: &str) -> &'d Slot<'a> {
    let at = tables::fields(entity).iter().position(|field| field.name == name);
    at.and_then(|at| draft.slots.get(at)).unwrap_or(&Slot::Absent)
}

/// The first text of a JSON list.
fn first(list: &str) -> Result<Option<Cow<'_, str>>, serde_json::Error> {
    #[derive(serde::Deserialize)]
    #[serde(transparent)]
    struct Item<'a>(#[serde(borrow)] Cow<'a, str>);
    let items: Vec<Item<'_>> = serde_json::from_str(list)?;
    Ok(items.into_iter().next().map(|item| item.0))
}
