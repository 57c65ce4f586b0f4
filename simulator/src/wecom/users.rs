//! People: by department, one, by mobile, and the ids of all.
//!
//! Not their punches. The invariant: a listing shows employed people only, and a newer app is not told what the platform
//! keeps back.

use serde::Deserialize;

use super::access::Secret;
use super::call::Call;
use super::ids::{dept_id, parse_userid, userid};
use super::refusal::Refusal;
use crate::faults::Fault;
use crate::ids::{DeptNo, PersonNo, mobile_digits, parse_mobile, staff_no};
use crate::json::Json;
use crate::world::{Person, Standing};

const PAGE_MOST: usize = 10_000;

#[derive(Deserialize)]
struct IdPage {
    #[serde(default)]
    cursor: String,
    limit: Option<usize>,
}

#[derive(Deserialize)]
struct Mobile {
    mobile: String,
}

impl Call<'_> {
    pub(crate) fn users(&self, json: &mut Json) -> Result<(), Refusal> {
        let found = self.members()?;
        self.check_rows(found.len())?;
        json.key("userlist").array(|json| {
            for (no, person) in found {
                json.object(|json| self.user(json, no, person));
            }
        });
        Ok(())
    }

    pub(crate) fn user_names(&self, json: &mut Json) -> Result<(), Refusal> {
        let found = self.members()?;
        json.key("userlist").array(|json| {
            for (no, person) in found {
                json.object(|json| {
                    json.key("userid").text(&userid(no));
                    json.key("name").pieces(&self.world.traits(no).name().pieces());
                    json.key("department").array(|json| {
                        self.depts(person).for_each(|dept| json.number(dept_id(dept)));
                    });
                });
            }
        });
        Ok(())
    }

    /// The record stands beside the code, not inside a member of its own.
    pub(crate) fn one_user(&self, json: &mut Json) -> Result<(), Refusal> {
        let no = parse_userid(self.query.one("userid").unwrap_or_default());
        let found = no.and_then(|no| Some((no, self.world.person(no)?)));
        let (no, person) =
            found.filter(|(no, person)| self.sees(*no, person)).ok_or(Refusal::NO_SUCH_USER)?;
        self.user(json, no, person);
        Ok(())
    }

    /// One row for each person and department, in the order of people.
    pub(crate) fn user_ids(&self, json: &mut Json) -> Result<(), Refusal> {
        let asked: IdPage = self.json()?;
        let limit = asked.limit.unwrap_or(PAGE_MOST);
        let from = match asked.cursor.as_str() {
            "" => 0,
            cursor => parse_cursor(cursor).ok_or(Refusal::BAD_PARAMETER)?,
        };
        if !(1..=PAGE_MOST).contains(&limit) {
            return Err(Refusal::BAD_PARAMETER);
        }
        let short = self.strikes(Fault::ShorterList);
        let everyone = self
            .world
            .everyone()
            .filter(|(no, person)| person.employed() && !(short && self.world.is_hidden(*no)));
        let mut rows =
            everyone.flat_map(|(no, person)| person.depts().map(move |dept| (no, dept))).skip(from);
        let page: Vec<(PersonNo, DeptNo)> = rows.by_ref().take(limit).collect();
        let more = rows.next().is_some() && !self.strikes(Fault::TruncatedList);
        let next = match more {
            true if self.strikes(Fault::RepeatedToken) => asked.cursor,
            true => write_cursor(from + page.len()),
            false => String::new(),
        };
        json.key("next_cursor").text(&next);
        json.key("dept_user").array(|json| {
            for (no, dept) in page {
                json.object(|json| {
                    json.key("userid").text(&userid(no));
                    json.key("department").number(dept_id(dept));
                });
            }
        });
        Ok(())
    }

    pub(crate) fn user_by_mobile(&self, json: &mut Json) -> Result<(), Refusal> {
        let asked: Mobile = self.json()?;
        let known = |no: &PersonNo| self.world.person(*no).is_some_and(|p| self.sees(*no, p));
        let no = parse_mobile(&asked.mobile).filter(known).ok_or(Refusal::NO_SUCH_MOBILE)?;
        json.key("userid").text(&userid(no));
        Ok(())
    }

    /// An employed person whom the caller may see.
    fn sees(&self, no: PersonNo, person: &Person) -> bool {
        person.employed()
            && (self.secret == Secret::Contacts || self.access.sees_person(self.world, no, person))
    }

    /// The people directly in a department.
    fn members(&self) -> Result<Vec<(PersonNo, &Person)>, Refusal> {
        let no = self.visible_dept(self.query.one("department_id").unwrap_or_default())?;
        let dept = self.world.dept(no).ok_or(Refusal::NO_SUCH_DEPT)?;
        let short = self.strikes(Fault::ShorterList);
        let mut found: Vec<PersonNo> = dept.members.iter().chain(&dept.guests).copied().collect();
        found.sort_unstable();
        Ok(found
            .into_iter()
            .filter(|no| !(short && self.world.is_hidden(*no)))
            .filter_map(|no| Some((no, self.world.person(no)?)))
            .collect())
    }

    /// The departments that the caller may see, the main one first.
    fn depts(&self, person: &Person) -> impl Iterator<Item = DeptNo> {
        person.depts().filter(|dept| self.sees_dept(*dept))
    }

    fn user(&self, json: &mut Json, no: PersonNo, person: &Person) {
        let traits = self.world.traits(no);
        let name = traits.name();
        json.key("userid").text(&userid(no));
        json.key("name").pieces(&name.pieces());
        self.places(json, no, person);
        json.key("position").pieces(&person.job_title());
        self.kept_back(json, no);
        json.key("telephone").text("");
        json.key("alias").text(name.nickname.unwrap_or(""));
        json.key("status").number(match person.standing {
            Standing::Active => 1,
            Standing::Frozen => 2,
            Standing::Unjoined => 4,
            Standing::Left => 5,
        });
        if self.sees_dept(person.dept) {
            json.key("main_department").number(dept_id(person.dept));
        }
        json.key("extattr").object(|json| {
            json.key("attrs").array(|json| {
                json.object(|json| {
                    json.key("type").number(0);
                    json.key("name").text("工号");
                    json.key("text").object(|json| json.key("value").text(&staff_no(no)));
                });
            });
        });
    }

    fn places(&self, json: &mut Json, no: PersonNo, person: &Person) {
        let leads =
            |dept: DeptNo| self.world.dept(dept).is_some_and(|dept| dept.unit.leader == Some(no));
        json.key("department")
            .array(|json| self.depts(person).for_each(|dept| json.number(dept_id(dept))));
        json.key("order").array(|json| self.depts(person).for_each(|_| json.number(0)));
        json.key("is_leader_in_dept").array(|json| {
            self.depts(person).for_each(|dept| json.number(i32::from(leads(dept))));
        });
        let manager = self.world.manager(no, person).filter(|manager| {
            self.world.person(*manager).is_some_and(|person| self.sees(*manager, person))
        });
        json.key("direct_leader").array(|json| {
            if let Some(manager) = manager {
                json.text(&userid(manager));
            }
        });
    }

    /// What newer apps are not told: left out, and the gender as one that nobody states.
    fn kept_back(&self, json: &mut Json, no: PersonNo) {
        let told = self.settings.older_app || self.secret == Secret::Contacts;
        if !told {
            json.key("gender").text("0");
            return;
        }
        let code = self.world.traits(no).gender_code();
        json.key("gender").quoted(if code > 2 { 0 } else { code });
        json.key("mobile").quoted(mobile_digits(no));
        let account = userid(no).to_lowercase();
        json.key("email").text(&format!("{account}@home.example"));
        json.key("biz_mail").text(&format!("{account}@corp.example"));
    }
}

/// Opaque to clients.
fn write_cursor(from: usize) -> String {
    format!("row-{from:08}")
}

fn parse_cursor(cursor: &str) -> Option<usize> {
    let from = cursor.strip_prefix("row-")?.parse().ok()?;
    (write_cursor(from) == cursor).then_some(from)
}
