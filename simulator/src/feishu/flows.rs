//! Raw punches: many people's over an interval, or one by its id.
//!
//! Not day results. The invariant: a punch has one `record_id` for good, and `check_time` lies in `[from, to)`.

use serde::Deserialize;

use super::attendance::EmployeeIdType;
use super::call::Call;
use super::ids::{parse_punch_id, punch_id};
use super::refusal::Refusal;
use crate::ids::PersonNo;
use crate::json::Json;
use crate::world::{Manner, Punch, World};

#[derive(Deserialize)]
struct FlowQuery {
    user_ids: Vec<String>,
    check_time_from: String,
    check_time_to: String,
}

/// The end of the year 9999; milliseconds are beyond it.
const INSTANT_MOST: i64 = 253_402_300_799;

impl Call<'_> {
    pub(crate) fn user_flows(&self, json: &mut Json) -> Result<(), Refusal> {
        let as_type = self.employee_type(false)?;
        let asked: FlowQuery = self.json(&Refusal::ATTENDANCE_PARAMETER)?;
        let instant = |text: &str| {
            let seconds =
                text.parse::<i64>().ok().filter(|seconds| (0..=INSTANT_MOST).contains(seconds));
            seconds.ok_or(Refusal::ATTENDANCE_PARAMETER)
        };
        let (from, to) = (instant(&asked.check_time_from)?, instant(&asked.check_time_to)?);
        self.check_span((to.saturating_sub(from)).div_euclid(86_400))?;
        let people = self.sort_out(asked.user_ids, as_type)?;
        // Without a list of its own for them, a leaver who was not asked for simply has no punches.
        let leaver = |id: &String| {
            as_type.parse(self.ids(), id).is_some_and(|no| self.world.person(no).is_some())
        };
        if !people.unauthorized.is_empty() || !people.invalid.iter().all(leaver) {
            return Err(Refusal::ATTENDANCE_USER);
        }
        json.key("user_flow_results").array(|json| {
            for no in people.served {
                for punch in self.world.punches_between(no, from, to, self.now) {
                    json.object(|json| self.flow(json, no, punch, as_type));
                }
            }
        });
        Ok(())
    }

    pub(crate) fn one_flow(&self, json: &mut Json) -> Result<(), Refusal> {
        let as_type = self.employee_type(false)?;
        self.access.check_attendance()?;
        let (no, day, kind) = parse_punch_id(&self.id).ok_or(Refusal::ATTENDANCE_PARAMETER)?;
        let punch = self.world.punches(no, day, self.now).find(|punch| punch.kind == kind);
        let punch = punch.ok_or(Refusal::ATTENDANCE_PARAMETER)?;
        if !self.access.sees_attendance(self.world, no) {
            return Err(Refusal::ATTENDANCE_USER);
        }
        self.flow(json, no, punch, as_type);
        Ok(())
    }

    /// The members of a punch.
    pub(crate) fn flow(
        &self,
        json: &mut Json,
        no: PersonNo,
        punch: Punch,
        as_type: EmployeeIdType,
    ) {
        for key in ["user_id", "creator_id"] {
            json.key(key);
            as_type.write(json, self.ids(), no);
        }
        json.key("check_time").quoted(punch.at);
        json.key("record_id").quoted(punch_id(no, punch.day, punch.kind));
        let circumstance = Circumstance::of(self.world, no, punch);
        circumstance.write(json);
        json.key("type").number(circumstance.kind);
        json.key("photo_urls").array(|_| ());
        json.key("device_id").text(circumstance.device);
        json.key("external_id").text("");
        json.key("idempotent_id").text("");
    }
}

/// Where and how a punch was made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Circumstance {
    place: &'static str,
    comment: &'static str,
    ssid: &'static str,
    bssid: &'static str,
    device: &'static str,
    is_field: bool,
    /// 0 by the person, 2 a correction, 5 a machine, 6 quick punch.
    pub kind: u8,
}

impl Circumstance {
    /// The platform's members for how a punch was made.
    pub(crate) fn of(world: &World, no: PersonNo, punch: Punch) -> Self {
        let (place, comment, device) = ("", "", "");
        let own = Self { place, comment, ssid: "", bssid: "", device, is_field: false, kind: 0 };
        match Manner::of(world, no, punch) {
            Manner::Correction { remark } => Self { comment: remark, kind: 2, ..own },
            Manner::Terminal { place } => Self { place, device: "terminal-01", kind: 5, ..own },
            Manner::Wifi { place, ssid, bssid } => Self { place, ssid, bssid, ..own },
            Manner::Quick { place, ssid, bssid } => Self { place, ssid, bssid, kind: 6, ..own },
            Manner::Field { place, remark } => {
                Self { place, comment: remark, is_field: true, ..own }
            }
        }
    }

    /// The members that answers and events share.
    pub(crate) fn write(&self, json: &mut Json) {
        json.key("location_name").text(self.place);
        json.key("comment").text(self.comment);
        json.key("ssid").text(self.ssid);
        json.key("bssid").text(self.bssid);
        json.key("is_field").bool(self.is_field);
        json.key("is_wifi").bool(!self.ssid.is_empty());
    }
}
