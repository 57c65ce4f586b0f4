//! What a plugin says of itself: the custom section `rollcall:manifest`, one JSON object.
//!
//! It asks; it grants nothing. The invariant: a manifest that exists has a valid name, bounded lists and unique names.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::rates::{RatesAsk, RatesError};
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
    /// The platform's rate limits.
    #[serde(default)]
    pub rates: RatesAsk,
    /// How events reach a customer who cannot open a port, where the platform has such a way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub long_connection: Option<LongConnectionAsk>,
}

/// The long connection of a plugin's platform; the host keeps it up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LongConnectionAsk {
    /// The protocol that the host speaks.
    pub protocol: LongProtocol,
    /// Where the connection is asked for: a URL without a path, or `{setting:NAME}`. It must be one of `hosts`.
    pub url: String,
    /// The setting that holds the app's id.
    pub app_id: String,
    /// The secret that holds the app's secret.
    pub app_secret: String,
}

/// The long connections that the host speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LongProtocol {
    /// Feishu's and Lark's: protobuf frames over a WebSocket.
    Feishu,
    /// DingTalk's Stream: JSON over a WebSocket.
    DingTalk,
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
    /// What it says of rate limits cannot be used.
    #[error("its manifest's `rates` cannot be used: {0}")]
    Rates(#[from] RatesError),
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
    /// The long connection uses what the manifest does not list.
    #[error(
        "its manifest's long connection uses the {what} `{name}`, which it does not list; add it there"
    )]
    Unlisted {
        /// Setting or secret.
        what: &'static str,
        /// Its name.
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
        manifest.check_long_connection()?;
        manifest.rates.check()?;
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

    fn check_long_connection(&self) -> Result<(), ManifestError> {
        let Some(LongConnectionAsk { app_id, app_secret, .. }) = &self.long_connection else {
            return Ok(());
        };
        if self.setting(app_id).is_none() {
            return Err(ManifestError::Unlisted { what: "setting", name: app_id.clone() });
        }
        if !self.asks_secret(app_secret) {
            return Err(ManifestError::Unlisted { what: "secret", name: app_secret.clone() });
        }
        Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(long: &str) -> Result<Manifest, ManifestError> {
        let text = format!(
            r#"{{"name":"p","version":"1","contract":"0.1.0","settings":[{{"name":"app_id"}}],
                "secrets":[{{"name":"app_secret"}}],"long_connection":{long}}}"#
        );
        Manifest::parse(Some(text.as_bytes()))
    }

    #[test]
    fn a_long_connection_uses_only_what_the_manifest_lists() {
        let ask = r#"{"protocol":"dingtalk","url":"https://a.test","app_id":"app_id","app_secret":"app_secret"}"#;
        let found = parse(ask).unwrap().long_connection.unwrap();
        assert_eq!(found.protocol, LongProtocol::DingTalk);
        let other = parse(&ask.replace(r#":"app_id""#, r#":"key""#)).unwrap_err();
        assert!(other.to_string().contains("the setting `key`"), "{other}");
        let other = parse(&ask.replace(r#":"app_secret""#, r#":"key""#)).unwrap_err();
        assert!(other.to_string().contains("the secret `key`"), "{other}");
        let unknown = parse(&ask.replace("dingtalk", "pigeon")).unwrap_err();
        assert!(matches!(unknown, ManifestError::Malformed(_)), "{unknown}");
        assert_eq!(parse("null").unwrap().long_connection, None);
    }
}
