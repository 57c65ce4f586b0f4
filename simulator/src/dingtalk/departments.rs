//! Departments: one level of children, one, ancestors; and what the app is authorised for.
//!
//! Not their people. The invariant: a listing shows direct children only, and never the department that was asked for.

use super::access::{FIELD_EMAIL, FIELD_MOBILE};
use super::call::Call;
use super::refusal::Refusal;
use crate::faults::Fault;
use crate::ids::DeptNo;
use crate::json::Json;
use crate::world::{Dept, Unit};

impl Call<'_> {
    /// The address-book range, outside of any `result`.
    pub(crate) fn scopes(&self, json: &mut Json) {
        let (departments, users) = self.access.granted();
        json.key("auth_org_scopes").object(|json| {
            json.key("authed_dept").array(|json| {
                for no in departments {
                    json.number(self.ids().dept_id(no));
                }
            });
            json.key("authed_user")
                .array(|json| users.iter().for_each(|no| json.text(&self.ids().userid(*no))));
        });
        json.key("auth_user_field").array(|json| {
            for field in ["name", "avatar", "userid", "deptname"] {
                json.text(field);
            }
            if self.access.has(FIELD_MOBILE) {
                json.text("mobile");
            }
            if self.access.has(FIELD_EMAIL) {
                json.text("email");
            }
        });
    }

    /// The direct children that may be seen, whole.
    pub(crate) fn children(&self, json: &mut Json) -> Result<(), Refusal> {
        let parent = self.dept()?;
        let empty = self.strikes(Fault::EmptyTree);
        json.key("result").array(|json| {
            for (no, dept) in self.children_of(parent).filter(|_| !empty) {
                if self.access.sees_dept(self.world, no) {
                    json.object(|json| self.in_listing(json, no, &dept.unit));
                }
            }
        });
        Ok(())
    }

    /// The ids of all direct children, whatever the range.
    pub(crate) fn child_ids(&self, json: &mut Json) -> Result<(), Refusal> {
        let parent = self.any_dept()?;
        json.key("result").object(|json| {
            json.key("dept_id_list").array(|json| {
                for (no, _) in self.children_of(parent) {
                    json.number(self.ids().dept_id(no));
                }
            });
        });
        Ok(())
    }

    fn children_of(&self, parent: DeptNo) -> impl Iterator<Item = (DeptNo, &Dept)> {
        self.world
            .departments()
            .filter(move |(no, dept)| *no != DeptNo::ROOT && dept.unit.parent == parent)
    }

    /// From the department itself up to the root, whatever the range.
    pub(crate) fn department_parents(&self, json: &mut Json) -> Result<(), Refusal> {
        let no = self.any_dept()?;
        let own = (no != DeptNo::ROOT).then_some(no);
        let chain = own.into_iter().chain(self.world.ancestors(no));
        json.key("result").object(|json| {
            json.key("parent_id_list").array(|json| {
                chain.chain([DeptNo::ROOT]).for_each(|no| json.number(self.ids().dept_id(no)));
            });
        });
        Ok(())
    }

    pub(crate) fn one_department(&self, json: &mut Json) -> Result<(), Refusal> {
        let no = self.dept()?;
        let Some(dept) = self.world.dept(no) else { return Err(Refusal::NO_SUCH_DEPT) };
        let count = self.world.totals().of(no, self.strikes(Fault::ShorterList));
        json.key("result").object(|json| {
            self.in_listing(json, no, &dept.unit);
            json.key("order").number(u64::from(no.0) * 100);
            if no != DeptNo::ROOT {
                json.key("code").text(&format!("D{:05}", no.0));
                json.key("source_identifier").text(&format!("org-{:05}", no.0));
            }
            json.key("dept_manager_userid_list").array(|json| {
                if let Some(leader) = dept.unit.leader {
                    json.text(&self.ids().userid(leader));
                }
            });
            json.key("member_count").number(count.members);
            json.key("hide_dept").bool(false);
            json.key("outer_dept").bool(false);
            for list in ["dept_permits", "user_permits", "outer_permit_depts", "outer_permit_users"]
            {
                json.key(list).array(|_| ());
            }
            json.key("org_dept_owner").text("");
            json.key("from_union_org").bool(false);
        });
        Ok(())
    }

    fn in_listing(&self, json: &mut Json, no: DeptNo, unit: &Unit) {
        json.key("dept_id").number(self.ids().dept_id(no));
        json.key("name").text(&unit.name());
        if no != DeptNo::ROOT {
            json.key("parent_id").number(self.ids().dept_id(unit.parent));
        }
        json.key("create_dept_group").bool(false);
        json.key("auto_add_user").bool(false);
    }
}
