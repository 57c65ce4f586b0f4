//! Departments: children, one, many, ancestors.
//!
//! Not their people. The invariant: a department outside the contact range is never shown, not even its name.

use super::call::Call;
use super::refusal::Refusal;
use super::scribe::IdTypes;
use crate::faults::Fault;
use crate::ids::DeptNo;
use crate::json::Json;
use crate::world::Unit;

impl Call<'_> {
    /// A department that exists and may be seen; the root only with a range of all members.
    pub(crate) fn visible_dept(&self, id: &str, types: IdTypes) -> Result<DeptNo, Refusal> {
        let no = self.ids().parse_dept(id, types.dept).filter(|no| self.world.dept(*no).is_some());
        let no = no.ok_or(Refusal::NO_SUCH_DEPT)?;
        let seen = if no == DeptNo::ROOT {
            self.access.sees_everyone()
        } else {
            self.access.sees_dept(self.world, no)
        };
        if seen { Ok(no) } else { Err(Refusal::NO_DEPT_AUTHORITY) }
    }

    pub(crate) fn children(&self, json: &mut Json) -> Result<(), Refusal> {
        let types = self.id_types()?;
        let parent = self.visible_dept(&self.id, types)?;
        let deep = self.query.flag("fetch_child", &Refusal::BAD_PARAMETER)?;
        let page = self.page(10, (u64::from(parent.0) << 1) | u64::from(deep))?;
        let below = |no: DeptNo, unit: &Unit| {
            no != DeptNo::ROOT
                && (unit.parent == parent || (deep && self.world.is_below(no, parent)))
        };
        let all_below = || self.world.departments().filter(|(no, dept)| below(*no, &dept.unit));
        let limit = self.settings.recursion_limit;
        if deep && limit.is_some_and(|limit| all_below().nth(limit).is_some()) {
            return Err(Refusal::TOO_LARGE_TO_RECURSE);
        }
        let most = if self.strikes(Fault::EmptyTree) { 0 } else { page.size + 1 };
        let found: Vec<(u32, (DeptNo, Unit))> = all_below()
            .skip_while(|(no, _)| no.0 < page.from)
            .take(most)
            .map(|(no, dept)| (no.0, (no, dept.unit)))
            .collect();
        let short = self.strikes(Fault::ShorterList);
        let scribe = self.scribe(types);
        self.write_page(json, &page, found, |json, (no, unit)| {
            scribe.department(json, no, &unit, short);
        });
        Ok(())
    }

    pub(crate) fn one_department(&self, json: &mut Json) -> Result<(), Refusal> {
        let types = self.id_types()?;
        let no = self.visible_dept(&self.id, types)?;
        let short = self.strikes(Fault::ShorterList);
        let scribe = self.scribe(types);
        if let Some(dept) = self.world.dept(no) {
            json.key("department");
            scribe.department(json, no, &dept.unit, short);
        }
        Ok(())
    }

    pub(crate) fn many_departments(&self, json: &mut Json) -> Result<(), Refusal> {
        let types = self.id_types()?;
        let ids: Vec<&str> = self.query.all("department_ids").collect();
        if ids.is_empty() || ids.len() > 50 {
            return Err(Refusal::FIELD_INVALID);
        }
        let found: Vec<DeptNo> =
            ids.into_iter().filter_map(|id| self.visible_dept(id, types).ok()).collect();
        let short = self.strikes(Fault::ShorterList);
        let scribe = self.scribe(types);
        if !found.is_empty() {
            json.key("items").array(|json| {
                for no in found {
                    if let Some(dept) = self.world.dept(no) {
                        scribe.department(json, no, &dept.unit, short);
                    }
                }
            });
        }
        Ok(())
    }

    pub(crate) fn department_parents(&self, json: &mut Json) -> Result<(), Refusal> {
        let types = self.id_types()?;
        let id = self.query.one("department_id").ok_or(Refusal::BAD_PARAMETER)?;
        let no = self.visible_dept(id, types)?;
        let page = self.page(20, u64::from(no.0))?;
        let seen = self.world.ancestors(no).filter(|up| self.access.sees_dept(self.world, *up));
        let found: Vec<(u32, DeptNo)> =
            (0..).zip(seen).skip(page.from as usize).take(page.size + 1).collect();
        let scribe = self.scribe(types);
        self.write_page(json, &page, found, |json, no| {
            if let Some(dept) = self.world.dept(no) {
                scribe.department(json, no, &dept.unit, false);
            }
        });
        Ok(())
    }
}
