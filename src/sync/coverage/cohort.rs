//! People of whom the same has been read, and what is to be read of them next. Pure.
//!
//! The invariant: what a cohort claims was read to its end for every one of its people.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::spans::Spans;
use crate::config::Attendance;
use crate::model::ids::RunId;
use crate::model::record::Window;
use crate::sync::windows::{DAY, day_start};

/// With more cohorts than this, people with a gap of their own share one that claims what all of them have.
const MOST: usize = 1024;

/// What has been read of some people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cohort {
    /// Everything from here on is to be read, Unix seconds.
    pub from: i64,
    /// What was read to its end.
    pub read: Spans,
}

/// The cohorts of one kind of attendance, by number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cohorts {
    /// The next number; never one that was used before.
    pub next: u64,
    /// By number.
    pub table: BTreeMap<u64, Cohort>,
}

/// When a run reads, and how far.
#[derive(Clone)]
pub(in crate::sync) struct Reach {
    pub(in crate::sync) now: i64,
    pub(in crate::sync) attendance: Attendance,
    pub(in crate::sync) zone: TimeZone,
}

impl Reach {
    /// Where the back-fill of someone who is new begins.
    fn begin(&self) -> i64 {
        let start = self.now - i64::from(self.attendance.backfill_days) * DAY;
        let since = self.attendance.since.and_then(|day| day.to_zoned(self.zone.clone()).ok());
        let start = since.map_or(start, |since| start.max(since.timestamp().as_second()));
        day_start(start, &self.zone)
    }

    /// The end of today.
    fn end(&self) -> i64 {
        day_start(self.now + DAY, &self.zone).max(self.now + 1)
    }

    /// What is older is forgotten once it was read.
    fn horizon(&self) -> i64 {
        let days = self.attendance.backfill_days.max(self.attendance.lookback_days);
        day_start(self.now - i64::from(days) * DAY, &self.zone)
    }

    /// Someone of whom nothing has been read.
    pub(in crate::sync) fn newcomer(&self) -> Cohort {
        Cohort { from: self.begin(), read: Spans::default() }
    }
}

impl Cohort {
    /// The windows to read: what was never read to its end, and the look-back before the last moment that was.
    pub(in crate::sync) fn needed(&self, reach: &Reach) -> Vec<Window> {
        let from = self.from.min(reach.begin());
        let back = i64::from(reach.attendance.lookback_days) * DAY;
        let reopened = self.read.end().map_or(from, |end| end.min(reach.now) - back);
        let reopened = day_start(reopened, &reach.zone).max(from);
        let mut needed: Spans = self
            .read
            .holes(Window { start: from, end: reach.end() })
            .into_iter()
            .map(|hole| Window { start: day_start(hole.start, &reach.zone).max(from), ..hole })
            .collect();
        needed.add(Window { start: reopened, end: reach.end() });
        needed.iter().collect()
    }

    /// The cohort of those for whom all of `needed` but `failed` was read.
    pub(in crate::sync) fn after(
        &self,
        needed: &[Window],
        failed: &[Window],
        reach: &Reach,
    ) -> Self {
        let mut read = self.read.clone();
        for window in needed {
            // What is yet to happen today has not been read.
            read.add(Window { end: window.end.min(reach.now), ..*window });
        }
        // Also what was claimed before: what came late there has been missed.
        for window in failed {
            read.remove(*window);
        }
        let mut after = Self { from: self.from.min(reach.begin()), read };
        after.forget(reach);
        after
    }

    /// Lets go of what is older than the horizon, unless something there is still missing.
    fn forget(&mut self, reach: &Reach) {
        let old = Window { start: self.from, end: reach.horizon().min(reach.now) };
        if old.start < old.end && self.read.holes(old).is_empty() {
            self.from = old.end;
            self.read.remove(Window { start: i64::MIN, end: old.end });
        }
    }

    /// What is missing up to a moment.
    pub fn gaps(&self, until: i64) -> Vec<Window> {
        self.read.holes(Window { start: self.from, end: until })
    }
}

impl Cohorts {
    /// Numbers of this run are above those of every run before, also of one that was killed before it filed them.
    pub(in crate::sync) fn number_from(&mut self, run: RunId) {
        self.next = self.next.max(u64::from(run.0) << 16);
    }

