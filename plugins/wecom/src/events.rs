//! What an event points at (WeCom fact sheet, section 5.3).
//!
//! What this is not: the truth. An event names ids; what holds of them is read. The one invariant: an event about people or
//! departments that cannot be understood is a fault, so that everything is read instead.

use rollcall_sdk::{Advice, Fault, Hint, Kind};

use crate::xml;

/// Approved, or revoked after that: from then on reports of days are others.
const SETTLED: [&str; 2] = ["2", "6"];

/// The members of an event.
struct Event<'a>(Vec<(&'a str, &'a str)>);

pub(crate) fn hints(event: &[u8]) -> Result<Vec<Hint>, Fault> {
    let text = std::str::from_utf8(event).ok();
    let children = text.and_then(xml::children).ok_or_else(|| unusable("is no XML"))?;
    let event = Event(children);
    if event.text("MsgType").as_deref() != Some("event") {
        return Ok(Vec::new());
    }
    match event.text("Event").as_deref() {
        Some("change_contact") => event.contact(),
        // A member comes into the app's range, or leaves it: the company, the account, the range may be why.
        Some("subscribe" | "unsubscribe") => Ok(vec![event.person("FromUserName", false)?]),
        Some("sys_approval_change") => event.approval(),
        Some("batch_job_result") => Err(unusable("tells of an import, not of whom it changed")),
        _ => Ok(Vec::new()),
    }
}

impl Event<'_> {
    fn inner(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(found, _)| *found == name).map(|(_, inner)| *inner)
    }

    fn text(&self, name: &str) -> Option<String> {
        self.inner(name).and_then(xml::text).filter(|text| !text.is_empty())
    }

    fn contact(&self) -> Result<Vec<Hint>, Fault> {
        Ok(match self.text("ChangeType").as_deref() {
            Some("update_user") if self.text("NewUserID").is_some() => {
                vec![self.person("UserID", true)?, self.person("NewUserID", false)?]
            }
            Some("create_user" | "update_user") => vec![self.person("UserID", false)?],
            Some("delete_user") => vec![self.person("UserID", true)?],
            Some("create_party" | "update_party") => vec![self.department(false)?],
            Some("delete_party") => vec![self.department(true)?],
            Some("update_tag") => Vec::new(),
            _ => return Err(unusable("tells of a change of another kind")),
        })
    }

    /// The days of whose request was settled.
    fn approval(&self) -> Result<Vec<Hint>, Fault> {
        let info = self.inner("ApprovalInfo").and_then(xml::within).map(Event);
        let info = info.ok_or_else(|| unusable("holds no approval"))?;
        if !info.text("SpStatus").is_some_and(|status| SETTLED.contains(&status.as_str())) {
            return Ok(Vec::new());
        }
        let applicant = info.inner("Applyer").and_then(xml::within).map(Event);
        let id = applicant.and_then(|applicant| applicant.text("UserId"));
        let id = id.ok_or_else(|| unusable("names nobody who applied"))?;
        let hint = |kind| Hint { kind, id: id.clone(), gone: false };
        Ok(vec![hint(Kind::CheckIn), hint(Kind::AttendanceDay)])
    }

    fn person(&self, name: &str, gone: bool) -> Result<Hint, Fault> {
        let id = self.text(name).ok_or_else(|| unusable("names nobody"))?;
        Ok(Hint { kind: Kind::Employee, id, gone })
    }

    fn department(&self, gone: bool) -> Result<Hint, Fault> {
        let id = self.text("Id").filter(|id| id.bytes().all(|byte| byte.is_ascii_digit()));
        let id = id.ok_or_else(|| unusable("names no department"))?;
        Ok(Hint { kind: Kind::Department, id, gone })
    }
}

fn unusable(what: &str) -> Fault {
    let remedy =
        "everything is read instead; if it happens often, look for a newer version of the plugin";
    Fault::Invalid(Advice::new("event", format!("an event {what}"), remedy))
}
