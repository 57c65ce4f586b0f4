//! What a person did on a day: worked with these punches, was away, or had the day off.
//!
//! Not how the platform judges the day. The invariant: a day follows from the seed, the person and the date (or from
//! the punch cards), so it can be made up anew at every question.

use super::World;
use super::figures::{HOLIDAYS, Habit, OPEN_DAYS};
use crate::calendar::{midnight, weekday, workday_number};
use crate::dice::{Ask, Roll};
use crate::ids::{PersonNo, PunchKind};

/// One person's day; minutes and seconds are already instants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Day {
    /// A weekend.
    Rest,
    Holiday,
    Away(Absence),
    Worked {
        arrive: Option<i64>,
        leave: Option<i64>,
        /// A later departure that became known after the fact.
        late: Option<i64>,
    },
}

/// Why someone did not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Absence {
    Leave,
    Travel,
    Unexcused,
}

/// One punch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Punch {
    pub day: i64,
    pub kind: PunchKind,
    pub at: i64,
}

/// Who is not among the 50 of the cards comes and goes up to this many minutes earlier or later.
const APART_MOST: u32 = 8;
/// Of a million departures and arrivals, so many are not punched.
const FORGOT_OUT: u32 = 6_000;
const FORGOT_IN: u32 = 2_000;

impl World {
    /// `None` when the person was not at the company or nothing is on record for that day.
    pub(crate) fn day(&self, no: PersonNo, day: i64) -> Option<Day> {
        let person = self.person(no)?;
        let gone = person.left().is_some_and(|left| day > left);
        if !person.attends() || gone || day < self.first_day.max(person.joined()) {
            return None;
        }
        Some(self.made_up_day(no, day))
    }

    fn made_up_day(&self, no: PersonNo, day: i64) -> Day {
        if weekday(day) > 4 {
            return Day::Rest;
        }
        let times = match &self.cards {
            Some(cards) if cards.is_holiday(day) => return Day::Holiday,
            Some(cards) => {
                cards.times(no.0, day).map(|(arrive, leave)| self.shifted(no, day, arrive, leave))
            }
            None if self.is_holiday(day) => return Day::Holiday,
            None => self.drawn(no, day),
        };
        let late = self.late.get(&(no, day)).map(|minutes| midnight(day) + minutes * 60);
        match times {
            Some((arrive, leave)) => Day::Worked { arrive, leave, late },
            None => Day::Away(self.absence(no, day)),
        }
    }

    /// The day on which the world begins is none, so that there always are results still open.
    fn is_holiday(&self, day: i64) -> bool {
        let (holidays, days) = HOLIDAYS[weekday(day).min(4)];
        self.dice.roll(Ask::Holiday, day.cast_unsigned(), 0).below(days) < holidays
            && day != self.opening_day
    }

    /// A card's minutes as instants, shifted for everyone beyond the people of the cards.
    fn shifted(
        &self,
        no: PersonNo,
        day: i64,
        arrive: i64,
        leave: i64,
    ) -> (Option<i64>, Option<i64>) {
        let shift = if no.0 < 50 { 0 } else { self.minutes_apart(no) };
        let at = |minute: i64| Some(midnight(day) + (minute + shift) * 60);
        (at(arrive), at(leave))
    }

    fn minutes_apart(&self, no: PersonNo) -> i64 {
        let roll = self.dice.roll(Ask::Shift, u64::from(no.0), 0);
        i64::from(roll.below(2 * APART_MOST + 1)) - i64::from(APART_MOST)
    }

    /// Draws arrival and stay by the person's habit; `None` on a day away.
    fn drawn(&self, no: PersonNo, day: i64) -> Option<(Option<i64>, Option<i64>)> {
        let roll = |ask| -> Roll { self.dice.on_day(ask, no.0, day) };
        let habit = Habit::of(no.0);
        if roll(Ask::Absent).below(OPEN_DAYS) < habit.absent_days() {
            return None;
        }
        let times = habit.times(weekday(day));
        let stay_spread = (times.leave_spread.pow(2) - times.arrive_spread.pow(2)).max(0).isqrt();
        let early = roll(Ask::Arrival).bell() * times.arrive_spread * 60 / 1_000;
        let stay = roll(Ask::Stay).bell() * stay_spread * 60 / 1_000;
        let shift = self.shift(no);
        let (mut arrive, mut leave) = (times.arrive * 60 + early, times.leave * 60 + early + stay);
        if shift.on > 720 {
            // The night shift keeps its own hours, with the habit's deviations.
            arrive = (shift.on - 15) * 60 + early;
            leave = (shift.off + 15) * 60 + early + stay;
        }
        let base = midnight(day) + self.minutes_apart(no) * 60;
        let forgot = roll(Ask::Forgot).below(1_000_000);
        let no_in = forgot < FORGOT_IN;
        let no_out = (FORGOT_IN..FORGOT_IN + FORGOT_OUT).contains(&forgot);
        Some(((!no_in).then_some(base + arrive), (!no_out).then_some(base + leave)))
    }

