//! What happens to the company over time: people come, leave, move and rise, departments change, punches arrive late.
//!
//! Not the events a platform sends about it, only the log they are made from. The invariant: the state after n steps
//! follows from the seed and n, whoever asks and however the steps were grouped.

use super::punches::Day;
use super::unit::{Dept, Kind, Unit};
use super::{Person, Standing, World, number};
use crate::calendar::{day_of, midnight};
use crate::dice::{Ask, Roll};
use crate::ids::{DeptNo, PersonNo};

/// How much happens in one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Churn {
    /// People who join.
    pub hires: u32,
    /// People who leave.
    pub leavers: u32,
    /// People whose department changes.
    pub moves: u32,
    /// People whose title changes.
    pub titles: u32,
    /// Departures of the last few days that become known only now.
    pub late_punches: u32,
    /// Whether a department is renamed, founded or dissolved.
    pub reorganise: bool,
}

impl Churn {
    /// One working day of a company of that size: leavers as in the data, as many hires, and the rest in proportion.
    pub fn of(people: u32) -> Self {
        let [stayed, left] = super::figures::STAYED_AND_LEFT;
        let a_day = u64::from(people) * u64::from(left) / u64::from(stayed + left) / 250;
        let a_day = u32::try_from(a_day).unwrap_or(u32::MAX).max(1);
        Self {
            hires: a_day,
            leavers: a_day,
            moves: a_day,
            titles: a_day,
            late_punches: (people / 500).max(1),
            reorganise: true,
        }
    }
}

/// One entry of the log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change {
    /// The step it belongs to, counted from 1.
    pub step: u32,
    /// Counts all changes ever.
    pub seq: u64,
    /// The world's time when it happened.
    pub at: i64,
    pub what: What,
}

/// What changed; facts are as they were at that moment.
#[derive(Clone, Copy, Debug)]
pub(crate) enum What {
    Hired(PersonNo, Person),
    Changed { no: PersonNo, before: Person, after: Person },
    Left { no: PersonNo, before: Person, after: Person },
    Founded(DeptNo, Unit),
    Reorganised { no: DeptNo, before: Unit, after: Unit },
    Dissolved { no: DeptNo, before: Unit },
    Punched { no: PersonNo, day: i64, at: i64 },
}

/// The log keeps this many entries, the newest.
const LOG_MOST: usize = 65_536;
/// A search for someone suitable gives up after so many draws.
const TRIES: u64 = 40;

impl World {
    /// Lets one step pass; everything in it happens at `now`.
    pub(crate) fn step(&mut self, churn: Churn, now: i64) {
        let today = day_of(now);
        self.steps += 1;
        self.step_at = now;
        for nth in 0..churn.hires {
            self.hire(nth, today);
        }
        for nth in 0..churn.leavers {
            self.let_go(nth, today);
        }
        for nth in 0..churn.moves {
            self.relocate(nth);
        }
        for nth in 0..churn.titles {
            self.retitle(nth);
        }
        if churn.reorganise {
            self.reorganise();
        }
        for nth in 0..churn.late_punches {
            self.punch_late(nth, today);
        }
        self.recount();
    }

    /// The log after a step; complete as long as fewer than 65,536 changes followed it.
    pub(crate) fn changes_since(&self, step: u32) -> impl Iterator<Item = &Change> {
        self.log.iter().filter(move |change| change.step > step)
    }

    fn note(&mut self, what: What) {
        self.changes += 1;
        if self.log.len() == LOG_MOST {
            self.log.pop_front();
        }
        self.log.push_back(Change { step: self.steps, seq: self.changes, at: self.step_at, what });
    }

    fn chance(&self, ask: Ask, nth: u32, attempt: u64) -> Roll {
        self.dice.roll(ask, u64::from(self.steps), (u64::from(nth) << 8) | attempt)
    }

    fn hire(&mut self, nth: u32, today: i64) {
        let Some(dept) = self.find_dept(Ask::Hire, nth) else { return };
        let no = PersonNo(number(self.people.len()));
        let role = self.depts[dept.at()].unit.role;
        let person = Person::new(dept, role, self.traits(no).first_level(role).min(3), today);
        self.make_room(1);
        self.people.push(person);
        insert(&mut self.depts[dept.at()].members, no);
        self.note(What::Hired(no, person));
    }

    fn let_go(&mut self, nth: u32, today: i64) {
        // The first person is the head of the company and stays.
        let found = self.find_person(Ask::Leave, nth, |no, person| no.0 > 0 && person.employed());
        let Some((no, before)) = found else { return };
        self.withdraw(no, before);
        let person = &mut self.people[no.at()];
        person.leave(today);
        let after = *person;
        self.note(What::Left { no, before, after });
        self.succeed(no);
    }

