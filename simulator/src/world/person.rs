//! People: twenty bytes each for what can change, everything else made up again whenever it is asked for.
//!
//! Not their punches. The invariant: whatever is not in [`Person`] follows from the seed and the person's number.

use super::figures::{GENDERS, LEVELS, ROLES, TENURE_YEARS};
use crate::dice::{Ask, Dice, Roll};
use crate::ids::{DeptNo, PersonNo};

/// Where someone stands with the company.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Active,
    /// The account is suspended; the person is still employed.
    Frozen,
    /// Invited, has not joined yet.
    Unjoined,
    Left,
}

/// The changeable facts of one person; a copy of it is a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Person {
    pub dept: DeptNo,
    /// The root stands for none: nobody has it as a second department.
    second: DeptNo,
    joined: i32,
    left: i32,
    pub role: u8,
    /// 1 to 5; 6 is a specially appointed expert.
    pub level: u8,
    pub standing: Standing,
}

const PREFIXES: [&str; 6] = ["助理", "", "高级", "资深", "首席", "特聘"];
const CITIES: [&str; 8] = ["上海", "北京", "深圳", "杭州", "成都", "武汉", "西安", "苏州"];

impl Person {
    pub(crate) fn new(dept: DeptNo, role: u8, level: u8, joined: i64) -> Self {
        let (second, left) = (DeptNo::ROOT, i32::MAX);
        Self { dept, second, joined: short(joined), left, role, level, standing: Standing::Active }
    }

    pub(crate) fn employed(&self) -> bool {
        self.standing != Standing::Left
    }

    /// Whether the person comes to work at all, or did until leaving.
    pub(crate) fn attends(&self) -> bool {
        matches!(self.standing, Standing::Active | Standing::Left)
    }

    pub(crate) fn second(&self) -> Option<DeptNo> {
        (self.second != DeptNo::ROOT).then_some(self.second)
    }

    pub(crate) fn set_second(&mut self, dept: Option<DeptNo>) {
        self.second = dept.unwrap_or(DeptNo::ROOT);
    }

    /// The main department first.
    pub(crate) fn depts(&self) -> impl Iterator<Item = DeptNo> {
        std::iter::once(self.dept).chain(self.second())
    }

    /// The first day at work.
    pub(crate) fn joined(&self) -> i64 {
        i64::from(self.joined)
    }

    /// The last day at work.
    pub(crate) fn left(&self) -> Option<i64> {
        (self.left != i32::MAX).then(|| i64::from(self.left))
    }

    pub(crate) fn leave(&mut self, day: i64) {
        self.left = short(day);
        self.standing = Standing::Left;
    }

    pub(crate) fn job_title(&self) -> [&'static str; 2] {
        let prefix = PREFIXES[usize::from(self.level).clamp(1, 6) - 1];
        [prefix, ROLES[usize::from(self.role)].1]
    }

    /// The title one step up; who is at the top becomes a specially appointed expert, and an expert chief again.
    pub(crate) fn promote(&mut self) {
        self.level = if self.level < 6 { self.level + 1 } else { 5 };
    }
}

/// Answers about a person that are never stored.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Traits {
    dice: Dice,
    person: PersonNo,
}

impl Traits {
    pub(crate) const fn of(dice: Dice, person: PersonNo) -> Self {
        Self { dice, person }
    }

    fn roll(self, ask: Ask) -> Roll {
        self.dice.roll(ask, u64::from(self.person.0), 0)
    }

    pub(crate) fn woman(self) -> bool {
        self.roll(Ask::Gender).weighted(&GENDERS) == 1
    }

    /// 1 man, 2 woman; one in a hundred does not say (0), one in a thousand says other (3).
    pub(crate) fn gender_code(self) -> u8 {
        match self.roll(Ask::Gender).again().below(1_000) {
            0..10 => 0,
            10 => 3,
            _ => 1 + u8::from(self.woman()),
        }
    }

    pub(crate) fn name(self) -> super::names::Name {
        super::names::name(self.dice, self.person, self.woman())
    }

    /// 1 to 5 by the role's shares.
    pub(crate) fn first_level(self, role: u8) -> u8 {
        let place = self.roll(Ask::Level).weighted(&LEVELS[usize::from(role)]);
        u8::try_from(place + 1).unwrap_or(1)
    }

