//! The gap ledger: which windows of attendance were read to their end, for whom; so that it can be shown that no hole is there.
//!
//! People of whom the same was read form a [`cohort::Cohort`]; nearly everyone is in one. A run reads, batch by batch, what
//! its cohorts lack and the look-back; whoever is new gets a back-fill of their own. What a batch did not read to the end
//! stays a gap of its people and is read again by every run until it succeeds. Claims are filed once the run has written
//! everything, so a run that was killed or held has read nothing. Not for: which records there are. The invariant: a window
//! is claimed for a person only if a run read it to the end for them and wrote what it found.

mod cohort;
mod spans;
mod turns;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use cohort::{Cohort, Cohorts};
pub use spans::Spans;

pub(super) use cohort::Reach;
use turns::Outcome;
pub(super) use turns::{Turn, Turns};

use super::ledger::{Ledger, Standing};
use super::windows;
use crate::model::entity::Entity;
use crate::model::ids::{RunId, SourceId};
use crate::model::record::{AttendanceBatch, Window};
use crate::port::store::StoreError;

/// What is to be read of a kind, for whom.
#[derive(Clone)]
pub(super) struct Agenda {
    batch: AttendanceBatch,
    reach: Reach,
    cohorts: Cohorts,
}

/// People of one cohort who are asked about together.
struct Batch {
    /// Counts the batches of a walk; the same state gives the same batches.
    number: u64,
    /// `None` for people of whom nothing was read.
    cohort: Option<u64>,
    people: Vec<SourceId>,
}

/// What a run did about an agenda.
pub(super) struct Reading {
    pub(super) agenda: Agenda,
    pub(super) turns: Turns,
    /// Whether the walk met people who are new, who have ended, or whose cohort another one stands for.
    pub(super) unsettled: bool,
}

impl Agenda {
    /// What a run at this moment reads.
    pub(super) fn open(
        ledger: &Ledger,
        batch: AttendanceBatch,
        reach: Reach,
    ) -> Result<Self, StoreError> {
        Ok(Self { batch, reach, cohorts: ledger.cohorts(batch.entity)? })
    }

    /// Hands out every turn in order; ends early when `take` no longer takes them. Tells whether memberships need care.
    pub(super) fn turns(
        &self,
        ledger: &Ledger,
        mut take: impl FnMut(Turn) -> bool,
    ) -> Result<bool, StoreError> {
        let mut unsettled = false;
        self.walk(
            ledger,
            |batch| {
                let windows: Vec<Window> = self.slices(batch.cohort).collect();
                unsettled |= batch.cohort.is_none_or(|n| self.cohorts.canonical(n) != Some(n));
                let (people, of): (Arc<[SourceId]>, _) = (batch.people.into(), windows.len());
                let turn =
                    |window| Turn { people: people.clone(), window, batch: batch.number, of };
                Ok(windows.into_iter().all(|window| take(turn(window))))
            },
            |_| Ok(()),
        )
        .map(|ended| unsettled || ended > 0)
    }

    /// How many turns there are, about, for an estimate.
    pub(super) fn count(&self, people: u64) -> u64 {
        let usual = self.cohorts.table.keys().map(|&n| self.slices(Some(n)).count()).min();
        let batches = people.div_ceil(self.batch.people.max(1) as u64);
        batches * usual.unwrap_or_else(|| self.slices(None).count()) as u64
    }

    fn needed(&self, cohort: Option<u64>) -> Vec<Window> {
        let known = cohort.and_then(|number| self.cohorts.table.get(&number));
        known.map_or_else(
            || self.reach.newcomer().needed(&self.reach),
            |cohort| cohort.needed(&self.reach),
        )
    }

    fn slices(&self, cohort: Option<u64>) -> impl Iterator<Item = Window> {
        let days = self.batch.days;
        self.needed(cohort).into_iter().flat_map(move |window| windows::slices(window, days))
    }

