//! Counts over the whole world: people per department, and what a correct sync must end with.
//!
//! Not kept up to date one change at a time: recounted after every step. The invariant: someone in two departments
//! of one branch counts once in it.

use super::punches::Day;
use super::{Person, Standing, World};
use crate::calendar::{day_of, midnight};
use crate::dice::Ask;
use crate::ids::{DeptNo, PersonNo};

/// What a correct sync should end with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Truth {
    /// Employed people: all that listings return, whatever their standing.
    pub people: u64,
    /// Of these, those who are neither frozen nor still to join.
    pub active: u64,
    /// Of these, those whose account is suspended.
    pub frozen: u64,
    /// Of these, those who were invited and have not joined.
    pub unjoined: u64,
    /// People who have left since the world began or shortly before it.
    pub leavers: u64,
    /// Departments without the root.
    pub departments: u64,
    /// Known punches of employed people in the window.
    pub punches: u64,
    /// Known punches of leavers in the window.
    pub leaver_punches: u64,
    /// Day results of employed people in the window; weekends have none.
    pub days: u64,
    /// Of these, those on which a punch was due that has been made, missed or excused by now; a closed day has none.
    pub judged_days: u64,
}

/// People in a department and below.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Headcount {
    pub members: u32,
    pub primary: u32,
}

/// Head counts by department: of everyone, and of the fifth that a shortened listing leaves.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    everyone: Vec<Headcount>,
    shortened: Vec<Headcount>,
}

impl Totals {
    pub(crate) fn of(&self, dept: DeptNo, shortened: bool) -> Headcount {
        let counts = if shortened { &self.shortened } else { &self.everyone };
        counts.get(dept.at()).copied().unwrap_or_default()
    }

    pub(super) fn count(world: &World) -> Self {
        let mut totals = Self {
            everyone: vec![Headcount::default(); world.depts.len()],
            shortened: vec![Headcount::default(); world.depts.len()],
        };
        for (no, person) in world.everyone().filter(|(_, person)| person.employed()) {
            add(world, &mut totals.everyone, person);
            if !world.is_hidden(no) {
                add(world, &mut totals.shortened, person);
            }
        }
        totals
    }
}

fn add(world: &World, counts: &mut [Headcount], person: &Person) {
    let branch = |dept: DeptNo| {
        let root = (dept != DeptNo::ROOT).then_some(DeptNo::ROOT);
        std::iter::once(dept).chain(world.ancestors(dept)).chain(root)
    };
    for dept in branch(person.dept) {
        counts[dept.at()].members += 1;
        counts[dept.at()].primary += 1;
    }
    let Some(second) = person.second() else { return };
    for dept in branch(second).filter(|dept| !branch(person.dept).any(|other| other == *dept)) {
        counts[dept.at()].members += 1;
    }
}

impl World {
    /// Whether a shortened listing leaves this person out; it does so for four in five.
    pub(crate) fn is_hidden(&self, no: PersonNo) -> bool {
        self.dice.roll(Ask::Hidden, u64::from(no.0), 0).below(100) < 80
    }

    /// Counts everything there is between two instants, `from <= at < to`, as known at `now`.
    pub(crate) fn truth(&self, from: i64, to: i64, now: i64) -> Truth {
        let departments = self.departments().count() as u64 - 1;
        let mut truth = Truth { departments, ..Truth::default() };
        for (no, person) in self.everyone() {
            let punches = self.punches_between(no, from, to, now).count() as u64;
            match person.standing {
                Standing::Active => truth.active += 1,
                Standing::Frozen => truth.frozen += 1,
                Standing::Unjoined => truth.unjoined += 1,
                Standing::Left => {
                    truth.leavers += 1;
                    truth.leaver_punches += punches;
                    continue;
                }
            }
            truth.people += 1;
            truth.punches += punches;
            let (days, judged) = self.results_between(no, from, to, now);
            truth.days += days;
            truth.judged_days += judged;
        }
        truth
    }

    /// Days with a result, and those of them with one that is settled.
    fn results_between(&self, no: PersonNo, from: i64, to: i64, now: i64) -> (u64, u64) {
        let first = day_of(from).max(self.first_day);
        let last = day_of(to.saturating_sub(1).min(now));
        let judged = |day: &i64| {
            midnight(*day) <= now && self.day(no, *day).is_some_and(|day| day != Day::Rest)
        };
        let settled = |day: &i64| {
            self.day(no, *day) != Some(Day::Holiday)
                && self.verdict(no, *day, now).is_some_and(|verdict| {
                    verdict.arrival.result != "Todo" || verdict.departure.result != "Todo"
                })
        };
        let days: Vec<i64> = (first..=last).filter(judged).collect();
        (days.len() as u64, days.iter().filter(|day| settled(day)).count() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{TODAY, world};
    use super::*;

    #[test]
    fn the_root_counts_everyone_once() {
        let world = world(3_000);
        let root = world.totals().of(DeptNo::ROOT, false);
        assert_eq!((root.members, root.primary), (3_000, 3_000));
        let short = world.totals().of(DeptNo::ROOT, true).members;
        assert!((500..700).contains(&short), "{short}");
    }

    #[test]
    fn a_branch_counts_its_guests_too() {
        let world = world(3_000);
        let (no, dept) = world.departments().find(|(_, dept)| !dept.guests.is_empty()).unwrap();
        let count = world.totals().of(no, false);
        assert!(count.members > count.primary, "{count:?}");
        assert!(count.members as usize >= dept.members.len() + dept.guests.len());
    }

    #[test]
    fn truth_counts_results_as_verdicts_do() {
        let world = world(200);
        let (from, now) = (midnight(TODAY - 6), midnight(TODAY) + 13 * 3_600);
        let truth = world.truth(from, now, now);
        let verdicts = world
            .everyone()
            .filter(|(_, person)| person.employed())
            .flat_map(|(no, _)| (TODAY - 6..=TODAY).map(move |day| (no, day)))
            .filter(|(no, day)| world.verdict(*no, *day, now).is_some())
            .count();
        assert_eq!(truth.days, verdicts as u64);
        assert_eq!(truth.people, 200);
        assert!(truth.punches > 1_000, "{truth:?}");
    }
}
