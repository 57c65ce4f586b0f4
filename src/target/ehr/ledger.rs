//! What the writer's thread does with its connection: apply sets, look records up.
//!
//! The invariant: a set is one transaction. A statement that a table refuses undoes itself alone, because each change is
//! exactly one statement.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use rusqlite::{Connection, OptionalExtension, Statement};

use super::ahead::{self, Read};
use super::draft::Draft;
use super::error::{Verdict, judge, refusal};
use super::rows::Rows;
use super::upsert::{self, BindError};
use super::{row, tables};
use crate::model::entity::Entity;
use crate::model::ids::{ConnectionId, ExternalId};
use crate::model::plan::{Change, ChangeSet};
use crate::port::target::{Held, Refusal};

/// Most upsert statements kept prepared. Mappings produce a handful of shapes; a source with more costs time, not memory.
const MOST_STATEMENTS: usize = 64;

type Outcome = Result<(), Refusal>;

/// A connection and its prepared statements.
pub(super) struct Ledger<'c> {
    pub(super) connection: &'c Connection,
    upserts: HashMap<(Entity, u64), Statement<'c>>,
    rows: Rows<'c>,
}

impl<'c> Ledger<'c> {
    pub(super) fn new(connection: &'c Connection) -> Self {
        Self { connection, upserts: HashMap::new(), rows: Rows::new(connection) }
    }

    /// Applies a set at the time `now`.
    pub(super) fn apply(&mut self, set: &ChangeSet, now: &str) -> rusqlite::Result<Vec<Outcome>> {
        self.in_transaction(|ledger| {
            ledger.rows.forget();
            ahead::read(set, |change, draft| ledger.change(set.entity, change, draft, now))
        })
    }

