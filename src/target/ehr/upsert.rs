//! The statement that writes one draft.
//!
//! One statement per set of present fields: an absent field is in no clause, so it is left alone. The invariant: a
//! draft that says what its row already says changes nothing, not even `updated_at`.

use std::borrow::Cow;

use rusqlite::Statement;

use super::draft::{Draft, Slot};
use super::rows::Rows;
use super::tables::{self, Origin, push};
use crate::model::entity::Entity;
use crate::model::hash::ContentHash;

/// Parameters before the fields: external id, connection, content hash, time.
const FIXED: usize = 4;

/// A column that the statement sets, and the SQL of its value.
struct Column {
    name: &'static str,
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
        .filter(|column| matches!(column.name, "name" | "parent_external_id"))
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
    let mut column = |name: &'static str, counts| {
        next += 1;
        Column { name, value: format!("?{next}"), counts }
    };
    let mut columns = Vec::new();
    for (_, field) in present(entity, mask) {
        columns.push(column(field, true));
    }
    for reference in tables::references(entity) {
        if present(entity, mask).any(|(_, name)| name == reference.field) {
            columns.push(column(reference.column, false));
        }
    }
    if has_instant(entity, mask) {
        columns.push(column("at_unix", false));
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

/// Binds a draft to the statement of its mask. What it refers to is found in `rows`, where it is there already.
pub(super) fn bind(
    statement: &mut Statement<'_>,
    entity: Entity,
    key: (&str, &str),
    hash: &ContentHash,
    now: &str,
    draft: &Draft<'_>,
    rows: &mut Rows<'_>,
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
    for reference in tables::references(entity) {
        let named = match (slot(draft, entity, reference.field), reference.origin) {
            (Slot::Absent, _) => continue,
            (Slot::Text(id), Origin::Id) => Some(Cow::Borrowed(id.as_ref())),
            (Slot::Json(list), Origin::FirstOfList) => {
                first(list).map_err(|_| BindError::Field(reference.field))?
            }
            _ => None,
        };
        let row = match named {
            Some(id) => rows.find(reference.to, &id)?,
            None => None,
        };
        next += 1;
        statement.raw_bind_parameter(next, row)?;
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
