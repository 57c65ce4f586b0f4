//! What all attendance calls share: how they name people and whom they may see.
//!
//! Not punches or results. The invariant: a person is either served, invalid or unauthorised, never two of them.

use super::call::Call;
use super::ids::UserIdType;
use super::refusal::Refusal;
use crate::ids::{Ids, PersonNo, parse_staff_no, staff_no};
use crate::json::Json;
use crate::world::Person;

/// `employee_type`: how a request and its answer name people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EmployeeIdType {
    EmployeeId,
    EmployeeNo,
    OpenId,
}

/// The people a request names.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    pub served: Vec<PersonNo>,
    pub invalid: Vec<String>,
    pub unauthorized: Vec<String>,
}

impl EmployeeIdType {
    pub(crate) fn parse(self, ids: Ids, text: &str) -> Option<PersonNo> {
        match self {
            Self::EmployeeId => ids.parse_user(text, UserIdType::User),
            Self::EmployeeNo => parse_staff_no(text),
            Self::OpenId => ids.parse_user(text, UserIdType::Open),
        }
    }

    pub(crate) fn write(self, json: &mut Json, ids: Ids, no: PersonNo) {
        match self {
            Self::EmployeeId => json.plain(|out| ids.write_user(out, no, UserIdType::User)),
            Self::EmployeeNo => json.text(&staff_no(no)),
            Self::OpenId => json.plain(|out| ids.write_user(out, no, UserIdType::Open)),
        }
    }
}

impl Call<'_> {
    /// The required `employee_type`; `open_id` only where the platform lists it.
    pub(crate) fn employee_type(&self, open_id_allowed: bool) -> Result<EmployeeIdType, Refusal> {
        match self.query.one("employee_type") {
            Some("employee_id") => Ok(EmployeeIdType::EmployeeId),
            Some("employee_no") => Ok(EmployeeIdType::EmployeeNo),
            Some("open_id") if open_id_allowed => Ok(EmployeeIdType::OpenId),
            _ => Err(Refusal::ATTENDANCE_PARAMETER),
        }
    }

    /// Sorts the ids of a request, of which there must be 1 to 50. Leavers count as invalid unless asked for.
    pub(crate) fn sort_out(
        &self,
        ids: Vec<String>,
        as_type: EmployeeIdType,
    ) -> Result<Asked, Refusal> {
        self.access.check_attendance()?;
        if ids.is_empty() || ids.len() > 50 {
            return Err(Refusal::ATTENDANCE_PARAMETER);
        }
        let leavers = self.query.flag("include_terminated_user", &Refusal::ATTENDANCE_PARAMETER)?;
        let mut asked = Asked::default();
        for id in ids {
            let no = as_type.parse(self.ids(), &id);
            let known = |no: &PersonNo| {
                self.world.person(*no).is_some_and(|person: &Person| person.employed() || leavers)
            };
            match no.filter(known) {
                None => asked.invalid.push(id),
                Some(no) if self.access.sees_attendance(self.world, no) => asked.served.push(no),
                Some(_) => asked.unauthorized.push(id),
            }
        }
        Ok(asked)
    }

    /// The longest span of days that a request may cover.
    pub(crate) fn check_span(&self, days: i64) -> Result<(), Refusal> {
        let most = i64::from(self.settings.max_span_days);
        if (0..=most).contains(&days) { Ok(()) } else { Err(Refusal::ATTENDANCE_PARAMETER) }
    }
}
