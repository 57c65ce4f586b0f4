//! The texts that a connection's mappings were made of.
//!
//! Not here: what is in them (mapping) and where they are kept (state). The invariant: with equal sources, the same build of
//! rollcall makes the same draft of the same record.

use std::collections::BTreeMap;

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
}

/// The files of one layer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// Whose it is, such as `feishu` or `acme/feishu`; messages put it in front of the files' names.
    pub name: String,
    /// Text by name, relative to the layer's folder: `employee.rhai`, `tables.yaml`, `cases/employee/leaver.yaml`.
    pub files: BTreeMap<String, String>,
}

impl Sources {
    /// What the sources are: equal ones have equal digests.
    pub fn digest(&self) -> ContentHash {
        let head = [self.library.as_str(), &self.zone, &self.region];
        let mut parts: Vec<&[u8]> = head.map(str::as_bytes).to_vec();
        // How many files a layer has, so that no file can pass for the name of the next layer.
        let counts: Vec<[u8; 8]> =
            self.layers.iter().map(|layer| (layer.files.len() as u64).to_le_bytes()).collect();
        for (layer, count) in self.layers.iter().zip(&counts) {
            parts.push(layer.name.as_bytes());
            parts.push(count);
            for (name, text) in &layer.files {
                parts.push(name.as_bytes());
                parts.push(text.as_bytes());
            }
        }
        ContentHash::of_parts(parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(layers: &[(&str, &[(&str, &str)])]) -> Sources {
        let text = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
        let layer = |(name, files): &(&str, &[(&str, &str)])| Layer {
            name: (*name).to_owned(),
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
        ];
        for other in others {
            assert_ne!(one.digest(), other.digest(), "{other:?}");
        }
    }
}
