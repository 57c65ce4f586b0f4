//! What the app may do and see: scopes for calls and fields, the contact range, the attendance data range.
//!
//! Not who the caller is. The invariant: a missing scope refuses a call or silently drops a field, a range only ever
//! narrows what is there; the two are independent.

use std::collections::BTreeSet;

use super::Endpoint;
use super::ids::{DeptIdType, UserIdType};
use super::refusal::Refusal;
use crate::dice::Ask;
use crate::grants::{AttendanceRange, ContactRange, Grants};
use crate::ids::{DeptNo, Ids, PersonNo};
use crate::world::{Person, World};

/// The scopes a new simulator grants: all that reading needs, field by field, without the three broad old ones.
pub const DEFAULT_SCOPES: &[&str] = &[
    "attendance:rule:readonly",
    "attendance:task:readonly",
    "contact:contact.base:readonly",
    "contact:department.base:readonly",
    "contact:department.hrbp:readonly",
    "contact:department.organize:readonly",
    "contact:user.base:readonly",
    "contact:user.department:readonly",
    "contact:user.dotted_line_leader_info.read",
    "contact:user.email:readonly",
    "contact:user.employee:readonly",
    "contact:user.employee_id:readonly",
    "contact:user.employee_number:read",
    "contact:user.gender:readonly",
    "contact:user.id:readonly",
    "contact:user.job_family:readonly",
    "contact:user.job_level:readonly",
    "contact:user.phone:readonly",
    "contact:user.user_geo",
];

/// Broad old scopes that stand for most others.
const LEGACY: [&str; 3] = [
    "contact:contact:access_as_app",
    "contact:contact:readonly",
    "contact:contact:readonly_as_app",
];

/// A group of fields behind one scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Field {
    DeptBase = 1,
    DeptOrganize = 1 << 1,
    DeptHrbp = 1 << 2,
    UserBase = 1 << 3,
    UserId = 1 << 4,
    Email = 1 << 5,
    Phone = 1 << 6,
    Gender = 1 << 7,
    Employee = 1 << 8,
    UserDepartment = 1 << 9,
    DottedLine = 1 << 10,
    StaffNo = 1 << 11,
    JobLevel = 1 << 12,
    JobFamily = 1 << 13,
    Geo = 1 << 14,
}

/// Field, the scopes of which any grants it, and whether an old scope does too.
const FIELD_SCOPES: [(Field, &[&str], bool); 15] = [
    (Field::DeptBase, &["contact:department.base:readonly"], true),
    (Field::DeptOrganize, &["contact:department.organize:readonly"], true),
    (Field::DeptHrbp, &["contact:department.hrbp:readonly"], false),
    (Field::UserBase, &["contact:user.base:readonly"], true),
    (Field::UserId, &["contact:user.employee_id:readonly"], false),
    (Field::Email, &["contact:user.email:readonly"], false),
    (Field::Phone, &["contact:user.phone:readonly"], false),
    (Field::Gender, &["contact:user.gender:readonly"], true),
    (Field::Employee, &["contact:user.employee:readonly"], true),
    (Field::UserDepartment, &["contact:user.department:readonly"], true),
    (Field::DottedLine, &["contact:user.dotted_line_leader_info.read"], false),
    (
        Field::StaffNo,
        &["contact:user.employee_number:read", "contact:user.employee:readonly"],
        true,
    ),
    (Field::JobLevel, &["contact:user.job_level:readonly"], false),
    (Field::JobFamily, &["contact:user.job_family:readonly"], false),
    (Field::Geo, &["contact:user.user_geo"], true),
];

/// The granted groups of fields.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Fields(u32);

impl Fields {
    pub(crate) const fn has(self, field: Field) -> bool {
        self.0 & field as u32 != 0
    }
}

/// Everything granted to the app.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    scopes: BTreeSet<String>,
    pub fields: Fields,
    range: Range,
    attendance: AttendanceRange,
}

#[derive(Clone, Debug)]
enum Range {
    All,
    Part { departments: BTreeSet<DeptNo>, users: BTreeSet<PersonNo> },
}

impl Access {
    pub(crate) fn new(ids: Ids, grants: &Grants) -> Self {
        let scopes = grants.scopes.clone();
        let legacy = LEGACY.iter().any(|scope| scopes.contains(*scope));
        let granted = FIELD_SCOPES.iter().filter(|(_, any_of, by_legacy)| {
            (*by_legacy && legacy) || any_of.iter().any(|scope| scopes.contains(*scope))
        });
        let fields = Fields(granted.fold(0, |bits, (field, ..)| bits | *field as u32));
        Self {
            fields,
            scopes,
            range: Range::of(ids, &grants.contact),
            attendance: grants.attendance,
        }
    }

    /// # Errors
    /// 99991672 with the scopes of which any would do.
    pub(crate) fn check_scope(&self, endpoint: Endpoint) -> Result<(), Refusal> {
        let any_of = scopes_for(endpoint);
        let granted = any_of.is_empty() || any_of.iter().any(|scope| self.scopes.contains(*scope));
        if granted { Ok(()) } else { Err(Refusal::no_scope(any_of)) }
    }

    /// # Errors
    /// 99991672 when ids of kind `user_id` are asked for without their scope.
    pub(crate) fn check_user_ids(&self, as_type: UserIdType) -> Result<(), Refusal> {
        if as_type == UserIdType::User && !self.fields.has(Field::UserId) {
            return Err(Refusal::no_scope(&["contact:user.employee_id:readonly"]));
        }
        Ok(())
    }

