//! What all check-in calls share: the people and the span of a request.
//!
//! Not punches or reports. The invariant: a request that names one unknown person is refused as a whole.

use serde::Deserialize;

use super::call::Call;
use super::ids::parse_userid;
use super::refusal::Refusal;
use crate::ids::PersonNo;

/// The most people of a request.
const PEOPLE_MOST: usize = 100;
/// The longest span, in seconds.
const SPAN_MOST: i64 = 30 * 86_400;

#[derive(Deserialize)]
pub(crate) struct Asked {
    pub starttime: i64,
    pub endtime: i64,
    pub useridlist: Vec<String>,
    pub opencheckindatatype: Option<u8>,
}

impl Call<'_> {
    /// The request, with as many people and as long a span as the platform takes.
    pub(crate) fn asked(&self) -> Result<Asked, Refusal> {
        let asked: Asked = self.json()?;
        if !(1..=PEOPLE_MOST).contains(&asked.useridlist.len()) {
            return Err(Refusal::BAD_LIST);
        }
        let span = asked.endtime - asked.starttime;
        if asked.starttime <= 0 || !(0..=SPAN_MOST).contains(&span) {
            return Err(Refusal::BAD_SPAN);
        }
        Ok(asked)
    }

    /// # Errors
    /// 301021 when one of the people is none, or not for this caller.
    pub(crate) fn people(&self, ids: &[String]) -> Result<Vec<PersonNo>, Refusal> {
        ids.iter().map(|id| self.attendee(id).ok_or(Refusal::UNKNOWN_PERSON)).collect()
    }

    /// An employed person whose check-in the caller may see.
    pub(crate) fn attendee(&self, id: &str) -> Option<PersonNo> {
        let no = parse_userid(id)?;
        let person = self.world.person(no).filter(|person| person.employed())?;
        let seen = self.access.sees_person(self.world, no, person)
            && self.access.sees_attendance(self.world, no);
        seen.then_some(no)
    }
}
