//! References that were open when their record was written, and the departments' paths.
//!
//! A write resolves what it can at once; what comes later is resolved here. The invariant: the work is that of the rows
//! left open, found by partial indexes, and nothing is touched when there are none.

use rusqlite::Connection;

use super::tables::{self, REFERENCES, Reference};
use crate::model::entity::Entity;
use crate::model::ids::ExternalId;
use crate::port::target::Dangling;

/// Most references reported.
const MOST_REPORTED: usize = 100;
/// Open rows that one statement looks at.
const STRIDE: usize = 4096;

/// Resolves what names a record of `entity` or is named by one, and tells which of the entity's own references dangle.
pub(super) fn settle(connection: &Connection, entity: Entity) -> rusqlite::Result<Vec<Dangling>> {
    for reference in REFERENCES.iter().filter(|r| r.entity == entity || r.to == entity) {
        resolve(connection, reference)?;
    }
    if entity == Entity::Department {
        settle_paths(connection)?;
    }
    let mut found = dangling(connection, entity)?;
    if entity == Entity::Department {
        found.extend(circles(connection, MOST_REPORTED - found.len())?);
    }
    Ok(found)
}

/// Departments that are, by their parents, their own ancestors, and those below them: what is left without a path.
fn circles(connection: &Connection, room: usize) -> rusqlite::Result<Vec<Dangling>> {
    let mut statement = connection.prepare(&format!(
        "SELECT \"external_id\", \"parent_external_id\" FROM \"departments\" \
         WHERE \"path\" IS NULL AND \"parent_id\" IS NOT NULL AND \"retired_at\" IS NULL ORDER BY \"id\" LIMIT {room}"
    ))?;
    let mut rows = statement.query(())?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (key, parent): (String, String) = (row.get(0)?, row.get(1)?);
        let missing = format!("a way to the top: its parent {parent} leads back in a circle");
        let external_id = ExternalId::parse(&key);
        found.extend(external_id.map(|external_id| Dangling {
            external_id,
            field: "parent_external_id",
            missing,
        }));
    }
    Ok(found)
}

/// Resolves a reference where it can be. A department whose parent came late has the path of a top department until its own
/// is made anew.
fn resolve(connection: &Connection, reference: &Reference) -> rusqlite::Result<()> {
    let Reference { entity, column, to, .. } = *reference;
    let (table, to) = (tables::table(entity), tables::table(to));
    let (named, open) = (reference.named(), reference.open());
    let path = if entity == Entity::Department { ", \"path\" = NULL" } else { "" };
    let change = format!(
        "\"{column}\" = (SELECT t.\"id\" FROM \"{to}\" t WHERE t.\"external_id\" = \"{table}\".{named}){path}"
    );
    let there =
        format!("EXISTS (SELECT 1 FROM \"{to}\" t WHERE t.\"external_id\" = \"{table}\".{named})");
    sweep(connection, table, &change, (&open, &there))?;
    Ok(())
}

/// Changes the rows for which `open`, a condition that an index knows, and `also` hold. So many open rows at a time: `SQLite`
/// keeps those that a statement changes in memory. Tells how many rows were changed.
fn sweep(
    connection: &Connection,
    table: &str,
    change: &str,
    (open, also): (&str, &str),
) -> rusqlite::Result<usize> {
    let mut next = connection.prepare(&format!(
        "SELECT max(\"id\") FROM (SELECT \"id\" FROM \"{table}\" WHERE {open} AND \"id\" > ?1 ORDER BY \"id\" LIMIT {STRIDE})"
    ))?;
    let mut update = connection.prepare(&format!(
        "UPDATE \"{table}\" SET {change} WHERE {open} AND \"id\" > ?1 AND \"id\" <= ?2 AND {also}"
    ))?;
    let (mut done, mut changed) = (i64::MIN, 0);
    while let Some(last) = next.query_row([done], |row| row.get::<_, Option<i64>>(0))? {
        changed += update.execute([done, last])?;
        done = last;
    }
    Ok(changed)
}

/// Makes the missing paths, and those below them, level by level. A circle of parents has no top and so no path.
fn settle_paths(connection: &Connection) -> rusqlite::Result<()> {
    let mut known =
        connection.prepare("SELECT 1 FROM \"departments\" WHERE \"path\" IS NOT NULL")?;
    if known.exists(())? {
        connection.execute(
            "UPDATE \"departments\" SET \"path\" = NULL WHERE \"path\" IS NOT NULL AND \"id\" IN (
                WITH RECURSIVE stale (id) AS (
                    SELECT \"id\" FROM \"departments\" WHERE \"path\" IS NULL
                    UNION SELECT d.\"id\" FROM \"departments\" d JOIN stale s ON d.\"parent_id\" = s.id
                ) SELECT id FROM stale)",
            (),
        )?;
    }
    let parent = "SELECT p.\"path\" || ' / ' || \"departments\".\"name\" FROM \"departments\" p \
        WHERE p.\"id\" = \"departments\".\"parent_id\" AND p.\"path\" IS NOT NULL";
    let change =
        format!("\"path\" = CASE WHEN \"parent_id\" IS NULL THEN \"name\" ELSE ({parent}) END");
    let ready = format!("(\"parent_id\" IS NULL OR EXISTS ({parent}))");
    while sweep(connection, "departments", &change, ("\"path\" IS NULL", &ready))? > 0 {}
    Ok(())
}

fn dangling(connection: &Connection, entity: Entity) -> rusqlite::Result<Vec<Dangling>> {
    let mut found = Vec::new();
    for reference in tables::references(entity) {
        let (table, named, open) = (tables::table(entity), reference.named(), reference.open());
        let room = MOST_REPORTED - found.len();
        let mut statement = connection.prepare(&format!(
            "SELECT \"external_id\", {named} FROM \"{table}\" WHERE {open} AND \"retired_at\" IS NULL ORDER BY \"id\" LIMIT {room}"
        ))?;
        let mut rows = statement.query(())?;
        while let Some(row) = rows.next()? {
            let key: String = row.get(0)?;
            if let Some(external_id) = ExternalId::parse(&key) {
                found.push(Dangling { external_id, field: reference.field, missing: row.get(1)? });
            }
        }
    }
    Ok(found)
}
