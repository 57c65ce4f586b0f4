//! Who is in a canary: a department, the departments below it, and the people whose main department is one of them.
//!
//! All of that is read from the stored records as the mapping in force maps them; of a record that it rejects or leaves out,
//! as the edited one does. Nothing here writes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserialize;

use crate::model::canary::Canary;
use crate::model::draft::Draft;
use crate::model::entity::Entity;
use crate::model::hash::ContentHash;
use crate::model::ids::{ConnectionId, ExternalId};
use crate::model::record::Record;
use crate::model::schema;
use crate::port::mapper::Mapped;
use crate::sync::SyncError;
use crate::sync::impact::{self, Sides};
use crate::sync::ledger::Ledger;

/// The most departments that a message names.
const NAMED: usize = 5;

/// A canary, and the name of its department.
#[derive(Debug)]
pub struct Gathered {
    /// Who is in it.
    pub canary: Canary,
    /// What the department is called.
    pub name: Option<String>,
}

/// Why there is no canary.
#[derive(Debug, thiserror::Error)]
pub enum CanaryError {
    /// No such department.
    #[error("no stored department is known as `{wanted}`; {near}")]
    Unknown {
        /// What was asked for.
        wanted: String,
        /// Departments that may be meant.
        near: Near,
    },
    /// Several departments have the name.
    #[error("{} departments are called `{name}`; name one of them by its key: {}", .keys.len(), listed(.keys))]
    Ambiguous {
        /// Their name.
        name: String,
        /// Their external ids.
        keys: Vec<ExternalId>,
    },
    /// Nobody is in the department.
    #[error("nobody's main department is {0} or one below it; choose another department")]
    Empty(ExternalId),
    /// Too many people or departments.
    #[error(
        "the canary of {department} would have {people} people and {departments} departments, {} of each are allowed; choose a smaller department",
        Canary::MOST
    )]
    TooLarge {
        /// The department asked for.
        department: ExternalId,
        /// How many people there are.
        people: usize,
        /// How many departments there are.
        departments: usize,
    },
    /// The state cannot be read.
    #[error(transparent)]
    Sync(#[from] SyncError),
}

/// Names that are close to one that does not exist.
#[derive(Debug)]
pub struct Near(Vec<String>);

impl fmt::Display for Near {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str(
                "give its external id, the platform's id, or its name as the mapping in force writes it",
            );
        }
        let names: Vec<String> = self.0.iter().map(|name| format!("`{name}`")).collect();
        write!(f, "did you mean {}?", names.join(" or "))
    }
}