    /// Runs `work` as one transaction; an error undoes all of it.
    pub(super) fn in_transaction<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let connection = self.connection;
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let outcome = work(self).and_then(|done| {
            connection.execute_batch("COMMIT")?;
            Ok(done)
        });
        // Some errors, such as a full disk, end the transaction by themselves.
        if outcome.is_err() && !connection.is_autocommit() {
            connection.execute_batch("ROLLBACK")?;
        }
        outcome
    }

    fn change(
        &mut self,
        entity: Entity,
        change: &Change,
        draft: Read<'_>,
        now: &str,
    ) -> rusqlite::Result<Outcome> {
        let outcome = match (draft, change.merged_into()) {
            (Some(Ok(draft)), _) => self.upsert(entity, change, &draft, now),
            (Some(Err(error)), _) => Ok(Err(unreadable(&error))),
            (None, Some(into)) => self.merge(entity, &change.external_id, &into, now),
            (None, None) => self.retire(entity, &change.external_id, now),
        };
        match outcome {
            Ok(outcome) => Ok(outcome),
            Err(error) => match judge(error) {
                Verdict::Refused(refusal) => Ok(Err(refusal)),
                Verdict::Failed(error) => Err(error),
            },
        }
    }

    fn upsert(
        &mut self,
        entity: Entity,
        change: &Change,
        draft: &Draft<'_>,
        now: &str,
    ) -> rusqlite::Result<Outcome> {
        let id = change.external_id.as_str();
        let connection = id.split(':').next().unwrap_or_default();
        let Self { connection: ehr, upserts, rows } = self;
        let statement = statement(ehr, upserts, (entity, draft.mask()))?;
        match upsert::bind(statement, entity, (id, connection), &change.hash, now, draft, rows) {
            Ok(()) => {}
            Err(BindError::Sqlite(error)) => return Err(error),
            Err(BindError::Field(name)) => {
                let message =
                    format!("field `{name}` has not the shape of its column; mend its mapping");
                return Ok(Err(refusal("target::draft", message)));
            }
        }
        statement.raw_execute()?;
        Ok(Ok(()))
    }

    fn retire(&self, entity: Entity, id: &ExternalId, now: &str) -> rusqlite::Result<Outcome> {
        let status = match entity {
            Entity::Department => "inactive",
            Entity::Employee => "terminated",
            Entity::CheckIn | Entity::AttendanceDay | Entity::Leave => {
                let message = format!(
                    "a record of kind {entity} is a fact and does not end; plan an update instead"
                );
                return Ok(Err(refusal("target::verb", message)));
            }
        };
        let table = tables::table(entity);
        let found: Option<bool> = self
            .connection
            .prepare(&format!(
                "SELECT \"retired_at\" IS NULL FROM \"{table}\" WHERE \"external_id\" = ?1"
            ))?
            .query_row([id.as_str()], |row| row.get(0))
            .optional()?;
        let Some(current) = found else {
            let message = "the record is not there, so it cannot end; sync again";
            return Ok(Err(refusal("target::missing", message)));
        };
        if current {
            let sql = format!(
                "UPDATE \"{table}\" SET \"status\" = ?1, \"retired_at\" = ?2, \"updated_at\" = ?2 WHERE \"external_id\" = ?3"
            );
            self.connection.execute(&sql, (status, now, id.as_str()))?;
        }
        Ok(Ok(()))
    }

    /// Moves everything that refers to a record over to another one, and removes the record.
    fn merge(
        &mut self,
        entity: Entity,
        id: &ExternalId,
        into: &ExternalId,
        now: &str,
    ) -> rusqlite::Result<Outcome> {
        let table = tables::table(entity);
        // One that is gone was merged by a run that was killed before its receipt.
        let Some(from) = self.rows.find(entity, id.as_str())? else { return Ok(Ok(())) };
        let Some(to) = self.rows.find(entity, into.as_str())? else {
            let message = "the record that it is the same as is not there yet; the next sync of its connection brings it";
            return Ok(Err(refusal("target::missing", message)));
        };
        for reference in tables::REFERENCES.iter().filter(|reference| reference.to == entity) {
            let (table, column) = (tables::table(reference.entity), reference.column);
            let text = match reference.origin {
                tables::Origin::Id => format!(", \"{}\" = ?4", reference.field),
                tables::Origin::FirstOfList => String::new(),
            };
            let sql = format!(
                "UPDATE \"{table}\" SET \"{column}\" = ?1, \"updated_at\" = ?3{text} WHERE \"{column}\" = ?2"
            );
            let mut statement = self.connection.prepare(&sql)?;
            match reference.origin {
                tables::Origin::Id => statement.execute((to, from, now, into.as_str()))?,
                tables::Origin::FirstOfList => statement.execute((to, from, now))?,
            };
        }
        self.connection.execute(&format!("DELETE FROM \"{table}\" WHERE \"id\" = ?1"), [from])?;
        self.rows.forget();
        Ok(Ok(()))
    }

    /// Whether a connection has no record of a kind.
    pub(super) fn is_empty(
        &self,
        connection: &ConnectionId,
        entity: Entity,
    ) -> rusqlite::Result<bool> {
        // `;` follows `:`, so the range is that of the prefix.
        let (low, high) = (format!("{connection}:{entity}:"), format!("{connection}:{entity};"));
        let table = tables::table(entity);
        let sql = format!(
            "SELECT NOT EXISTS (SELECT 1 FROM \"{table}\" WHERE \"external_id\" >= ?1 AND \"external_id\" < ?2)"
        );
        self.connection.query_row(&sql, (low, high), |row| row.get(0))
    }

    /// What is held of each record, in order.
    pub(super) fn load(
        &self,
        entity: Entity,
        keys: &[ExternalId],
    ) -> rusqlite::Result<Vec<Option<Held>>> {
        let mut statement = self.connection.prepare(&row::sql(entity))?;
        let mut load = |key: &ExternalId| {
            statement.query_row([key.as_str()], |held| row::read(entity, key, held)).optional()
        };
        keys.iter().map(&mut load).collect()
    }
}

/// The statement that writes drafts of a kind whose fields are those in the mask.
fn statement<'k, 'c>(
    connection: &'c Connection,
    kept: &'k mut HashMap<(Entity, u64), Statement<'c>>,
    of: (Entity, u64),
) -> rusqlite::Result<&'k mut Statement<'c>> {
    if kept.len() >= MOST_STATEMENTS && !kept.contains_key(&of) {
        kept.clear();
    }
    match kept.entry(of) {
        Entry::Occupied(kept) => Ok(kept.into_mut()),
        Entry::Vacant(free) => Ok(free.insert(connection.prepare(&upsert::sql(of.0, of.1))?)),
    }
}

/// serde says line, column and what it expected, and quotes text only of values of the wrong kind; its text stays out.
fn unreadable(error: &serde_json::Error) -> Refusal {
    let message =
        format!("the draft is unreadable at column {}; map the record again", error.column());
    refusal("target::draft", message)
}