    /// Why the person is away; the same for all days of one week.
    pub(crate) fn absence(&self, no: PersonNo, day: i64) -> Absence {
        let week = workday_number(day) / 5;
        match self.dice.on_day(Ask::AbsenceKind, no.0, week).below(100) {
            0..75 => Absence::Leave,
            75..85 => Absence::Travel,
            _ => Absence::Unexcused,
        }
    }

    /// The first and last day of the absence that a day belongs to, within its week.
    pub(crate) fn absence_span(&self, no: PersonNo, day: i64) -> (i64, i64) {
        let away = |day: &i64| matches!(self.day(no, *day), Some(Day::Away(_)));
        let monday = day - i64::try_from(weekday(day)).unwrap_or(0);
        let first = (monday..day).rev().take_while(away).last().unwrap_or(day);
        let last = (day + 1..monday + 5).take_while(away).last().unwrap_or(day);
        (first, last)
    }

    /// A day's punches that are known by now, in the order of their time.
    pub(crate) fn punches(&self, no: PersonNo, day: i64, now: i64) -> impl Iterator<Item = Punch> {
        let times = match self.day(no, day) {
            Some(Day::Worked { arrive, leave, late }) => [arrive, leave, late],
            _ => [None; 3],
        };
        let kinds = [PunchKind::In, PunchKind::Out, PunchKind::Late];
        times
            .into_iter()
            .zip(kinds)
            .filter_map(move |(at, kind)| Some(Punch { day, kind, at: at? }))
            .filter(move |punch| punch.at <= now)
    }

    /// All punches of a person with `from <= at < to` that are known by now.
    pub(crate) fn punches_between(
        &self,
        no: PersonNo,
        from: i64,
        to: i64,
        now: i64,
    ) -> impl Iterator<Item = Punch> {
        // A night shift's punches lie on the day after the shift's.
        let first = (crate::calendar::day_of(from) - 1).max(self.first_day);
        let last = crate::calendar::day_of(to.saturating_sub(1).min(now));
        (first..=last)
            .flat_map(move |day| self.punches(no, day, now))
            .filter(move |punch| (from..to).contains(&punch.at))
    }
}

#[cfg(test)]
mod tests {
    use super::super::person::Person;
    use super::super::tests::{TODAY, world};
    use super::*;
    use crate::ids::DeptNo;

    #[test]
    fn means_and_absences_follow_the_habits() {
        let mut world = world(50);
        world.first_day = TODAY - 3_650;
        for no in 0..50 {
            let person = &mut world.people[no];
            *person = Person::new(person.dept, person.role, person.level, 0);
        }
        let (mut away, mut open, mut arrivals, mut worked) = (0i64, 0i64, 0i64, 0i64);
        for day in TODAY - 3_650..TODAY {
            match world.day(PersonNo(5), day).unwrap() {
                Day::Rest | Day::Holiday => continue,
                Day::Away(_) => away += 1,
                Day::Worked { arrive, .. } => {
                    worked += i64::from(arrive.is_some());
                    arrivals += arrive.map_or(0, |at| (at - midnight(day)) / 60);
                }
            }
            open += 1;
        }
        let habit = Habit::of(5);
        let expected = open * i64::from(habit.absent_days()) / i64::from(OPEN_DAYS);
        assert!((away - expected).abs() < expected / 2, "{away} of {expected}");
        let mean = arrivals / worked - world.minutes_apart(PersonNo(5));
        assert!((mean - 599).abs() <= 3, "{mean}");
    }

    #[test]
    fn nothing_is_on_record_before_the_first_day_or_the_hire() {
        let mut world = world(10);
        let no = PersonNo(0);
        assert!(world.day(no, world.first_day).is_some());
        assert!(world.day(no, world.first_day - 1).is_none());
        world.people[0] = Person::new(DeptNo::ROOT, 3, 5, TODAY - 3);
        assert!(world.day(no, TODAY - 3).is_some());
        assert!(world.day(no, TODAY - 4).is_none());
        world.people[0].leave(TODAY - 2);
        assert!(world.day(no, TODAY - 2).is_some());
        assert!(world.day(no, TODAY - 1).is_none());
    }

    #[test]
    fn an_interval_holds_its_start_and_not_its_end() {
        let world = world(300);
        let all: Vec<Punch> =
            world.punches_between(PersonNo(3), 0, i64::MAX, i64::MAX / 2).take(6).collect();
        let (third, fifth) = (all[2].at, all[4].at);
        let some: Vec<Punch> =
            world.punches_between(PersonNo(3), third, fifth, i64::MAX / 2).collect();
        assert_eq!(some, all[2..4]);
    }
}
