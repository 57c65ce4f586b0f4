//! The parallel half of a run: hashes records, compares them with what is known, maps those that changed.
//!
//! Runs on every core; decides nothing that depends on order. The scribe has the last word on each record.

use bytes::Bytes;

use crate::model::entity::Entity;
use crate::model::hash::ContentHash;
use crate::model::ids::{ConnectionId, ExternalId, RunId, SourceId};
use crate::model::record::Record;
use crate::port::mapper::{Mapped, Mapper, Reject};
use crate::port::store::StoreError;

use super::ledger::{Entry, Ledger, Standing};
use super::matching::Matcher;

/// Where records came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// Read from the platform in this run.
    Pulled,
    /// Kept from an earlier run; mapped again.
    Stored,
    /// Kept, and written again whatever the state says about it: the target is asked what it holds.
    Replayed,
    /// The same, of a record that was not there at the time that is replayed.
    Ended,
}

impl Origin {
    /// Whether the target's word counts, not the state's.
    pub(super) fn asks_target(self) -> bool {
        matches!(self, Self::Replayed | Self::Ended)
    }
}

/// Records on their way in.
pub(super) struct Batch {
    pub(super) origin: Origin,
    pub(super) records: Vec<Record>,
}

/// A record that is new, changed or mapped again.
pub(super) struct Item {
    pub(super) id: SourceId,
    pub(super) payload: Bytes,
    pub(super) raw: ContentHash,
    pub(super) mapped: Mapped,
}

/// A batch after comparison and mapping.
pub(super) struct Judged {
    pub(super) origin: Origin,
    /// Slots of records that are as they were.
    pub(super) unchanged: Vec<u32>,
    pub(super) items: Vec<Item>,
}

/// What a worker needs.
#[derive(Clone)]
pub(super) struct Intake<'a> {
    pub(super) entity: Entity,
    pub(super) run: RunId,
    pub(super) connection: &'a ConnectionId,
    pub(super) ledger: &'a Ledger,
    pub(super) mapper: &'a dyn Mapper,
    /// The target lost what it held: everything is mapped and written again.
    pub(super) rebuild: bool,
    /// Nothing of this kind has an entry yet: none is looked for.
    pub(super) unknown: bool,
    /// Who is the same person elsewhere, if the tenant says how to tell.
    pub(super) matcher: Option<&'a Matcher>,
}

impl Intake<'_> {
    /// Compares and maps one batch.
    pub(super) fn judge(&self, batch: Batch) -> Result<Judged, StoreError> {
        let mut unchanged = Vec::new();
        let mut changed = Vec::new();
        let mut hashes = Vec::new();
        for record in batch.records {
            let entry = if self.unknown {
                None
            } else {
                self.ledger.entry(self.entity, record.id.as_str())?
            };
            // A replayed payload may be an old one; the newest is still the one that is kept.
            let raw = match entry.filter(|_| batch.origin.asks_target()) {
                Some(entry) => entry.raw,
                None => ContentHash::of(&record.payload),
            };
            let settled = entry.filter(|entry| self.settled(entry, raw, batch.origin));
            if let Some(entry) = settled
                && self.ledger.frame_stands(self.entity, &entry)?
            {
                unchanged.push(entry.slot);
            } else {
                changed.push(record);
                hashes.push(raw);
            }
        }
        let mapped = match batch.origin {
            Origin::Ended => changed.iter().map(|_| Mapped::Skipped).collect(),
            Origin::Pulled | Origin::Stored | Origin::Replayed => {
                self.mapper.map(self.entity, &changed)
            }
        };
        let items = changed.into_iter().zip(hashes).zip(mapped).map(|((record, raw), mapped)| {
            let mapped = self.relinked(self.own_key(&record.id, mapped))?;
            Ok(Item { id: record.id, payload: record.payload, raw, mapped })
        });
        let items: Result<Vec<Item>, StoreError> = items.collect();
        Ok(Judged { origin: batch.origin, unchanged, items: items? })
    }

    fn relinked(&self, mapped: Mapped) -> Result<Mapped, StoreError> {
        match (mapped, self.matcher) {
            (Mapped::Draft(draft), Some(matcher)) => {
                matcher.relink(self.entity, draft).map(Mapped::Draft)
            }
            (mapped, _) => Ok(mapped),
        }
    }

    /// A draft keeps the key of the object it was made from, or the object's end would not be found again.
    fn own_key(&self, id: &SourceId, mapped: Mapped) -> Mapped {
        match mapped {
            Mapped::Draft(draft) if *draft.external_id() != self.key(id) => {
                Mapped::Rejected(Reject {
                    code: "mapping::external_id".to_owned(),
                    field: Some("external_id".to_owned()),
                    message: format!(
                        "`external_id` is not the key of this {}; make it id(\"{0}\", ..) of the id that the \
                         connector lists it by",
                        self.entity
                    ),
                    place: None,
                })
            }
            other => other,
        }
    }

    fn key(&self, id: &SourceId) -> ExternalId {
        ExternalId::of(self.connection, self.entity, id.as_str())
    }

    /// Whether nothing needs to be done about a record that has this entry.
    fn settled(&self, entry: &Entry, raw: ContentHash, origin: Origin) -> bool {
        origin == Origin::Pulled
            && !self.rebuild
            && entry.raw == raw
            && entry.wanted != Standing::Retired
            // What was refused may pass now: it may have depended on other records, or on the target.
            && !entry.parked
            && self.ledger.in_force(entry, self.run) == entry.wanted
    }
}
