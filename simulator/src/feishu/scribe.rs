//! Writes people and departments as the platform shows them, in answers and in events.
//!
//! Not which ones. The invariant: a field without its scope is absent, never empty, and every id inside a record is
//! of the kind that was asked for.

use super::access::{Access, Field};
use super::call::Call;
use super::ids::{DeptIdType, UserIdType};
use super::refusal::Refusal;
use crate::calendar::midnight;
use crate::dice::mix;
use crate::ids::{DeptNo, Ids, PersonNo, staff_no};
use crate::json::Json;
use crate::site::Site;
use crate::world::{Kind, Person, Standing, Traits, Unit, World};

/// The host of every mail address; it cannot exist.
pub(crate) const MAIL_HOST: &str = "corp.example";

/// The id types an answer is written in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IdTypes {
    pub user: UserIdType,
    pub dept: DeptIdType,
}

/// Who reads the record: events leave some fields out and give `order` as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    Caller,
    Subscriber,
}

/// What a record is written from.
#[derive(Clone, Copy)]
pub(crate) struct Scribe<'a> {
    pub site: &'a Site,
    pub world: &'a World,
    pub access: &'a Access,
    pub types: IdTypes,
}

impl Call<'_> {
    pub(crate) fn id_types(&self) -> Result<IdTypes, Refusal> {
        Ok(IdTypes { user: self.user_id_type()?, dept: self.dept_id_type()? })
    }

    pub(crate) fn scribe(&self, types: IdTypes) -> Scribe<'_> {
        Scribe { site: self.site, world: self.world, access: self.access, types }
    }
}

