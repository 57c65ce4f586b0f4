//! Day results: how the platform judged each day of a person.
//!
//! Not the judging. The invariant: one row a person and day, and a result that rests on a punch names it.

use serde::Deserialize;

use super::attendance::EmployeeIdType;
use super::call::Call;
use super::ids::{punch_id, result_id};
use super::refusal::Refusal;
use crate::calendar::{compact, from_compact};
use crate::ids::PersonNo;
use crate::json::Json;
use crate::world::{Punch, Side, Verdict};

#[derive(Deserialize)]
struct TaskQuery {
    user_ids: Vec<String>,
    check_date_from: i64,
    check_date_to: i64,
}

impl Call<'_> {
    pub(crate) fn user_tasks(&self, json: &mut Json) -> Result<(), Refusal> {
        let as_type = self.employee_type(false)?;
        let asked: TaskQuery = self.json(&Refusal::ATTENDANCE_PARAMETER)?;
        let day = |date| from_compact(date).ok_or(Refusal::ATTENDANCE_PARAMETER);
        let (from, to) = (day(asked.check_date_from)?, day(asked.check_date_to)?);
        self.check_span(to - from + i64::from(to >= from))?;
        let ignore = self.query.flag("ignore_invalid_users", &Refusal::ATTENDANCE_PARAMETER)?;
        let people = self.sort_out(asked.user_ids, as_type)?;
        let sound = people.invalid.is_empty() && people.unauthorized.is_empty();
        if !(ignore || sound) {
            return Err(Refusal::ATTENDANCE_USER);
        }
        json.key("user_task_results").array(|json| {
            for no in people.served {
                for day in from.max(self.world.first_day)..=to {
                    if let Some(verdict) = self.world.verdict(no, day, self.now) {
                        json.object(|json| self.task(json, no, day, &verdict, as_type));
                    }
                }
            }
        });
        for (key, ids) in
            [("invalid_user_ids", people.invalid), ("unauthorized_user_ids", people.unauthorized)]
        {
            json.key(key).array(|json| ids.iter().for_each(|id| json.text(id)));
        }
        Ok(())
    }

    fn task(
        &self,
        json: &mut Json,
        no: PersonNo,
        day: i64,
        verdict: &Verdict,
        as_type: EmployeeIdType,
    ) {
        json.key("result_id").quoted(result_id(no, day));
        json.key("user_id");
        as_type.write(json, self.ids(), no);
        json.key("employee_name").pieces(&self.world.traits(no).name().pieces());
        json.key("day").number(compact(day));
        json.key("group_id").text(verdict.shift.group_id);
        json.key("shift_id").text(verdict.shift.id);
        json.key("records").array(|json| {
            json.object(|json| {
                self.side(json, no, day, verdict.arrival, &ARRIVAL, as_type);
                self.side(json, no, day, verdict.departure, &DEPARTURE, as_type);
                json.key("task_shift_type").number(0);
            });
        });
    }

    /// A missing arrival has no record at all, a missing departure has `null`: the platform shows both.
    fn side(
        &self,
        json: &mut Json,
        no: PersonNo,
        day: i64,
        side: Side,
        keys: &Keys,
        as_type: EmployeeIdType,
    ) {
        if let Some((kind, at)) = side.punch {
            json.key(keys.record_id).quoted(punch_id(no, day, kind));
            json.key(keys.record)
                .object(|json| self.flow(json, no, Punch { day, kind, at }, as_type));
        } else {
            json.key(keys.record_id).text("");
            if keys.null_record {
                json.key(keys.record).raw(b"null");
            }
        }
        json.key(keys.result).text(side.result);
        json.key(keys.supplement).text(side.supplement);
        json.key(keys.planned).quoted(side.planned);
    }
}

/// The names of one side's members.
struct Keys {
    record_id: &'static str,
    record: &'static str,
    result: &'static str,
    supplement: &'static str,
    planned: &'static str,
    null_record: bool,
}

const ARRIVAL: Keys = Keys {
    record_id: "check_in_record_id",
    record: "check_in_record",
    result: "check_in_result",
    supplement: "check_in_result_supplement",
    planned: "check_in_shift_time",
    null_record: false,
};
const DEPARTURE: Keys = Keys {
    record_id: "check_out_record_id",
    record: "check_out_record",
    result: "check_out_result",
    supplement: "check_out_result_supplement",
    planned: "check_out_shift_time",
    null_record: true,
};
