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

/// Departments on their way into a plan that names every parent before its children. Whoever's parent is there goes on at
/// once, so that few are kept where a platform lists parents first.
#[derive(Default)]
pub(super) struct Line {
    /// Who is not in the plan yet.
    due: HashSet<String>,
    /// By the id that they wait for, with their place in the line.
    waiting: HashMap<String, Vec<(u32, Change)>>,
    next: u32,
}

impl Line {
    /// Takes changes, no department twice among them, and hands on to `ready` whoever may go. `met` tells whether the run has
    /// met a department; a parent that it has not met may still come.
    pub(super) fn take<E>(
        &mut self,
        changes: Vec<Change>,
        met: impl Fn(&str) -> Result<bool, E>,
        ready: &mut Vec<Change>,
    ) -> Result<(), E> {
        let mut fresh = Vec::with_capacity(changes.len());
        for change in changes {
            let id = change.external_id.as_str().to_owned();
            if self.due.contains(&id) {
                // After what is said of it already.
                self.wait(id, change);
            } else {
                self.due.insert(id);
                fresh.push(change);
            }
        }
        for change in fresh {
            match parent_of(&change.json) {
                Some(parent) if self.due.contains(&parent) || !met(&parent)? => {
                    self.wait(parent, change);
                }
                Some(_) | None => self.release(change, ready),
            }
        }
        Ok(())
    }

    fn wait(&mut self, id: String, change: Change) {
        self.waiting.entry(id).or_default().push((self.next, change));
        self.next += 1;
    }

    fn release(&mut self, change: Change, ready: &mut Vec<Change>) {
        let mut at = ready.len();
        ready.push(change);
        while let Some(change) = ready.get(at) {
            let id = change.external_id.as_str();
            self.due.remove(id);
            let next = self.waiting.remove(id).unwrap_or_default();
            ready.extend(next.into_iter().map(|(_, change)| change));
            at += 1;
        }
    }

    /// Those whose parent did not come.
    pub(super) fn left(&self) -> impl Iterator<Item = &Change> {
        self.waiting.values().flatten().map(|(_, change)| change)
    }

    /// The same, to go last.
    pub(super) fn finish(self) -> Vec<Change> {
        let mut left: Vec<_> = self.waiting.into_values().flatten().collect();
        left.sort_unstable_by_key(|(place, _)| *place);
        parents_first(left.into_iter().map(|(_, change)| change).collect())
    }
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

    fn changes(edges: &[(&str, &str)]) -> Vec<Change> {
        let connection = ConnectionId::parse("c").unwrap();
        let key = |id: &str| ExternalId::of(&connection, Entity::Department, id);
        let change = |(id, parent): &(&str, &str)| Change {
            verb: Verb::Create,
            external_id: key(id),
            json: Bytes::from(serde_json::json!({"parent_external_id": key(parent)}).to_string()),
            hash: ContentHash::of(b""),
        };
        edges.iter().map(change).collect()
    }

    fn told(changes: &[Change]) -> String {
        changes.iter().map(|c| c.external_id.source()).collect::<Vec<_>>().join(" ")
    }

    fn ordered(edges: &[(&str, &str)]) -> String {
        told(&parents_first(changes(edges)))
    }

    /// What goes on at once of each group, and the rest, where only `0` is met from the start.
    fn lined_up(groups: &[&[(&str, &str)]]) -> (Vec<String>, String) {
        let (mut line, mut met) = (Line::default(), HashSet::from(["c:department:0".to_owned()]));
        let mut at_once = Vec::new();
        for group in groups {
            let changes = changes(group);
            met.extend(changes.iter().map(|change| change.external_id.as_str().to_owned()));
            let mut ready = Vec::new();
            line.take(changes, |id| Ok::<_, ()>(met.contains(id)), &mut ready).unwrap();
            at_once.push(told(&ready));
        }
        (at_once, told(&line.finish()))
    }

    #[test]
    fn parents_come_before_their_children() {
        assert_eq!(ordered(&[("c", "b"), ("b", "a"), ("a", "0"), ("d", "a")]), "a b d c");
    }

    #[test]
    fn a_cycle_loses_nobody() {
        assert_eq!(ordered(&[("a", "b"), ("b", "a"), ("c", "0")]), "c a b");
    }

    #[test]
    fn whoevers_parent_is_there_goes_on_at_once() {
        let (at_once, rest) = lined_up(&[&[("b", "a"), ("a", "0")], &[("c", "b"), ("d", "0")]]);
        assert_eq!((at_once, rest), (vec!["a b".into(), "c d".into()], String::new()));
    }

    #[test]
    fn whoevers_parent_comes_late_follows_it() {
        let (at_once, rest) = lined_up(&[&[("c", "b"), ("d", "c"), ("b", "a")], &[("a", "0")]]);
        assert_eq!((at_once, rest), (vec![String::new(), "a b c d".into()], String::new()));
    }

    #[test]
    fn whoevers_parent_never_comes_is_last_and_not_lost() {
        let (at_once, rest) = lined_up(&[&[("c", "b"), ("b", "gone"), ("x", "x"), ("a", "0")]]);
        assert_eq!((at_once, rest), (vec!["a".into()], "b c x".into()));
    }

    #[test]
    fn a_second_word_on_a_department_stays_the_second() {
        let groups: [&[_]; 3] = [&[("b", "a")], &[("b", "0")], &[("a", "0")]];
        let (at_once, rest) = lined_up(&groups);
        assert_eq!(at_once, ["", "", "a b b"]);
        assert_eq!(rest, "");
    }
}
