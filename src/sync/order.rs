//! Departments in an order in which every parent comes before its children. Pure.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;

use crate::model::plan::Change;

#[derive(Deserialize)]
struct Parent {
    #[serde(default)]
    parent_external_id: Option<String>,
}

/// The parent that a department's draft names.
pub(super) fn parent_of(json: &[u8]) -> Option<String> {
    serde_json::from_slice::<Parent>(json).ok().and_then(|draft| draft.parent_external_id)
}

/// Parents first; within a level as given. A cycle keeps its given order at the end: the target refuses or resolves it.
pub(super) fn parents_first(changes: Vec<Change>) -> Vec<Change> {
    let mut waiting: HashMap<String, Vec<usize>> = HashMap::new();
    let mut ready = Vec::new();
    let here: HashSet<&str> = changes.iter().map(|c| c.external_id.as_str()).collect();
    for (at, change) in changes.iter().enumerate() {
        match parent_of(&change.json).filter(|parent| here.contains(parent.as_str())) {
            Some(parent) => waiting.entry(parent).or_default().push(at),
            None => ready.push(at),
        }
    }
    let mut order = Vec::with_capacity(changes.len());
    let mut next = 0;
    while next < ready.len() {
        let at = ready[next];
        order.push(at);
        ready.extend(waiting.remove(changes[at].external_id.as_str()).unwrap_or_default());
        next += 1;
    }
    let mut rest: Vec<usize> = waiting.into_values().flatten().collect();
    rest.sort_unstable();
    order.extend(rest);
    let mut slots: Vec<Option<Change>> = changes.into_iter().map(Some).collect();
    order.into_iter().filter_map(|at| slots[at].take()).collect()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::model::entity::Entity;
    use crate::model::hash::ContentHash;
    use crate::model::ids::{ConnectionId, ExternalId};
    use crate::model::plan::Verb;

    fn ordered(edges: &[(&str, &str)]) -> String {
        let connection = ConnectionId::parse("c").unwrap();
        let key = |id: &str| ExternalId::of(&connection, Entity::Department, id);
        let changes = edges.iter().map(|(id, parent)| Change {
            verb: Verb::Create,
            external_id: key(id),
            json: Bytes::from(serde_json::json!({"parent_external_id": key(parent)}).to_string()),
            hash: ContentHash::of(b""),
        });
        let order = parents_first(changes.collect());
        order.iter().map(|c| c.external_id.source()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn parents_come_before_their_children() {
        assert_eq!(ordered(&[("c", "b"), ("b", "a"), ("a", "0"), ("d", "a")]), "a b d c");
    }

    #[test]
    fn a_cycle_loses_nobody() {
        assert_eq!(ordered(&[("a", "b"), ("b", "a"), ("c", "0")]), "c a b");
    }
}
