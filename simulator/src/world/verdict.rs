//! How the platform judges a day: on time, late, early, missing, or not over yet.
//!
//! Not the shape of the answer. The invariant: a verdict names a punch exactly when it rests on one that is known.

use super::punches::{Absence, Day};
use super::{Shift, World};
use crate::calendar::midnight;
use crate::ids::{PersonNo, PunchKind};

/// One end of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Side {
    pub punch: Option<(PunchKind, i64)>,
    pub result: &'static str,
    pub supplement: &'static str,
    /// When the person should have punched.
    pub planned: i64,
}

/// A day's result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub shift: &'static Shift,
    pub arrival: Side,
    pub departure: Side,
}

impl World {
    /// `None` on weekends, in the future, and where nothing is on record.
    pub(crate) fn verdict(&self, no: PersonNo, day: i64, now: i64) -> Option<Verdict> {
        if midnight(day) > now {
            return None;
        }
        let shift = self.shift(no);
        let planned = [shift.on, shift.off].map(|minute| midnight(day) + minute * 60);
        let both = |result, supplement| {
            planned.map(|planned| Side { punch: None, result, supplement, planned })
        };
        let [arrival, departure] = match self.day(no, day)? {
            Day::Rest => return None,
            Day::Holiday => both("NoNeedCheck", "None"),
            Day::Away(Absence::Leave) => both("Lack", "Leave"),
            Day::Away(Absence::Travel) => both("NoNeedCheck", "Travel"),
            Day::Away(Absence::Unexcused) => judge(planned, None, None, now),
            Day::Worked { arrive, leave, late } => {
                let known = |at: Option<i64>| at.filter(|at| *at <= now);
                let last = known(late).map(|at| (PunchKind::Late, at));
                let out = last.or(known(leave).map(|at| (PunchKind::Out, at)));
                judge(planned, known(arrive).map(|at| (PunchKind::In, at)), out, now)
            }
        };
        Some(Verdict { shift, arrival, departure })
    }
}

type Known = Option<(PunchKind, i64)>;

fn judge([on, off]: [i64; 2], arrive: Known, leave: Known, now: i64) -> [Side; 2] {
    let side =
        |punch, planned, result| Side { punch, result, supplement: supplement(punch), planned };
    let arrived = match arrive {
        Some((_, at)) if at > on + Shift::LATE_AFTER * 60 => "Late",
        Some(_) => "Normal",
        None if now < on + Shift::LACK_IN_AFTER * 60 => "Todo",
        None => "Lack",
    };
    let left = match leave {
        Some((_, at)) if at < off - Shift::EARLY_BEFORE * 60 => "Early",
        Some(_) => "Normal",
        None if now < off + Shift::LACK_OUT_AFTER * 60 => "Todo",
        None => "Lack",
    };
    [side(arrive, on, arrived), side(leave, off, left)]
}

/// A punch that became known after the fact was corrected.
fn supplement(punch: Known) -> &'static str {
    match punch {
        Some((PunchKind::Late, _)) => "CardReplacement",
        Some((PunchKind::In | PunchKind::Out, _)) | None => "None",
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{TODAY, world};
    use super::*;
    use std::collections::HashMap;

    fn at(hour: i64) -> i64 {
        midnight(TODAY) + hour * 3_600
    }

    fn departures(day: i64, now: i64) -> HashMap<&'static str, u32> {
        let world = world(2_000);
        let mut seen = HashMap::new();
        for no in (0..2_000).map(PersonNo) {
            if let Some(verdict) = world.verdict(no, day, now) {
                *seen.entry(verdict.departure.result).or_default() += 1;
            }
        }
        seen
    }

    #[test]
    fn today_is_not_over_and_yesterday_is() {
        let today = departures(TODAY, at(13));
        assert!(today["Todo"] > 1_700, "{today:?}");
        let yesterday = departures(TODAY - 5, at(13));
        assert!(!yesterday.contains_key("Todo"), "{yesterday:?}");
        assert!(yesterday["Normal"] > 1_600, "{yesterday:?}");
        assert!(yesterday["Early"] > 10 && yesterday["Lack"] > 5, "{yesterday:?}");
    }

    #[test]
    fn tomorrow_has_no_result() {
        assert!(departures(TODAY + 1, at(13)).is_empty());
    }

    #[test]
    fn a_verdict_names_the_punch_it_rests_on() {
        let world = world(400);
        for no in (0..400).map(PersonNo) {
            let Some(verdict) = world.verdict(no, TODAY - 4, at(13)) else { continue };
            for side in [verdict.arrival, verdict.departure] {
                let rests = matches!(side.result, "Normal" | "Late" | "Early");
                assert_eq!(side.punch.is_some(), rests, "{side:?}");
            }
        }
    }

    #[test]
    fn a_late_punch_mends_an_early_departure() {
        let mut world = world(400);
        let (no, day) = (0..400)
            .map(PersonNo)
            .flat_map(|no| (TODAY - 10..TODAY).map(move |day| (no, day)))
            .find(|(no, day)| {
                world.verdict(*no, *day, at(13)).is_some_and(|v| v.departure.result == "Early")
            })
            .unwrap();
        world.late.insert((no, day), world.shift(no).off + 30);
        let side = world.verdict(no, day, at(13)).unwrap().departure;
        assert_eq!((side.result, side.supplement), ("Normal", "CardReplacement"));
    }
}