    /// # Errors
    /// 1220005 when nothing of attendance is granted.
    pub(crate) fn check_attendance(&self) -> Result<(), Refusal> {
        match self.attendance {
            AttendanceRange::Nothing => Err(Refusal::NO_ATTENDANCE_RANGE),
            AttendanceRange::All | AttendanceRange::Share(_) => Ok(()),
        }
    }

    pub(crate) fn sees_attendance(&self, world: &World, no: PersonNo) -> bool {
        match self.attendance {
            AttendanceRange::All => true,
            AttendanceRange::Nothing => false,
            AttendanceRange::Share(share) => {
                world.dice.roll(Ask::Denied, u64::from(no.0), 0).chance(share)
            }
        }
    }

    pub(crate) fn sees_everyone(&self) -> bool {
        matches!(self.range, Range::All)
    }

    pub(crate) fn sees_dept(&self, world: &World, dept: DeptNo) -> bool {
        match &self.range {
            Range::All => true,
            Range::Part { departments, .. } => std::iter::once(dept)
                .chain(world.ancestors(dept))
                .any(|dept| departments.contains(&dept)),
        }
    }

    pub(crate) fn sees_person(&self, world: &World, no: PersonNo, person: &Person) -> bool {
        match &self.range {
            Range::All => true,
            Range::Part { users, .. } => {
                users.contains(&no) || person.depts().any(|dept| self.sees_dept(world, dept))
            }
        }
    }

    /// The departments and people that the range consists of, as the scopes call lists them.
    pub(crate) fn granted(&self, world: &World) -> (Vec<DeptNo>, Vec<PersonNo>) {
        match &self.range {
            Range::All => {
                let top = |(no, dept): &(DeptNo, &crate::world::Dept)| {
                    *no != DeptNo::ROOT && dept.unit.parent == DeptNo::ROOT
                };
                let departments = world.departments().filter(top).map(|(no, _)| no).collect();
                let root = world.dept(DeptNo::ROOT).map(|root| root.members.clone());
                (departments, root.unwrap_or_default())
            }
            Range::Part { departments, users } => {
                (departments.iter().copied().collect(), users.iter().copied().collect())
            }
        }
    }
}

impl Range {
    /// Ids that nobody has grant nothing.
    fn of(ids: Ids, contact: &ContactRange) -> Self {
        let ContactRange::Part { departments, users } = contact else { return Self::All };
        let dept = |id: &String| {
            ids.parse_dept(id, DeptIdType::Open).or_else(|| ids.parse_dept(id, DeptIdType::Custom))
        };
        let user = |id: &String| {
            ids.parse_user(id, UserIdType::Open).or_else(|| ids.parse_user(id, UserIdType::User))
        };
        Self::Part {
            departments: departments.iter().filter_map(dept).collect(),
            users: users.iter().filter_map(user).collect(),
        }
    }
}

/// Any one of these is needed for a call.
fn scopes_for(endpoint: Endpoint) -> &'static [&'static str] {
    use Endpoint as E;
    match endpoint {
        E::Children | E::DepartmentParents | E::UsersByDepartment => &[
            "contact:contact.base:readonly",
            "contact:department.organize:readonly",
            "contact:contact:access_as_app",
            "contact:contact:readonly",
            "contact:contact:readonly_as_app",
        ],
        E::Department
        | E::DepartmentBatch
        | E::User
        | E::UserBatch
        | E::Scopes
        | E::CustomAttrs
        | E::EmployeeTypes => &[
            "contact:contact.base:readonly",
            "contact:contact:access_as_app",
            "contact:contact:readonly",
            "contact:contact:readonly_as_app",
        ],
        E::UserIds => &["contact:user.id:readonly"],
        E::UserFlows | E::UserTasks | E::UserApprovals => &["attendance:task:readonly"],
        E::UserFlow => &["attendance:task", "attendance:task:readonly"],
        E::Groups | E::Group | E::Shifts | E::Shift => {
            &["attendance:rule", "attendance:rule:readonly"]
        }
        E::TenantToken | E::AppToken | E::StreamEndpoint | E::Stream | E::Unknown => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(scopes: &[&str]) -> Access {
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        let (contact, attendance) = (ContactRange::All, AttendanceRange::All);
        Access::new(Ids::new(1), &Grants { scopes, contact, attendance })
    }

    #[test]
    fn an_old_scope_grants_most_fields_but_not_the_personal_ones() {
        let access = access(&["contact:contact:readonly"]);
        for field in [Field::UserBase, Field::Employee, Field::UserDepartment, Field::DeptBase] {
            assert!(access.fields.has(field), "{field:?}");
        }
        for field in [Field::UserId, Field::Email, Field::Phone, Field::JobLevel, Field::DeptHrbp] {
            assert!(!access.fields.has(field), "{field:?}");
        }
        assert!(access.check_scope(Endpoint::Children).is_ok());
        assert!(access.check_scope(Endpoint::UserFlows).is_err());
    }

    #[test]
    fn the_default_scopes_grant_every_call_and_field() {
        let access = access(DEFAULT_SCOPES);
        for endpoint in Endpoint::ALL {
            assert!(access.check_scope(*endpoint).is_ok(), "{endpoint}");
        }
        assert!(FIELD_SCOPES.iter().all(|(field, ..)| access.fields.has(*field)));
    }
}
