//! Why a plugin or a connection is refused before anything of it runs.

use std::io;
use std::path::PathBuf;

use crate::model::ids::{ConnectionId, PluginName};

use super::cache::CacheError;
use super::manifest::ManifestError;
use super::record::RecordError;
use super::sections::SectionError;

/// Why a plugin cannot be loaded or a connection not be made of it.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The file cannot be read.
    #[error("the plugin file `{path}` cannot be read; check that it is there and readable")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The file is too large.
    #[error(
        "the plugin file `{path}` has {found} bytes, {limit} are allowed; strip it or build it smaller"
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        found: u64,
        /// The limit.
        limit: u64,
    },
    /// The file is no component.
    #[error("`{path}` is no plugin")]
    NotComponent {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        #[source]
        source: SectionError,
    },
    /// The manifest is missing or refused.
    #[error("`{path}` is no plugin that can be used")]
    Manifest {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: ManifestError,
    },
    /// The manifest names another plugin than the file.
    #[error(
        "`{path}` calls itself `{found}`; name the file `{found}.wasm` if that is the plugin you mean"
    )]
    Name {
        /// The file.
        path: PathBuf,
        /// The name in the manifest.
        found: PluginName,
    },
    /// The plugin was built for another contract.
    #[error(
        "plugin `{plugin}` speaks contract {found}, this build speaks {spoken}; rebuild the plugin or upgrade rollcall"
    )]
    Contract {
        /// The plugin.
        plugin: PluginName,
        /// Its contract.
        found: String,
        /// The contract of this build.
        spoken: &'static str,
    },
    /// The plugin imports what the contract does not have.
    #[error(
        "plugin `{plugin}` imports `{import}`, which no plugin is given; build it for `wasm32-unknown-unknown` without WASI"
    )]
    Import {
        /// The plugin.
        plugin: PluginName,
        /// The import.
        import: String,
    },
    /// The plugin does not export what every plugin exports, or nothing beside it.
    #[error("plugin `{plugin}` does not export `{export}`; build it with `rollcall plugin build`")]
    Export {
        /// The plugin.
        plugin: PluginName,
        /// The export.
        export: &'static str,
    },
    /// The component is invalid or does not fit the contract.
    #[error(
        "plugin `{plugin}` cannot be compiled: {reason}; build it again with `rollcall plugin build`"
    )]
    Compile {
        /// The plugin.
        plugin: PluginName,
        /// What the compiler says.
        reason: String,
    },
    /// The engine cannot be set up on this machine.
    #[error(
        "plugins cannot run on this machine: {reason}; report it with the output of `rollcall doctor`"
    )]
    Engine {
        /// What failed.
        reason: String,
    },
    /// The cache folder cannot be used.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// The recording cannot be begun.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A setting without which the plugin does not work.
    #[error("plugin `{plugin}` needs the setting `{setting}` ({about}); add it to the connection")]
    MissingSetting {
        /// The plugin.
        plugin: PluginName,
        /// The setting.
        setting: String,
        /// What it is for.
        about: String,
    },
    /// A setting that the plugin does not have.
    #[error("plugin `{plugin}` has no setting `{setting}`; it has {known}")]
    UnknownSetting {
        /// The plugin.
        plugin: PluginName,
        /// The setting.
        setting: String,
        /// The settings there are.
        known: String,
    },
    /// The manifest asks for a host that is none, perhaps through a setting.
    #[error(
        "plugin `{plugin}` asks for the host `{host}`, which is none; check the setting it comes from"
    )]
    Host {
        /// The plugin.
        plugin: PluginName,
        /// The host, settings filled in.
        host: String,
    },
    /// A long connection is wanted of a plugin that has none.
    #[error(
        "plugin `{plugin}` has no long connection; take `events: long_connection` out of the connection `{connection}` and let the \
         platform call back instead, or use a version of the plugin that has one"
    )]
    NoLongConnection {
        /// The plugin.
        plugin: PluginName,
        /// The connection that wants it.
        connection: ConnectionId,
    },
}
