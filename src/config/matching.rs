//! The section `matching` of a tenant: when records of two platforms are the same person.
//!
//! ```yaml
//! matching:
//!   employee: [employee_number]     # the one field that tells
//!   authority: [feishu, dingtalk]   # whose word counts, the first one first
//! ```
//! A connection that `authority` leaves out takes no part: its people are employees of their own.

use serde::{Deserialize, Serialize};

use super::source::Source;
use crate::model::ids::ConnectionId;
use crate::model::schema::nearest;

/// The fields of an employee that can tell; beside them any `custom.<name>`.
const FIELDS: [&str; 4] = ["employee_number", "mobile", "work_email", "personal_email"];

/// When records of two platforms are the same person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matching {
    /// The field of the employee whose equal value tells, such as `employee_number` or `custom.id_number`.
    pub key: String,
    /// The connections that take part. The first one that has a person owns the employee.
    pub authority: Vec<ConnectionId>,
}

/// The section as written.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct MatchingFile {
    employee: Vec<String>,
    authority: Vec<String>,
}

impl MatchingFile {
    /// Judges the section against the names of the tenant's connections.
    pub(super) fn check(self, connections: &[String], source: &mut Source) -> Option<Matching> {
        let key = self.key(source);
        let authority = self.authority(connections, source);
        Some(Matching { key: key?, authority: authority? })
    }

    fn key(&self, source: &mut Source) -> Option<String> {
        let at = ["matching", "employee"];
        let [key] = self.employee.as_slice() else {
            if !source.has_fault_in(&at) {
                let message = format!(
                    "{} fields are named; name the one that tells, as in `employee: [employee_number]`",
                    self.employee.len()
                );
                source.fault(&at, "config::matching_field", message);
            }
            return None;
        };
        let custom = key.strip_prefix("custom.").is_some_and(|name| !name.is_empty());
        if custom || FIELDS.contains(&key.as_str()) {
            return Some(key.clone());
        }
        let advice = match nearest(key, FIELDS) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("write one of {}, or `custom.<name>`", FIELDS.join(", ")),
        };
        let message = format!("people cannot be matched by `{key}`; {advice}");
        source.fault(&at, "config::matching_field", message);
        None
    }

    fn authority(&self, connections: &[String], source: &mut Source) -> Option<Vec<ConnectionId>> {
        let at = ["matching", "authority"];
        let mut named: Vec<ConnectionId> = Vec::new();
        let mut faults = Vec::new();
        for name in &self.authority {
            let known =
                connections.contains(name).then(|| ConnectionId::parse(name).ok()).flatten();
            match known {
                Some(id) if named.contains(&id) => {
                    faults.push(format!("connection `{name}` is named twice; remove one"));
                }
                Some(id) => named.push(id),
                None => faults.push(match nearest(name, connections.iter().map(String::as_str)) {
                    Some(near) => {
                        format!("there is no connection `{name}`; did you mean `{near}`?")
                    }
                    None => format!("there is no connection `{name}`; name those of this file"),
                }),
            }
        }
        if faults.is_empty() && named.len() < 2 && !source.has_fault_in(&at) {
            faults.push(
                "fewer than two connections are named; write at least two, the one whose word counts first"
                    .to_owned(),
            );
        }
        let whole = faults.is_empty() && named.len() >= 2;
        for message in faults {
            source.fault(&at, "config::matching_authority", message);
        }
        whole.then_some(named)
    }
}