    /// Days since the first day at work, on the world's first day.
    pub(crate) fn tenure_days(self) -> i64 {
        let roll = self.roll(Ask::Tenure);
        let years = i64::try_from(roll.weighted(&TENURE_YEARS)).unwrap_or(0);
        years * 365 + years / 4 + i64::from(roll.again().below(365))
    }

    /// 1 regular, 2 intern, 3 outsourced, 4 contractor, 5 consultant, 6 a type of the company's own.
    pub(crate) fn employee_type(self) -> u8 {
        let place = self.roll(Ask::EmploymentType).weighted(&[900, 40, 25, 15, 10, 10]);
        u8::try_from(place + 1).unwrap_or(1)
    }

    /// Three in a thousand are frozen, five have not joined yet.
    pub(crate) fn first_standing(self) -> Standing {
        match self.roll(Ask::Standing).below(1_000) {
            0..3 => Standing::Frozen,
            3..8 => Standing::Unjoined,
            _ => Standing::Active,
        }
    }

    /// Four in a thousand have no hire date on record.
    pub(crate) fn hides_join_time(self) -> bool {
        self.roll(Ask::Tenure).again().again().below(1_000) < 4
    }

    /// One in twenty is in a second department.
    pub(crate) fn wants_second(self) -> Option<Roll> {
        let roll = self.roll(Ask::SecondTeam);
        roll.one_in_million(50_000).then(|| roll.again())
    }

    pub(crate) fn city(self) -> &'static str {
        self.roll(Ask::City).pick(&CITIES)
    }

    pub(crate) fn desk(self) -> String {
        let roll = self.roll(Ask::Desk);
        let floor = roll.below(20) + 1;
        format!("{}座{floor}F-{:03}", ["A", "B", "C"][floor as usize % 3], roll.again().below(300))
    }

    /// One of so many, fixed for the person; `salt` tells questions apart.
    pub(crate) fn choice(self, salt: u64, of: u32) -> u32 {
        self.dice.roll(Ask::Choice, u64::from(self.person.0), salt).below(of)
    }

    /// The mobile in the shape its owner once typed: with country code, bare, or with spaces.
    pub(crate) fn mobile(self) -> String {
        let digits = crate::ids::mobile_digits(self.person).to_string();
        match self.roll(Ask::MobileShape).below(10) {
            0..6 => format!("+86{digits}"),
            6..9 => digits,
            _ => format!("+86 {} {} {}", &digits[..3], &digits[3..7], &digits[7..]),
        }
    }

    /// One in fifty works nights.
    pub(crate) fn works_nights(self) -> bool {
        self.roll(Ask::Night).one_in_million(20_000)
    }
}

fn short(day: i64) -> i32 {
    i32::try_from(day).unwrap_or(i32::MAX - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_takes_twenty_bytes() {
        assert_eq!(size_of::<Person>(), 20);
    }

    #[test]
    fn traits_follow_the_shares_of_the_data() {
        let all = |test: fn(Traits) -> bool| {
            (0..10_000).filter(|n| test(Traits::of(Dice::new(1), PersonNo(*n)))).count()
        };
        assert!((3_850..4_150).contains(&all(Traits::woman)));
        assert!((400..600).contains(&all(|t| t.wants_second().is_some())));
        assert!((20..70).contains(&all(Traits::hides_join_time)));
        assert!((100..300).contains(&all(Traits::works_nights)));
        assert!(all(|t| t.first_standing() == Standing::Unjoined) > 20);
        assert!(all(|t| t.tenure_days() < 365) > 150);
    }

    #[test]
    fn titles_rise_and_never_run_out() {
        let mut person = Person::new(DeptNo(1), 6, 1, 0);
        let mut titles = vec![person.job_title().concat()];
        for _ in 0..6 {
            person.promote();
            titles.push(person.job_title().concat());
        }
        assert_eq!(titles[..3], ["助理研究员", "研究员", "高级研究员"]);
        assert!(titles.windows(2).all(|pair| pair[0] != pair[1]), "{titles:?}");
    }
}
