//! What a plugin says of itself: the custom section `rollcall:manifest`, one JSON object.
//!
//! It asks; it grants nothing. The invariant: a manifest that exists has a valid name, bounded lists and unique names.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::model::ids::PluginName;

/// The custom section that holds the manifest.
pub const SECTION: &str = "rollcall:manifest";
/// The custom section that holds the digest of the source the component was built from.
pub const SOURCE_SECTION: &str = "rollcall:source";
/// The most bytes a manifest may have.
pub const LIMIT_BYTES: usize = 64 << 10;
/// The most entries each of its lists may have.
const LIMIT_ENTRIES: usize = 100;

/// What a plugin is and what it asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The plugin's name; also the name of its file.
    pub name: PluginName,
    /// Its own version.
    pub version: String,
    /// The contract it was built for, such as `0.1.0`.
    pub contract: String,
    /// One sentence for people.
    #[serde(default)]
    pub about: String,
    /// The hosts it talks to: `open.example.com`, `open.example.com:8443` or `{setting:NAME}`.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// What an administrator sets.
    #[serde(default)]
    pub settings: Vec<SettingAsk>,
    /// The secrets it uses by name.
    #[serde(default)]
    pub secrets: Vec<SecretAsk>,
    /// What the platform's administrator grants the app.
    #[serde(default)]
    pub permissions: Vec<PermissionAsk>,
}

/// A setting of a plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingAsk {
    /// Its name.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub about: String,
    /// Its value when nothing is set.
    #[serde(default)]
    pub default: Option<String>,
    /// Whether a connection without it is refused.
    #[serde(default)]
    pub required: bool,
}

/// A secret of a plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretAsk {
    /// Its name.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub about: String,
}

/// A permission on the platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PermissionAsk {
    /// The platform's own name of it.
    pub scope: String,
    /// What it gives.
    #[serde(default)]
    pub about: String,
    /// What does not work without it.
    #[serde(default)]
    pub needed_for: String,
}

/// Why a manifest is refused.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// There is none.
    #[error("it has no `{SECTION}` section; build it with `rollcall plugin build`")]
    Missing,
    /// It is larger than [`LIMIT_BYTES`].
    #[error("its manifest has {found} bytes, {LIMIT_BYTES} are allowed; shorten the texts")]
    TooLarge {
        /// Bytes found.
        found: usize,
    },
    /// It is not the JSON object it should be.
    #[error("its manifest cannot be read: {0}; build it with `rollcall plugin build`")]
    Malformed(#[source] serde_json::Error),
    /// A list has too many entries.
    #[error("its manifest lists {found} {list}, {LIMIT_ENTRIES} are allowed; shorten the list")]
    TooMany {
        /// Which list.
        list: &'static str,
        /// Entries found.
        found: usize,
    },
    /// Two entries of a list have the same name.
    #[error("its manifest lists {list} `{name}` twice; remove one")]
    Twice {
        /// Which list.
        list: &'static str,
        /// The name.
        name: String,
    },
}

impl Manifest {
    /// Reads and checks a manifest.
    ///
    /// # Errors
    /// [`ManifestError`] saying what is wrong with it.
    pub fn parse(section: Option<&[u8]>) -> Result<Self, ManifestError> {
        let json = section.ok_or(ManifestError::Missing)?;
        if json.len() > LIMIT_BYTES {
            return Err(ManifestError::TooLarge { found: json.len() });
        }
        let manifest: Self = serde_json::from_slice(json).map_err(ManifestError::Malformed)?;
        manifest.check_lists()?;
        Ok(manifest)
    }

    /// The declaration of a setting.
    pub fn setting(&self, name: &str) -> Option<&SettingAsk> {
        self.settings.iter().find(|setting| setting.name == name)
    }

    /// Whether the plugin asks for a secret.
    pub fn asks_secret(&self, name: &str) -> bool {
        self.secrets.iter().any(|secret| secret.name == name)
    }

    fn check_lists(&self) -> Result<(), ManifestError> {
        check_list("hosts", self.hosts.iter().map(String::as_str))?;
        check_list("settings", self.settings.iter().map(|it| it.name.as_str()))?;
        check_list("secrets", self.secrets.iter().map(|it| it.name.as_str()))?;
        check_list("permissions", self.permissions.iter().map(|it| it.scope.as_str()))
    }
}

fn check_list<'a>(
    list: &'static str,
    names: impl ExactSizeIterator<Item = &'a str>,
) -> Result<(), ManifestError> {
    if names.len() > LIMIT_ENTRIES {
        return Err(ManifestError::TooMany { list, found: names.len() });
    }
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(ManifestError::Twice { list, name: name.to_owned() });
        }
    }
    Ok(())
}
