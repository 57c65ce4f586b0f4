//! Departments: what each knows of itself, and the tree a company of a given size starts with.
//!
//! Not the people in them, beyond their numbers. The invariant: a parent's number is smaller than its children's
//! when the world begins, names are unique under one parent, and the root is number 0.

use super::figures::{CENTRES, HEADCOUNT, ROLES};
use crate::dice::{Ask, Dice};
use crate::ids::{DeptNo, PersonNo};

/// The level of a department.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Company,
    Centre,
    Division,
    Section,
    Team,
}

/// What a department says of itself; a copy of it is a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unit {
    pub parent: DeptNo,
    pub kind: Kind,
    pub centre: u8,
    pub role: u8,
    /// Counts sections or teams within one division.
    pub number: u16,
    pub renames: u8,
    pub leader: Option<PersonNo>,
    pub deleted: bool,
}

/// A department with the people directly in it, in ascending order.
#[derive(Clone, Debug)]
pub(crate) struct Dept {
    pub unit: Unit,
    /// Those whose main department this is.
    pub members: Vec<PersonNo>,
    /// Those for whom it is a second one.
    pub guests: Vec<PersonNo>,
}

/// How many people one department of a new company gets, and of which role.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot {
    pub unit: Unit,
    pub people: u32,
}

const ENGLISH_CENTRES: [&str; 3] = ["Human Resources", "Research & Development", "Sales"];
const ENGLISH_ROLES: [&str; 9] = [
    "Healthcare Representatives",
    "Personnel",
    "Laboratory",
    "Management",
    "Manufacturing",
    "Research Management",
    "Research",
    "Sales Executives",
    "Sales Representatives",
];
const TEAM_WORDS: [&str; 4] = ["组", "小组", "工作组", "专班"];
/// Above this a department is divided.
const TEAM_MOST: u32 = 40;
const TEAM_LEAST: u32 = 8;
const TEAM_USUAL: u32 = 22;
const TEAMS_A_DIVISION: u32 = 24;
const TEAMS_A_SECTION: u32 = 12;

impl Unit {
    const COMPANY: Self = Self {
        parent: DeptNo::ROOT,
        kind: Kind::Company,
        centre: 0,
        role: 3,
        number: 0,
        renames: 0,
        leader: None,
        deleted: false,
    };

    /// The default name, in Chinese.
    pub(crate) fn name(&self) -> String {
        let role = ROLES[usize::from(self.role)].0;
        match self.kind {
            Kind::Company => "云帆示例集团".to_owned(),
            Kind::Centre => CENTRES[usize::from(self.centre)].to_owned(),
            Kind::Division => format!("{role}部"),
            Kind::Section => format!("{role}{}部", numeral(self.number)),
            Kind::Team => {
                let word = TEAM_WORDS[usize::from(self.renames) % TEAM_WORDS.len()];
                format!("{role}{}{word}", numeral(self.number))
            }
        }
    }

    /// The English translation of the name.
    pub(crate) fn english_name(&self) -> String {
        let role = ENGLISH_ROLES[usize::from(self.role)];
        match self.kind {
            Kind::Company => "Cloudsail Example Group".to_owned(),
            Kind::Centre => ENGLISH_CENTRES[usize::from(self.centre)].to_owned(),
            Kind::Division => role.to_owned(),
            Kind::Section => format!("{role} Section {}", self.number),
            Kind::Team => format!("{role} Team {}", self.number),
        }
    }
}

/// 1 to 999 in Chinese: 7 is 七, 12 is 十二, 205 is 二百零五.
fn numeral(n: u16) -> String {
    const DIGITS: [&str; 10] = ["零", "一", "二", "三", "四", "五", "六", "七", "八", "九"];
    let digit = |n: u16| DIGITS[usize::from(n % 10)];
    match n {
        0..=9 => digit(n).to_owned(),
        10..=19 => format!("十{}", if n == 10 { "" } else { digit(n) }),
        20..=99 => {
            format!("{}十{}", digit(n / 10), if n.is_multiple_of(10) { "" } else { digit(n) })
        }
        _ if n.is_multiple_of(100) => format!("{}百", numeral(n / 100)),
        _ if n % 100 < 10 => format!("{}百零{}", numeral(n / 100), digit(n)),
        _ if n % 100 < 20 => format!("{}百一{}", numeral(n / 100), numeral(n % 100)),
        _ => format!("{}百{}", numeral(n / 100), numeral(n % 100)),
    }
}

/// The departments of a new company, parents first, with how many people each has directly.
pub(crate) fn plan(dice: Dice, people: u32) -> Vec<Slot> {
    let staff = people.min(1 + people / 1_500).min(5);
    let mut slots = vec![Slot { unit: Unit::COMPANY, people: staff }];
    let cells = apportion(people - staff);
    for (centre, roles) in (0u8..).zip(cells) {
        if roles.iter().sum::<u32>() == 0 {
            continue;
        }
        // The centre's own office is taken from its managers.
        let office = roles[3].min(3);
        let unit = Unit { kind: Kind::Centre, centre, ..Unit::COMPANY };
        slots.push(Slot { unit, people: office });
        let centre_no = last(&slots);
        for (role, count) in (0u8..).zip(roles) {
            let count = if role == 3 { count - office } else { count };
            if count > 0 {
                let unit = Unit { parent: centre_no, kind: Kind::Division, role, ..unit };
                divide(dice, &mut slots, unit, count);
            }
        }
    }
    slots
}

