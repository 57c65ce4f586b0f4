//! The roster of the HR application: fields of people by their codes.
//!
//! Not the address book. The invariant: only the fields that are asked for are answered.

use super::call::Call;
use super::refusal::Refusal;
use crate::calendar::date_text;
use crate::ids::{PersonNo, staff_no};
use crate::json::Json;
use crate::world::Person;

/// People of one call.
const PEOPLE_MOST: usize = 100;

/// Code, name and group of the fields that this company fills in.
const FIELDS: [(&str, &str, &str); 7] = [
    ("sys00-name", "姓名", "sys00"),
    ("sys00-jobNumber", "工号", "sys00"),
    ("sys00-position", "职位", "sys00"),
    ("sys00-confirmJoinTime", "入职时间", "sys00"),
    ("sys01-employeeType", "员工类型", "sys01"),
    ("sys01-positionLevel", "岗位职级", "sys01"),
    ("sys02-sexType", "性别", "sys02"),
];

const EMPLOYEE_TYPES: [&str; 7] =
    ["无类型", "全职", "实习", "劳务外包", "劳务派遣", "顾问", "退休返聘"];

impl Call<'_> {
    pub(crate) fn roster(&self, json: &mut Json) -> Result<(), Refusal> {
        let ids = self.params.texts("userIdList");
        let codes = self.params.texts("fieldFilterList");
        if ids.is_empty() || ids.len() > PEOPLE_MOST || self.params.text("appAgentId").is_none() {
            return Err(Refusal::BAD_PARAMETER);
        }
        json.key("result").array(|json| {
            for id in ids {
                if let Ok((no, person)) = self.member(self.ids().parse_userid(&id)) {
                    json.object(|json| self.entry(json, no, person, &codes));
                }
            }
        });
        Ok(())
    }

    fn entry(&self, json: &mut Json, no: PersonNo, person: &Person, codes: &[String]) {
        json.key("corpId").text(&self.settings.corp_id);
        json.key("userId").text(&self.ids().userid(no));
        json.key("fieldDataList").array(|json| {
            let wanted = |code: &str| codes.is_empty() || codes.iter().any(|asked| asked == code);
            for (code, name, group) in FIELDS.into_iter().filter(|(code, ..)| wanted(code)) {
                let (value, label) = self.field(code, no, person);
                json.object(|json| {
                    json.key("fieldCode").text(code);
                    json.key("fieldName").text(name);
                    json.key("groupId").text(group);
                    json.key("fieldValueList").array(|json| {
                        json.object(|json| {
                            json.key("itemIndex").number(0);
                            json.key("value").text(&value);
                            json.key("label").text(&label);
                        });
                    });
                });
            }
        });
    }

    /// Value and label: they differ for choices only.
    fn field(&self, code: &str, no: PersonNo, person: &Person) -> (String, String) {
        let traits = self.world.traits(no);
        let same = |text: String| (text.clone(), text);
        match code {
            "sys00-name" => same(traits.name().pieces().concat()),
            "sys00-jobNumber" => same(staff_no(no)),
            "sys00-position" => same(person.job_title().concat()),
            "sys00-confirmJoinTime" => same(date_text(person.joined())),
            "sys01-employeeType" => {
                let kind = traits.employee_type();
                (kind.to_string(), EMPLOYEE_TYPES[usize::from(kind).min(6)].to_owned())
            }
            "sys01-positionLevel" => same(format!("P{}", person.level)),
            _ => {
                let woman = traits.woman();
                (u8::from(woman).to_string(), if woman { "女" } else { "男" }.to_owned())
            }
        }
    }
}