    /// Takes someone out of the lists of all their departments.
    fn withdraw(&mut self, no: PersonNo, person: Person) {
        remove(&mut self.depts[person.dept.at()].members, no);
        if let Some(second) = person.second() {
            remove(&mut self.depts[second.at()].guests, no);
        }
    }

    /// Gives every department that this person led to its next member.
    fn succeed(&mut self, gone: PersonNo) {
        for index in 0..self.depts.len() {
            let before = self.depts[index].unit;
            if before.leader != Some(gone) || before.deleted {
                continue;
            }
            let next = self.depts[index].members.first().copied();
            self.amend(DeptNo(number(index)), |unit| unit.leader = next);
        }
    }

    fn amend(&mut self, no: DeptNo, change: impl FnOnce(&mut Unit)) {
        let before = self.depts[no.at()].unit;
        change(&mut self.depts[no.at()].unit);
        let after = self.depts[no.at()].unit;
        if before != after {
            self.note(What::Reorganised { no, before, after });
        }
    }

    fn relocate(&mut self, nth: u32) {
        let found = self.find_person(Ask::Move, nth, |no, person| no.0 > 0 && person.employed());
        let (Some((no, _)), Some(to)) = (found, self.find_dept(Ask::Move, nth)) else { return };
        self.assign(no, to);
    }

    /// Moves someone's main department; a second one that is now the main one is given up.
    fn assign(&mut self, no: PersonNo, to: DeptNo) {
        let before = self.people[no.at()];
        if before.dept == to {
            return;
        }
        self.withdraw(no, before);
        let second = before.second().filter(|second| *second != to);
        let person = &mut self.people[no.at()];
        person.dept = to;
        person.set_second(second);
        let after = *person;
        insert(&mut self.depts[to.at()].members, no);
        if let Some(second) = second {
            insert(&mut self.depts[second.at()].guests, no);
        }
        self.note(What::Changed { no, before, after });
        self.succeed(no);
    }

    fn retitle(&mut self, nth: u32) {
        let Some((no, before)) = self.find_person(Ask::Title, nth, |_, person| person.employed())
        else {
            return;
        };
        self.people[no.at()].promote();
        let after = self.people[no.at()];
        self.note(What::Changed { no, before, after });
    }

    /// In turn: a team is renamed, a team is founded, a team is dissolved into a sibling.
    fn reorganise(&mut self) {
        let found = (0..TRIES)
            .map(|attempt| self.chance(Ask::Reorganise, 0, attempt).below(number(self.depts.len())))
            .map(DeptNo)
            .find(|no| self.dept(*no).is_some_and(|dept| dept.unit.kind == Kind::Team));
        let Some(no) = found else { return };
        match self.steps % 3 {
            1 => self.amend(no, |unit| unit.renames += 1),
            2 => self.found_team(no),
            _ => self.dissolve(no),
        }
    }

    fn found_team(&mut self, sibling: DeptNo) {
        let like = self.depts[sibling.at()].unit;
        let same = |dept: &&Dept| (dept.unit.centre, dept.unit.role) == (like.centre, like.role);
        let taken = self.depts.iter().filter(same).map(|dept| dept.unit.number).max();
        let unit = Unit { number: taken.unwrap_or(0) + 1, renames: 0, leader: None, ..like };
        let no = DeptNo(number(self.depts.len()));
        self.depts.push(Dept { unit, members: Vec::new(), guests: Vec::new() });
        self.note(What::Founded(no, unit));
    }

    fn dissolve(&mut self, no: DeptNo) {
        let before = self.depts[no.at()].unit;
        let heir = self
            .departments()
            .find(|(other, dept)| {
                *other != no && dept.unit.kind == Kind::Team && dept.unit.parent == before.parent
            })
            .map(|(other, _)| other);
        let Some(heir) = heir else { return };
        for member in self.depts[no.at()].members.clone() {
            self.assign(member, heir);
        }
        for guest in std::mem::take(&mut self.depts[no.at()].guests) {
            let before = self.people[guest.at()];
            self.people[guest.at()].set_second(None);
            let after = self.people[guest.at()];
            self.note(What::Changed { no: guest, before, after });
        }
        let unit = &mut self.depts[no.at()].unit;
        unit.leader = None;
        unit.deleted = true;
        self.note(What::Dissolved { no, before });
    }

