//! The app itself: what it is granted by name, and the addresses that callbacks come from.
//!
//! Not what is granted. The invariant: an app learns of itself only.

use super::call::Call;
use super::ids::{dept_id, userid};
use super::refusal::Refusal;
use crate::json::Json;

impl Call<'_> {
    pub(crate) fn agent(&self, json: &mut Json) -> Result<(), Refusal> {
        let asked = self.query.one("agentid").and_then(|id| id.parse::<u32>().ok());
        if asked.ok_or(Refusal::BAD_AGENT)? != self.settings.agent_id {
            return Err(Refusal::OTHER_AGENT);
        }
        let (departments, people) = self.access.granted();
        json.key("agentid").number(self.settings.agent_id);
        json.key("name").text("人事同步");
        json.key("allow_userinfos").object(|json| {
            json.key("user").array(|json| {
                for no in people {
                    json.object(|json| json.key("userid").text(&userid(no)));
                }
            });
        });
        json.key("allow_partys").object(|json| {
            json.key("partyid")
                .array(|json| departments.into_iter().for_each(|no| json.number(dept_id(no))));
        });
        json.key("allow_tags").object(|json| json.key("tagid").array(|_| ()));
        json.key("close").number(0);
        Ok(())
    }
}

/// The addresses that callbacks come from.
pub(crate) fn callback_addresses(json: &mut Json) {
    json.key("ip_list").array(|json| {
        json.text("198.51.100.1");
        json.text("198.51.100.2");
    });
}
