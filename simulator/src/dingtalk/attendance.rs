//! Attendance: one result for each planned punch, the swipes themselves, and approved leave.
//!
//! Not the judging. The invariant: a result rests on a swipe exactly when it has a `recordId`; a missing punch has
//! `userCheckTime` equal to `baseCheckTime` and is no swipe.
//!
//! What a day of approved leave looks like is not in the fact sheet in full; the simulator gives both planned punches
//! the result `Normal` from source `APPROVE` with an `approveId` and no `recordId`. A closed day has no plan, so no
//! result.

use super::call::{Call, instant};
use super::ids::{invalid_swipe_id, plan_id, result_id, swipe_id};
use super::refusal::Refusal;
use crate::calendar::{day_of, midnight};
use crate::dice::{Ask, mix};
use crate::faults::Fault;
use crate::ids::{PersonNo, PunchKind};
use crate::json::Json;
use crate::world::{Absence, Day, Manner, Punch, Side, Verdict};

/// People of one call, and rows of one page.
const MOST: usize = 50;
/// Days of one call, the first and the last included.
const DAYS_MOST: i64 = 7;
/// People, rows and days of a call for leave.
const LEAVE_PEOPLE: usize = 100;
const LEAVE_ROWS: usize = 20;
const LEAVE_SPAN_MS: i64 = 180 * 86_400_000;

/// One planned punch and what became of it.
struct Row {
    no: PersonNo,
    day: i64,
    kind: PunchKind,
    side: Side,
    excused: bool,
}

/// Some days of approved leave.
struct Leave {
    no: PersonNo,
    from: i64,
    to: i64,
}

