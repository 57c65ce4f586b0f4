//! Whom an edited mapping is tried on before everybody is mapped by it.
//!
//! Not here: how they are found and mapped (sync). The invariant: a canary never changes. Who joins its department later is
//! not in it, and who leaves the department stays in it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::model::hash::ContentHash;
use crate::model::ids::ExternalId;

/// The departments and people of one connection that an edited mapping maps before all others. Ids are the provider's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Canary {
    /// The digest of the edited texts.
    pub edited: ContentHash,
    /// The digest of the texts that map everybody else.
    pub against: ContentHash,
    /// The department at the top.
    pub department: String,
    /// That department and all below it.
    pub departments: BTreeSet<String>,
    /// The people whose main department is one of them.
    pub people: BTreeSet<String>,
}

impl Canary {
    /// The most people, and the most departments.
    pub const MOST: usize = 10_000;

    /// What the canary is: equal ones have equal ids.
    pub fn id(&self) -> ContentHash {
        let counts =
            [self.departments.len() as u64, self.people.len() as u64].map(u64::to_le_bytes);
        let head = [&self.edited.0[..], &self.against.0, self.department.as_bytes()];
        let ids = self.departments.iter().chain(&self.people).map(String::as_bytes);
        ContentHash::of_parts(head.into_iter().chain(counts.iter().map(|it| &it[..])).chain(ids))
    }
}

/// A canary in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial {
    /// Its id.
    pub canary: ContentHash,
    /// The key of the department at the top.
    pub department: ExternalId,
    /// That department's name, as the mapping in force writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How many departments are in it.
    pub departments: u64,
    /// How many people are in it.
    pub people: u64,
    /// Since when it runs, in Unix milliseconds.
    pub since_ms: i64,
}

/// A canary that a generation was in force with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Tried {
    /// Its id.
    pub canary: ContentHash,
    /// The digest of the texts that its records were mapped by.
    pub edited: ContentHash,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canary(departments: &[&str], people: &[&str]) -> Canary {
        let set = |ids: &[&str]| ids.iter().map(|&id| id.to_owned()).collect();
        Canary {
            edited: ContentHash::of(b"edited"),
            against: ContentHash::of(b"against"),
            department: "d1".to_owned(),
            departments: set(departments),
            people: set(people),
        }
    }

    #[test]
    fn a_canary_is_told_by_its_texts_and_by_everybody_in_it() {
        let one = canary(&["d1"], &["u1", "u2"]);
        assert_eq!(one.id(), one.clone().id());
        let others = [
            canary(&["d1"], &["u1"]),
            canary(&["d1", "u1"], &["u2"]),
            Canary { edited: ContentHash::of(b"another"), ..one.clone() },
            Canary { against: ContentHash::of(b"another"), ..one.clone() },
            Canary { department: "d2".to_owned(), ..one.clone() },
        ];
        for other in others {
            assert_ne!(one.id(), other.id(), "{other:?}");
        }
    }
}
