//! Punches: what the check-in app counts, and the raw log of the attendance machines.
//!
//! Not day reports. The invariant: a punch after midnight that ends the shift of the day before is only in an answer
//! that covers that day too.

use super::attendance::Asked;
use super::call::Call;
use super::ids::userid;
use super::refusal::Refusal;
use crate::calendar::day_of;
use crate::dice::Ask;
use crate::ids::{PersonNo, PunchKind};
use crate::json::Json;
use crate::world::{Punch, Side};

/// Where and how a punch was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Means {
    Machine,
    Wifi,
    Phone,
    /// Out of the office.
    Visit,
}

impl Call<'_> {
    pub(crate) fn check_ins(&self, json: &mut Json) -> Result<(), Refusal> {
        let asked = self.asked()?;
        let people = self.people(&asked.useridlist)?;
        let Some(wanted @ 1..=3) = asked.opencheckindatatype else {
            return Err(Refusal::BAD_PARAMETER);
        };
        json.key("checkindata").array(|json| {
            for no in people {
                for punch in self.punches(no, &asked) {
                    let visit = self.means(no, punch) == Means::Visit;
                    if wanted == 3 || (wanted == 2) == visit {
                        json.object(|json| self.check_in(json, no, punch));
                    }
                }
                if wanted != 2 {
                    self.missing(json, no, &asked);
                }
            }
        });
        Ok(())
    }

    /// Accounts that nobody has are passed over.
    pub(crate) fn device_punches(&self, json: &mut Json) -> Result<(), Refusal> {
        let asked = self.asked()?;
        let people: Vec<PersonNo> =
            asked.useridlist.iter().filter_map(|id| self.attendee(id)).collect();
        json.key("checkindata").array(|json| {
            for no in people {
                for punch in self.punches(no, &asked) {
                    if self.means(no, punch) == Means::Machine {
                        json.object(|json| {
                            json.key("userid").text(&userid(no));
                            json.key("checkin_time").number(punch.at);
                            json.key("device_sn").text("SN-0001");
                            json.key("device_name").text("总部东门");
                        });
                    }
                }
            }
        });
        Ok(())
    }

    fn punches(&self, no: PersonNo, asked: &Asked) -> impl Iterator<Item = Punch> {
        let first_day = day_of(asked.starttime);
        self.world
            .punches_between(no, asked.starttime, asked.endtime + 1, self.now)
            .filter(move |punch| punch.day >= first_day)
    }

    fn means(&self, no: PersonNo, punch: Punch) -> Means {
        if punch.kind == PunchKind::Late {
            return Means::Phone;
        }
        let roll = self.world.dice.on_day(
            Ask::Device,
            no.0,
            punch.day * 4 + i64::from(punch.kind == PunchKind::Out),
        );
        match roll.below(100) {
            0..50 => Means::Machine,
            50..92 => Means::Wifi,
            92..97 => Means::Phone,
            _ => Means::Visit,
        }
    }

    fn check_in(&self, json: &mut Json, no: PersonNo, punch: Punch) {
        let means = self.means(no, punch);
        json.key("userid").text(&userid(no));
        self.rule(json, no);
        json.key("checkin_type").text(match (means, punch.kind) {
            (Means::Visit, _) => "外出打卡",
            (_, PunchKind::In) => "上班打卡",
            (_, PunchKind::Out | PunchKind::Late) => "下班打卡",
        });
        json.key("exception_type").text(self.exception(no, punch));
        json.key("checkin_time").number(punch.at);
        let (title, detail) = match means {
            Means::Visit => ("客户现场", "示例路2号"),
            Means::Machine | Means::Wifi | Means::Phone => ("总部东门", "示例路1号"),
        };
        json.key("location_title").text(title);
        json.key("location_detail").text(detail);
        let (name, mac) =
            if means == Means::Wifi { ("corp-east", "02:00:00:00:00:01") } else { ("", "") };
        json.key("wifiname").text(name);
        json.key("wifimac").text(mac);
        let notes = match (means, punch.kind) {
            (_, PunchKind::Late) => "补卡",
            (Means::Visit, _) => "拜访客户",
            _ => "",
        };
        json.key("notes").text(notes);
        json.key("mediaids").array(|_| ());
        if matches!(means, Means::Visit | Means::Phone) {
            json.key("lat").number(31_230_416);
            json.key("lng").number(121_473_701);
        }
        json.key("deviceid").text(if means == Means::Machine { "SN-0001" } else { "" });
    }

    fn rule(&self, json: &mut Json, no: PersonNo) {
        let shift = self.world.shift(no);
        json.key("groupname").text(shift.group_name);
        json.key("groupid").raw(shift.group_id.as_bytes());
        json.key("schedule_id").raw(shift.id.as_bytes());
        json.key("timeline_id").number(1);
    }

    /// Empty, or what is wrong with the punch that a verdict rests on.
    fn exception(&self, no: PersonNo, punch: Punch) -> &'static str {
        let Some(verdict) = self.world.verdict(no, punch.day, self.now) else { return "" };
        let rests = |side: &Side| side.punch == Some((punch.kind, punch.at));
        let odd = [verdict.arrival, verdict.departure]
            .into_iter()
            .any(|side| rests(&side) && matches!(side.result, "Late" | "Early"));
        if odd { "时间异常" } else { "" }
    }

    /// A row for each punch that should have been and was not; its time is the planned one.
    fn missing(&self, json: &mut Json, no: PersonNo, asked: &Asked) {
        let (first, last) = (day_of(asked.starttime), day_of(asked.endtime));
        for day in first.max(self.world.first_day)..=last {
            let Some(verdict) = self.world.verdict(no, day, self.now) else { continue };
            for (side, kind) in [(verdict.arrival, "上班打卡"), (verdict.departure, "下班打卡")]
            {
                let due = (asked.starttime..=asked.endtime).contains(&side.planned);
                if due && side.result == "Lack" && side.supplement == "None" {
                    json.object(|json| {
                        json.key("userid").text(&userid(no));
                        self.rule(json, no);
                        json.key("checkin_type").text(kind);
                        json.key("exception_type").text("未打卡");
                        json.key("checkin_time").number(side.planned);
                        json.key("sch_checkin_time").number(side.planned);
                    });
                }
            }
        }
    }
}
