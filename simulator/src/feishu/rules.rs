//! Attendance groups and shifts.
//!
//! Not who is in them beyond what day results say. The invariant: every group works one shift, Monday to Friday.

use super::call::Call;
use super::refusal::Refusal;
use crate::json::Json;
use crate::world::{SHIFTS, Shift};

impl Call<'_> {
    pub(crate) fn groups(&self, json: &mut Json) -> Result<(), Refusal> {
        let found = self.rules(json)?;
        json.key("group_list").array(|json| {
            for shift in found {
                json.object(|json| {
                    json.key("group_id").text(shift.group_id);
                    json.key("group_name").text(shift.group_name);
                });
            }
        });
        Ok(())
    }

    pub(crate) fn shifts(&self, json: &mut Json) -> Result<(), Refusal> {
        let found = self.rules(json)?;
        json.key("shift_list").array(|json| {
            for shift in found {
                json.object(|json| write_shift(json, shift));
            }
        });
        Ok(())
    }

    pub(crate) fn one_group(&self, json: &mut Json) -> Result<(), Refusal> {
        self.employee_type(true)?;
        let shift = SHIFTS.iter().find(|shift| shift.group_id == self.id);
        write_group(json, shift.ok_or(Refusal::ATTENDANCE_PARAMETER)?);
        Ok(())
    }

    pub(crate) fn one_shift(&self, json: &mut Json) -> Result<(), Refusal> {
        let shift = SHIFTS.iter().find(|shift| shift.id == self.id);
        write_shift(json, shift.ok_or(Refusal::ATTENDANCE_PARAMETER)?);
        Ok(())
    }

    /// A page of the list that groups and shifts share; attendance has a code of its own for bad pages.
    fn rules(&self, json: &mut Json) -> Result<Vec<&'static Shift>, Refusal> {
        let page = self.page(10, 0).map_err(|_| Refusal::ATTENDANCE_PARAMETER)?;
        let found: Vec<(u32, &Shift)> =
            (0..).zip(&SHIFTS).skip(page.from as usize).take(page.size + 1).collect();
        let here = self.write_paging(json, &page, &found);
        Ok(found.into_iter().take(here).map(|(_, shift)| shift).collect())
    }
}

fn write_group(json: &mut Json, shift: &Shift) {
    json.key("group_id").text(shift.group_id);
    json.key("group_name").text(shift.group_name);
    json.key("time_zone").text("Asia/Shanghai");
    json.key("group_type").number(1);
    json.key("punch_type").number(2 + 4);
    for key in ["bind_dept_ids", "bind_user_ids", "group_leader_ids"] {
        json.key(key).array(|_| ());
    }
    json.key("punch_day_shift_ids").array(|json| {
        for weekday in 0..7 {
            json.text(if weekday < 5 { shift.id } else { "0" });
        }
    });
    json.key("calendar_id").number(1);
    json.key("work_day_no_punch_as_lack").bool(true);
}

/// Reading, `no_need_on` and `no_need_off` are true when a punch is needed: the reverse of writing.
fn write_shift(json: &mut Json, shift: &Shift) {
    json.key("shift_id").text(shift.id);
    json.key("shift_name").text(shift.name);
    json.key("punch_times").number(1);
    json.key("is_flexible").bool(false);
    json.key("flexible_minutes").number(0);
    json.key("day_type").number(1);
    json.key("punch_time_rule").array(|json| {
        json.object(|json| {
            json.key("on_time").text(&clock(shift.on));
            json.key("off_time").text(&clock(shift.off));
            json.key("late_minutes_as_late").number(Shift::LATE_AFTER);
            json.key("late_minutes_as_lack").number(Shift::LACK_IN_AFTER);
            json.key("on_advance_minutes").number(120);
            json.key("early_minutes_as_early").number(Shift::EARLY_BEFORE);
            json.key("early_minutes_as_lack").number(480);
            json.key("off_delay_minutes").number(Shift::LACK_OUT_AFTER);
            json.key("no_need_on").bool(true);
            json.key("no_need_off").bool(true);
        });
    });
    json.key("rest_time_rule").array(|json| {
        let begin = if shift.off > 1_440 { 1_560 } else { 720 };
        json.object(|json| {
            json.key("rest_begin_time").text(&clock(begin));
            json.key("rest_end_time").text(&clock(begin + 60));
        });
    });
}

/// `9:30`; hours count on past midnight.
fn clock(minute: i64) -> String {
    format!("{}:{:02}", minute / 60, minute % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_count_on_past_midnight() {
        assert_eq!(clock(1_830), "30:30");
        assert_eq!(clock(545), "9:05");
    }
}
