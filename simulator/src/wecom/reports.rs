//! Day reports and rules: how the platform judged each day of a person, and by what.
//!
//! Not the judging. The invariant: one report a person and working day; clock times in place of midnights find nothing,
//! as on the platform.

use serde::Deserialize;

use super::call::Call;
use super::ids::userid;
use super::refusal::Refusal;
use crate::calendar::{day_of, midnight};
use crate::ids::PersonNo;
use crate::json::Json;
use crate::world::{Shift, Side, Verdict};

#[derive(Deserialize)]
struct RuleQuery {
    datetime: i64,
    useridlist: Vec<String>,
}

impl Call<'_> {
    pub(crate) fn day_reports(&self, json: &mut Json) -> Result<(), Refusal> {
        let asked = self.asked()?;
        let people = self.people(&asked.useridlist)?;
        let (first, last) = (day_of(asked.starttime), day_of(asked.endtime));
        let whole = midnight(first) == asked.starttime && midnight(last) == asked.endtime;
        json.key("datas").array(|json| {
            for no in people {
                let days = first.max(self.world.first_day)..=last;
                for day in days.filter(|_| whole) {
                    if let Some(verdict) = self.world.verdict(no, day, self.now) {
                        json.object(|json| self.report(json, no, day, &verdict));
                    }
                }
            }
        });
        Ok(())
    }

    pub(crate) fn rules(&self, json: &mut Json) -> Result<(), Refusal> {
        let asked: RuleQuery = self.json()?;
        if !(1..=100).contains(&asked.useridlist.len()) {
            return Err(Refusal::BAD_LIST);
        }
        if asked.datetime != midnight(day_of(asked.datetime)) {
            return Err(Refusal::BAD_SPAN);
        }
        let people = self.people(&asked.useridlist)?;
        json.key("info").array(|json| {
            for no in people {
                json.object(|json| {
                    json.key("userid").text(&userid(no));
                    json.key("group").object(|json| group(json, self.world.shift(no)));
                });
            }
        });
        Ok(())
    }

    fn report(&self, json: &mut Json, no: PersonNo, day: i64, verdict: &Verdict) {
        let Verdict { shift, arrival, departure } = verdict;
        let free = arrival.result == "NoNeedCheck" && arrival.supplement == "None";
        json.key("base_info").object(|json| {
            json.key("date").number(midnight(day));
            json.key("record_type").number(1);
            json.key("name").pieces(&self.world.traits(no).name().pieces());
            json.key("name_ex").text("");
            json.key("acctid").text(&userid(no));
            json.key("rule_info").object(|json| {
                json.key("groupid").raw(shift.group_id.as_bytes());
                json.key("groupname").text(shift.group_name);
                json.key("scheduleid").raw(shift.id.as_bytes());
                json.key("schedulename").text(shift.name);
                json.key("checkintime").array(|json| json.object(|json| hours(json, shift)));
            });
            json.key("day_type").number(i32::from(free));
        });
        json.key("summary_info").object(|json| summary(json, day, verdict));
        json.key("holiday_infos").array(|_| ());
        json.key("exception_infos").array(|json| exceptions(json, arrival, departure, shift));
        json.key("ot_info").object(|json| {
            json.key("ot_status").number(0);
            json.key("ot_duration").number(0);
            json.key("exception_duration").array(|_| ());
        });
        json.key("sp_items").array(|json| requests(json, arrival));
    }
}

fn hours(json: &mut Json, shift: &Shift) {
    json.key("work_sec").number(shift.on * 60);
    json.key("off_work_sec").number(shift.off * 60);
}

fn group(json: &mut Json, shift: &Shift) {
    json.key("grouptype").number(1);
    json.key("groupid").raw(shift.group_id.as_bytes());
    json.key("groupname").text(shift.group_name);
    json.key("checkindate").array(|json| {
        json.object(|json| {
            json.key("workdays").array(|json| (1..=5).for_each(|day: i32| json.number(day)));
            json.key("checkintime").array(|json| json.object(|json| hours(json, shift)));
        });
    });
}

/// Counts and seconds; the last member is the platform's spelling.
fn summary(json: &mut Json, day: i64, verdict: &Verdict) {
    let Verdict { shift, arrival, departure } = verdict;
    let at = |side: &Side| side.punch.map(|(_, at)| at - midnight(day));
    let (first, last) = (at(arrival), at(departure));
    let count = i32::from(first.is_some()) + i32::from(last.is_some());
    let worked = first.zip(last).map_or(0, |(first, last)| (last - first).max(0));
    json.key("checkin_count").number(count);
    json.key("regular_work_sec").number(worked);
    json.key("standard_work_sec").number((shift.off - shift.on) * 60);
    json.key("earliest_time").number(first.or(last).unwrap_or(0));
    json.key("lastest_time").number(last.or(first).unwrap_or(0));
}

fn exceptions(json: &mut Json, arrival: &Side, departure: &Side, shift: &Shift) {
    let mut exception = |kind: i32, seconds: Option<i64>| {
        json.object(|json| {
            json.key("exception").number(kind);
            json.key("count").number(1);
            json.key("duration").number(seconds.unwrap_or(0));
        });
    };
    if arrival.supplement == "Leave" {
        return;
    }
    let apart = |side: &Side| side.punch.map(|(_, at)| (at - side.planned).abs());
    if arrival.result == "Late" {
        exception(1, apart(arrival));
    }
    if departure.result == "Early" {
        exception(2, apart(departure));
    }
    match (arrival.result == "Lack", departure.result == "Lack") {
        (true, true) => exception(4, Some((shift.off - shift.on) * 60)),
        (true, false) | (false, true) => exception(3, None),
        (false, false) => {}
    }
}

/// What was requested and approved for the whole day.
fn requests(json: &mut Json, arrival: &Side) {
    let (kind, name) = match arrival.supplement {
        "Leave" => (1, "年假"),
        "Travel" => (3, "出差"),
        _ => return,
    };
    json.object(|json| {
        json.key("type").number(kind);
        json.key("vacation_id").number(i32::from(kind == 1));
        json.key("count").number(1);
        json.key("duration").number(86_400);
        json.key("time_type").number(0);
        json.key("name").text(name);
    });
}
