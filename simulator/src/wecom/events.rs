//! The events that contacts sync pushes about the world's changes, as plain XML.
//!
//! Not their delivery, encryption or signature. The invariant: an event names ids only, never what has changed, and what
//! the platform keeps silent about makes none.

use std::fmt::Write as _;

use super::ids::{dept_id, userid};
use crate::ids::DeptNo;
use crate::world::{Change, Person, What};

/// One change as an event to a company; none where the platform pushes nothing: punches, renamed departments, and
/// people whose departments stay.
pub(crate) fn event(corp: &str, change: &Change) -> Option<String> {
    let (kind, members) = match &change.what {
        What::Hired(no, person) => ("create_user", member(&userid(*no), Some(person))),
        What::Changed { no, before, after } if !before.depts().eq(after.depts()) => {
            ("update_user", member(&userid(*no), Some(after)))
        }
        What::Left { no, .. } => ("delete_user", member(&userid(*no), None)),
        What::Founded(no, unit) => ("create_party", party(*no, Some(unit.parent))),
        What::Reorganised { no, before, after } if before.parent != after.parent => {
            ("update_party", party(*no, Some(after.parent)))
        }
        What::Dissolved { no, .. } => ("delete_party", party(*no, None)),
        What::Changed { .. } | What::Reorganised { .. } | What::Punched { .. } => return None,
    };
    Some(format!(
        "<xml><ToUserName><![CDATA[{corp}]]></ToUserName><FromUserName><![CDATA[sys]]></FromUserName>\
         <CreateTime>{}</CreateTime><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[change_contact]]></Event>\
         <ChangeType>{kind}</ChangeType>{members}</xml>",
        change.at
    ))
}

fn member(id: &str, person: Option<&Person>) -> String {
    let mut text = format!("<UserID><![CDATA[{id}]]></UserID>");
    if let Some(person) = person {
        let ids: Vec<String> = person.depts().map(|dept| dept_id(dept).to_string()).collect();
        // Writing to a string does not fail.
        write!(text, "<Department><![CDATA[{}]]></Department>", ids.join(",")).unwrap_or_default();
    }
    text
}

fn party(no: DeptNo, parent: Option<DeptNo>) -> String {
    let parent = parent
        .map_or_else(String::new, |no| format!("<ParentId><![CDATA[{}]]></ParentId>", dept_id(no)));
    format!("<Id>{}</Id>{parent}", dept_id(no))
}