fn listed(keys: &[ExternalId]) -> String {
    let shown: Vec<&str> = keys.iter().take(NAMED).map(ExternalId::as_str).collect();
    let more = keys.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

/// Finds who is in the department that `wanted` names: by external id, by the platform's id or by name. `edited` and
/// `against` are the digests of the texts of `sides`.
///
/// # Errors
/// [`CanaryError`] when there is no such department, nobody is in it, or too many are.
pub fn gather(
    ledger: &Ledger,
    connection: &ConnectionId,
    sides: Sides<'_>,
    [edited, against]: [ContentHash; 2],
    wanted: &str,
) -> Result<Gathered, CanaryError> {
    let departments = departments(ledger, connection, sides)?;
    let top = find(&departments, wanted)?;
    let inside = below(&departments, top);
    let people = people(ledger, sides, &inside)?;
    let department = departments[top].key.clone();
    if people.is_empty() {
        return Err(CanaryError::Empty(department));
    }
    if people.len() > Canary::MOST || inside.len() > Canary::MOST {
        let (people, departments) = (people.len(), inside.len());
        return Err(CanaryError::TooLarge { department, people, departments });
    }
    let canary = Canary {
        edited,
        against,
        department: department.source().to_owned(),
        departments: inside.iter().map(|key| key.source().to_owned()).collect(),
        people,
    };
    Ok(Gathered { canary, name: departments[top].name.clone() })
}

/// A stored department.
struct Department {
    key: ExternalId,
    name: Option<String>,
    parent: Option<ExternalId>,
}

#[derive(Deserialize)]
struct DepartmentDraft {
    name: String,
    #[serde(default)]
    parent_external_id: Option<ExternalId>,
}

#[derive(Deserialize)]
struct PersonDraft {
    department_external_ids: Vec<ExternalId>,
}

fn departments(
    ledger: &Ledger,
    connection: &ConnectionId,
    sides: Sides<'_>,
) -> Result<Vec<Department>, SyncError> {
    let mut found = Vec::new();
    each(ledger, sides, Entity::Department, |record, draft| {
        let key = ExternalId::of(connection, Entity::Department, record.id.as_str());
        let draft = draft.and_then(|draft| serde_json::from_slice(draft.json()).ok());
        let (name, parent) = draft
            .map_or((None, None), |it: DepartmentDraft| (Some(it.name), it.parent_external_id));
        found.push(Department { key, name, parent });
    })?;
    Ok(found)
}

/// The department that is meant; an id counts before a name.
fn find(departments: &[Department], wanted: &str) -> Result<usize, CanaryError> {
    let wanted = wanted.trim();
    let by_id = |it: &Department| it.key.as_str() == wanted || it.key.source() == wanted;
    if let Some(at) = departments.iter().position(by_id) {
        return Ok(at);
    }
    let called = |it: &Department| it.name.as_deref().is_some_and(|name| name.trim() == wanted);
    let named: Vec<usize> = (0..departments.len()).filter(|&at| called(&departments[at])).collect();
    match named[..] {
        [at] => Ok(at),
        [] => {
            let near = near(departments, wanted);
            Err(CanaryError::Unknown { wanted: wanted.to_owned(), near })
        }
        _ => {
            let keys = named.iter().map(|&at| departments[at].key.clone()).collect();
            Err(CanaryError::Ambiguous { name: wanted.to_owned(), keys })
        }
    }
}

/// The closest name, then names that contain what was asked for.
fn near(departments: &[Department], wanted: &str) -> Near {
    let names = || departments.iter().filter_map(|it| it.name.as_deref());
    let containing = names().filter(|name| !wanted.is_empty() && name.contains(wanted));
    let mut near: Vec<String> = Vec::new();
    for name in schema::nearest(wanted, names()).into_iter().chain(containing) {
        if near.len() < NAMED && !near.iter().any(|known| known == name) {
            near.push(name.to_owned());
        }
    }
    Near(near)
}

/// A department and all below it; a cycle ends where it began.
fn below(departments: &[Department], top: usize) -> BTreeSet<ExternalId> {
    let mut children: BTreeMap<&ExternalId, Vec<&ExternalId>> = BTreeMap::new();
    for department in departments {
        if let Some(parent) = &department.parent {
            children.entry(parent).or_default().push(&department.key);
        }
    }
    let mut inside = BTreeSet::new();
    let mut next = vec![&departments[top].key];
    while let Some(key) = next.pop() {
        if inside.insert(key.clone()) {
            next.extend(children.get(key).into_iter().flatten());
        }
    }
    inside
}

fn people(
    ledger: &Ledger,
    sides: Sides<'_>,
    inside: &BTreeSet<ExternalId>,
) -> Result<BTreeSet<String>, SyncError> {
    let mut found = BTreeSet::new();
    each(ledger, sides, Entity::Employee, |record, draft| {
        let person = draft.and_then(|draft| serde_json::from_slice(draft.json()).ok());
        let main = person.and_then(|it: PersonDraft| it.department_external_ids.into_iter().next());
        if main.is_some_and(|main| inside.contains(&main)) {
            found.insert(record.id.as_str().to_owned());
        }
    })?;
    Ok(found)
}

/// Every stored record of a kind that has not ended, with its draft.
fn each(
    ledger: &Ledger,
    sides: Sides<'_>,
    entity: Entity,
    mut take: impl FnMut(&Record, Option<&Draft>),
) -> Result<(), SyncError> {
    for frame in ledger.frames(entity, None) {
        let (id, records) = frame?;
        let records = impact::live(ledger, entity, id, records)?;
        for (record, old) in records.iter().zip(sides.old.map(entity, &records)) {
            match old {
                Mapped::Draft(draft) => take(record, Some(&draft)),
                Mapped::Skipped | Mapped::Rejected(_) => {
                    let new = sides.new.map(entity, std::slice::from_ref(record)).pop();
                    match new {
                        Some(Mapped::Draft(draft)) => take(record, Some(&draft)),
                        Some(Mapped::Skipped | Mapped::Rejected(_)) | None => take(record, None),
                    }
                }
            }
        }
    }
    Ok(())
}
