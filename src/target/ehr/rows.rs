//! Which row a record has, remembered while a set is written.
//!
//! Rows that refer to one record come together: the people of a department, the punches of a person. The invariant: what is
//! remembered was read within the transaction at hand, so nobody has changed it since; what is not there is looked for
//! again each time, because the set may bring it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use rusqlite::{Connection, OptionalExtension, Statement};

use super::tables;
use crate::model::entity::Entity;

/// See the module.
pub(super) struct Rows<'c> {
    connection: &'c Connection,
    lookups: HashMap<Entity, Lookup<'c>>,
}

/// The rows of one table.
struct Lookup<'c> {
    statement: Statement<'c>,
    known: HashMap<Box<str>, i64>,
}

impl<'c> Rows<'c> {
    pub(super) fn new(connection: &'c Connection) -> Self {
        Self { connection, lookups: HashMap::new() }
    }

    /// The id of a record's row, if it has one.
    pub(super) fn find(
        &mut self,
        entity: Entity,
        external_id: &str,
    ) -> rusqlite::Result<Option<i64>> {
        let lookup = match self.lookups.entry(entity) {
            Entry::Occupied(kept) => kept.into_mut(),
            Entry::Vacant(free) => free.insert(Lookup::of(self.connection, entity)?),
        };
        lookup.find(external_id)
    }

    /// To be called when a transaction begins, and when a row goes.
    pub(super) fn forget(&mut self) {
        self.lookups.values_mut().for_each(|lookup| lookup.known.clear());
    }
}

impl<'c> Lookup<'c> {
    fn of(connection: &'c Connection, entity: Entity) -> rusqlite::Result<Self> {
        let table = tables::table(entity);
        let sql = format!("SELECT \"id\" FROM \"{table}\" WHERE \"external_id\" = ?1");
        Ok(Self { statement: connection.prepare(&sql)?, known: HashMap::new() })
    }

    fn find(&mut self, external_id: &str) -> rusqlite::Result<Option<i64>> {
        if let Some(&row) = self.known.get(external_id) {
            return Ok(Some(row));
        }
        let row = self.statement.query_row([external_id], |row| row.get(0)).optional()?;
        if let Some(row) = row {
            self.known.insert(external_id.into(), row);
        }
        Ok(row)
    }
}
