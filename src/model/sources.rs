//! The texts that a connection's mappings were made of.
//!
//! Not here: what is in them (mapping) and where they are kept (state). The invariant: with equal sources, the same build of
//! rollcall makes the same draft of the same record.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::model::hash::ContentHash;

/// Everything besides the record that a connection's drafts depend on, as text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sources {
    /// The version of the function library.
    pub library: String,
    /// The tenant's IANA zone.
    pub zone: String,
    /// The tenant's country as two letters.
    pub region: String,
    /// The layers, the base first; a later one overrides the ones before.
    pub layers: Vec<Layer>,
    /// A day on which the exceptions in force are those that were: the first of them. None where none ever began or ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<String>,
}

/// Where a layer comes from, the lowest first.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum LayerKind {
    /// The binary.
    BuiltIn,
    /// The installation's folder of a connector.
    #[default]
    Connector,
    /// The tenant's own folder.
    Tenant,
    /// The tenant's exceptions, a file of its folder.
    Exception,
    /// Modules that scripts of any layer import.
    Shared,
}

impl LayerKind {
    /// The name as it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::BuiltIn => "built-in",
            Self::Connector => "connector",
            Self::Tenant => "tenant",
            Self::Exception => "exception",
            Self::Shared => "shared",
        }
    }
}

/// The files of one layer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// Whose it is, such as `feishu` or `acme/feishu`; messages put it in front of the files' names.
    pub name: String,
    /// Where it comes from.
    #[serde(default)]
    pub kind: LayerKind,
    /// Text by name, relative to the layer's folder: `employee.rhai`, `tables.yaml`, `cases/employee/leaver.yaml`.
    pub files: BTreeMap<String, String>,
}

impl Sources {
    /// What the sources are: equal ones have equal digests.
    pub fn digest(&self) -> ContentHash {
        let day = self.day.as_deref().unwrap_or_default();
        let head = [self.library.as_str(), &self.zone, &self.region, day];
        let mut parts: Vec<&[u8]> = head.map(str::as_bytes).to_vec();
        // How many files a layer has, so that no file can pass for the name of the next layer.
        let counts: Vec<[u8; 8]> =
            self.layers.iter().map(|layer| (layer.files.len() as u64).to_le_bytes()).collect();
        for (layer, count) in self.layers.iter().zip(&counts) {
            parts.push(layer.name.as_bytes());
            parts.push(layer.kind.name().as_bytes());
            parts.push(count);
            for (name, text) in &layer.files {
                parts.push(name.as_bytes());
                parts.push(text.as_bytes());
            }
        }
        ContentHash::of_parts(parts)
    }
}

/// A file that differs between two generations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileChange {
    /// The layer that it belongs to.
    pub layer: LayerKind,
    /// The file as messages name it, such as `acme/feishu/employee.rhai`.
    pub file: String,
    /// Its name within the layer's folder.
    #[serde(skip)]
    pub name: String,
    /// What became of it.
    pub change: Change,
}

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It was not there before.
    Added,
    /// It has another text.
    Changed,
    /// It is gone.
    Removed,
}

impl Change {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Removed => "removed",
        }
    }
}

impl Sources {
    /// The files that are others in `after`, by layer and name.
    pub fn changes(&self, after: &Self) -> Vec<FileChange> {
        let (old, new) = (self.files(), after.files());
        let keys: BTreeSet<_> = old.keys().chain(new.keys()).copied().collect();
        let changed = |(layer, name): (LayerKind, &str)| {
            let change = match (old.get(&(layer, name)), new.get(&(layer, name))) {
                (Some((_, old)), Some((_, new))) if old == new => return None,
                (Some(_), Some(_)) => Change::Changed,
                (None, _) => Change::Added,
                (Some(_), None) => Change::Removed,
            };
            let label =
                new.get(&(layer, name)).or(old.get(&(layer, name))).map_or("", |file| file.0);
            Some(FileChange {
                layer,
                file: format!("{label}/{name}"),
                name: name.to_owned(),
                change,
            })
        };
        keys.into_iter().filter_map(changed).collect()
    }

    /// The text that these sources have of a file.
    pub fn text(&self, file: &FileChange) -> Option<&str> {
        let layer = self.layers.iter().find(|layer| layer.kind == file.layer)?;
        layer.files.get(&file.name).map(String::as_str)
    }

    /// Label and text by layer and name.
    fn files(&self) -> BTreeMap<(LayerKind, &str), (&str, &str)> {
        self.layers
            .iter()
            .flat_map(|layer| {
                layer.files.iter().map(move |(name, text)| {
                    ((layer.kind, name.as_str()), (layer.name.as_str(), text.as_str()))
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(layers: &[(&str, &[(&str, &str)])]) -> Sources {
        let text = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
        let layer = |(name, files): &(&str, &[(&str, &str)])| Layer {
            name: (*name).to_owned(),
            kind: LayerKind::Connector,
            files: files.iter().map(text).collect(),
        };
        Sources { layers: layers.iter().map(layer).collect(), ..Sources::default() }
    }

    #[test]
    fn equal_sources_have_equal_digests_and_every_text_counts() {
        let one = sources(&[("feishu", &[("employee.rhai", "a")])]);
        assert_eq!(one.digest(), one.clone().digest());
        let others = [
            sources(&[("feishu", &[("employee.rhai", "b")])]),
            sources(&[("feishu", &[("leave.rhai", "a")])]),
            sources(&[("acme", &[("employee.rhai", "a")])]),
            sources(&[("feishu", &[]), ("employee.rhai", &[])]),
            Sources { zone: "UTC".to_owned(), ..one.clone() },
            Sources { day: Some("2026-01-01".to_owned()), ..one.clone() },
            Sources {
                layers: vec![Layer { kind: LayerKind::Tenant, ..one.layers[0].clone() }],
                ..one.clone()
            },
        ];
        for other in others {
            assert_ne!(one.digest(), other.digest(), "{other:?}");
        }
    }

    #[test]
    fn changes_are_told_by_layer_and_file() {
        let before = sources(&[("feishu", &[("a.rhai", "1"), ("b.rhai", "1"), ("c.rhai", "1")])]);
        let after = sources(&[("feishu", &[("a.rhai", "1"), ("b.rhai", "2"), ("d.rhai", "1")])]);
        let told: Vec<String> = before
            .changes(&after)
            .iter()
            .map(|one| format!("{} {} {:?}", one.change.name(), one.file, after.text(one)))
            .collect();
        assert_eq!(
            told,
            [
                r#"changed feishu/b.rhai Some("2")"#,
                "removed feishu/c.rhai None",
                r#"added feishu/d.rhai Some("1")"#
            ]
        );
        assert_eq!(before.changes(&before), []);
    }
}
