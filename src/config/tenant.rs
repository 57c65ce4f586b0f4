//! One file `tenants/<tenant>.yaml`: where a customer lives and what it is connected to.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::model::ids::{ConnectionId, TenantId};

use super::changes::MappingChanges;
use super::connection::{Connection, ConnectionFile, Surroundings};
use super::gate::Gate;
use super::matching::{Matching, MatchingFile};
use super::schedule::{Region, Schedule, Zone};
use super::source::Source;

/// One customer. Paths are resolved against the folder of the main file.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// The file's name.
    pub id: TenantId,
    /// Where its days begin and end.
    pub timezone: Zone,
    /// How its phone numbers are read.
    pub region: Region,
    /// The embedded EHR: one database file, this tenant's alone.
    pub ehr: PathBuf,
    /// Its own layer of mappings.
    pub mappings: Option<PathBuf>,
    /// When its runs start: its own schedule or that of the main file.
    pub schedule: Schedule,
    /// When everything is listed in any case, whatever the schedule and events do.
    pub full_listing: Schedule,
    /// When its plans are held.
    pub gate: Gate,
    /// When an edited mapping is held.
    pub mapping_changes: MappingChanges,
    /// When records of two of its platforms are the same person.
    pub matching: Option<Matching>,
    /// Its platforms; at least one.
    pub connections: BTreeMap<ConnectionId, Connection>,
}

/// The file as written.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct TenantFile {
    timezone: Option<Zone>,
    region: Option<Region>,
    ehr: Option<PathBuf>,
    mappings: Option<PathBuf>,
    schedule: Option<Schedule>,
    full_listing: Option<Schedule>,
    gate: Gate,
    mapping_changes: MappingChanges,
    matching: Option<MatchingFile>,
    /// By names that are not checked yet, so that a bad one does not hide what stands below it.
    connections: BTreeMap<String, ConnectionFile>,
}

impl TenantFile {
    /// Judges the file; `None` when something in it was noted as a fault, or when it names no tenant.
    pub(super) fn check(
        self,
        id: Option<TenantId>,
        schedule: &Schedule,
        around: &Surroundings<'_>,
        source: &mut Source,
    ) -> Option<Tenant> {
        required(self.timezone.is_some(), "timezone", "Asia/Shanghai", source);
        required(self.region.is_some(), "region", "CN", source);
        required(self.ehr.is_some(), "ehr", "data/acme/ehr.db", source);
        if let Some(layer) =
            self.mappings.as_ref().filter(|layer| !around.folder.join(layer).is_dir())
        {
            let message =
                format!("there is no folder `{}`; create it, or remove the key", layer.display());
            source.fault(&["mappings"], "config::missing_folder", message);
        }
        if self.connections.is_empty() && !source.has_fault_in(&["connections"]) {
            let message = "the tenant has no connection; add one under `connections`".to_owned();
            source.fault(&["connections"], "config::missing_key", message);
        }
        self.mapping_changes.check(source);
        let count = self.connections.len();
        let names: Vec<String> = self.connections.keys().cloned().collect();
        let matching = self.matching.map(|file| file.check(&names, source));
        let connections: BTreeMap<_, _> = self
            .connections
            .into_iter()
            .filter_map(|(name, file)| file.check(&name, around, source))
            .map(|connection| (connection.id.clone(), connection))
            .collect();
        Some(Tenant {
            id: id?,
            timezone: self.timezone?,
            region: self.region?,
            ehr: around.folder.join(self.ehr?),
            mappings: self.mappings.map(|layer| around.folder.join(layer)),
            schedule: self.schedule.unwrap_or_else(|| schedule.clone()),
            full_listing: self.full_listing.unwrap_or_else(Schedule::nightly),
            gate: self.gate,
            mapping_changes: self.mapping_changes,
            matching: matching.flatten(),
            connections: (connections.len() == count).then_some(connections)?,
        })
    }

    /// Every file that a secret is read from, relative to the folder of the main file.
    pub(super) fn secret_files(&self) -> impl Iterator<Item = &PathBuf> {
        self.connections.values().flat_map(ConnectionFile::secret_files)
    }

    /// Every file that a setting is read from, likewise.
    pub(super) fn setting_files(&self) -> impl Iterator<Item = &Path> {
        self.connections.values().flat_map(ConnectionFile::setting_files)
    }
}

fn required(there: bool, key: &str, example: &str, source: &mut Source) {
    if !there && !source.has_fault_in(&[key]) {
        let message = format!("the key `{key}` is missing; add it, as in `{key}: {example}`");
        source.fault(&[key], "config::missing_key", message);
    }
}
