//! The company's shifts: five over the day, by when people usually go home, and one through the night.
//!
//! Not who works when on a given day. The invariant: a person keeps one shift for good.

use super::World;
use super::figures::Habit;
use crate::ids::PersonNo;

/// One shift and the attendance group that works it; minutes count from the day's midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shift {
    pub id: &'static str,
    pub name: &'static str,
    pub group_id: &'static str,
    pub group_name: &'static str,
    pub on: i64,
    pub off: i64,
}

impl Shift {
    /// Minutes after the start that still count as on time.
    pub(crate) const LATE_AFTER: i64 = 5;
    /// Minutes before the end that still count as stayed.
    pub(crate) const EARLY_BEFORE: i64 = 5;
    /// A person without a punch this long after the start has none.
    pub(crate) const LACK_IN_AFTER: i64 = 120;
    /// A person without a punch this long after the end has none.
    pub(crate) const LACK_OUT_AFTER: i64 = 240;
}

const fn shift(ids: [&'static str; 4], on: i64, off: i64) -> Shift {
    let [id, name, group_id, group_name] = ids;
    Shift { id, name, group_id, group_name, on, off }
}

/// The last one runs past midnight.
pub(crate) const SHIFTS: [Shift; 6] = [
    shift(["6753001", "早结束班", "6737001", "早结束考勤组"], 620, 915),
    shift(["6753002", "短班", "6737002", "短班考勤组"], 620, 950),
    shift(["6753003", "标准班", "6737003", "标准考勤组"], 620, 985),
    shift(["6753004", "长班", "6737004", "长班考勤组"], 620, 1_110),
    shift(["6753005", "晚班", "6737005", "晚班考勤组"], 620, 1_155),
    shift(["6753006", "夜班", "6737006", "夜班考勤组"], 1_320, 1_830),
];

/// Mean departures below these belong to the first, second, third and fourth shift.
const LEAVES_BEFORE: [i64; 4] = [990, 1_030, 1_130, 1_195];

impl World {
    /// With punch cards nobody works nights: the cards hold no such days.
    pub(crate) fn shift(&self, no: PersonNo) -> &'static Shift {
        if self.cards.is_none() && self.traits(no).works_nights() {
            return &SHIFTS[5];
        }
        let leaves = Habit::of(no.0).times(2).leave;
        let place = LEAVES_BEFORE.iter().position(|limit| leaves < *limit);
        &SHIFTS[place.unwrap_or(4)]
    }
}
