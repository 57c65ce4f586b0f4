//! Small fixed lists: the app's contact range, custom field definitions, workforce types.
//!
//! Not people or departments. The invariant: what a record refers to is defined here, except for the custom field
//! types that the platform's own listing leaves out.

use super::call::Call;
use super::refusal::Refusal;
use crate::ids::{DeptNo, PersonNo};
use crate::json::Json;

pub(crate) const LOCKER: &str = "C-7000000000000000001";
pub(crate) const HOMEPAGE: &str = "C-7000000000000000002";
pub(crate) const SITE: &str = "C-7000000000000000003";
pub(crate) const BADGE: &str = "C-7000000000000000004";
pub(crate) const MENTOR: &str = "C-7000000000000000005";
const DESK_PHONE: &str = "C-7000000000000000006";

/// Options of the single choice, with their ids.
pub(crate) const SITES: [(&str, &str); 3] =
    [("opt-01", "总部"), ("opt-02", "实验基地"), ("opt-03", "驻外")];
pub(crate) const BADGES: [(&str, &str); 2] = [("pic-01", "急救员"), ("pic-02", "安全员")];

/// Id, type and name; picture choices and people are not listed by the platform.
const DEFINITIONS: [(&str, &str, &str); 4] = [
    (LOCKER, "TEXT", "储物柜"),
    (HOMEPAGE, "HREF", "个人主页"),
    (SITE, "ENUMERATION", "办公地点"),
    (DESK_PHONE, "PHONE", "分机"),
];

/// Value, whether it is built in, and name; the value is what a person's `employee_type` holds.
const EMPLOYEE_TYPES: [(u8, bool, &str, &str); 6] = [
    (1, true, "正式", "Regular"),
    (2, true, "实习", "Intern"),
    (3, true, "外包", "Outsourced"),
    (4, true, "劳务", "Contractor"),
    (5, true, "顾问", "Consultant"),
    (6, false, "返聘", "Re-employed retiree"),
];

#[derive(Clone, Copy)]
enum Granted {
    User(PersonNo),
    Dept(DeptNo),
}

impl Call<'_> {
    /// People, then departments, share one page.
    pub(crate) fn scopes(&self, json: &mut Json) -> Result<(), Refusal> {
        let types = self.id_types()?;
        let page = self.page(50, 0)?;
        let (departments, users) = self.access.granted(self.world);
        let users = users.into_iter().map(Granted::User);
        let departments = departments.into_iter().map(Granted::Dept);
        let found: Vec<(u32, Granted)> = (0..)
            .zip(users.chain(departments))
            .skip(page.from as usize)
            .take(page.size + 1)
            .collect();
        let here = self.write_paging(json, &page, &found);
        let found = &found[..here];
        json.key("user_ids").array(|json| {
            for (_, granted) in found {
                if let Granted::User(no) = granted {
                    json.plain(|out| self.ids().write_user(out, *no, types.user));
                }
            }
        });
        json.key("department_ids").array(|json| {
            for (_, granted) in found {
                if let Granted::Dept(no) = granted {
                    json.plain(|out| self.ids().write_dept(out, *no, types.dept));
                }
            }
        });
        json.key("group_ids").array(|_| ());
        Ok(())
    }

    pub(crate) fn custom_attr_definitions(&self, json: &mut Json) -> Result<(), Refusal> {
        let page = self.page(20, 0)?;
        let found = (0..).zip(DEFINITIONS).skip(page.from as usize).take(page.size + 1).collect();
        self.write_page(json, &page, found, |json, (id, kind, name)| {
            json.object(|json| {
                json.key("id").text(id);
                json.key("type").text(kind);
                if id == SITE {
                    options(json);
                }
                json.key("i18n_name").array(|json| translation(json, "zh_cn", name));
            });
        });
        Ok(())
    }

    pub(crate) fn employee_types(&self, json: &mut Json) -> Result<(), Refusal> {
        let page = self.page(20, 0)?;
        let found =
            (0..).zip(EMPLOYEE_TYPES).skip(page.from as usize).take(page.size + 1).collect();
        self.write_page(json, &page, found, |json, (value, built_in, chinese, english)| {
            json.object(|json| {
                json.key("enum_id").text(&format!("et-{value:04}"));
                json.key("enum_value").text(&value.to_string());
                json.key("content").text(chinese);
                json.key("enum_type").number(if built_in { 1 } else { 2 });
                json.key("enum_status").number(1);
                json.key("i18n_content").array(|json| {
                    translation(json, "zh_cn", chinese);
                    translation(json, "en_us", english);
                });
            });
        });
        Ok(())
    }
}

fn options(json: &mut Json) {
    json.key("options").object(|json| {
        json.key("default_option_id").text(SITES[0].0);
        json.key("option_type").text("TEXT");
        json.key("options").array(|json| {
            for (id, value) in SITES {
                json.object(|json| {
                    json.key("id").text(id);
                    json.key("value").text(value);
                });
            }
        });
    });
}

fn translation(json: &mut Json, locale: &str, value: &str) {
    json.object(|json| {
        json.key("locale").text(locale);
        json.key("value").text(value);
    });
}
