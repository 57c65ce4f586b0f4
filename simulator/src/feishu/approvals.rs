//! Leave and business trips, derived from the days on which people were away.
//!
//! Not overtime or errands, of which this company has none. The invariant: an absence has one approval for all its
//! days, repeated under each, and only absences that were approved have one.

use serde::Deserialize;

use super::attendance::EmployeeIdType;
use super::call::Call;
use super::refusal::Refusal;
use crate::calendar::{compact, from_compact, local_text, midnight};
use crate::dice::{Ask, mix};
use crate::ids::PersonNo;
use crate::json::Json;
use crate::world::{Absence, Day, World};

#[derive(Deserialize)]
struct ApprovalQuery {
    user_ids: Vec<String>,
    check_date_from: i64,
    check_date_to: i64,
    #[serde(default = "approved")]
    status: i64,
}

const fn approved() -> i64 {
    2
}

/// `uniq_id` and the type's name in Chinese, English and Japanese.
const LEAVES: [(&str, &str, &str, &str); 3] = [
    ("6852582717813440527", "年假", "Annual leave", "年次休暇"),
    ("6852582717813440528", "病假", "Sick leave", "病気休暇"),
    ("6852582717813440529", "事假", "Personal leave", "私用休暇"),
];

/// One approved absence.
struct Approval {
    absence: Absence,
    from: i64,
    to: i64,
    id: u64,
}

impl Call<'_> {
    pub(crate) fn user_approvals(&self, json: &mut Json) -> Result<(), Refusal> {
        let as_type = self.employee_type(true)?;
        let asked: ApprovalQuery = self.json(&Refusal::ATTENDANCE_PARAMETER)?;
        let day = |date| from_compact(date).ok_or(Refusal::ATTENDANCE_PARAMETER);
        let (from, to) = (day(asked.check_date_from)?, day(asked.check_date_to)?);
        let tomorrow = crate::calendar::day_of(self.now) + 1;
        if !(0..30).contains(&(to - from)) || to > tomorrow || !(0..=4).contains(&asked.status) {
            return Err(Refusal::ATTENDANCE_PARAMETER);
        }
        let people = self.sort_out(asked.user_ids, as_type)?;
        if !people.invalid.is_empty() || !people.unauthorized.is_empty() {
            return Err(Refusal::ATTENDANCE_USER);
        }
        json.key("user_approvals").array(|json| {
            for no in people.served.into_iter().filter(|_| asked.status == approved()) {
                for day in from..=to {
                    if let Some(approval) = Approval::on(self.world, no, day) {
                        json.object(|json| self.approval(json, no, day, &approval, as_type));
                    }
                }
            }
        });
        Ok(())
    }

    fn approval(
        &self,
        json: &mut Json,
        no: PersonNo,
        day: i64,
        approval: &Approval,
        as_type: EmployeeIdType,
    ) {
        json.key("user_id");
        as_type.write(json, self.ids(), no);
        json.key("date").quoted(compact(day));
        json.key("time_zone").text("Asia/Shanghai");
        json.key("outs").array(|_| ());
        json.key("overtime_works").array(|_| ());
        let travels = approval.absence == Absence::Travel;
        json.key("leaves").array(|json| {
            if !travels {
                json.object(|json| approval.leave(json));
            }
        });
        json.key("trips").array(|json| {
            if travels {
                json.object(|json| approval.trip(json));
            }
        });
    }
}

impl Approval {
    fn on(world: &World, no: PersonNo, day: i64) -> Option<Self> {
        let Some(Day::Away(absence @ (Absence::Leave | Absence::Travel))) = world.day(no, day)
        else {
            return None;
        };
        let (from, to) = world.absence_span(no, day);
        let id = mix(world.dice.on_day(Ask::AbsenceKind, no.0, from).0) >> 1;
        Some(Self { absence, from, to, id })
    }

    fn times(&self, json: &mut Json) {
        json.key("approval_id").quoted(self.id);
        json.key("start_time").text(&local_text(midnight(self.from)));
        json.key("end_time").text(&local_text(midnight(self.to + 1) - 1));
        let asked = midnight(self.from) - 86_400 * 3 + 10 * 3_600;
        json.key("approve_apply_time").text(&local_text(asked));
        json.key("approve_pass_time").text(&local_text(asked + 1_800));
    }

    fn leave(&self, json: &mut Json) {
        let (uniq_id, chinese, english, japanese) = LEAVES[(self.id % 3) as usize];
        self.times(json);
        json.key("uniq_id").text(uniq_id);
        json.key("unit").number(1);
        json.key("interval").number((self.to - self.from + 1) * 86_400);
        json.key("i18n_names").object(|json| {
            json.key("ch").text(chinese);
            json.key("en").text(english);
            json.key("ja").text(japanese);
        });
        json.key("default_locale").text("ch");
        json.key("reason").text("");
        json.key("idempotent_id").text("");
    }

    fn trip(&self, json: &mut Json) {
        self.times(json);
        json.key("reason").text("出差");
        json.key("transportation").array(|json| json.number(4));
        json.key("trip_type").number(2);
        json.key("remarks").text("");
    }
}