impl Scribe<'_> {
    fn ids(&self) -> Ids {
        self.site.ids
    }

    fn may(&self, field: Field) -> bool {
        self.access.fields.has(field)
    }

    fn user_id(&self, json: &mut Json, key: &str, no: PersonNo) {
        json.key(key).plain(|out| self.ids().write_user(out, no, self.types.user));
    }

    fn dept_id(&self, json: &mut Json, no: DeptNo) {
        json.plain(|out| self.ids().write_dept(out, no, self.types.dept));
    }

    /// A department with its head counts, as an object.
    pub(crate) fn department(&self, json: &mut Json, no: DeptNo, unit: &Unit, short: bool) {
        let count = self.world.totals().of(no, short);
        json.object(|json| {
            self.department_facts(json, no, unit, Reader::Caller);
            if self.may(Field::DeptOrganize) {
                json.key("member_count").number(count.members);
                json.key("primary_member_count").number(count.primary);
            }
            if self.may(Field::DeptHrbp) {
                let partner =
                    (unit.kind == Kind::Centre).then(|| self.head_of_first_centre()).flatten();
                json.key("department_hrbps").array(|json| {
                    if let Some(partner) = partner {
                        json.plain(|out| self.ids().write_user(out, partner, self.types.user));
                    }
                });
            }
        });
    }

    fn head_of_first_centre(&self) -> Option<PersonNo> {
        self.world.departments().find(|(_, dept)| dept.unit.kind == Kind::Centre)?.1.unit.leader
    }

    /// The members that answers and events share.
    pub(crate) fn department_facts(
        &self,
        json: &mut Json,
        no: DeptNo,
        unit: &Unit,
        reader: Reader,
    ) {
        if self.may(Field::DeptBase) {
            let name = unit.name();
            json.key("name").text(&name);
            json.key("i18n_name").object(|json| {
                json.key("zh_cn").text(&name);
                json.key("ja_jp").text("");
                json.key("en_us").text(&unit.english_name());
            });
            json.key("department_id")
                .plain(|out| self.ids().write_dept(out, no, DeptIdType::Custom));
            if unit.kind == Kind::Team {
                let chat = mix(self.site.seed ^ u64::from(no.0));
                json.key("chat_id").text(&format!("oc_{chat:016x}{:016x}", mix(chat)));
            }
            json.key("status").object(|json| json.key("is_deleted").bool(unit.deleted));
            json.key("group_chat_employee_types").array(|_| ());
        }
        json.key("open_department_id")
            .plain(|out| self.ids().write_dept(out, no, DeptIdType::Open));
        if self.may(Field::DeptOrganize) {
            if no != DeptNo::ROOT {
                json.key("parent_department_id");
                self.dept_id(json, unit.parent);
            }
            let order = u64::from(no.0) * 1_000;
            match reader {
                Reader::Caller => json.key("order").quoted(order),
                Reader::Subscriber => json.key("order").number(order),
            }
            json.key("unit_ids").array(|_| ());
            self.leaders(json, unit.leader);
        }
    }

    fn leaders(&self, json: &mut Json, leader: Option<PersonNo>) {
        if let Some(leader) = leader {
            self.user_id(json, "leader_user_id", leader);
        }
        json.key("leaders").array(|json| {
            if let Some(leader) = leader {
                json.object(|json| {
                    json.key("leaderType").number(1);
                    self.user_id(json, "leaderID", leader);
                });
            }
        });
    }

    /// The members of a person's record; the caller opens and closes the object.
    pub(crate) fn user(&self, json: &mut Json, no: PersonNo, person: &Person, reader: Reader) {
        let (ids, traits) = (self.ids(), self.world.traits(no));
        json.key("open_id").plain(|out| ids.write_user(out, no, UserIdType::Open));
        json.key("union_id").plain(|out| ids.write_user(out, no, UserIdType::Union));
        if self.may(Field::UserId) {
            json.key("user_id").plain(|out| ids.write_user(out, no, UserIdType::User));
        }
        if self.may(Field::UserBase) {
            names(json, traits);
            self.avatar(json, no);
        }
        if self.may(Field::Email) {
            json.key("email").plain(|out| {
                ids.write_user(out, no, UserIdType::User);
                out.push(b'@');
                out.extend_from_slice(MAIL_HOST.as_bytes());
            });
        }
        if self.may(Field::Phone) {
            json.key("mobile").text(&traits.mobile());
        }
        json.key("mobile_visible").bool(traits.choice(1, 100) > 0);
        if self.may(Field::Gender) {
            json.key("gender").number(traits.gender_code());
        }
        if self.may(Field::StaffNo) {
            json.key("employee_no").text(&staff_no(no));
        }
        if self.may(Field::UserDepartment) {
            self.places(json, no, person);
        }
        if self.may(Field::DottedLine) {
            json.key("dotted_line_leader_user_ids").array(|_| ());
        }
        if self.may(Field::JobLevel) {
            json.key("job_level_id").text(JOB_LEVELS[usize::from(person.level).min(6)]);
        }
        if self.may(Field::JobFamily) {
            json.key("job_family_id").text(JOB_FAMILIES[usize::from(person.role).min(8)]);
        }
        if self.may(Field::Employee) {
            self.employment(json, no, person);
        }
        if reader == Reader::Caller {
            json.key("is_tenant_manager").bool(no.0 == 0);
            json.key("is_frozen").bool(person.standing == Standing::Frozen);
            if self.may(Field::Geo) {
                json.key("geo").text("cn");
            }
        }
    }

    fn avatar(&self, json: &mut Json, no: PersonNo) {
        json.key("avatar").object(|json| {
            for size in ["72", "240", "640", "origin"] {
                json.key(["avatar_", size].concat().as_str()).plain(|out| {
                    out.extend_from_slice(b"https://avatar.example/");
                    out.extend_from_slice(size.as_bytes());
                    out.push(b'/');
                    self.ids().write_user(out, no, UserIdType::User);
                    out.extend_from_slice(b".png");
                });
            }
        });
    }

    /// Departments with the main one first, positions in them, and the manager; a leaver has none of these.
    fn places(&self, json: &mut Json, no: PersonNo, person: &Person) {
        let here = || person.depts().filter(|_| person.employed());
        json.key("department_ids").array(|json| here().for_each(|dept| self.dept_id(json, dept)));
        json.key("orders").array(|json| {
            for (place, dept) in (0u8..).zip(here()) {
                json.object(|json| {
                    json.key("department_id");
                    self.dept_id(json, dept);
                    json.key("user_order").number(0);
                    json.key("department_order").number(1 - place);
                    json.key("is_primary_dept").bool(place == 0);
                });
            }
        });
        if let Some(manager) = self.world.manager(no, person).filter(|_| person.employed()) {
            self.user_id(json, "leader_user_id", manager);
        }
    }

    fn employment(&self, json: &mut Json, no: PersonNo, person: &Person) {
        let traits = self.world.traits(no);
        json.key("status").object(|json| {
            json.key("is_frozen").bool(person.standing == Standing::Frozen);
            json.key("is_resigned").bool(person.standing == Standing::Left);
            json.key("is_activated").bool(World::is_activated(person));
            json.key("is_exited").bool(false);
            json.key("is_unjoin").bool(person.standing == Standing::Unjoined);
        });
        json.key("city").text(traits.city());
        json.key("country").text("CN");
        json.key("work_station").text(&traits.desk());
        json.key("join_time").number(if traits.hides_join_time() {
            0
        } else {
            midnight(person.joined())
        });
        json.key("employee_type").number(traits.employee_type());
        json.key("job_title").pieces(&person.job_title());
        json.key("enterprise_email").plain(|out| {
            out.extend_from_slice(staff_no(no).to_lowercase().as_bytes());
            out.extend_from_slice(b"@mail.");
            out.extend_from_slice(MAIL_HOST.as_bytes());
        });
        self.custom_attrs(json, no, person);
    }

    /// One attribute of each type; most people have only some of them.
    fn custom_attrs(&self, json: &mut Json, no: PersonNo, person: &Person) {
        use super::catalog as c;
        let traits = self.world.traits(no);
        json.key("custom_attrs").array(|json| {
            if traits.choice(2, 10) < 8 {
                attr(json, "TEXT", c::LOCKER, |json| {
                    json.key("text").text(&format!("L-{:04}", traits.choice(3, 9_999)));
                });
            }
            if traits.choice(4, 10) < 2 {
                attr(json, "HREF", c::HOMEPAGE, |json| {
                    json.key("text").text("主页");
                    json.key("url").text("https://people.example/me");
                    json.key("pc_url").text("https://people.example/me");
                });
            }
            if traits.choice(5, 10) < 6 {
                let (id, value) = c::SITES[traits.choice(6, 3) as usize];
                attr(json, "ENUMERATION", c::SITE, |json| {
                    json.key("option_id").text(id);
                    json.key("option_value").text(value);
                });
            }
            if traits.choice(7, 10) < 1 {
                let (id, name) = c::BADGES[traits.choice(8, 2) as usize];
                attr(json, "PICTURE_ENUM", c::BADGE, |json| {
                    json.key("option_id").text(id);
                    json.key("name").text(name);
                    json.key("picture_url").text("https://avatar.example/badge.png");
                    json.key("option_value").text(name);
                });
            }
            if traits.choice(9, 10) < 1 {
                let mentor = self.world.manager(no, person).unwrap_or(no);
                attr(json, "GENERIC_USER", c::MENTOR, |json| {
                    json.key("generic_user").object(|json| {
                        self.user_id(json, "id", mentor);
                        json.key("type").number(1);
                    });
                });
            }
        });
    }
}

