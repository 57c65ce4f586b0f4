//! The simulated company: departments, people and punches, all from a seed.
//!
//! Not a platform: it knows no HTTP, scope or id format. The invariant: a world follows from its seed, size, days,
//! punch cards and the number of steps taken, and nothing else; people cost twenty bytes each.

mod cards;
mod churn;
mod figures;
mod manner;
mod names;
mod person;
mod punches;
mod shifts;
mod tally;
mod unit;
mod verdict;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

pub(crate) use cards::Cards;
pub use cards::CardsError;
pub use churn::Churn;
pub(crate) use churn::{Change, What};
pub(crate) use manner::Manner;
pub(crate) use person::{Person, Standing, Traits};
pub(crate) use punches::{Absence, Day, Punch};
pub(crate) use shifts::{SHIFTS, Shift};
pub(crate) use tally::Totals;
pub use tally::Truth;
pub(crate) use unit::{Dept, Kind, Unit};
pub(crate) use verdict::{Side, Verdict};

use crate::dice::Dice;
use crate::ids::{DeptNo, PersonNo};

/// What a world is made from.
#[derive(Clone, Debug)]
pub(crate) struct Recipe {
    pub seed: u64,
    /// Employed on the first day.
    pub people: u32,
    /// Days with punches up to and including `today`.
    pub days: u32,
    pub today: i64,
    pub cards: Option<Arc<Cards>>,
}

#[derive(Debug)]
pub(crate) struct World {
    pub dice: Dice,
    /// The first day that has punches.
    pub first_day: i64,
    /// The date when the world was made.
    opening_day: i64,
    people: Vec<Person>,
    depts: Vec<Dept>,
    cards: Option<Arc<Cards>>,
    /// Punches that arrived after the fact: minutes after their day's midnight.
    late: HashMap<(PersonNo, i64), i64>,
    log: VecDeque<Change>,
    changes: u64,
    steps: u32,
    step_at: i64,
    totals: Totals,
}

impl World {
    pub(crate) fn new(recipe: Recipe) -> Self {
        let dice = Dice::new(recipe.seed);
        let mut world = Self {
            dice,
            first_day: recipe.today - i64::from(recipe.days) + 1,
            opening_day: recipe.today,
            people: Vec::with_capacity(recipe.people as usize),
            depts: Vec::new(),
            cards: recipe.cards,
            late: HashMap::new(),
            log: VecDeque::new(),
            changes: 0,
            steps: 0,
            step_at: 0,
            totals: Totals::default(),
        };
        for slot in unit::plan(dice, recipe.people) {
            world.found(slot, recipe.today);
        }
        world.second_departments();
        world.past_leavers(recipe.people, recipe.today);
        world.recount();
        world
    }

    /// Founds one department and employs its people.
    fn found(&mut self, slot: unit::Slot, today: i64) {
        let no = DeptNo(number(self.depts.len()));
        let first = number(self.people.len());
        let members: Vec<PersonNo> = (first..first + slot.people).map(PersonNo).collect();
        for member in &members {
            let traits = self.traits(*member);
            let level = traits.first_level(slot.unit.role);
            let standing = if member.0 > 0 { traits.first_standing() } else { Standing::Active };
            // Who has been invited begins next week.
            let joined = match standing {
                Standing::Unjoined => today + 7,
                Standing::Active | Standing::Frozen | Standing::Left => {
                    today - traits.tenure_days()
                }
            };
            let mut person = Person::new(no, slot.unit.role, level, joined);
            person.standing = standing;
            self.people.push(person);
        }
        let unit = Unit { leader: members.first().copied(), ..slot.unit };
        // A section has no people of its own: the head of its first team leads it.
        if unit.kind == Kind::Team && self.depts[unit.parent.at()].unit.leader.is_none() {
            self.depts[unit.parent.at()].unit.leader = unit.leader;
        }
        self.depts.push(Dept { unit, members, guests: Vec::new() });
    }

    fn second_departments(&mut self) {
        for index in 0..self.people.len() {
            let no = PersonNo(number(index));
            let Some(roll) = self.traits(no).wants_second() else { continue };
            let dept = DeptNo(roll.below(number(self.depts.len())));
            if dept == DeptNo::ROOT || dept == self.people[index].dept {
                continue;
            }
            self.people[index].set_second(Some(dept));
            self.depts[dept.at()].guests.push(no);
        }
    }

    /// Those who left during the window, in the data's yearly proportion.
    fn past_leavers(&mut self, employed: u32, today: i64) {
        let [stayed, left] = figures::STAYED_AND_LEFT.map(u64::from);
        let days = today - self.first_day;
        let yearly = u64::from(employed) * left / (stayed + left);
        let leavers = yearly * days.unsigned_abs() / 365;
        self.make_room(usize::try_from(leavers).unwrap_or(0));
        for _ in 0..leavers {
            let no = PersonNo(number(self.people.len()));
            let draw = self.dice.roll(crate::dice::Ask::LastDay, u64::from(no.0), 0);
            let dept = DeptNo(draw.below(number(self.depts.len())));
            let role = self.depts[dept.at()].unit.role;
            let traits = self.traits(no);
            let joined = today - 60 - traits.tenure_days();
            let mut person = Person::new(dept, role, traits.first_level(role), joined);
            let days = u32::try_from(days).unwrap_or(0);
            person.leave(self.first_day + i64::from(draw.again().below(days)));
            self.people.push(person);
        }
    }