    /// The number of a cohort that claims just this; made if there is none, or where there is no room, the last one cut
    /// down to what both claim.
    pub(in crate::sync) fn place(&mut self, wanted: &Cohort) -> u64 {
        if let Some((&number, _)) = self.table.iter().find(|(_, cohort)| *cohort == wanted) {
            return number;
        }
        if self.table.len() >= MOST
            && let Some(mut last) = self.table.last_entry()
        {
            let cohort = last.get_mut();
            cohort.from = cohort.from.min(wanted.from);
            cohort.read = cohort.read.meet(&wanted.read);
            return *last.key();
        }
        let number = self.next;
        self.next += 1;
        self.table.insert(number, wanted.clone());
        number
    }

    /// The first number that stands for the same as this one.
    pub(in crate::sync) fn canonical(&self, number: u64) -> Option<u64> {
        let cohort = self.table.get(&number)?;
        self.table.iter().find(|(_, other)| *other == cohort).map(|(&first, _)| first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(day: i64) -> Reach {
        let attendance = Attendance { lookback_days: 2, backfill_days: 10, since: None };
        Reach { now: day * DAY + 36_000, attendance, zone: TimeZone::UTC }
    }

    fn days(windows: &[Window]) -> Vec<(i64, i64)> {
        windows.iter().map(|w| (w.start.div_euclid(DAY), w.end.div_euclid(DAY))).collect()
    }

    #[test]
    fn a_newcomer_is_back_filled_and_then_looked_back_at() {
        let new = reach(100).newcomer();
        let needed = new.needed(&reach(100));
        assert_eq!(days(&needed), [(90, 101)]);
        let read = new.after(&needed, &[], &reach(100));
        assert_eq!(read.gaps(reach(100).now), []);
        assert_eq!(days(&read.needed(&reach(100))), [(98, 101)]);
        assert_eq!(days(&read.needed(&reach(105))), [(98, 106)], "from where it was left off");
    }

    #[test]
    fn a_window_that_failed_is_read_until_it_succeeds_however_old_it_is() {
        let new = reach(100).newcomer();
        let failed = [Window { start: 92 * DAY, end: 94 * DAY }];
        let mut cohort = new.after(&new.needed(&reach(100)), &failed, &reach(100));
        for day in [101, 120, 150] {
            let needed = cohort.needed(&reach(day));
            assert_eq!(days(&needed)[0], (92, 94), "day {day}");
            cohort = cohort.after(&needed, &failed, &reach(day));
            assert_eq!(days(&cohort.gaps(reach(day).now)), [(92, 94)]);
        }
        let healed = cohort.after(&cohort.needed(&reach(151)), &[], &reach(151));
        assert_eq!(healed.gaps(reach(151).now), []);
        assert_eq!(healed.from, 141 * DAY, "what is old and whole is forgotten");
    }

    #[test]
    fn people_who_joined_at_different_times_become_one_cohort() {
        let (mut old, mut new) = (reach(100).newcomer(), reach(105).newcomer());
        for day in 100..120 {
            old = old.after(&old.needed(&reach(day)), &[], &reach(day));
            if day >= 105 {
                new = new.after(&new.needed(&reach(day)), &[], &reach(day));
            }
        }
        assert_eq!(old, new);
        assert_eq!(old.read.iter().count(), 1);
    }

    #[test]
    fn a_longer_back_fill_in_the_configuration_is_made_good() {
        let new = reach(100).newcomer();
        let read = new.after(&new.needed(&reach(100)), &[], &reach(100));
        let mut longer = reach(100);
        longer.attendance.backfill_days = 20;
        assert_eq!(days(&read.needed(&longer)), [(80, 90), (98, 101)]);
    }

    #[test]
    fn without_room_for_another_cohort_nobody_gets_a_claim_that_is_not_theirs() {
        let mut cohorts = Cohorts::default();
        let cohort = |n: i64| Cohort {
            from: 0,
            read: [Window { start: n, end: 10_000 }].into_iter().collect(),
        };
        let numbers: Vec<u64> = (0..1_100).map(|n| cohorts.place(&cohort(n))).collect();
        assert_eq!(cohorts.table.len(), MOST);
        for (n, number) in (0..).zip(numbers) {
            let claimed = &cohorts.table[&number];
            assert_eq!(claimed.read.meet(&cohort(n).read), claimed.read);
        }
        assert_eq!(cohorts.canonical(0), Some(0));
    }
}