/// One division: a single team when small, else an office, sections when there are many teams, and teams.
fn divide(dice: Dice, slots: &mut Vec<Slot>, unit: Unit, count: u32) {
    if count <= TEAM_MOST {
        slots.push(Slot { unit, people: count });
        return;
    }
    let office = (1 + count / 200).min(3);
    slots.push(Slot { unit, people: office });
    let division = last(slots);
    let sizes = team_sizes(dice, division, count - office);
    let sectioned = sizes.len() > TEAMS_A_DIVISION as usize;
    let mut parent = division;
    for (place, size) in (0u16..).zip(sizes) {
        if sectioned && u32::from(place).is_multiple_of(TEAMS_A_SECTION) {
            let number = place / 12 + 1;
            let unit = Unit { parent: division, kind: Kind::Section, number, ..unit };
            slots.push(Slot { unit, people: 0 });
            parent = last(slots);
        }
        let unit = Unit { parent, kind: Kind::Team, number: place + 1, ..unit };
        slots.push(Slot { unit, people: size });
    }
}

/// Splits a head count into teams of uneven sizes that add up.
fn team_sizes(dice: Dice, division: DeptNo, count: u32) -> Vec<u32> {
    let teams = ((count + TEAM_USUAL / 2) / TEAM_USUAL).max(1);
    let (base, extra) = (count / teams, count % teams);
    let mut sizes: Vec<u32> = (0..teams).map(|team| base + u32::from(team < extra)).collect();
    let slack = base.saturating_sub(TEAM_LEAST).min((TEAM_MOST - 2).saturating_sub(base));
    for (pair, team) in (0u64..).zip(sizes.chunks_exact_mut(2)) {
        let shift = dice.roll(Ask::TeamSize, u64::from(division.0), pair).below(slack + 1);
        team[0] += shift;
        team[1] -= shift;
    }
    sizes
}

/// The data's shares of department and role, scaled to a head count by largest remainder.
fn apportion(people: u32) -> [[u32; 9]; 3] {
    let total: u64 = HEADCOUNT.iter().flatten().map(|n| u64::from(*n)).sum();
    let exact = |n: u16| u64::from(n) * u64::from(people);
    let mut cells =
        HEADCOUNT.map(|row| row.map(|n| u32::try_from(exact(n) / total).unwrap_or(u32::MAX)));
    let mut order: Vec<(u64, usize, usize)> = (0..27)
        .map(|cell| (exact(HEADCOUNT[cell / 9][cell % 9]) % total, cell / 9, cell % 9))
        .collect();
    order.sort_unstable_by(|a, b| b.cmp(a));
    let missing = people - cells.iter().flatten().sum::<u32>();
    for (_, centre, role) in order.into_iter().take(missing as usize) {
        cells[centre][role] += 1;
    }
    cells
}

fn last(slots: &[Slot]) -> DeptNo {
    DeptNo(u32::try_from(slots.len() - 1).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_size_of_company_adds_up() {
        for people in [1, 2, 3, 10, 50, 199, 500, 4_410, 100_000] {
            let slots = plan(Dice::new(1), people);
            assert_eq!(slots.iter().map(|slot| slot.people).sum::<u32>(), people, "{people}");
        }
    }

    #[test]
    fn parents_come_first_and_siblings_differ_in_name() {
        let slots = plan(Dice::new(1), 30_000);
        let mut names = HashSet::new();
        for (number, slot) in slots.iter().enumerate().skip(1) {
            assert!(slot.unit.parent.at() < number);
            assert!(names.insert((slot.unit.parent, slot.unit.name())), "{:?}", slot.unit);
        }
    }

    #[test]
    fn teams_have_eight_to_forty_people_and_no_parent_a_thousand_children() {
        let slots = plan(Dice::new(5), 100_000);
        let mut children = vec![0u32; slots.len()];
        for slot in &slots[1..] {
            children[slot.unit.parent.at()] += 1;
            if slot.unit.kind == Kind::Team {
                assert!((TEAM_LEAST..=TEAM_MOST).contains(&slot.people), "{}", slot.people);
            }
        }
        assert!(children.iter().all(|n| *n < 1_000));
        assert!(slots.iter().any(|slot| slot.unit.kind == Kind::Section));
    }

    #[test]
    fn numerals_read_as_people_write_them() {
        let read = [1, 10, 12, 20, 35, 100, 105, 112, 230].map(numeral);
        assert_eq!(
            read,
            ["一", "十", "十二", "二十", "三十五", "一百", "一百零五", "一百一十二", "二百三十"]
        );
    }
}
