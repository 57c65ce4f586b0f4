//! What each secret may do, and whom the app sees.
//!
//! Not who the caller is. The invariant: a token opens what its own secret may do, and a range only ever narrows what
//! is there.

use std::collections::BTreeSet;

use super::Endpoint;
use super::ids::{parse_dept, parse_userid};
use super::refusal::Refusal;
use super::settings::Settings;
use crate::dice::Ask;
use crate::grants::{AttendanceRange, ContactRange, Grants};
use crate::ids::{DeptNo, PersonNo};
use crate::world::{Person, World};

/// The app's and the company's switches that stand for scopes here.
pub(crate) const SCOPES: &[&str] = &[TRUSTED, TRUSTED_CONTACTS, CHECK_IN, CONTACTS];

const TRUSTED: &str = "企业可信IP";
const TRUSTED_CONTACTS: &str = "通讯录同步 - 企业可信IP";
const CHECK_IN: &str = "打卡 - 可调用接口的应用";
const CONTACTS: &str = "通讯录同步 - API接口同步";

/// Which secret a token was made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Secret {
    App,
    Contacts,
    CheckIn,
}

/// Everything granted.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    scopes: BTreeSet<String>,
    range: Range,
    attendance: AttendanceRange,
}

#[derive(Clone, Debug)]
enum Range {
    All,
    Part { departments: BTreeSet<DeptNo>, users: BTreeSet<PersonNo> },
}

impl Access {
    pub(crate) fn new(grants: &Grants) -> Self {
        let range = match &grants.contact {
            ContactRange::All => Range::All,
            ContactRange::Part { departments, users } => Range::Part {
                departments: departments.iter().filter_map(|id| parse_dept(id)).collect(),
                users: users.iter().filter_map(|id| parse_userid(id)).collect(),
            },
        };
        Self { scopes: grants.scopes.clone(), range, attendance: grants.attendance }
    }

    /// # Errors
    /// 60020, 48002 or 48009.
    pub(crate) fn check(
        &self,
        secret: Secret,
        endpoint: Endpoint,
        settings: &Settings,
    ) -> Result<(), Refusal> {
        use Endpoint as E;
        let trusted = if secret == Secret::Contacts { TRUSTED_CONTACTS } else { TRUSTED };
        if !self.has(trusted) {
            return Err(Refusal::UNTRUSTED);
        }
        let allowed = match (secret, endpoint) {
            (_, E::CallbackAddresses) => true,
            (Secret::App, E::CheckIns | E::DayReports | E::Rules | E::DevicePunches) => {
                self.has(CHECK_IN)
            }
            (Secret::App, endpoint) => endpoint != E::UserIds,
            (Secret::CheckIn, endpoint) => {
                matches!(endpoint, E::CheckIns | E::DayReports | E::Rules | E::DevicePunches)
            }
            (Secret::Contacts, E::UserIds | E::DepartmentIds | E::UserByMobile) => {
                self.has(CONTACTS)
            }
            (
                Secret::Contacts,
                E::Departments | E::Department | E::Users | E::UserNames | E::User,
            ) => {
                if self.has(CONTACTS) && !settings.older_contacts {
                    return Err(Refusal::IDS_ONLY);
                }
                self.has(CONTACTS)
            }
            (Secret::Contacts, _) => false,
        };
        if allowed { Ok(()) } else { Err(Refusal::NOT_CALLABLE) }
    }

    fn has(&self, scope: &str) -> bool {
        self.scopes.contains(scope)
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

    pub(crate) fn sees_attendance(&self, world: &World, no: PersonNo) -> bool {
        match self.attendance {
            AttendanceRange::All => true,
            AttendanceRange::Nothing => false,
            AttendanceRange::Share(share) => {
                world.dice.roll(Ask::Denied, u64::from(no.0), 0).chance(share)
            }
        }
    }

    /// The departments and people that are granted by name.
    pub(crate) fn granted(&self) -> (Vec<DeptNo>, Vec<PersonNo>) {
        match &self.range {
            Range::All => (vec![DeptNo::ROOT], Vec::new()),
            Range::Part { departments, users } => {
                (departments.iter().copied().collect(), users.iter().copied().collect())
            }
        }
    }
}
