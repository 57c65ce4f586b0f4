//! What a kind of record is known to hold: what the platform's pages document, and what stored records show.
//!
//! Not here: which paths a script reads (`infer`). The invariant: memory is bounded whatever the records are, and where the
//! picture is not complete nothing is called unknown.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::path::{Path, Step};
use crate::model::redact;
use crate::model::schema::nearest;

/// Most parts of a record that are kept; beyond them nothing is called unknown.
const NODES: usize = 4_000;
/// Most properties of one object; an object with more holds data as keys.
const KEYS: usize = 300;
/// Values of a part that are kept as samples.
const SAMPLES: usize = 3;
/// Levels that are looked at.
const LEVELS: usize = 16;

/// The parts of a kind of record.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Known {
    root: Node,
    nodes: usize,
    records: u64,
    full: bool,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Node {
    keys: BTreeMap<Box<str>, Node>,
    item: Option<Box<Node>>,
    /// Anything may lie below.
    free: bool,
    /// Text, number or flag.
    scalar: bool,
    documented: bool,
    seen: u64,
    /// A few values, masked.
    samples: Vec<String>,
}

/// What is wrong with a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unknown {
    /// The first part of the path that is not known.
    pub(crate) path: Path,
    /// The path that is most likely meant.
    pub(crate) near: Option<Path>,
}

/// A part of a record as an editor shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) name: String,
    pub(crate) documented: bool,
    pub(crate) seen: u64,
    pub(crate) what: &'static str,
    /// A few values, masked.
    pub(crate) samples: Vec<String>,
}

impl Known {
    /// Reads a catalogue: a path a line, `#` begins a comment, `.*` at the end says that anything may lie below.
    pub fn parse(catalogue: &str) -> Self {
        let mut known = Self::default();
        for line in catalogue.lines() {
            let path = line.split('#').next().unwrap_or_default().trim();
            if !path.is_empty() {
                known.document(path);
            }
        }
        known
    }

    fn document(&mut self, line: &str) {
        let (path, free) = match line.strip_suffix(".*") {
            Some(path) => (path, true),
            None => (line.strip_suffix('*').unwrap_or(line), line == "*"),
        };
        let mut node = &mut self.root;
        for step in Path::parse(path).steps() {
            self.nodes += 1;
            node = match step {
                Step::Key(key) => node.keys.entry(key.clone()).or_default(),
                Step::Item => node.item.get_or_insert_default(),
            };
            node.documented = true;
        }
        node.free |= free;
    }

    /// Takes in what a stored record shows. What is no JSON object shows nothing.
    pub fn observe(&mut self, payload: &[u8]) {
        if let Ok(value @ Value::Object(_)) = serde_json::from_slice(payload) {
            self.records += 1;
            let mut room = Room { left: NODES.saturating_sub(self.nodes), full: false };
            let before = room.left;
            self.root.observe("", &value, 0, &mut room);
            self.nodes += before - room.left;
            self.full |= room.full;
        }
    }

    /// How many stored records were taken in.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Also what another picture of the same kind shows.
    pub fn add(&mut self, other: Self) {
        self.root.add(other.root);
        self.nodes += other.nodes;
        self.records += other.records;
        self.full |= other.full;
    }

    /// Whether no page and no record has shown this path; `None` also where that cannot be told.
    pub(crate) fn unknown(&self, path: &Path) -> Option<Unknown> {
        if self.full || (self.root.keys.is_empty() && !self.root.free) {
            return None;
        }
        let mut node = &self.root;
        for (nth, step) in path.steps().iter().enumerate() {
            if node.free {
                return None;
            }
            let next = match step {
                Step::Key(key) => node.keys.get(key),
                Step::Item => node.item.as_deref(),
            };
            match next {
                Some(next) => node = next,
                // Seen only empty or as null: nobody knows what it holds.
                None if node.keys.is_empty() && node.item.is_none() && !node.is_leaf() => {
                    return None;
                }
                // Only an object without that property is told; a list may also be one element.
                None if *step == Step::Item || node.keys.is_empty() && node.item.is_some() => {
                    return None;
                }
                None => {
                    let at: Path = path.steps().iter().take(nth + 1).cloned().collect();
                    let near = self.near(node, &path.steps()[..nth], step);
                    return Some(Unknown { path: at, near });
                }
            }
        }
        None
    }

