//! Finds the records that somebody means: by external id, by the platform's id, by employee number or by name.

use serde::Deserialize;

use crate::model::entity::Entity;
use crate::model::ids::{ConnectionId, ExternalId};
use crate::model::record::Record;
use crate::port::mapper::{Mapped, Mapper};
use crate::port::store::StoreError;
use crate::sync::ledger::Ledger;

/// The most records that a search by number or name returns.
pub const MOST: usize = 20;

/// A record of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its kind.
    pub entity: Entity,
    /// The provider's own id.
    pub source: String,
}

/// The records of a connection that `key` names. An id is looked up; a number or a name is searched among what the
/// mapping makes of every stored department and person.
///
/// # Errors
/// [`StoreError`] when the state cannot be read.
pub fn by_key(
    ledger: &Ledger,
    connection: &ConnectionId,
    mapper: &dyn Mapper,
    key: &str,
) -> Result<Vec<Found>, StoreError> {
    if let Some(id) = ExternalId::parse(key) {
        return of_external_id(ledger, connection, &id);
    }
    let mut found = Vec::new();
    for entity in Entity::ALL {
        if ledger.entry(entity, key)?.is_some() {
            found.push(Found { entity, source: key.to_owned() });
        }
    }
    if found.is_empty() {
        for entity in [Entity::Employee, Entity::Department] {
            search(ledger, mapper, entity, key, &mut found)?;
        }
    }
    Ok(found)
}

fn of_external_id(
    ledger: &Ledger,
    connection: &ConnectionId,
    id: &ExternalId,
) -> Result<Vec<Found>, StoreError> {
    let mut parts = id.as_str().splitn(3, ':');
    let (of, entity) = (parts.next(), parts.next().and_then(Entity::parse));
    let Some(entity) = entity.filter(|_| of == Some(connection.as_str())) else {
        return Ok(Vec::new());
    };
    let found = Found { entity, source: id.source().to_owned() };
    Ok(ledger.entry(entity, id.source())?.map(|_| found).into_iter().collect())
}

/// What a person is known by.
#[derive(Deserialize)]
struct Names {
    #[serde(default)]
    employee_number: Option<String>,
    #[serde(default)]
    display_name: Option<String>,
    #[serde(default)]
    name: Option<String>,
}

fn search(
    ledger: &Ledger,
    mapper: &dyn Mapper,
    entity: Entity,
    key: &str,
    found: &mut Vec<Found>,
) -> Result<(), StoreError> {
    if mapper.digest(entity).is_none() {
        return Ok(());
    }
    let means = |mapped: &Mapped| {
        let Mapped::Draft(draft) = mapped else { return false };
        let Ok(names) = serde_json::from_slice::<Names>(draft.json()) else { return false };
        [names.employee_number, names.display_name, names.name]
            .iter()
            .flatten()
            .any(|name| name.trim() == key.trim())
    };
    for frame in ledger.frames(entity, None) {
        let (id, records) = frame?;
        let drafts = mapper.map(entity, &records);
        let hits: Vec<&Record> = records
            .iter()
            .zip(&drafts)
            .filter(|(_, mapped)| means(mapped))
            .map(|(it, _)| it)
            .collect();
        for record in hits {
            let source = record.id.as_str().to_owned();
            let newest = ledger.entry(entity, &source)?.is_some_and(|entry| entry.frame == id);
            if newest && found.len() < MOST {
                found.push(Found { entity, source });
            }
        }
    }
    Ok(())
}
