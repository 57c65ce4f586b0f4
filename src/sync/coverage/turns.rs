//! Which turns of an agenda were read to their end. Pure.
//!
//! Turns are handed out batch by batch and end in any order; only what is not yet settled is kept. The invariant: a batch
//! counts as read only when every one of its turns was.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::ids::SourceId;
use crate::model::record::Window;

/// Some people in one window.
#[derive(Clone, Debug)]
pub(in crate::sync) struct Turn {
    pub(in crate::sync) people: Arc<[SourceId]>,
    pub(in crate::sync) window: Window,
    /// The batch of people, by number.
    pub(in crate::sync) batch: u64,
    /// How many turns the batch has.
    pub(in crate::sync) of: usize,
}

/// See the module.
#[derive(Debug, Default)]
pub(in crate::sync) struct Turns {
    /// Turns that a batch still has.
    open: BTreeMap<u64, usize>,
    failed: BTreeMap<u64, Vec<Window>>,
    /// Batches from `below` on whose turns have all ended.
    ended: BTreeSet<u64>,
    /// Every batch before this one has ended.
    below: u64,
    whole: bool,
}

/// What became of a batch.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome<'a> {
    /// Not all of its turns were made.
    Unread,
    /// Every turn was read to its end.
    Read,
    /// These were not.
    Failed(&'a [Window]),
}

impl Outcome<'_> {
    pub(super) fn failed(&self) -> &[Window] {
        match self {
            Self::Unread | Self::Read => &[],
            Self::Failed(windows) => windows,
        }
    }
}

impl Turns {
    /// Takes note of a turn that has ended.
    pub(in crate::sync) fn note(&mut self, turn: &Turn, read: bool) {
        if !read {
            self.failed.entry(turn.batch).or_default().push(turn.window);
        }
        let left = self.open.entry(turn.batch).or_insert(turn.of);
        *left = left.saturating_sub(1);
        if *left == 0 {
            self.open.remove(&turn.batch);
            self.ended.insert(turn.batch);
            while self.ended.remove(&self.below) {
                self.below += 1;
            }
        }
    }

    /// Every turn was handed out and has ended.
    pub(in crate::sync) fn finish(&mut self) {
        self.whole = true;
    }

    /// Whether the agenda was broken off.
    pub(super) fn is_cut(&self) -> bool {
        !self.whole
    }

    pub(super) fn has_failed(&self) -> bool {
        !self.failed.is_empty()
    }

    pub(super) fn outcome(&self, batch: u64) -> Outcome<'_> {
        if batch >= self.below && !self.ended.contains(&batch) {
            return Outcome::Unread;
        }
        self.failed.get(&batch).map_or(Outcome::Read, |windows| Outcome::Failed(windows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(batch: u64, start: i64) -> Turn {
        Turn { people: Arc::new([]), window: Window { start, end: start + 1 }, batch, of: 2 }
    }

    #[test]
    fn a_batch_is_read_when_all_its_turns_are_in_whatever_order() {
        let mut turns = Turns::default();
        for (batch, start, read) in [(1, 0, true), (0, 0, true), (1, 1, true), (2, 0, false)] {
            turns.note(&turn(batch, start), read);
        }
        assert_eq!(turns.outcome(0), Outcome::Unread);
        assert_eq!(turns.outcome(1), Outcome::Read);
        assert_eq!(turns.outcome(2), Outcome::Unread);
        turns.note(&turn(0, 1), true);
        turns.note(&turn(2, 1), true);
        assert_eq!(turns.outcome(0), Outcome::Read);
        assert_eq!(turns.outcome(2), Outcome::Failed(&[Window { start: 0, end: 1 }]));
        assert_eq!(turns.outcome(3), Outcome::Unread);
        assert!(turns.is_cut() && turns.has_failed());
    }

    #[test]
    fn what_has_ended_takes_no_room() {
        let mut turns = Turns::default();
        for batch in 0..10_000 {
            turns.note(&turn(batch, 0), true);
            turns.note(&turn(batch, 1), true);
        }
        assert!(turns.open.is_empty() && turns.ended.is_empty() && turns.failed.is_empty());
    }
}
