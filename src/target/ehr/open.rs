//! Opening the file: pragmas, whose file it is, migrations.
//!
//! The invariant: nothing is written to a file that is not ours or that a newer rollcall made.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::error::failed;
use super::tables;
use crate::model::entity::Entity;
use crate::model::schema::Field;
use crate::port::target::TargetError;

/// Marks the file as an EHR of rollcall: "roll" in ASCII.
const APPLICATION_ID: u32 = 0x726f_6c6c;

/// Settings of the embedded EHR.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How long a write waits for another program that writes to the file.
    pub busy: Duration,
    /// Bytes of pages kept in memory.
    pub cache_bytes: u32,
    /// Bytes that the write-ahead log gathers before they are carried over into the file. Indexes of ids that have no order
    /// are written all over: the longer the log, the more often a page is carried over once for many sets.
    pub log_bytes: u32,
    /// After so long without a call, what is in the write-ahead log is carried over into the file and the log is cut.
    pub rest: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            busy: Duration::from_secs(5),
            cache_bytes: 8 << 20,
            log_bytes: 64 << 20,
            rest: Duration::from_secs(2),
        }
    }
}

/// Brings a file from one version to the next.
type Step = fn(&Transaction<'_>) -> rusqlite::Result<()>;

/// The first step leads from an empty file to version 1.
const STEPS: [Step; VERSION as usize] = [create];

/// The version of the files that this build writes.
const VERSION: u32 = 1;

/// Opens the file, which is made if it is missing.
pub(super) fn open(path: &Path, options: Options) -> Result<Connection, TargetError> {
    let told = |error| failed(path, &error);
    let mut connection = Connection::open(path).map_err(told)?;
    connection.busy_timeout(options.busy).map_err(told)?;
    check_owner(path, &connection)?;
    configure(&connection, options).map_err(told)?;
    migrate(path, &mut connection)?;
    Ok(connection)
}

fn configure(connection: &Connection, options: Options) -> rusqlite::Result<()> {
    let kibibytes = -i64::from(options.cache_bytes / 1024);
    connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "normal")?;
    // References are declared for whoever reads the tables; the writer looks each id up and never deletes.
    connection.pragma_update(None, "foreign_keys", false)?;
    connection.pragma_update(None, "cache_size", kibibytes)?;
    connection.pragma_update(None, "temp_store", "memory")
}

fn check_owner(path: &Path, connection: &Connection) -> Result<(), TargetError> {
    let number = |name| {
        let value = connection.pragma_query_value(None, name, |row| row.get::<_, u32>(0));
        value.map_err(|error| failed(path, &error))
    };
    let (owner, version) = (number("application_id")?, number("user_version")?);
    let empty = number("schema_version")? == 0;
    let file = path.display();
    if owner != APPLICATION_ID && !empty {
        return Err(TargetError::Unusable(format!(
            "`{file}` is the database of another program; name another file"
        )));
    }
    if version > VERSION {
        return Err(TargetError::Unusable(format!(
            "`{file}` has version {version}, this rollcall knows up to {VERSION}; upgrade rollcall or name another file"
        )));
    }
    Ok(())
}

fn migrate(path: &Path, connection: &mut Connection) -> Result<(), TargetError> {
    let mut steps = || {
        let done: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if done == VERSION && missing_columns(connection)?.is_empty() {
            return Ok(());
        }
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Another process may have been faster.
        let done: u32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
        for step in STEPS.iter().skip(done as usize) {
            step(&transaction)?;
        }
        for (table, field) in missing_columns(&transaction)? {
            let (name, ty) = (field.name, tables::column_type(field.ty));
            transaction
                .execute_batch(&format!("ALTER TABLE \"{table}\" ADD COLUMN \"{name}\" {ty}"))?;
        }
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", VERSION)?;
        transaction.commit()
    };
    steps().map_err(|error| failed(path, &error))
}

fn create(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    for entity in Entity::ALL {
        transaction.execute_batch(&tables::create_table(entity))?;
    }
    for reference in tables::REFERENCES {
        transaction.execute_batch(&tables::create_open_index(reference))?;
    }
    transaction.execute_batch(include_str!("indexes.sql"))?;
    transaction.execute_batch(include_str!("views.sql"))
}

/// Fields that the schema gained since the file was made. They become columns; old rows have no value there.
fn missing_columns(
    connection: &Connection,
) -> rusqlite::Result<Vec<(&'static str, &'static Field)>> {
    let mut missing = Vec::new();
    for entity in Entity::ALL {
        let table = tables::table(entity);
        let mut names = Vec::new();
        connection.pragma(None, "table_info", table, |row| {
            names.push(row.get::<_, String>("name")?);
            Ok(())
        })?;
        let unknown = |field: &&Field| !names.iter().any(|name| name == field.name);
        missing.extend(tables::fields(entity).iter().filter(unknown).map(|field| (table, field)));
    }
    Ok(missing)
}
