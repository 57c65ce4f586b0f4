//! Which paths the configuration in force depends on, for the watcher.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What a change of a file concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// The main file, tenants, secret files.
    Config,
    /// Scripts, tables and cases.
    Mappings,
    /// Plugin components.
    Plugins,
}

/// How much of a path counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Extent {
    /// One file.
    File,
    /// The files of a folder that end so.
    Folder(&'static [&'static str]),
    /// The files of a folder, and of all folders in it, that end so.
    Tree(&'static [&'static str]),
}

/// One path to watch; it need not exist yet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Watched {
    /// What it is about.
    pub subject: Subject,
    /// Where.
    pub path: PathBuf,
    /// How much of it.
    pub extent: Extent,
}

impl Watched {
    /// One file of the configuration.
    pub fn config_file(path: PathBuf) -> Self {
        Self { subject: Subject::Config, path, extent: Extent::File }
    }

    /// The folder of tenants.
    pub fn tenants(path: PathBuf) -> Self {
        Self { subject: Subject::Config, path, extent: Extent::Folder(&["yaml", "yml"]) }
    }

    /// A folder of mappings.
    pub fn mappings(path: PathBuf) -> Self {
        Self {
            subject: Subject::Mappings,
            path,
            extent: Extent::Tree(&["rhai", "yaml", "yml", "json"]),
        }
    }

    /// The folder of plugins.
    pub fn plugins(path: PathBuf) -> Self {
        Self { subject: Subject::Plugins, path, extent: Extent::Folder(&["wasm"]) }
    }
}
