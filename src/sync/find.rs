//! Reads the objects of a targeted run, before the run begins: what cannot be read leaves no trace.
//!
//! What this is not: a listing. The one invariant: an object that the platform does not return is not mentioned again; its
//! absence says nothing, only a certified listing ends a record.

use std::collections::BTreeSet;

use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use crate::model::entity::Entity;
use crate::model::fault::Fault;
use crate::model::ids::{ExternalId, SourceId};
use crate::model::record::Record;
use crate::port::mapper::{Mapped, Mapper};
use crate::port::provider::Provider;

use super::SyncError;
use super::ledger::{Ledger, Standing};
use super::order;
use super::run::blocking;
use super::targets::Targets;

/// The most objects that one call fetches.
const FETCH: usize = 50;
/// How many levels of unknown departments above a known person are fetched: more than any platform allows.
const LEVELS: usize = 64;

/// What was found.
#[derive(Default)]
pub(super) struct Found {
    pub(super) departments: Vec<Record>,
    pub(super) people: Vec<Record>,
    /// What the platform refused to tell, object by object.
    pub(super) failures: Vec<String>,
}

/// See the module.
pub(super) struct Finder<'a> {
    pub(super) provider: &'a dyn Provider,
    pub(super) mapper: &'a dyn Mapper,
    pub(super) ledger: &'a Ledger,
    pub(super) stop: &'a CancellationToken,
}

impl Finder<'_> {
    /// Reads the people and departments named, and the departments they are in as far as those are not known yet.
    ///
    /// # Errors
    /// [`SyncError::Provider`] when the platform cannot be read now, or cannot read single objects of a kind at all;
    /// [`SyncError::Stopped`].
    pub(super) async fn find(&self, targets: &Targets) -> Result<Found, SyncError> {
        let mut found = Found::default();
        let mut people: BTreeSet<SourceId> = targets.of(Entity::Employee).cloned().collect();
        for (_, punching) in targets.attendance() {
            people.extend(self.unknown(Entity::Employee, punching.iter().cloned()).await?);
        }
        if self.mapper.digest(Entity::Employee).is_some() {
            found.people = self.fetch(Entity::Employee, &people, &mut found.failures).await?;
        }
        if self.mapper.digest(Entity::Department).is_some() {
            let of_people = self.departments_of(&found.people);
            let mut next: BTreeSet<SourceId> = targets.of(Entity::Department).cloned().collect();
            next.extend(self.unknown(Entity::Department, of_people).await?);
            self.departments(next, &mut found).await?;
        }
        Ok(found)
    }

    /// Reads departments, then their parents, until all are known.
    async fn departments(
        &self,
        mut next: BTreeSet<SourceId>,
        found: &mut Found,
    ) -> Result<(), SyncError> {
        let mut asked = BTreeSet::new();
        for _ in 0..LEVELS {
            if next.is_empty() {
                break;
            }
            let records = self.fetch(Entity::Department, &next, &mut found.failures).await?;
            asked.append(&mut next);
            let parents = self.drafts(Entity::Department, &records, order::parent_of);
            let parents = parents.into_iter().filter(|id| !asked.contains(id));
            next = self.unknown(Entity::Department, parents).await?;
            found.departments.extend(records);
        }
        Ok(())
    }

    async fn fetch(
        &self,
        entity: Entity,
        ids: &BTreeSet<SourceId>,
        failures: &mut Vec<String>,
    ) -> Result<Vec<Record>, SyncError> {
        let ids: Vec<SourceId> = ids.iter().cloned().collect();
        let mut records = Vec::with_capacity(ids.len());
        for part in ids.chunks(FETCH) {
            if self.stop.is_cancelled() {
                return Err(SyncError::Stopped);
            }
            match self.provider.fetch(entity, part).await {
                Ok(fetched) => records.extend(fetched),
                Err(fault) if !of_single_objects(&fault) => return Err(fault.into()),
                // One of them spoils the call: each is asked for alone, so that the others are read.
                Err(_) => {
                    for id in part {
                        match self.provider.fetch(entity, std::slice::from_ref(id)).await {
                            Ok(fetched) => records.extend(fetched),
                            Err(fault) if !of_single_objects(&fault) => return Err(fault.into()),
                            Err(fault) => failures.push(format!("{entity} {id}: {fault}")),
                        }
                    }
                }
            }
        }
        Ok(records)
    }

    /// The departments that people are in.
    fn departments_of(&self, people: &[Record]) -> BTreeSet<SourceId> {
        #[derive(Deserialize)]
        struct Person {
            #[serde(default)]
            department_external_ids: Option<Vec<String>>,
        }
        let of = |json: &[u8]| {
            serde_json::from_slice::<Person>(json).ok().and_then(|it| it.department_external_ids)
        };
        self.drafts(Entity::Employee, people, |json| of(json).into_iter().flatten())
    }

    /// The sources of what drafts refer to.
    fn drafts<I: IntoIterator<Item = String>>(
        &self,
        entity: Entity,
        records: &[Record],
        refers: impl Fn(&[u8]) -> I,
    ) -> BTreeSet<SourceId> {
        let source = |key: String| SourceId::parse(ExternalId::parse(&key)?.source()).ok();
        let mut sources = BTreeSet::new();
        for mapped in self.mapper.map(entity, records) {
            if let Mapped::Draft(draft) = mapped {
                sources.extend(refers(draft.json()).into_iter().filter_map(source));
            }
        }
        sources
    }

    /// Those of `ids` of which no standing record is known.
    async fn unknown(
        &self,
        entity: Entity,
        ids: impl IntoIterator<Item = SourceId>,
    ) -> Result<BTreeSet<SourceId>, SyncError> {
        let mut ids: BTreeSet<SourceId> = ids.into_iter().collect();
        let ledger = self.ledger.clone();
        blocking(move || {
            let mut fault = None;
            ids.retain(|id| match ledger.entry(entity, id.as_str()) {
                Ok(entry) => entry.is_none_or(|entry| entry.wanted == Standing::Retired),
                Err(cause) => {
                    fault = Some(cause);
                    false
                }
            });
            fault.map_or(Ok(ids), |cause| Err(cause.into()))
        })
        .await
    }
}

/// Whether a fault is about the objects asked for; any other one is about the platform.
fn of_single_objects(fault: &Fault) -> bool {
    match fault {
        Fault::NotFound | Fault::Invalid(_) | Fault::Forbidden(_) => true,
        Fault::Unauthorized(_)
        | Fault::RateLimited(_)
        | Fault::StaleCursor
        | Fault::Unavailable(_)
        | Fault::Unsupported
        | Fault::Plugin(_) => false,
    }
}
