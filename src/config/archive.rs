//! The section `archive` of the main file: where versions of raw records go that were replaced, and for how long.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::units::Size;

/// Where replaced versions of raw records go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archiving {
    /// The folder; beside the state unless it is named.
    pub folder: PathBuf,
    /// Days that a version is kept after the next one was seen.
    pub days: u32,
    /// Bytes of one connection; beyond them the oldest versions go.
    pub size: Size,
}

/// The section as written.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ArchiveFile {
    folder: Option<PathBuf>,
    days: u32,
    size: Size,
}

impl Default for ArchiveFile {
    fn default() -> Self {
        Self { folder: None, days: 365, size: Size::mebibytes(1024) }
    }
}

impl ArchiveFile {
    /// Resolves the folder: against that of the main file, or beside the state.
    pub(super) fn resolve(self, main: &Path, state: &Path) -> Archiving {
        let beside = || state.parent().unwrap_or(main).join("archive");
        let folder = self.folder.map_or_else(beside, |folder| main.join(folder));
        Archiving { folder, days: self.days, size: self.size }
    }
}
