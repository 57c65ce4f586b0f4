//! Departments: the tree, the ids of the tree, one.
//!
//! Not their people. The invariant: a department outside the visible range is never shown, not even its name.

use super::call::Call;
use super::ids::{dept_id, userid};
use super::refusal::Refusal;
use crate::faults::Fault;
use crate::ids::DeptNo;
use crate::json::Json;
use crate::world::Unit;

/// The largest position; larger stands first.
const ORDER_MOST: u32 = 100_000_000;

impl Call<'_> {
    pub(crate) fn departments(&self, json: &mut Json) -> Result<(), Refusal> {
        let found = self.tree()?;
        self.check_rows(found.len())?;
        json.key("department").array(|json| {
            for (no, unit) in found {
                json.object(|json| department(json, no, &unit));
            }
        });
        Ok(())
    }

    pub(crate) fn department_ids(&self, json: &mut Json) -> Result<(), Refusal> {
        let found = self.tree()?;
        json.key("department_id").array(|json| {
            for (no, unit) in found {
                json.object(|json| {
                    json.key("id").number(dept_id(no));
                    place(json, no, &unit);
                });
            }
        });
        Ok(())
    }

    pub(crate) fn one_department(&self, json: &mut Json) -> Result<(), Refusal> {
        let no = self.visible_dept(self.query.one("id").unwrap_or_default())?;
        if let Some(dept) = self.world.dept(no) {
            json.key("department").object(|json| department(json, no, &dept.unit));
        }
        Ok(())
    }

    /// A department with all below it; without one, all that are visible.
    fn tree(&self) -> Result<Vec<(DeptNo, Unit)>, Refusal> {
        let above = match self.query.one("id").filter(|id| !id.is_empty()) {
            Some(id) => Some(self.visible_dept(id)?),
            None => None,
        };
        if self.strikes(Fault::EmptyTree) {
            return Ok(Vec::new());
        }
        let belongs = |no: DeptNo| match above {
            Some(above) => no == above || (no != DeptNo::ROOT && self.world.is_below(no, above)),
            None => true,
        };
        let mut found: Vec<(DeptNo, Unit)> = self
            .world
            .departments()
            .map(|(no, dept)| (no, dept.unit))
            .filter(|(no, _)| belongs(*no) && self.sees_dept(*no))
            .collect();
        if self.strikes(Fault::TruncatedList) {
            found.truncate(found.len().div_ceil(2));
        }
        Ok(found)
    }
}

fn department(json: &mut Json, no: DeptNo, unit: &Unit) {
    json.key("id").number(dept_id(no));
    json.key("name").text(&unit.name());
    json.key("name_en").text(&unit.english_name());
    json.key("department_leader").array(|json| {
        if let Some(leader) = unit.leader {
            json.text(&userid(leader));
        }
    });
    place(json, no, unit);
}

fn place(json: &mut Json, no: DeptNo, unit: &Unit) {
    json.key("parentid").number(if no == DeptNo::ROOT { 0 } else { dept_id(unit.parent) });
    json.key("order").number(ORDER_MOST - no.0);
}
