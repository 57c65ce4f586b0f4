//! Ends what a certified listing no longer shows.

use std::sync::Arc;

use crate::model::entity::Entity;
use crate::model::ids::{ConnectionId, ExternalId, RunId};
use crate::model::plan::Change;
use crate::port::store::Op;
use crate::port::target::Target;

use super::SyncError;
use super::keeper::{Close, Keeper};
use super::ledger::{Entry, Ledger, OpenSet, Phase, Standing};
use super::matching::Matcher;
use super::order;
use super::scribe::{GROUP, Tallied, weigh};

/// How many records of a kind stood before a run.
pub(super) fn known(ledger: &Ledger, entity: Entity, run: RunId) -> Result<u64, SyncError> {
    let mut known = 0;
    for pair in ledger.entries(entity, None) {
        let (_, entry) = pair?;
        let before = if entry.run == run { entry.applied } else { ledger.in_force(&entry, run) };
        known += u64::from(matches!(before, Standing::Present(_)));
    }
    Ok(known)
}

/// Plans the ends of one kind.
pub(super) struct Retirer {
    pub(super) ledger: Ledger,
    pub(super) connection: ConnectionId,
    pub(super) entity: Entity,
    pub(super) run: RunId,
    /// People only: who is the same person elsewhere, if the tenant says how to tell.
    pub(super) matcher: Option<Arc<Matcher>>,
    pub(super) keeper: Keeper,
}

impl Retirer {
    /// Plans the end of every standing record that was not met, and notes that of those that have no row.
    pub(super) fn plan(&mut self, out: &mut Tallied) -> Result<(), SyncError> {
        // Whoever was ever met is met again, so nobody is missing and no entry need be looked at.
        if out.seen.count() == u64::from(out.meta.slots) {
            return Ok(());
        }
        let ledger = self.ledger.clone();
        let mut group = Vec::new();
        let mut seq = 0;
        for pair in ledger.entries(self.entity, None) {
            let (source, entry) = pair?;
            let stands = matches!(ledger.in_force(&entry, self.run), Standing::Present(_));
            let known = ledger.is_gone(&entry, self.run) && !stands;
            if known || out.seen.contains(entry.slot) {
                continue;
            }
            self.part(&source, &entry)?;
            group.push((source, entry));
            if group.len() == GROUP {
                self.write(&mut group, &mut seq, out)?;
            }
        }
        self.write(&mut group, &mut seq, out)
    }

    /// A person who is gone owns their employee still; one who was linked lets go of it.
    fn part(&self, source: &str, entry: &Entry) -> Result<(), SyncError> {
        let Some(matcher) = &self.matcher else { return Ok(()) };
        match self.ledger.in_force(entry, self.run) {
            Standing::Present(_) => matcher.ended(source)?,
            Standing::Unknown => matcher.left(source)?,
            Standing::Retired => {}
        }
        Ok(())
    }

    fn write(
        &mut self,
        group: &mut Vec<(String, Entry)>,
        seq: &mut u32,
        out: &mut Tallied,
    ) -> Result<(), SyncError> {
        let mut index = Vec::with_capacity(3 * group.len());
        let ended = group.iter().map(|(source, entry)| (source.as_str(), entry, Close::Ended));
        out.archived += self.keeper.keep(&self.ledger, ended, &mut index)?;
        let mut changes = OpenSet::default();
        for (source, entry) in group.drain(..) {
            let held = self.ledger.in_force(&entry, self.run);
            self.end(&source, entry, held, &mut index);
            if matches!(held, Standing::Present(_)) {
                let change = Change::end(ExternalId::of(&self.connection, self.entity, &source));
                out.tally.count(change.verb);
                out.digest = out.digest.wrapping_add(weigh(&change));
                changes.push(&change)?;
            }
        }
        if !changes.is_empty() {
            let phase = Phase::Retire(self.entity);
            let set = self.ledger.put_set(self.run, phase, *seq, &mut changes)?;
            self.ledger.write_blobs(vec![set])?;
            *seq += 1;
        }
        Ok(self.ledger.write_index(index)?)
    }

    /// Notes an end. What was wrong with a record is of no interest any more.
    fn end(&self, source: &str, entry: Entry, held: Standing, index: &mut Vec<Op>) {
        let (entity, run) = (self.entity, self.run);
        if entry.parked {
            index.push(self.ledger.delete_parked(entity, source));
        }
        let applied = if entry.run == run { entry.applied } else { held };
        let wanted = Standing::Retired;
        let entry =
            Entry { wanted, applied, run, parked: false, absent: true, replayed: false, ..entry };
        index.push(self.ledger.put_entry(entity, source, &entry));
    }
}

/// Departments that end, children before their parents.
pub(super) async fn children_first(
    target: &Arc<dyn Target>,
    changes: Vec<Change>,
) -> Result<Vec<Change>, SyncError> {
    let keys: Vec<ExternalId> = changes.iter().map(|change| change.external_id.clone()).collect();
    let held = target.load(Entity::Department, &keys).await?;
    let with_parents = changes.into_iter().zip(held).map(|(change, held)| Change {
        json: held.map(|held| held.json).unwrap_or_default(),
        ..change
    });
    let mut ordered = order::parents_first(with_parents.collect());
    ordered.reverse();
    for change in &mut ordered {
        change.json = bytes::Bytes::new();
    }
    Ok(ordered)
}
