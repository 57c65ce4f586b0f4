//! People: by department, one, by mobile or union id, how many, and who left.
//!
//! Not what a record looks like. The invariant: a listing holds direct members only, and who has left is found nowhere
//! but in the leave records.

use super::call::{Call, Page};
use super::refusal::Refusal;
use crate::calendar::{day_of, midnight, parse_date};
use crate::faults::Fault;
use crate::ids::{DeptNo, PersonNo, mobile_digits, parse_mobile};
use crate::json::Json;
use crate::world::World;

/// People of one department are listed by so many at most.
const PAGE_MOST: usize = 100;
/// The cursor of a listing ends here, as the platform's own client checks.
const CURSOR_MOST: u64 = 100_000;
/// Leave records and working people come by so many at most.
const SMALL_PAGE_MOST: usize = 50;

impl Call<'_> {
    pub(crate) fn users(&self, json: &mut Json) -> Result<(), Refusal> {
        self.member_page(json, Self::listed_user)
    }

    pub(crate) fn users_simple(&self, json: &mut Json) -> Result<(), Refusal> {
        self.member_page(json, |call, json, no, _| {
            json.key("userid").text(&call.ids().userid(no));
            json.key("name").pieces(&call.world.traits(no).name().pieces());
        })
    }

    fn member_page(
        &self,
        json: &mut Json,
        write: impl Fn(&Self, &mut Json, PersonNo, DeptNo),
    ) -> Result<(), Refusal> {
        let dept = self.dept()?;
        let page = self.page("cursor", "size", PAGE_MOST)?;
        if page.from > CURSOR_MOST {
            return Err(Refusal::BAD_CURSOR);
        }
        let short = self.strikes(Fault::ShorterList);
        let found =
            Self::slice(self.members(dept).filter(|no| !short || !self.world.is_hidden(*no)), page);
        json.key("result").object(|json| {
            let next = page.from + page.size as u64;
            let here = self.write_paging(json, page, found.len(), next);
            json.key("list").array(|json| {
                for no in &found[..here] {
                    json.object(|json| write(self, json, *no, dept));
                }
            });
        });
        Ok(())
    }

    /// One more than the page, when there are more.
    fn slice(all: impl Iterator<Item = PersonNo>, page: Page) -> Vec<PersonNo> {
        all.skip(usize::try_from(page.from).unwrap_or(usize::MAX)).take(page.size + 1).collect()
    }

    /// Those directly in a department, the guests last.
    fn members(&self, dept: DeptNo) -> impl Iterator<Item = PersonNo> {
        let dept = self.world.dept(dept);
        dept.into_iter().flat_map(|dept| dept.members.iter().chain(&dept.guests)).copied()
    }

    /// All ids of a department at once, whatever the range.
    pub(crate) fn user_ids(&self, json: &mut Json) -> Result<(), Refusal> {
        let dept = self.any_dept()?;
        json.key("result").object(|json| {
            json.key("userid_list").array(|json| {
                self.members(dept).for_each(|no| json.text(&self.ids().userid(no)));
            });
        });
        Ok(())
    }

    pub(crate) fn one_user(&self, json: &mut Json) -> Result<(), Refusal> {
        let id = self.params.text("userid").ok_or(Refusal::BAD_PARAMETER)?;
        let (no, person) = self.member(self.ids().parse_userid(&id))?;
        json.key("result").object(|json| self.full_user(json, no, person));
        Ok(())
    }

    pub(crate) fn user_by_mobile(&self, json: &mut Json) -> Result<(), Refusal> {
        let mobile = self.params.text("mobile").ok_or(Refusal::BAD_PARAMETER)?;
        let (no, _) = self.member(parse_mobile(&mobile))?;
        json.key("result").object(|json| json.key("userid").text(&self.ids().userid(no)));
        Ok(())
    }

    pub(crate) fn user_by_union(&self, json: &mut Json) -> Result<(), Refusal> {
        let id = self.params.text("unionid").ok_or(Refusal::BAD_PARAMETER)?;
        let (no, _) = self.member(self.ids().parse_unionid(&id))?;
        json.key("result").object(|json| {
            json.key("userid").text(&self.ids().userid(no));
            json.key("contact_type").number(0);
        });
        Ok(())
    }

    /// How many people the tenant has, whatever the range.
    pub(crate) fn user_count(&self, json: &mut Json) {
        let only_active = self.params.flag("only_active");
        let short = self.strikes(Fault::ShorterList);
        let counted = self.world.everyone().filter(|(no, person)| {
            person.employed()
                && (!only_active || World::is_activated(person))
                && (!short || !self.world.is_hidden(*no))
        });
        let count = counted.count() as u64;
        json.key("result").object(|json| json.key("count").number(count));
    }

    /// Who left within a window of a year at most, by the new generation.
    pub(crate) fn leave_records(&self, json: &mut Json) -> Result<(), Refusal> {
        let instant = |name: &str| -> Result<Option<i64>, Refusal> {
            let Some(text) = self.params.text(name) else { return Ok(None) };
            iso_instant(&text).map(Some).ok_or(Refusal::BAD_DATE)
        };
        let from = instant("startTime")?.ok_or(Refusal::BAD_PARAMETER)?;
        let to = instant("endTime")?.unwrap_or(self.now);
        if !(0..=365 * 86_400).contains(&(to - from)) {
            return Err(Refusal::BAD_DATE);
        }
        let page = self.page("nextToken", "maxResults", SMALL_PAGE_MOST)?;
        let left = |no: &PersonNo| {
            let person = self.world.person(*no);
            person
                .and_then(crate::world::Person::left)
                .is_some_and(|day| (from..=to).contains(&midnight(day + 1)))
        };
        let found = Self::slice(self.world.everyone().map(|(no, _)| no).filter(left), page);
        let here = found.len().min(page.size);
        if found.len() > page.size {
            json.key("nextToken").quoted(page.from + page.size as u64);
        }
        json.key("records").array(|json| {
            for no in &found[..here] {
                json.object(|json| self.leave_record(json, *no));
            }
        });
        Ok(())
    }

    fn leave_record(&self, json: &mut Json, no: PersonNo) {
        let day = self.world.person(no).and_then(crate::world::Person::left).unwrap_or_default();
        json.key("userId").text(&self.ids().userid(no));
        json.key("name").pieces(&self.world.traits(no).name().pieces());
        json.key("stateCode").text("86");
        if self.access.has(super::access::FIELD_MOBILE) {
            json.key("mobile").text(&mobile_digits(no).to_string());
        }
        json.key("leaveTime")
            .text(&format!("{}T16:00:00Z", crate::calendar::date_text(day_of(midnight(day)))));
        json.key("leaveReason").text("delete");
    }

    /// The ids of people at work, as the roster knows them: probation, regular, leaving.
    pub(crate) fn on_job(&self, json: &mut Json) -> Result<(), Refusal> {
        let statuses = self.params.texts("status_list");
        if statuses.is_empty() {
            return Err(Refusal::BAD_PARAMETER);
        }
        let page = self.page("offset", "size", SMALL_PAGE_MOST)?;
        let wanted = |no: &PersonNo| {
            let person = self.world.person(*no).filter(|person| person.employed());
            person.is_some_and(|person| {
                let probation = day_of(self.now) - person.joined() < 90;
                statuses.iter().any(|status| status == if probation { "2" } else { "3" })
            })
        };
        let found = Self::slice(self.world.everyone().map(|(no, _)| no).filter(wanted), page);
        json.key("result").object(|json| {
            let here = found.len().min(page.size);
            json.key("data_list").array(|json| {
                found[..here].iter().for_each(|no| json.text(&self.ids().userid(*no)));
            });
            if found.len() > page.size {
                json.key("next_cursor").number(page.from + page.size as u64);
            }
        });
        Ok(())
    }
}

/// An instant of ISO 8601 to the second, in UTC or at +08:00.
fn iso_instant(text: &str) -> Option<i64> {
    let (date, rest) = text.split_once('T')?;
    let day = parse_date(date)?;
    let (time, east) = match rest.strip_suffix('Z') {
        Some(time) => (time, 0),
        None => (rest.strip_suffix("+08:00")?, 8 * 3_600),
    };
    let time = time.split('.').next()?;
    let parts: Vec<i64> = time.split(':').filter_map(|part| part.parse().ok()).collect();
    match parts[..] {
        [hour @ 0..24, minute @ 0..60, second @ 0..60] => {
            Some(day * 86_400 + hour * 3_600 + minute * 60 + second - east)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_of_the_new_generation_carry_their_zone() {
        assert_eq!(iso_instant("2026-01-01T00:00:00Z"), Some(1_767_225_600));
        assert_eq!(iso_instant("2026-01-01T08:00:00.000+08:00"), Some(1_767_225_600));
        assert_eq!(iso_instant("2026-01-01 00:00:00"), None);
    }
}
