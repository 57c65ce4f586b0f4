//! A made-up company of any size, computed when it is asked for.
//!
//! The one invariant: everything follows from a number; an id leads back to it.

use super::super::stage::Texts;

/// The time here: 2026-03-31 07:00 UTC.
pub(super) const NOW: i64 = 1_774_940_400;
const DAY: i64 = 86_400;

/// Texts that break careless code. No control characters in ids: those are no ids.
const ODD_IDS: [&str; 6] = ["", " a b", "/é?&=#", "%2F+%", "名\u{1f600}", "\"'\\{x}"];
const ODD_NAMES: [&str; 12] = [
    "\u{1f469}\u{200d}\u{1f52c} Zo\u{eb}",
    "\u{202e}\u{5d0}\u{5d1}\u{5d2}",
    "\u{20bb7}\u{91ce}\u{5bb6}",
    "nul \u{0} inside",
    "line\nbreak\ttab\r",
    "\"quoted\\back/slash\"",
    "{secret:token}",
    "e\u{301}\u{323}",
    "\u{feff}mark",
    "null",
    "",
    "\u{10ffff}\u{fffd}\u{2028}",
];

/// The company.
#[derive(Clone, Copy, Debug)]
pub(super) struct World {
    people: u32,
    texts: Texts,
}

/// A person or a department by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum One {
    Department(u32),
    Person(u32),
}

impl World {
    pub(super) fn new(people: u32, texts: Texts) -> Self {
        Self { people, texts }
    }

    pub(super) fn people(self) -> u32 {
        self.people
    }

    pub(super) fn departments(self) -> u32 {
        (self.people / 20).clamp(3, 500).min(self.people.max(1))
    }

    pub(super) fn id(self, one: One) -> String {
        let (letter, number) = match one {
            One::Department(number) => ('d', number),
            One::Person(number) => ('p', number),
        };
        let odd = match self.texts {
            Texts::Plain => "",
            Texts::Odd => pick(&ODD_IDS, number),
        };
        format!("{letter}{number}{odd}")
    }

    /// Who has this id.
    pub(super) fn find(self, id: &str) -> Option<One> {
        let digits: String = id.chars().skip(1).take_while(char::is_ascii_digit).collect();
        let number: u32 = digits.parse().ok()?;
        let one = match id.chars().next()? {
            'd' if number < self.departments() => One::Department(number),
            'p' if number < self.people => One::Person(number),
            _ => return None,
        };
        (self.id(one) == id).then_some(one)
    }

    pub(super) fn name(self, one: One) -> String {
        let (what, number) = match one {
            One::Department(number) => ("Department", number),
            One::Person(number) => ("Person", number),
        };
        match self.texts {
            Texts::Plain => format!("{what} {number}"),
            Texts::Odd => pick(&ODD_NAMES, number).to_owned(),
        }
    }

    /// The department above, or the one of a person; the first department has none.
    pub(super) fn department_of(self, one: One) -> Option<One> {
        match one {
            One::Department(0) => None,
            One::Department(number) => Some(One::Department((number - 1) / 4)),
            One::Person(number) => Some(One::Department(number % self.departments())),
        }
    }

    /// How many people a department has.
    pub(super) fn members(self, department: u32) -> u32 {
        let departments = self.departments();
        if department < self.people { (self.people - 1 - department) / departments + 1 } else { 0 }
    }

    /// A department's nth person.
    pub(super) fn member(self, department: u32, nth: u32) -> One {
        One::Person(department + nth * self.departments())
    }
}

/// The instants of punches in a window: nine and eighteen hours into each day; for days, only the first.
pub(super) fn instants(start: i64, end: i64, each_day: usize) -> Vec<i64> {
    let first = start.div_euclid(DAY);
    let days = first..=(end - 1).div_euclid(DAY).min(first + 400);
    let of_day =
        |day: i64| [9, 18].into_iter().take(each_day).map(move |hour| day * DAY + hour * 3_600);
    days.flat_map(of_day).filter(|at| (start..end).contains(at)).collect()
}

fn pick(texts: &'static [&'static str], number: u32) -> &'static str {
    texts[number as usize % texts.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_leads_back_to_its_owner() {
        for texts in [Texts::Plain, Texts::Odd] {
            let world = World::new(100, texts);
            for number in 0..100 {
                let one = One::Person(number);
                assert_eq!(world.find(&world.id(one)), Some(one));
            }
            assert_eq!(world.find("p100"), None);
            assert_eq!(world.find("kit-nobody-0000"), None);
        }
    }

    #[test]
    fn every_person_is_in_one_department() {
        let world = World::new(101, Texts::Plain);
        let sum: u32 = (0..world.departments()).map(|d| world.members(d)).sum();
        assert_eq!(sum, 101);
        let last = world.member(1, world.members(1) - 1);
        assert_eq!(world.department_of(last), Some(One::Department(1)));
    }

    #[test]
    fn a_window_has_the_punches_between_its_ends() {
        assert_eq!(instants(9 * 3_600, 18 * 3_600, 2), [9 * 3_600]);
        assert_eq!(instants(0, 2 * DAY, 2).len(), 4);
        assert_eq!(instants(0, 2 * DAY, 1).len(), 2);
    }
}