impl Call<'_> {
    /// `attendance/list`. Unknown people are left out without a word.
    pub(crate) fn results(&self, json: &mut Json) -> Result<(), Refusal> {
        let people = self.people("userIdList", MOST)?;
        let (from, to) = (self.moment("workDateFrom")?, self.moment("workDateTo")?);
        let (first, last) = (day_of(from), day_of(to));
        if last < first {
            return Err(Refusal::BAD_DATE);
        }
        if last - first >= DAYS_MOST {
            return Err(Refusal::SPAN);
        }
        let page = self.page("offset", "limit", MOST)?;
        let foreign = self.params.flag("isI18n");
        let rows = people
            .iter()
            .filter(|_| !foreign)
            .flat_map(|no| (first..=last).flat_map(move |day| self.rows(*no, day)));
        let found: Vec<Row> = rows
            .skip(usize::try_from(page.from).unwrap_or(usize::MAX))
            .take(page.size + 1)
            .collect();
        let more = found.len() > page.size && !self.strikes(Fault::TruncatedList);
        json.key("hasMore").bool(more);
        json.key("recordresult").array(|json| {
            for row in found.iter().take(page.size) {
                json.object(|json| self.result(json, row));
            }
        });
        Ok(())
    }

    /// Results that are there by now: a punch that is not due yet has none.
    fn rows(&self, no: PersonNo, day: i64) -> Vec<Row> {
        let Some(verdict) = self.world.verdict(no, day, self.now) else { return Vec::new() };
        let Verdict { arrival, departure, .. } = verdict;
        let excused =
            matches!(self.world.day(no, day), Some(Day::Away(Absence::Leave | Absence::Travel)));
        [
            (departure_kind(&arrival, PunchKind::In), arrival),
            (departure_kind(&departure, PunchKind::Out), departure),
        ]
        .into_iter()
        .filter(|(_, side)| excused || !matches!(side.result, "Todo" | "NoNeedCheck"))
        .map(|(kind, side)| Row { no, day, kind, side, excused })
        .collect()
    }

    fn result(&self, json: &mut Json, row: &Row) {
        let Row { no, day, kind, side, excused } = row;
        let planned = side.planned * 1_000;
        let arrives = *kind == PunchKind::In;
        let plan = if arrives { PunchKind::In } else { PunchKind::Out };
        let manner =
            side.punch.map(|(kind, at)| Manner::of(self.world, *no, Punch { day: *day, kind, at }));
        json.key("id").number(result_id(*no, *day, plan));
        json.key("userId").text(&self.ids().userid(*no));
        json.key("groupId").number(group_id(self.world.shift(*no).group_id));
        json.key("planId").number(plan_id(*no, *day, plan));
        json.key("workDate").number(midnight(*day) * 1_000);
        json.key("checkType").text(if arrives { "OnDuty" } else { "OffDuty" });
        json.key("baseCheckTime").number(planned);
        let (time, place, source) = match (manner, excused) {
            (_, true) => ("Normal", "Normal", "APPROVE"),
            (None, false) => ("NotSigned", "NotSigned", "SYSTEM"),
            (Some(manner), false) => (side.result, place_result(manner), source(manner)),
        };
        json.key("timeResult").text(time);
        json.key("locationResult").text(place);
        json.key("sourceType").text(source);
        match side.punch {
            Some((kind, at)) => {
                json.key("recordId").number(swipe_id(*no, *day, kind));
                json.key("userCheckTime").number(at * 1_000);
            }
            None => json.key("userCheckTime").number(planned),
        }
        if source == "APPROVE" {
            let approve = mix(result_id(*no, *day, plan)) >> 24;
            json.key("approveId").number(approve);
            json.key("procInstId").text(&format!("proc-{approve:010x}"));
        }
    }

    /// `attendance/listRecord`: the time of day counts, both ends are inside.
    pub(crate) fn swipes(&self, json: &mut Json) -> Result<(), Refusal> {
        let people = self.people("userIds", MOST)?;
        let (from, to) = (self.moment("checkDateFrom")?, self.moment("checkDateTo")?);
        if to < from {
            return Err(Refusal::BAD_DATE);
        }
        if to - from > DAYS_MOST * 86_400 {
            return Err(Refusal::SPAN);
        }
        let foreign = self.params.flag("isI18n");
        json.key("recordresult").array(|json| {
            for no in people.into_iter().filter(|_| !foreign) {
                for punch in self.world.punches_between(no, from - 300, to + 1, self.now) {
                    let invalid = self.failed_before(no, punch);
                    if let Some(at) = invalid.filter(|at| (from..=to).contains(at)) {
                        json.object(|json| self.invalid_swipe(json, no, punch, at));
                    }
                    if punch.at >= from {
                        json.object(|json| self.swipe(json, no, punch));
                    }
                }
            }
        });
        Ok(())
    }

    /// One punch in forty was tried before, a few minutes earlier, and did not count.
    fn failed_before(&self, no: PersonNo, punch: Punch) -> Option<i64> {
        let seq = swipe_id(PersonNo(0), 0, punch.kind) & 3;
        let roll =
            self.world.dice.on_day(Ask::FailedSwipe, no.0, punch.day * 4 + seq.cast_signed());
        let failed = punch.kind != PunchKind::Late && roll.one_in_million(25_000);
        failed.then(|| punch.at - 60 - i64::from(roll.again().below(200)))
    }

    fn swipe(&self, json: &mut Json, no: PersonNo, punch: Punch) {
        let manner = Manner::of(self.world, no, punch);
        let verdict = self.world.verdict(no, punch.day, self.now);
        let side = verdict.map(|verdict| match punch.kind {
            PunchKind::In => verdict.arrival,
            PunchKind::Out | PunchKind::Late => verdict.departure,
        });
        json.key("id").number(swipe_id(no, punch.day, punch.kind));
        self.swipe_facts(json, no, punch, punch.at);
        // A departure that a later one replaced rests under no result; the platform shows it with its own.
        let result = side.map_or("Normal", |side| match side.result {
            "Todo" | "Lack" | "NoNeedCheck" => "Normal",
            result => result,
        });
        json.key("timeResult").text(result);
        json.key("locationResult").text(place_result(manner));
        json.key("sourceType").text(source(manner));
        json.key("isLegal").text(if result == "Normal" { "Y" } else { "N" });
        match manner {
            Manner::Terminal { .. } => {
                json.key("locationMethod").text("ATM");
                json.key("userAddress").text("terminal-01");
                json.key("deviceSN").text("terminal-01");
            }
            Manner::Wifi { place, ssid, bssid } | Manner::Quick { place, ssid, bssid } => {
                json.key("locationMethod").text("WIFI");
                json.key("userAddress").text(place);
                json.key("userSsid").text(ssid);
                json.key("userMacAddr").text(bssid);
            }
            Manner::Field { place, remark } => {
                json.key("locationMethod").text("MAP");
                json.key("userAddress").text(place);
                json.key("outsideRemark").text(remark);
                json.key("userLongitude").raw(b"121.473701");
                json.key("userLatitude").raw(b"31.230416");
                json.key("userAccuracy").text("65");
            }
            Manner::Correction { .. } => {
                let approve = mix(swipe_id(no, punch.day, punch.kind)) >> 24;
                json.key("approveId").number(approve);
            }
        }
    }

    /// Without first-level results, and with the reason.
    fn invalid_swipe(&self, json: &mut Json, no: PersonNo, punch: Punch, at: i64) {
        json.key("id").number(invalid_swipe_id(no, punch.day, punch.kind));
        self.swipe_facts(json, no, punch, at);
        json.key("isLegal").text("N");
        json.key("invalidRecordType").text("Other");
        json.key("invalidRecordMsg").text("不在打卡范围内");
    }

    fn swipe_facts(&self, json: &mut Json, no: PersonNo, punch: Punch, at: i64) {
        let shift = self.world.shift(no);
        let arrives = punch.kind == PunchKind::In;
        let planned = midnight(punch.day) + 60 * if arrives { shift.on } else { shift.off };
        let plan = if arrives { PunchKind::In } else { PunchKind::Out };
        json.key("userId").text(&self.ids().userid(no));
        json.key("corpId").text(&self.settings.corp_id);
        json.key("groupId").number(group_id(shift.group_id));
        json.key("classId").number(group_id(shift.id));
        json.key("planId").number(plan_id(no, punch.day, plan));
        json.key("workDate").number(midnight(punch.day) * 1_000);
        json.key("checkType").text(if arrives { "OnDuty" } else { "OffDuty" });
        json.key("planCheckTime").number(planned * 1_000);
        json.key("baseCheckTime").number(planned * 1_000);
        json.key("userCheckTime").number(at * 1_000);
        json.key("gmtCreate").number(at * 1_000);
        json.key("gmtModified").number(at * 1_000);
    }

    /// `topapi/attendance/getleavestatus`.
    pub(crate) fn leave_status(&self, json: &mut Json) -> Result<(), Refusal> {
        let people = self.people("userid_list", LEAVE_PEOPLE)?;
        let instant = |name| self.params.integer(name)?.ok_or(Refusal::BAD_PARAMETER);
        let (from, to) = (instant("start_time")?, instant("end_time")?);
        if !(0..=LEAVE_SPAN_MS).contains(&(to - from)) {
            return Err(Refusal::SPAN);
        }
        let page = self.page("offset", "size", LEAVE_ROWS)?;
        let (first, last) = (day_of(from / 1_000), day_of(to / 1_000));
        let leaves = people.iter().flat_map(|no| self.leaves(*no, first, last));
        let found: Vec<Leave> = leaves
            .skip(usize::try_from(page.from).unwrap_or(usize::MAX))
            .take(page.size + 1)
            .collect();
        json.key("result").object(|json| {
            json.key("has_more").bool(found.len() > page.size);
            json.key("leave_status").array(|json| {
                for leave in found.iter().take(page.size) {
                    json.object(|json| self.leave(json, leave));
                }
            });
        });
        Ok(())
    }

    /// Absences that reach into the days from `first` to `last`, each once.
    fn leaves(&self, no: PersonNo, first: i64, last: i64) -> Vec<Leave> {
        let mut leaves: Vec<Leave> = Vec::new();
        for day in first.max(self.world.first_day)..=last {
            let known = leaves.last().is_some_and(|leave| day <= leave.to);
            if !known && self.world.day(no, day) == Some(Day::Away(Absence::Leave)) {
                let (from, to) = self.world.absence_span(no, day);
                leaves.push(Leave { no, from, to });
            }
        }
        leaves
    }

    fn leave(&self, json: &mut Json, leave: &Leave) {
        json.key("userid").text(&self.ids().userid(leave.no));
        json.key("start_time").number(midnight(leave.from) * 1_000);
        json.key("end_time").number(midnight(leave.to + 1) * 1_000 - 1_000);
        json.key("duration_unit").text("percent_day");
        json.key("duration_percent").number((leave.to - leave.from + 1) * 100);
        json.key("leave_code").text("d4edf257-e581-45f9-b9b9-35755b598952");
    }

    /// The known people of a list that must have 1 to `most`; others are left out without a word.
    fn people(&self, name: &str, most: usize) -> Result<Vec<PersonNo>, Refusal> {
        let ids = self.params.texts(name);
        if ids.is_empty() || ids.len() > most {
            return Err(Refusal::BAD_PARAMETER);
        }
        let known = |no: &PersonNo| self.world.person(*no).is_some();
        Ok(ids.iter().filter_map(|id| self.ids().parse_userid(id)).filter(known).collect())
    }

    fn moment(&self, name: &str) -> Result<i64, Refusal> {
        instant(&self.params.text(name).ok_or(Refusal::BAD_PARAMETER)?)
    }
}

/// Which punch a side is about: the one it rests on, or the planned one.
fn departure_kind(side: &Side, planned: PunchKind) -> PunchKind {
    side.punch.map_or(planned, |(kind, _)| kind)
}

const fn place_result(manner: Manner) -> &'static str {
    match manner {
        Manner::Field { .. } => "Outside",
        Manner::Terminal { .. }
        | Manner::Wifi { .. }
        | Manner::Quick { .. }
        | Manner::Correction { .. } => "Normal",
    }
}

const fn source(manner: Manner) -> &'static str {
    match manner {
        Manner::Terminal { .. } => "ATM",
        Manner::Wifi { .. } | Manner::Field { .. } => "USER",
        Manner::Quick { .. } => "AUTO_CHECK",
        Manner::Correction { .. } => "APPROVE",
    }
}

fn group_id(digits: &str) -> u64 {
    1_010_000_000 + digits.parse::<u64>().unwrap_or_default()
}
