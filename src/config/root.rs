//! The main file, `rollcall.yaml`: folders, the listener, and what holds for every tenant.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::archive::ArchiveFile;
use super::callbacks::Callbacks;
use super::cases::Cases;
use super::limits::Limits;
use super::log::Log;
use super::schedule::Schedule;

/// The file as written.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RootFile {
    pub(super) state: PathBuf,
    pub(super) plugins: PathBuf,
    pub(super) mappings: PathBuf,
    pub(super) tenants: PathBuf,
    pub(super) cache: PathBuf,
    #[serde(deserialize_with = "listen")]
    pub(super) listen: SocketAddr,
    pub(super) schedule: Schedule,
    pub(super) archive: ArchiveFile,
    pub(super) log: Log,
    pub(super) limits: Limits,
    pub(super) callbacks: Callbacks,
    pub(super) cases: Cases,
}

impl Default for RootFile {
    fn default() -> Self {
        Self {
            state: "state".into(),
            plugins: "plugins".into(),
            mappings: "mappings".into(),
            tenants: "tenants".into(),
            cache: "state/cache".into(),
            listen: SocketAddr::from(([127, 0, 0, 1], 7420)),
            schedule: Schedule::default(),
            archive: ArchiveFile::default(),
            log: Log::default(),
            limits: Limits::default(),
            callbacks: Callbacks::default(),
            cases: Cases::default(),
        }
    }
}

fn listen<'de, D: serde::Deserializer<'de>>(node: D) -> Result<SocketAddr, D::Error> {
    let text = String::deserialize(node)?;
    text.parse().map_err(|_| {
        serde::de::Error::custom(format!(
            "`{text}` is no address; write an address of this machine and a port, such as `127.0.0.1:7420`"
        ))
    })
}