const JOB_LEVELS: [&str; 7] = [
    "jl-0000000000000000",
    "jl-5be0cd19137e2171",
    "jl-1f83d9abfb41bd6b",
    "jl-9b05688c2b3e6c1f",
    "jl-510e527fade682d1",
    "jl-a54ff53a5f1d36f1",
    "jl-3c6ef372fe94f82b",
];
const JOB_FAMILIES: [&str; 9] = [
    "jf-428a2f98d728ae22",
    "jf-7137449123ef65cd",
    "jf-b5c0fbcfec4d3b2f",
    "jf-e9b5dba58189dbbc",
    "jf-3956c25bf348b538",
    "jf-59f111f1b605d019",
    "jf-923f82a4af194f9b",
    "jf-ab1c5ed5da6d8118",
    "jf-d807aa98a3030242",
];

fn names(json: &mut Json, traits: Traits) {
    let name = traits.name();
    json.key("name").pieces(&name.pieces());
    json.key("en_name").text(name.english.unwrap_or(""));
    json.key("nickname").text(name.nickname.unwrap_or(""));
}

fn attr(json: &mut Json, kind: &str, id: &str, value: impl FnOnce(&mut Json)) {
    json.object(|json| {
        json.key("type").text(kind);
        json.key("id").text(id);
        json.key("value").object(value);
    });
}