    /// A property with a similar name beside it, or one with the same name elsewhere.
    fn near(&self, node: &Node, above: &[Step], step: &Step) -> Option<Path> {
        let Step::Key(name) = step else { return None };
        if let Some(found) = nearest(name, node.keys.keys().map(|key| &**key)) {
            let steps = above.iter().cloned().chain([Step::Key(found.into())]);
            return Some(steps.collect());
        }
        let mut trail = Vec::new();
        self.root.find(name, &mut trail).then(|| trail.into_iter().collect())
    }

    /// What lies below a path, for completion.
    pub(crate) fn below(&self, path: &Path) -> Vec<Shown> {
        let Some(node) = self.node(path) else { return Vec::new() };
        node.keys.iter().map(|(name, node)| node.shown(name)).collect()
    }

    /// What is known of a path.
    pub(crate) fn at(&self, path: &Path) -> Option<Shown> {
        self.node(path).map(|node| node.shown(&path.to_string()))
    }

    fn node(&self, path: &Path) -> Option<&Node> {
        path.steps().iter().try_fold(&self.root, |node, step| match step {
            Step::Key(key) => node.keys.get(key),
            Step::Item => node.item.as_deref(),
        })
    }

    /// Every path with nothing below it, as a catalogue has them.
    pub fn paths(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        self.root.list(&mut Vec::new(), &mut found);
        found
    }
}

/// A value as a sample: what may be somebody's is only hinted at.
fn masked(name: &str, value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if value.is_boolean() || (text.chars().count() <= 24 && redact::tells_field(name, &text)) {
        return text;
    }
    let first: String = text.chars().take(1).collect();
    format!("{first}***")
}

/// How much may still be taken in.
struct Room {
    left: usize,
    full: bool,
}

impl Node {
    fn observe(&mut self, name: &str, value: &Value, level: usize, room: &mut Room) {
        self.seen += 1;
        match value {
            Value::Null => {}
            Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                self.scalar = true;
                if self.samples.len() < SAMPLES {
                    let sample = masked(name, value);
                    if !self.samples.contains(&sample) {
                        self.samples.push(sample);
                    }
                }
            }
            _ if self.free => {}
            _ if level >= LEVELS => self.free = true,
            Value::Array(items) => {
                for item in items {
                    if self.item.is_none() && !room.take() {
                        return;
                    }
                    self.item.get_or_insert_default().observe(name, item, level + 1, room);
                }
            }
            Value::Object(entries) => {
                for (key, value) in entries {
                    if let Some(node) = self.keys.get_mut(key.as_str()) {
                        node.observe(key, value, level + 1, room);
                    } else if self.keys.len() >= KEYS {
                        self.free = true;
                        self.keys.clear();
                        return;
                    } else if room.take() {
                        let mut node = Self::default();
                        node.observe(key, value, level + 1, room);
                        self.keys.insert(key.as_str().into(), node);
                    } else {
                        return;
                    }
                }
            }
        }
    }

    fn add(&mut self, other: Self) {
        self.free |= other.free;
        self.scalar |= other.scalar;
        self.documented |= other.documented;
        self.seen += other.seen;
        let room = SAMPLES.saturating_sub(self.samples.len());
        self.samples.extend(other.samples.into_iter().take(room));
        for (key, node) in other.keys {
            self.keys.entry(key).or_default().add(node);
        }
        if let Some(item) = other.item {
            self.item.get_or_insert_default().add(*item);
        }
    }

    fn is_leaf(&self) -> bool {
        self.scalar || (self.documented && self.keys.is_empty() && self.item.is_none())
    }

    fn find(&self, name: &str, trail: &mut Vec<Step>) -> bool {
        if self.keys.contains_key(name) && !trail.is_empty() {
            trail.push(Step::Key(name.into()));
            return true;
        }
        let below = self.keys.iter().map(|(key, node)| (Step::Key(key.clone()), node));
        for (step, node) in below.chain(self.item.iter().map(|item| (Step::Item, &**item))) {
            trail.push(step);
            if node.find(name, trail) {
                return true;
            }
            trail.pop();
        }
        false
    }

    fn list(&self, trail: &mut Vec<Step>, found: &mut BTreeSet<String>) {
        if self.keys.is_empty() && self.item.is_none() {
            let path: Path = trail.iter().cloned().collect();
            found.insert(if self.free { format!("{path}.*") } else { path.to_string() });
        }
        for (key, node) in &self.keys {
            trail.push(Step::Key(key.clone()));
            node.list(trail, found);
            trail.pop();
        }
        if let Some(item) = &self.item {
            trail.push(Step::Item);
            item.list(trail, found);
            trail.pop();
        }
    }

    fn shown(&self, name: &str) -> Shown {
        let what = if self.free {
            "anything"
        } else if self.item.is_some() {
            "a list"
        } else if !self.keys.is_empty() {
            "an object"
        } else if self.is_leaf() {
            "a value"
        } else {
            "nothing so far"
        };
        let samples = self.samples.clone();
        Shown { name: name.to_owned(), documented: self.documented, seen: self.seen, what, samples }
    }
}

