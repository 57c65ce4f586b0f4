//! What the app may do and see: permission points for calls, field permissions, the address-book range.
//!
//! Not who the caller is. The invariant: a missing permission point refuses a call, a missing field permission drops
//! the field without a word, a range only narrows what is there.
//!
//! The machine codes of the two field permissions are not known (DingTalk fact sheet, section 9); the simulator calls
//! them `fieldMobile` and `fieldEmail`.

use std::collections::BTreeSet;

use super::Endpoint;
use super::refusal::Refusal;
use crate::grants::{ContactRange, Grants};
use crate::ids::{DeptNo, Ids, PersonNo};
use crate::world::{Person, World};

/// Mobile numbers of people.
pub(crate) const FIELD_MOBILE: &str = "fieldMobile";
/// Mail addresses and other personal details.
pub(crate) const FIELD_EMAIL: &str = "fieldEmail";

/// What a new simulator grants: all that reading needs.
pub const DEFAULT_SCOPES: &[&str] = &[
    "Contact.Common.Read",
    FIELD_EMAIL,
    FIELD_MOBILE,
    "qyapi_base",
    "qyapi_get_attendance_data",
    "qyapi_get_department_list",
    "qyapi_get_department_member",
    "qyapi_get_member",
    "qyapi_get_member_by_mobile",
    "qyapi_hrm_read_user",
];

/// Everything granted to the app.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    scopes: BTreeSet<String>,
    range: Range,
}

#[derive(Clone, Debug)]
enum Range {
    All,
    Part { departments: BTreeSet<DeptNo>, users: BTreeSet<PersonNo> },
}

impl Access {
    pub(crate) fn new(ids: Ids, grants: &Grants) -> Self {
        let range = match &grants.contact {
            ContactRange::All => Range::All,
            ContactRange::Part { departments, users } => Range::Part {
                departments: departments
                    .iter()
                    .filter_map(|id| ids.parse_dept_id(id.parse().ok()?))
                    .collect(),
                users: users
                    .iter()
                    .filter_map(|id| ids.parse_userid(id).or_else(|| ids.parse_unionid(id)))
                    .collect(),
            },
        };
        Self { scopes: grants.scopes.clone(), range }
    }

    pub(crate) fn has(&self, scope: &str) -> bool {
        self.scopes.contains(scope)
    }

    /// # Errors
    /// 60011 with the permissions that are missing.
    pub(crate) fn check_scope(&self, endpoint: Endpoint) -> Result<(), Refusal> {
        let needed = scopes_for(endpoint);
        let granted = needed.iter().all(|scope| self.has(scope));
        if granted { Ok(()) } else { Err(Refusal::no_scope(needed)) }
    }

    pub(crate) fn sees_dept(&self, world: &World, dept: DeptNo) -> bool {
        match &self.range {
            Range::All => true,
            Range::Part { departments, .. } => std::iter::once(dept)
                .chain(world.ancestors(dept))
                .chain(std::iter::once(DeptNo::ROOT))
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
    pub(crate) fn granted(&self) -> (Vec<DeptNo>, Vec<PersonNo>) {
        match &self.range {
            Range::All => (vec![DeptNo::ROOT], Vec::new()),
            Range::Part { departments, users } => {
                (departments.iter().copied().collect(), users.iter().copied().collect())
            }
        }
    }
}

/// All of these are needed for a call.
const fn scopes_for(endpoint: Endpoint) -> &'static [&'static str] {
    use Endpoint as E;
    match endpoint {
        E::GetToken | E::AccessToken | E::OpenConnection | E::Stream | E::Unknown => &[],
        E::Scopes => &["qyapi_base"],
        E::Children | E::ChildIds | E::Department | E::DepartmentParents => {
            &["qyapi_get_department_list"]
        }
        E::Users | E::UsersSimple => &["qyapi_get_department_member"],
        E::UserIds | E::User | E::UserByUnion | E::UserCount => &["qyapi_get_member"],
        E::UserByMobile => &["qyapi_get_member_by_mobile"],
        E::LeaveRecords => &["Contact.Common.Read"],
        E::Results | E::Swipes | E::LeaveStatus => &["qyapi_get_attendance_data"],
        E::OnJob | E::Roster => &["qyapi_hrm_read_user"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grants::AttendanceRange;

    #[test]
    fn the_default_scopes_grant_every_call_and_each_is_needed_by_one() {
        let grants = |without: &str| Grants {
            scopes: DEFAULT_SCOPES
                .iter()
                .filter(|scope| **scope != without)
                .map(|scope| (*scope).to_owned())
                .collect(),
            contact: ContactRange::All,
            attendance: AttendanceRange::All,
        };
        let refused = |without: &str| {
            let access = Access::new(Ids::new(1), &grants(without));
            Endpoint::ALL.iter().filter(|e| access.check_scope(**e).is_err()).count()
        };
        assert_eq!(refused(""), 0);
        for scope in DEFAULT_SCOPES.iter().filter(|scope| !scope.starts_with("field")) {
            assert!(refused(scope) > 0, "{scope}");
        }
    }
}
