//! Writes people as the platform shows them, in listings and on their own.
//!
//! Not which ones. The invariant: a field without its permission is absent, never empty; an unset one is absent too.

use super::access::{FIELD_EMAIL, FIELD_MOBILE};
use super::call::Call;
use crate::calendar::midnight;
use crate::ids::{DeptNo, PersonNo, mobile_digits, staff_no};
use crate::json::Json;
use crate::world::{Person, World};

/// The host of every mail address; it cannot exist.
const MAIL_HOST: &str = "corp.example";

impl Call<'_> {
    /// A person in a department's listing: flat members speak of that department.
    pub(crate) fn listed_user(&self, json: &mut Json, no: PersonNo, dept: DeptNo) {
        let Some(person) = self.world.person(no) else { return };
        self.common(json, no, person);
        json.key("dept_order").number(order(no, dept));
        json.key("leader").bool(self.leads(no, dept));
    }

    /// A person asked for by id: what only this call tells stands here.
    pub(crate) fn full_user(&self, json: &mut Json, no: PersonNo, person: &Person) {
        self.common(json, no, person);
        json.key("real_authed").bool(World::is_activated(person));
        json.key("senior").bool(false);
        json.key("dept_order_list").array(|json| {
            for dept in person.depts() {
                json.object(|json| {
                    json.key("dept_id").number(self.ids().dept_id(dept));
                    json.key("order").number(order(no, dept));
                });
            }
        });
        json.key("leader_in_dept").array(|json| {
            for dept in person.depts() {
                json.object(|json| {
                    json.key("dept_id").number(self.ids().dept_id(dept));
                    json.key("leader").bool(self.leads(no, dept));
                });
            }
        });
        json.key("dept_position_list").array(|json| {
            for dept in person.depts() {
                json.object(|json| {
                    json.key("dept_id").number(self.ids().dept_id(dept));
                    json.key("is_main").bool(dept == person.dept);
                });
            }
        });
        if let Some(manager) = self.world.manager(no, person) {
            json.key("manager_userid").text(&self.ids().userid(manager));
        }
        json.key("role_list").array(|_| ());
    }

    fn common(&self, json: &mut Json, no: PersonNo, person: &Person) {
        let traits = self.world.traits(no);
        json.key("userid").text(&self.ids().userid(no));
        json.key("unionid").text(&self.ids().unionid(no));
        json.key("name").pieces(&traits.name().pieces());
        if self.access.has(FIELD_MOBILE) {
            json.key("state_code").text("86");
            json.key("mobile").text(&mobile_digits(no).to_string());
            json.key("telephone").text("");
        }
        json.key("hide_mobile").bool(traits.choice(1, 100) == 0);
        json.key("job_number").text(&staff_no(no));
        json.key("title").pieces(&person.job_title());
        if self.access.has(FIELD_EMAIL) {
            self.personal(json, no);
        }
        json.key("org_email").text(&format!("{}@{MAIL_HOST}", staff_no(no).to_lowercase()));
        if !traits.hides_join_time() {
            json.key("hired_date").number(midnight(person.joined()) * 1_000);
        }
        json.key("active").bool(World::is_activated(person));
        json.key("admin").bool(no.0 == 0);
        json.key("boss").bool(no.0 == 0);
        json.key("exclusive_account").bool(false);
        // The platform keeps no order here that would tell the main department.
        let mut ids: Vec<i64> = person.depts().map(|dept| self.ids().dept_id(dept)).collect();
        ids.sort_unstable();
        json.key("dept_id_list").array(|json| ids.iter().for_each(|id| json.number(*id)));
    }

    /// What the permission for mail and personal details brings; an empty one is absent.
    fn personal(&self, json: &mut Json, no: PersonNo) {
        let traits = self.world.traits(no);
        json.key("email").text(&format!("p{:07}@home.example", no.0));
        json.key("work_place").text(traits.city());
        if traits.choice(4, 10) < 2 {
            json.key("remark").text("工位见座位图");
        }
        if traits.choice(2, 10) < 8 {
            let locker = format!(
                r#"{{"储物柜":"L-{:04}","工位":"{}"}}"#,
                traits.choice(3, 9_999),
                traits.desk()
            );
            json.key("extension").text(&locker);
        }
    }

    fn leads(&self, no: PersonNo, dept: DeptNo) -> bool {
        self.world.dept(dept).is_some_and(|dept| dept.unit.leader == Some(no))
    }
}

/// A larger order stands earlier; it says nothing of which department is the main one.
fn order(no: PersonNo, dept: DeptNo) -> i64 {
    176_000_000_000 - i64::from(no.0) * 512 - i64::from(dept.0)
}
