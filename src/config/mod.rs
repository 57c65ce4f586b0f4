//! The configuration: `rollcall.yaml` and `tenants/*.yaml`, parsed, then validated, as one value.
//!
//! One file here per section. A section is a struct with its defaults; a key that it does not know is a fault. All
//! faults of all files come in one report. Nothing here reads a plugin or a mapping: it only says where they are.
//!
//! The invariant: a [`Config`] that exists is complete. Paths are resolved, secrets are there, schedules come round; nobody
//! checks again.

mod archive;
mod attendance;
mod callbacks;
mod cases;
mod changes;
mod connection;
mod events;
mod fault;
mod gate;
mod grants;
mod limits;
mod load;
mod log;
mod matching;
mod root;
mod schedule;
mod secret;
mod source;
mod tenant;
mod through_text;
mod units;
mod watch;
mod yaml;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::model::hash::ContentHash;
use crate::model::ids::TenantId;

pub use archive::Archiving;
pub use attendance::Attendance;
pub use callbacks::Callbacks;
pub use cases::Cases;
pub use changes::{Bounds, Impact, MappingChanges};
pub use connection::Connection;
pub use events::Events;
pub use fault::{ConfigFault, ConfigFaults, Spot};
pub use gate::Gate;
pub use grants::{Endpoint, GrantError, Grants, HostName};
pub use limits::Limits;
pub use load::{load, load_with};
pub use log::{Log, LogFormat, LogLevel};
pub use matching::Matching;
pub use schedule::{Region, Schedule, ScheduleError, Zone};
pub use secret::{Environment, Reference, ReferenceError, Secret};
pub use tenant::Tenant;
pub use units::{Percent, Size, Span, UnitError};
pub use watch::{Extent, Subject, Watched};

use through_text::through_text;

/// Everything that was configured. Paths are resolved against the folder of the main file.
#[derive(Clone, Debug)]
pub struct Config {
    /// The main file.
    pub file: PathBuf,
    /// Where sync state lives.
    pub state: PathBuf,
    /// The folder of plugins, each `<name>.wasm`.
    pub plugins: PathBuf,
    /// The folder of mappings.
    pub mappings: PathBuf,
    /// Where compiled plugins are kept; safe to delete.
    pub cache: PathBuf,
    /// Where health and status are served and callbacks arrive.
    pub listen: SocketAddr,
    /// Where replaced versions of raw records go, and for how long.
    pub archive: Archiving,
    /// How the log looks.
    pub log: Log,
    /// What a plugin may use.
    pub limits: Limits,
    /// How much of what platforms push is taken.
    pub callbacks: Callbacks,
    /// What a mapping case that fails means for a reload.
    pub cases: Cases,
    /// The customers; at least one.
    pub tenants: BTreeMap<TenantId, Tenant>,
    /// What all of it says, defaults filled in. Secrets count by reference, not by value.
    pub digest: ContentHash,
    /// What a new configuration would be read from, and the mappings and plugins it names.
    pub watched: Vec<Watched>,
}

#[cfg(test)]
mod tests;
