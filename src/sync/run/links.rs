//! What holds a run together with the runs before it and beside it: who is the same person, what was read, what stood.
//!
//! The invariant: nothing is filed here before everything that the run planned was written.

use std::collections::BTreeMap;

use crate::model::canary::Tried;
use crate::model::entity::Entity;
use crate::model::hash::ContentHash;
use crate::model::plan::Tallies;
use crate::port::mapper::Mapper;
use crate::sync::SyncError;
use crate::sync::certify::Doubt;
use crate::sync::ledger::{InForce, Ledger, RunRecord};
use crate::sync::phase::Source;
use crate::sync::report::Counts;
use crate::sync::retire;

use super::{Run, Syncer, blocking};

impl Syncer {
    /// Keeps the texts that a run maps by, so that what it did can be told and repeated later.
    pub(super) async fn keep_sources(
        &self,
        mapper: &dyn Mapper,
        ledger: &Ledger,
    ) -> Result<Option<ContentHash>, SyncError> {
        let Some(sources) = mapper.sources().cloned() else { return Ok(None) };
        let ledger = ledger.clone();
        blocking(move || Ok(Some(ledger.keep_sources(&sources)?))).await
    }
}

impl Run<'_> {
    /// What the drafts of a kind depend on: its mapping, and how people are matched.
    pub(super) fn digest_of(&self, entity: Entity) -> Option<ContentHash> {
        let digest = self.request.mapper.digest(entity)?;
        let Some(matcher) = &self.matcher else { return Some(digest) };
        Some(ContentHash::of_parts([&digest.0[..], &matcher.digest().0[..]]))
    }

    /// Maps what refers to people once more, where this run or another one has changed who they are.
    pub(super) async fn relink(&mut self) -> Result<(), SyncError> {
        let Some(matcher) = self.matcher.clone() else { return Ok(()) };
        let (directory, attendance) = matcher.todo();
        for entity in Entity::ALL {
            let touched = match entity {
                Entity::Department | Entity::Employee => directory,
                Entity::CheckIn | Entity::AttendanceDay | Entity::Leave => attendance,
            };
            if touched
                && self.request.mapper.digest(entity).is_some()
                && self.ledger.meta(entity)?.slots > 0
            {
                self.phase(entity, Source::Stored, false).await?;
            }
        }
        Ok(())
    }

    /// How many records stood before, of kinds of which some end.
    pub(super) async fn known(&self, plan: &Tallies) -> Result<Counts, SyncError> {
        let ending: Vec<Entity> =
            plan.iter().filter(|(_, tally)| tally.retire > 0).map(|(&entity, _)| entity).collect();
        let (ledger, run) = (self.ledger.clone(), self.id);
        blocking(move || {
            let known = |entity| Ok((entity, retire::known(&ledger, entity, run)?));
            ending.into_iter().map(known).collect()
        })
        .await
    }

    /// Files what holds of each kind once everything is written.
    pub(super) fn settle_meta(&self) -> Result<(), SyncError> {
        let mut ops = Vec::new();
        for entity in Entity::ALL {
            let mut meta = self.ledger.meta(entity)?;
            let before = meta.clone();
            meta.digest = self.digests.get(&entity).copied().or(meta.digest);
            meta.read_until = self.read_until.get(&entity).copied().or(meta.read_until);
            if meta != before {
                ops.push(self.ledger.put_meta(entity, &meta));
            }
        }
        Ok(self.ledger.write_index(ops)?)
    }

    /// Files the generation that the run wrote by as the one in force.
    pub(super) async fn adopt(&self, record: &RunRecord) -> Result<(), SyncError> {
        let Some(digest) = record.generation else { return Ok(()) };
        let mapper = &self.request.mapper;
        let known = |entity| Some((entity, mapper.digest(entity)?));
        let mappings = mapper.entities().into_iter().filter_map(known).collect();
        let tried = mapper.canary().map(|it| Tried { canary: it.id(), edited: it.edited });
        let since_ms = self.syncer.clock.now_ms();
        let generation = InForce { digest, run: self.id, since_ms, mappings, canary: tried };
        let ledger = self.ledger.clone();
        blocking(move || Ok(ledger.adopt(&generation)?)).await
    }

    /// Why listings were not certified, for the record of the run.
    pub(super) fn told_doubts(&self) -> BTreeMap<Entity, Vec<String>> {
        let told = |(&entity, doubts): (&Entity, &Vec<Doubt>)| {
            (entity, doubts.iter().map(ToString::to_string).collect())
        };
        self.doubts.iter().map(told).collect()
    }

    /// Files which windows of attendance were read: what they brought is written now.
    pub(super) async fn settle_readings(&mut self) -> Result<(), SyncError> {
        for (entity, reading) in std::mem::take(&mut self.readings) {
            let (ledger, run) = (self.ledger.clone(), self.id);
            let gaps = blocking(move || Ok(reading.settle(&ledger, run)?)).await?;
            self.gaps.insert(entity, gaps);
        }
        Ok(())
    }
}
