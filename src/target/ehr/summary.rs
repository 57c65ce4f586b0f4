//! Counts for people: how many records of each kind and status a file holds.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::error::failed;
use super::tables;
use crate::model::entity::Entity;
use crate::port::target::TargetError;

/// What the EHR holds of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Count {
    /// All records.
    pub records: u64,
    /// Those marked as ended.
    pub retired: u64,
    /// Records by status, for kinds that have one.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub by_status: BTreeMap<String, u64>,
}

/// Counts the records of a file, through a connection of its own that cannot write.
///
/// # Errors
/// [`TargetError`] when the file is missing or cannot be read.
pub fn count(path: &Path) -> Result<BTreeMap<Entity, Count>, TargetError> {
    let read = || -> rusqlite::Result<BTreeMap<Entity, Count>> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        Entity::ALL
            .into_iter()
            .map(|entity| Ok((entity, count_one(&connection, entity)?)))
            .collect()
    };
    read().map_err(|error| failed(path, &error))
}

fn count_one(connection: &Connection, entity: Entity) -> rusqlite::Result<Count> {
    let has_status = tables::fields(entity).iter().any(|field| field.name == "status");
    let status = if has_status { "\"status\"" } else { "NULL" };
    let table = tables::table(entity);
    let mut statement = connection.prepare(&format!(
        "SELECT {status}, count(*), count(\"retired_at\") FROM \"{table}\" GROUP BY 1"
    ))?;
    let mut rows = statement.query(())?;
    let mut count = Count::default();
    while let Some(row) = rows.next()? {
        let status: Option<String> = row.get(0)?;
        let number = |at| row.get::<_, i64>(at).map(i64::unsigned_abs);
        let (records, retired) = (number(1)?, number(2)?);
        count.records += records;
        count.retired += retired;
        if let Some(status) = status {
            count.by_status.insert(status, records);
        }
    }
    Ok(count)
}