    /// Grows the list of people by little: doubling it would waste more than everything else takes.
    fn make_room(&mut self, newcomers: usize) {
        if self.people.capacity() - self.people.len() < newcomers {
            self.people.reserve_exact(newcomers.max(1_024));
        }
    }

    /// How many changes have been made by [`Self::step`].
    pub(crate) fn steps(&self) -> u32 {
        self.steps
    }

    pub(crate) fn traits(&self, person: PersonNo) -> Traits {
        Traits::of(self.dice, person)
    }

    /// Anyone who ever appeared, leavers included.
    pub(crate) fn person(&self, no: PersonNo) -> Option<&Person> {
        self.people.get(no.at())
    }

    /// A department that exists; a deleted one does not.
    pub(crate) fn dept(&self, no: DeptNo) -> Option<&Dept> {
        self.depts.get(no.at()).filter(|dept| !dept.unit.deleted)
    }

    pub(crate) fn everyone(&self) -> impl Iterator<Item = (PersonNo, &Person)> {
        (0..).map(PersonNo).zip(&self.people)
    }

    /// Every department that exists, the root first.
    pub(crate) fn departments(&self) -> impl Iterator<Item = (DeptNo, &Dept)> {
        (0..).map(DeptNo).zip(&self.depts).filter(|(_, dept)| !dept.unit.deleted)
    }

    /// From a department's parent up to, not including, the root.
    pub(crate) fn ancestors(&self, of: DeptNo) -> impl Iterator<Item = DeptNo> {
        let parent = |no: DeptNo| {
            let up = self.depts.get(no.at()).map_or(DeptNo::ROOT, |dept| dept.unit.parent);
            (up != DeptNo::ROOT).then_some(up)
        };
        std::iter::successors(parent(of), move |no| parent(*no))
    }

    /// Whether one department lies anywhere under another.
    pub(crate) fn is_below(&self, no: DeptNo, above: DeptNo) -> bool {
        above == DeptNo::ROOT || self.ancestors(no).any(|up| up == above)
    }

    /// The head of the nearest department above who is somebody else.
    pub(crate) fn manager(&self, no: PersonNo, person: &Person) -> Option<PersonNo> {
        std::iter::once(person.dept)
            .chain(self.ancestors(person.dept))
            .chain(std::iter::once(DeptNo::ROOT))
            .filter_map(|dept| self.depts.get(dept.at())?.unit.leader)
            .find(|leader| *leader != no)
    }

    pub(crate) fn totals(&self) -> &Totals {
        &self.totals
    }

    fn recount(&mut self) {
        self.totals = Totals::count(self);
    }
}

/// A length as a number of people or departments; a world never holds more than 32 bits of either.
fn number(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) const TODAY: i64 = 20_543;

    pub(crate) fn world(people: u32) -> World {
        World::new(Recipe { seed: 1, people, days: 30, today: TODAY, cards: None })
    }

    #[test]
    fn everyone_is_in_the_departments_that_name_them() {
        let world = world(1_000);
        let mut seen = 0;
        for (no, dept) in world.departments() {
            assert!(dept.members.is_sorted() && dept.guests.is_sorted());
            seen += dept.members.len();
            assert!(dept.members.iter().all(|m| world.people[m.at()].dept == no));
            assert!(dept.guests.iter().all(|m| world.people[m.at()].second() == Some(no)));
        }
        assert_eq!(seen, 1_000);
        assert_eq!(world.everyone().filter(|(_, p)| p.employed()).count(), 1_000);
    }

    #[test]
    fn everyone_but_the_first_has_a_manager_above_them() {
        let world = world(800);
        for (no, person) in world.everyone().filter(|(_, person)| person.employed()) {
            let manager = world.manager(no, person);
            assert_eq!(manager.is_none(), no.0 == 0, "{no:?}");
            assert_ne!(manager, Some(no));
        }
    }

    #[test]
    fn a_person_costs_less_than_forty_bytes() {
        let world = world(50_000);
        let lists = world.depts.iter().map(|dept| dept.members.capacity() + dept.guests.capacity());
        let bytes = world.people.capacity() * size_of::<Person>()
            + lists.sum::<usize>() * size_of::<PersonNo>()
            + world.depts.capacity() * size_of::<Dept>();
        assert!(bytes < 50_000 * 40, "{} bytes each", bytes / 50_000);
    }

    #[test]
    fn some_left_during_the_window() {
        let world = world(4_410);
        let leavers = world.everyone().filter(|(_, person)| !person.employed()).count();
        assert!((40..80).contains(&leavers), "{leavers}");
    }
}
