//! The events that DingTalk pushes about the world's changes, as the plain JSON that is encrypted for HTTP.
//!
//! Not their delivery, encryption or signature. The invariant: the same change always makes the same event with the
//! same id, and an event of a person names the person alone.

use super::DingTalk;
use super::access::Access;
use crate::calendar::{date_text, midnight};
use crate::ids::PunchKind;
use crate::json::Json;
use crate::world::{Change, Manner, Punch, What, World};

/// One change as an event; `None` when the app may not hear of it.
pub(crate) fn envelope(
    dingtalk: &DingTalk,
    world: &World,
    access: &Access,
    change: &Change,
) -> Option<String> {
    if !concerns(world, access, &change.what) {
        return None;
    }
    let ids = dingtalk.site.ids;
    let mut json = Json::with_capacity(512);
    json.object(|json| {
        json.key("EventType").text(event_type(&change.what));
        json.key("EventTime").number(change.at * 1_000);
        json.key("CorpId").text(&dingtalk.settings.corp_id);
        json.key("BizId").text(&format!("{}{:04}", change.step, change.seq % 10_000));
        json.key("eventId").text(&format!("{:08x}{:024x}", change.step, change.seq));
        json.key("timeStamp").quoted(change.at * 1_000);
        match &change.what {
            What::Hired(no, _) | What::Left { no, .. } | What::Changed { no, .. } => {
                json.key("userId").array(|json| json.text(&ids.userid(*no)));
            }
            What::Founded(no, _) | What::Reorganised { no, .. } | What::Dissolved { no, .. } => {
                json.key("deptId").array(|json| json.number(ids.dept_id(*no)));
            }
            What::Punched { no, day, at } => {
                json.key("dataList").array(|json| {
                    json.object(|json| {
                        json.key("userId").text(&ids.userid(*no));
                        json.key("corpId").text(&dingtalk.settings.corp_id);
                        json.key("checkTime").number(*at * 1_000);
                        json.key("bizId").text(&format!("{}-{}", date_text(*day), no.0));
                        json.key("checkByUser").bool(true);
                        let punch = Punch { day: *day, kind: PunchKind::Late, at: *at };
                        let corrected =
                            matches!(Manner::of(world, *no, punch), Manner::Correction { .. });
                        json.key("locationMethod").text(if corrected { "OTHER" } else { "MAP" });
                        json.key("locationResult").text("Normal");
                        json.key("workDate").number(midnight(*day) * 1_000);
                    });
                });
            }
        }
    });
    String::from_utf8(json.into_bytes()).ok()
}

fn concerns(world: &World, access: &Access, what: &What) -> bool {
    match what {
        What::Hired(no, person) => access.sees_person(world, *no, person),
        What::Changed { no, before, after } | What::Left { no, before, after } => {
            access.sees_person(world, *no, before) || access.sees_person(world, *no, after)
        }
        What::Founded(no, _) | What::Reorganised { no, .. } | What::Dissolved { no, .. } => {
            access.sees_dept(world, *no)
        }
        What::Punched { no, .. } => {
            world.person(*no).is_some_and(|person| access.sees_person(world, *no, person))
        }
    }
}

const fn event_type(what: &What) -> &'static str {
    match what {
        What::Hired(..) => "user_add_org",
        What::Changed { .. } => "user_modify_org",
        What::Left { .. } => "user_leave_org",
        What::Founded(..) => "org_dept_create",
        What::Reorganised { .. } => "org_dept_modify",
        What::Dissolved { .. } => "org_dept_remove",
        What::Punched { .. } => "attendance_check_record",
    }
}