    /// Passes on everyone who has not ended, in batches of one cohort, and those with claims who have. The same state gives
    /// the same batches. Returns how many have ended.
    fn walk(
        &self,
        ledger: &Ledger,
        mut each: impl FnMut(Batch) -> Result<bool, StoreError>,
        mut ended: impl FnMut(&str) -> Result<(), StoreError>,
    ) -> Result<u64, StoreError> {
        let entity = self.batch.entity;
        let size = self.batch.people.max(1);
        let mut open: BTreeMap<Option<u64>, Vec<SourceId>> = BTreeMap::new();
        let (mut number, mut gone) = (0, 0);
        for pair in ledger.entries(Entity::Employee, None) {
            let (source, entry) = pair?;
            let member = ledger.member(entity, &source)?;
            if entry.wanted == Standing::Retired {
                if member.is_some() {
                    gone += 1;
                    ended(&source)?;
                }
                continue;
            }
            let Ok(person) = SourceId::parse(&source) else { continue };
            // A number that nothing is known of any more is that of a run that was killed.
            let cohort = member.filter(|number| self.cohorts.table.contains_key(number));
            let people = open.entry(cohort).or_default();
            people.push(person);
            if people.len() >= size {
                let people = std::mem::take(people);
                if !each(Batch { number, cohort, people })? {
                    return Ok(gone);
                }
                number += 1;
            }
        }
        for (cohort, people) in open.into_iter().filter(|(_, people)| !people.is_empty()) {
            if !each(Batch { number, cohort, people })? {
                break;
            }
            number += 1;
        }
        Ok(gone)
    }
}

impl Reading {
    /// Files what was read, once everything that it brought was written. Returns how many windows are still missing.
    pub(super) fn settle(&self, ledger: &Ledger, run: RunId) -> Result<u64, StoreError> {
        let Self { agenda, turns, unsettled } = self;
        let entity = agenda.batch.entity;
        let mut after = agenda.cohorts.clone();
        after.number_from(run);
        if !turns.is_cut() {
            for cohort in after.table.values_mut() {
                *cohort = cohort.after(&cohort.needed(&agenda.reach), &[], &agenda.reach);
            }
        }
        if *unsettled || turns.is_cut() || turns.has_failed() {
            self.move_people(ledger, &mut after)?;
        }
        ledger.write_index(vec![ledger.put_cohorts(entity, &after)])?;
        let gaps = after.table.values().map(|cohort| cohort.gaps(agenda.reach.now).len() as u64);
        Ok(gaps.sum())
    }

    /// Gives everyone the cohort that claims what was read for them, and forgets those that are empty. Numbers are never used
    /// twice, so a run that is killed in between leaves people without a claim, not with a wrong one.
    fn move_people(&self, ledger: &Ledger, after: &mut Cohorts) -> Result<(), StoreError> {
        let Agenda { batch: AttendanceBatch { entity, .. }, reach, cohorts } = &self.agenda;
        let mut used = BTreeSet::new();
        let each = |batch: Batch| {
            let before = batch.cohort.and_then(|number| cohorts.table.get(&number));
            let place = match self.turns.outcome(batch.number) {
                Outcome::Unread => batch.cohort,
                Outcome::Read if !self.turns.is_cut() && before.is_some() => {
                    batch.cohort.and_then(|number| after.canonical(number))
                }
                outcome => {
                    let before = before.cloned().unwrap_or_else(|| reach.newcomer());
                    let needed = before.needed(reach);
                    Some(after.place(&before.after(&needed, outcome.failed(), reach)))
                }
            };
            used.extend(place);
            let Some(number) = place.filter(|_| place != batch.cohort) else { return Ok(true) };
            let moved = batch.people.iter();
            let moved = moved.map(|person| ledger.put_member(*entity, person.as_str(), number));
            ledger.write_index(moved.collect())?;
            Ok(true)
        };
        let ended = |source: &str| ledger.write_index(vec![ledger.delete_member(*entity, source)]);
        self.agenda.walk(ledger, each, ended)?;
        after.table.retain(|number, _| used.contains(number));
        Ok(())
    }
}
