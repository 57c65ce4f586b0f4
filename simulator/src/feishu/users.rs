//! People: by department, one, many, by mobile or mail address.
//!
//! Not what a record looks like. The invariant: a listing shows employed people only; a leaver is found by id alone.

use serde::Deserialize;

use super::call::Call;
use super::ids::UserIdType;
use super::refusal::Refusal;
use super::scribe::{IdTypes, MAIL_HOST, Reader};
use crate::faults::Fault;
use crate::ids::{PersonNo, parse_mobile};
use crate::json::Json;

#[derive(Deserialize)]
struct Contacts {
    #[serde(default)]
    emails: Vec<String>,
    #[serde(default)]
    mobiles: Vec<String>,
    #[serde(default)]
    include_resigned: bool,
}

impl Call<'_> {
    pub(crate) fn users_by_department(&self, json: &mut Json) -> Result<(), Refusal> {
        let types = self.id_types()?;
        let id = self.query.one("department_id").ok_or(Refusal::BAD_PARAMETER)?;
        let no = self.visible_dept(id, types)?;
        let page = self.page(10, u64::from(no.0))?;
        let short = self.strikes(Fault::ShorterList);
        let Some(dept) = self.world.dept(no) else { return Err(Refusal::NO_SUCH_DEPT) };
        let found = merge(&dept.members, &dept.guests)
            .skip_while(|no| no.0 < page.from)
            .filter(|no| !short || !self.world.is_hidden(*no))
            .take(page.size + 1)
            .map(|no| (no.0, no))
            .collect();
        self.write_page(json, &page, found, |json, no| self.user_item(json, no, types));
        Ok(())
    }

    pub(crate) fn one_user(&self, json: &mut Json) -> Result<(), Refusal> {
        let types = self.id_types()?;
        let no = self.ids().parse_user(&self.id, types.user).ok_or(Refusal::NO_SUCH_USER)?;
        let person = self.world.person(no).ok_or(Refusal::NO_SUCH_USER)?;
        if !self.access.sees_person(self.world, no, person) {
            return Err(Refusal::NO_USER_AUTHORITY);
        }
        json.key("user");
        self.user_item(json, no, types);
        Ok(())
    }

    /// Unknown people and those outside the range are left out.
    pub(crate) fn many_users(&self, json: &mut Json) -> Result<(), Refusal> {
        let types = self.id_types()?;
        let ids: Vec<&str> = self.query.all("user_ids").collect();
        if ids.is_empty() || ids.len() > 50 {
            return Err(Refusal::FIELD_INVALID);
        }
        let visible = |no: &PersonNo| {
            self.world
                .person(*no)
                .is_some_and(|person| self.access.sees_person(self.world, *no, person))
        };
        let parse = |id: &str| self.ids().parse_user(id, types.user).filter(visible);
        let found: Vec<PersonNo> = ids.into_iter().filter_map(parse).collect();
        if !found.is_empty() {
            json.key("items").array(|json| {
                for no in found {
                    self.user_item(json, no, types);
                }
            });
        }
        Ok(())
    }

    /// A contact that nobody has is answered without an id.
    pub(crate) fn user_ids(&self, json: &mut Json) -> Result<(), Refusal> {
        let as_type = self.user_id_type()?;
        let asked: Contacts = self.json(&Refusal::BAD_PARAMETER)?;
        if asked.emails.len() > 50 || asked.mobiles.len() > 50 {
            return Err(Refusal::BAD_PARAMETER);
        }
        let known = |no: &PersonNo| {
            self.world.person(*no).is_some_and(|person| {
                (person.employed() || asked.include_resigned)
                    && self.access.sees_person(self.world, *no, person)
            })
        };
        json.key("user_list").array(|json| {
            let emails = asked.emails.iter().map(|mail| ("email", mail, self.owner_of_mail(mail)));
            let mobiles =
                asked.mobiles.iter().map(|mobile| ("mobile", mobile, parse_mobile(mobile)));
            for (kind, contact, owner) in emails.chain(mobiles) {
                json.object(|json| {
                    if let Some(no) = owner.filter(known) {
                        json.key("user_id").plain(|out| self.ids().write_user(out, no, as_type));
                    }
                    json.key(kind).text(contact);
                });
            }
        });
        Ok(())
    }

    fn owner_of_mail(&self, mail: &str) -> Option<PersonNo> {
        let (name, host) = mail.split_once('@')?;
        let owner = self.ids().parse_user(name, UserIdType::User)?;
        (host == MAIL_HOST).then_some(owner)
    }

    fn user_item(&self, json: &mut Json, no: PersonNo, types: IdTypes) {
        if let Some(person) = self.world.person(no) {
            let scribe = self.scribe(types);
            json.object(|json| {
                scribe.user(json, no, person, Reader::Caller);
            });
        }
    }
}

/// Two ascending lists without a common entry, as one.
fn merge<'a>(one: &'a [PersonNo], two: &'a [PersonNo]) -> impl Iterator<Item = PersonNo> + 'a {
    let (mut one, mut two) = (one.iter().copied().peekable(), two.iter().copied().peekable());
    std::iter::from_fn(move || match (one.peek(), two.peek()) {
        (Some(a), Some(b)) if a > b => two.next(),
        (Some(_), _) => one.next(),
        (None, _) => two.next(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merged_lists_stay_in_order() {
        let list = |numbers: &[u32]| numbers.iter().copied().map(PersonNo).collect::<Vec<_>>();
        let merged: Vec<PersonNo> = merge(&list(&[1, 5, 9]), &list(&[2, 3, 10])).collect();
        assert_eq!(merged, list(&[1, 2, 3, 5, 9, 10]));
    }
}