    /// A departure of one of the last five days turns out to have been later.
    fn punch_late(&mut self, nth: u32, today: i64) {
        for attempt in 0..TRIES {
            let roll = self.chance(Ask::LatePunch, nth, attempt);
            let no = PersonNo(roll.below(number(self.people.len())));
            let day = today - 1 - i64::from(roll.again().below(5));
            let employed = self.person(no).is_some_and(Person::employed);
            let Some(Day::Worked { arrive: Some(arrive), leave, late: None }) = self.day(no, day)
            else {
                continue;
            };
            if !employed {
                continue;
            }
            let minutes = 15 + i64::from(roll.again().again().below(75));
            let planned = midnight(day) + self.shift(no).off * 60;
            let at = leave.unwrap_or(planned).max(arrive) + minutes * 60;
            let minute = (at - midnight(day)) / 60;
            self.late.insert((no, day), minute);
            self.note(What::Punched { no, day, at: midnight(day) + minute * 60 });
            return;
        }
    }

    fn find_person(
        &self,
        ask: Ask,
        nth: u32,
        fits: impl Fn(PersonNo, &Person) -> bool,
    ) -> Option<(PersonNo, Person)> {
        (0..TRIES)
            .map(|attempt| {
                PersonNo(self.chance(ask, nth, attempt).below(number(self.people.len())))
            })
            .find_map(|no| Some((no, *self.person(no).filter(|person| fits(no, person))?)))
    }

    /// A department that takes people: a team, or a division without teams.
    fn find_dept(&self, ask: Ask, nth: u32) -> Option<DeptNo> {
        let takes = |no: &DeptNo| {
            self.dept(*no).is_some_and(|dept| match dept.unit.kind {
                Kind::Team => true,
                Kind::Division => !dept.members.is_empty(),
                Kind::Company | Kind::Centre | Kind::Section => false,
            })
        };
        (0..TRIES)
            .map(|attempt| {
                DeptNo(self.chance(ask, nth, attempt).again().below(number(self.depts.len())))
            })
            .find(takes)
    }

    /// Whether the account exists; someone invited has none yet.
    pub(crate) fn is_activated(person: &Person) -> bool {
        person.standing != Standing::Unjoined
    }
}

fn insert(sorted: &mut Vec<PersonNo>, no: PersonNo) {
    if let Err(place) = sorted.binary_search(&no) {
        sorted.insert(place, no);
    }
}

fn remove(sorted: &mut Vec<PersonNo>, no: PersonNo) {
    if let Ok(place) = sorted.binary_search(&no) {
        sorted.remove(place);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{TODAY, world};
    use super::*;

    fn stepped(people: u32, steps: u32) -> World {
        let mut world = world(people);
        for _ in 0..steps {
            world.step(Churn::of(people), midnight(TODAY) + 15 * 3_600);
        }
        world
    }

    #[test]
    fn the_same_steps_lead_to_the_same_world() {
        let (one, two) = (stepped(600, 12), stepped(600, 12));
        assert_eq!(one.people, two.people);
        assert_eq!(one.late, two.late);
        assert_ne!(one.people, world(600).people);
    }

    #[test]
    fn lists_and_facts_agree_after_many_steps() {
        let world = stepped(900, 60);
        for (no, person) in world.everyone() {
            for (index, dept) in world.depts.iter().enumerate() {
                let here = DeptNo(number(index));
                let member = person.employed() && person.dept == here;
                assert_eq!(dept.members.binary_search(&no).is_ok(), member);
                let guest = person.employed() && person.second() == Some(here);
                assert_eq!(dept.guests.binary_search(&no).is_ok(), guest);
            }
            assert!(!person.employed() || world.dept(person.dept).is_some(), "{no:?}");
        }
        for (_, dept) in world.departments() {
            let leader = dept.unit.leader.and_then(|no| world.person(no));
            assert!(leader.is_none_or(Person::employed));
        }
    }

    #[test]
    fn every_kind_of_change_happens_and_is_logged() {
        let world = stepped(2_000, 12);
        let mut kinds = [0; 7];
        for change in world.changes_since(0) {
            let kind = match change.what {
                What::Hired(..) => 0,
                What::Changed { .. } => 1,
                What::Left { .. } => 2,
                What::Founded(..) => 3,
                What::Reorganised { .. } => 4,
                What::Dissolved { .. } => 5,
                What::Punched { .. } => 6,
            };
            kinds[kind] += 1;
        }
        assert!(kinds.iter().all(|n| *n > 0), "{kinds:?}");
        assert!(world.changes_since(11).all(|change| change.step == 12));
    }

    #[test]
    fn siblings_never_share_a_name() {
        let world = stepped(900, 90);
        let mut names = std::collections::HashSet::new();
        for (no, dept) in world.departments().skip(1) {
            assert!(names.insert((dept.unit.parent, dept.unit.name())), "{no:?} {:?}", dept.unit);
        }
    }
}
