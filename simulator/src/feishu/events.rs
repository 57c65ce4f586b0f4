//! The events that a platform pushes about the world's changes, as plain JSON envelopes.
//!
//! Not their delivery, encryption or signature. The invariant: ids in events are open ids whatever a caller would
//! ask for, and the same change always makes the same event with the same id.

use super::Feishu;
use super::access::Access;
use super::attendance::EmployeeIdType;
use super::flows::Circumstance;
use super::ids::{DeptIdType, UserIdType, punch_id};
use super::scribe::{IdTypes, Reader, Scribe};
use crate::ids::{DeptNo, PersonNo, PunchKind, staff_no};
use crate::json::Json;
use crate::world::{Change, Person, Punch, Unit, What, World};

const OPEN: IdTypes = IdTypes { user: UserIdType::Open, dept: DeptIdType::Open };

/// One change as an event.
pub(crate) fn envelope(feishu: &Feishu, world: &World, access: &Access, change: &Change) -> String {
    let (site, settings) = (&*feishu.site, &feishu.settings);
    let scribe = Scribe { site, world, access, types: OPEN };
    let mut json = Json::with_capacity(2_048);
    json.object(|json| {
        json.key("schema").text("2.0");
        json.key("header").object(|json| {
            json.key("event_id").text(&format!("ev-{:06}-{:09}", change.step, change.seq));
            json.key("event_type").text(event_type(&change.what));
            json.key("create_time").quoted(change.at * 1_000);
            json.key("token").text(&settings.verification_token);
            json.key("app_id").text(&site.config.app_id);
            json.key("tenant_key").text(&settings.tenant_key);
        });
        json.key("event").object(|json| scribe.event(json, &change.what));
    });
    String::from_utf8(json.into_bytes()).unwrap_or_default()
}

/// Whether the app may hear of it: events keep to the contact range.
pub(crate) fn concerns(world: &World, access: &Access, what: &What) -> bool {
    match what {
        What::Hired(no, person) => access.sees_person(world, *no, person),
        What::Changed { no, before, after } | What::Left { no, before, after } => {
            access.sees_person(world, *no, before) || access.sees_person(world, *no, after)
        }
        What::Founded(no, _) | What::Reorganised { no, .. } | What::Dissolved { no, .. } => {
            access.sees_dept(world, *no)
        }
        What::Punched { no, .. } => access.sees_attendance(world, *no),
    }
}

fn event_type(what: &What) -> &'static str {
    match what {
        What::Hired(..) => "contact.user.created_v3",
        What::Changed { .. } => "contact.user.updated_v3",
        What::Left { .. } => "contact.user.deleted_v3",
        What::Founded(..) => "contact.department.created_v3",
        What::Reorganised { .. } => "contact.department.updated_v3",
        What::Dissolved { .. } => "contact.department.deleted_v3",
        What::Punched { .. } => "attendance.user_flow.created_v1",
    }
}

impl Scribe<'_> {
    fn event(&self, json: &mut Json, what: &What) {
        match what {
            What::Hired(no, person) => self.object(json, *no, person),
            What::Changed { no, before, after } => {
                self.object(json, *no, after);
                json.key("old_object").object(|json| self.user_changes(json, before, after));
            }
            What::Left { no, before, after } => {
                self.object(json, *no, after);
                json.key("old_object").object(|json| {
                    self.open_id(json, *no);
                    self.dept_list(json, before);
                });
            }
            What::Founded(no, unit) => self.unit(json, *no, unit),
            What::Reorganised { no, before, after } => {
                self.unit(json, *no, after);
                json.key("old_object").object(|json| self.unit_changes(json, before, after));
            }
            What::Dissolved { no, before } => {
                self.unit(json, *no, &Unit { deleted: true, ..*before });
                json.key("old_object").object(|json| {
                    self.open_dept(json, *no);
                    json.key("status").object(|json| json.key("is_deleted").bool(false));
                });
            }
            What::Punched { no, day, at } => {
                self.punch(json, *no, Punch { day: *day, kind: PunchKind::Late, at: *at });
            }
        }
    }

    fn object(&self, json: &mut Json, no: PersonNo, person: &Person) {
        json.key("object").object(|json| self.user(json, no, person, Reader::Subscriber));
    }

    fn unit(&self, json: &mut Json, no: DeptNo, unit: &Unit) {
        json.key("object").object(|json| self.department_facts(json, no, unit, Reader::Subscriber));
    }

    fn open_id(&self, json: &mut Json, no: PersonNo) {
        json.key("open_id").plain(|out| self.site.ids.write_user(out, no, UserIdType::Open));
    }

    fn open_dept(&self, json: &mut Json, no: DeptNo) {
        json.key("open_department_id")
            .plain(|out| self.site.ids.write_dept(out, no, DeptIdType::Open));
    }

    fn dept_list(&self, json: &mut Json, person: &Person) {
        json.key("department_ids").array(|json| {
            for dept in person.depts() {
                json.plain(|out| self.site.ids.write_dept(out, dept, DeptIdType::Open));
            }
        });
    }

    /// Only what changed, with its old value.
    fn user_changes(&self, json: &mut Json, before: &Person, after: &Person) {
        if !before.depts().eq(after.depts()) {
            self.dept_list(json, before);
        }
        if before.job_title() != after.job_title() {
            json.key("job_title").pieces(&before.job_title());
        }
    }

    fn unit_changes(&self, json: &mut Json, before: &Unit, after: &Unit) {
        if before.name() != after.name() {
            json.key("name").text(&before.name());
        }
        if let Some(leader) = before.leader.filter(|_| before.leader != after.leader) {
            json.key("leader_user_id")
                .plain(|out| self.site.ids.write_user(out, leader, UserIdType::Open));
        }
        if before.parent != after.parent {
            json.key("parent_department_id")
                .plain(|out| self.site.ids.write_dept(out, before.parent, DeptIdType::Open));
        }
    }

    fn punch(&self, json: &mut Json, no: PersonNo, punch: Punch) {
        let circumstance = Circumstance::of(self.world, no, punch);
        json.key("employee_id");
        EmployeeIdType::EmployeeId.write(json, self.site.ids, no);
        json.key("employee_no").text(&staff_no(no));
        json.key("check_time").quoted(punch.at);
        json.key("record_id").quoted(punch_id(no, punch.day, punch.kind));
        circumstance.write(json);
        json.key("longitude").number(0);
        json.key("latitude").number(0);
        json.key("type").number(circumstance.kind);
        json.key("photo_urls").array(|_| ());
        json.key("risk_result").number(0);
    }
}