impl Room {
    fn take(&mut self) -> bool {
        if self.left == 0 {
            self.full = true;
            return false;
        }
        self.left -= 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "name\norders[].department_id # which\norders[].is_primary_dept\nstatus.is_resigned\nattrs.*\nids[]\n";

    fn unknown(known: &Known, path: &str) -> Option<(String, Option<String>)> {
        let found = known.unknown(&Path::parse(path))?;
        Some((found.path.to_string(), found.near.map(|near| near.to_string())))
    }

    #[test]
    fn what_a_page_shows_is_known_and_what_it_does_not_is_told_with_the_nearest() {
        let known = Known::parse(PAGE);
        for path in ["name", "orders", "orders[].department_id", "attrs.x.y", "ids", "status", ""] {
            assert_eq!(unknown(&known, path), None, "{path}");
        }
        let near = |at: &str, near: &str| Some((at.to_owned(), Some(near.to_owned())));
        assert_eq!(unknown(&known, "nmae"), near("nmae", "name"));
        assert_eq!(
            unknown(&known, "orders[].departmentid"),
            near("orders[].departmentid", "orders[].department_id")
        );
        assert_eq!(unknown(&known, "is_resigned"), near("is_resigned", "status.is_resigned"));
        assert_eq!(unknown(&known, "salary.base"), Some(("salary".to_owned(), None)));
        assert_eq!(unknown(&known, "name.first"), Some(("name.first".to_owned(), None)));
    }

    #[test]
    fn what_a_record_shows_is_known_too() {
        let mut known = Known::parse(PAGE);
        known.observe(br#"{"salary":{"base":1},"later":null,"list":[],"name":"x"}"#);
        known.observe(b"no json");
        assert_eq!(known.records(), 1);
        for path in ["salary.base", "later.anything", "list[].anything", "name"] {
            assert_eq!(unknown(&known, path), None, "{path}");
        }
        assert_eq!(
            unknown(&known, "salary.bse"),
            Some(("salary.bse".to_owned(), Some("salary.base".to_owned())))
        );
    }

    #[test]
    fn nothing_known_means_nothing_told() {
        assert_eq!(unknown(&Known::default(), "anything"), None);
    }

    #[test]
    fn an_object_with_data_as_keys_holds_anything() {
        let mut known = Known::default();
        let entries: Vec<String> = (0..400).map(|n| format!("\"u{n}\":1")).collect();
        known.observe(format!("{{\"by_user\":{{{}}}}}", entries.join(",")).as_bytes());
        assert_eq!(unknown(&known, "by_user.nobody"), None);
        assert!(known.paths().contains("by_user.*"));
    }

    #[test]
    fn records_of_many_shapes_take_a_bounded_room_and_end_the_telling() {
        let mut known = Known::default();
        for n in 0..40 {
            let entries: Vec<String> = (0..250).map(|k| format!("\"k{k}\":1")).collect();
            known.observe(format!("{{\"part{n}\":{{{}}}}}", entries.join(",")).as_bytes());
        }
        assert!(known.nodes <= NODES, "{}", known.nodes);
        assert_eq!(unknown(&known, "nobody"), None);
        let deep = format!("{}1{}", "{\"a\":".repeat(100), "}".repeat(100));
        let mut known = Known::default();
        known.observe(deep.as_bytes());
        assert!(known.nodes <= LEVELS);
        assert_eq!(unknown(&known, &"a.".repeat(20)), None);
    }
}
