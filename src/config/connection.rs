//! The section `connections.<id>` of a tenant: one platform and how it is reached.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::model::ids::{ConnectionId, PluginName};
use crate::model::schema::nearest;

use super::attendance::Attendance;
use super::events::Events;
use super::grants::Grants;
use super::secret::{Environment, Reference, Secret};
use super::source::{Source, read_bounded};

/// One provider set up for one tenant.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Its name, the first part of every external id.
    pub id: ConnectionId,
    /// The plugin that speaks to the platform.
    pub plugin: PluginName,
    /// The folder of its mappings below `mappings`, which is also what their cases call it: the plugin's name unless told.
    pub mapping: ConnectionId,
    /// What the plugin asks for in its manifest; a value `file:PATH` is here as the file's text.
    pub settings: BTreeMap<String, String>,
    /// Secrets by name; the plugin sees only the names.
    pub secrets: BTreeMap<String, Secret>,
    /// Which hosts it may reach.
    pub grants: Grants,
    /// Which days of attendance a run reads.
    pub attendance: Attendance,
    /// How the platform tells of changes.
    pub events: Events,
}

/// The section as written.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ConnectionFile {
    pub(super) plugin: Option<PluginName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mapping: Option<ConnectionId>,
    pub(super) settings: BTreeMap<String, String>,
    pub(super) secrets: BTreeMap<String, Reference>,
    pub(super) grants: Grants,
    pub(super) attendance: Attendance,
    pub(super) events: Events,
}

/// What a section is judged against.
pub(super) struct Surroundings<'a> {
    pub(super) folder: &'a Path,
    pub(super) env: &'a Environment<'a>,
    /// The names of the plugin files, `None` when their folder cannot be read.
    pub(super) plugins: Option<&'a [String]>,
}

impl ConnectionFile {
    /// Judges the section; `None` when something in it was noted as a fault.
    pub(super) fn check(
        self,
        name: &str,
        around: &Surroundings<'_>,
        source: &mut Source,
    ) -> Option<Connection> {
        let id = ConnectionId::parse(name).map_err(|error| {
            source.key_fault(
                &["connections", name],
                "config::connection_name",
                format!("connection `{name}`: {error}"),
            );
        });
        let key = ["connections", name, "plugin"];
        if let Some(plugin) = &self.plugin {
            check_plugin(plugin, &key, around, source);
        } else if !source.has_fault_in(&key) {
            let message = format!(
                "connection `{name}` names no plugin; add `plugin: NAME`, the name of a file in `plugins`"
            );
            source.fault(&key, "config::missing_key", message);
        }
        let secrets = self.resolve(name, around, source);
        let settings = self.texts(name, around, source);
        let Self { plugin, mapping, grants, attendance, events, .. } = self;
        let plugin = plugin?;
        Some(Connection {
            id: id.ok()?,
            // A plugin's name is a connection's name, too.
            mapping: mapping.or_else(|| ConnectionId::parse(plugin.as_str()).ok())?,
            plugin,
            settings: settings?,
            secrets: secrets?,
            grants,
            attendance,
            events,
        })
    }

    /// The files that its settings name.
    pub(super) fn setting_files(&self) -> impl Iterator<Item = &Path> {
        self.settings.values().filter_map(|value| file_named(value))
    }

    /// The settings, files read.
    fn texts(
        &self,
        connection: &str,
        around: &Surroundings<'_>,
        source: &mut Source,
    ) -> Option<BTreeMap<String, String>> {
        let mut texts = BTreeMap::new();
        for (name, value) in &self.settings {
            let text = file_named(value)
                .map_or_else(|| Ok(value.clone()), |path| text(&around.folder.join(path)));
            match text {
                Ok(text) => {
                    texts.insert(name.clone(), text);
                }
                Err(message) => {
                    let key = ["connections", connection, "settings", name];
                    source.fault(&key, "config::setting_file", message);
                }
            }
        }
        (texts.len() == self.settings.len()).then_some(texts)
    }

    pub(super) fn secret_files(&self) -> impl Iterator<Item = &PathBuf> {
        self.secrets.values().filter_map(|reference| match reference {
            Reference::File(path) => Some(path),
            Reference::Env(_) => None,
        })
    }

    fn resolve(
        &self,
        connection: &str,
        around: &Surroundings<'_>,
        source: &mut Source,
    ) -> Option<BTreeMap<String, Secret>> {
        let mut secrets = BTreeMap::new();
        for (name, reference) in &self.secrets {
            match reference.resolve(around.folder, around.env) {
                Ok(secret) => {
                    secrets.insert(name.clone(), secret);
                }
                Err(message) => {
                    source.fault(
                        &["connections", connection, "secrets", name],
                        "config::secret",
                        message,
                    );
                }
            }
        }
        (secrets.len() == self.secrets.len()).then_some(secrets)
    }
}

/// The largest file that a setting may name.
const LIMIT_BYTES: u64 = 256 << 10;

fn file_named(value: &str) -> Option<&Path> {
    value.strip_prefix("file:").map(|path| Path::new(path.trim()))
}

fn text(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let bytes = read_bounded(path, LIMIT_BYTES)
        .map_err(|error| format!("the file `{shown}` cannot be read: {error}; check its path"))?
        .ok_or_else(|| {
            format!("the file `{shown}` has more than {LIMIT_BYTES} bytes; shorten it")
        })?;
    String::from_utf8(bytes)
        .map_err(|_| format!("the file `{shown}` is no UTF-8 text; save it as UTF-8"))
}

/// Notes a fault when there is no file for the plugin.
fn check_plugin(plugin: &PluginName, key: &[&str], around: &Surroundings<'_>, source: &mut Source) {
    let Some(known) =
        around.plugins.filter(|known| known.iter().all(|file| file != plugin.as_str()))
    else {
        return;
    };
    let advice = match nearest(plugin.as_str(), known.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => {
            "the plugins folder holds none; put the plugin's file there".to_owned()
        }
        None => format!("plugins found: {}", known.join(", ")),
    };
    let message = format!("there is no plugin file `{plugin}.wasm`; {advice}");
    source.fault(key, "config::unknown_plugin", message);
}
