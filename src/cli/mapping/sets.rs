//! Which mappings a verb is about: those of the configuration, or of a folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Where;
use crate::app;
use crate::cli::Context;
use crate::cli::exit::Failure;
use crate::mapping::{Files, Generation, Layers, Pictures, Shared, documented};
use crate::model::ids::{ConnectionId, TenantId};

/// The zone and region of a mapping that is tried without a configuration.
const ZONE: &str = "Asia/Shanghai";
const REGION: &str = "CN";

/// A set of mappings under the name that people know it by.
pub(super) struct Set {
    pub(super) name: String,
    pub(super) connector: ConnectionId,
    /// The tenants that it serves.
    pub(super) tenants: Vec<TenantId>,
    pub(super) layers: Layers,
    pub(super) zone: String,
    pub(super) region: String,
    /// The beginnings of names in messages, and the folders that they stand for; a tenant's first.
    pub(super) roots: Vec<(String, PathBuf)>,
    /// Whose records these mappings map.
    pub(super) connections: Vec<(TenantId, ConnectionId)>,
}

impl Set {
    /// Loads the set, or tells every fault of it.
    pub(super) fn load(&self) -> Result<Generation, Failure> {
        Generation::of_layers(self.layers.clone())
            .map_err(|faults| app::Failure::reports(&faults).into())
    }

    /// What the platform's pages, and those beside the mappings, document.
    pub(super) fn documented(&self) -> Pictures {
        let name = self.connector.as_str();
        let mut roots = self.roots.iter();
        let root = roots.find(|(label, _)| label.strip_suffix('/') == Some(name));
        documented(name, root.map(|(_, folder)| folder.as_path()))
    }
}

/// What stands in the folder, or what the configuration puts together for each connection.
pub(super) fn sets(context: &Context, place: &Where) -> Result<Vec<Set>, Failure> {
    if let Some(folder) = &place.mappings {
        return folder_sets(folder);
    }
    if !context.config.exists() {
        return folder_sets(Path::new("mappings"));
    }
    let config = app::load_config(&context.config)?;
    let mut sets: BTreeMap<String, Set> = BTreeMap::new();
    for tenant in config.tenants.values() {
        for connection in tenant.connections.values() {
            let connector = connection.mapping.clone();
            let day = app::today(&app::SystemClock, tenant);
            let layers = app::layers(&config, tenant, connection, Some(day));
            let name = match layers.tenant {
                Some(_) => format!("{connector} with the layer of {}", tenant.id),
                None => connector.to_string(),
            };
            let mut roots = roots(&config.mappings, connector.as_str());
            if let (Some(_), Some(folder)) = (&layers.tenant, &tenant.mappings) {
                let label = format!("{}/{connector}/", tenant.id);
                roots.insert(0, (label, folder.join(connector.as_str())));
            }
            let own = (tenant.id.clone(), connection.id.clone());
            let set = Set {
                name: name.clone(),
                tenants: Vec::new(),
                layers,
                connector,
                zone: tenant.timezone.name().to_owned(),
                region: tenant.region.as_str().to_owned(),
                roots,
                connections: Vec::new(),
            };
            let set = sets.entry(name).or_insert(set);
            set.tenants.push(tenant.id.clone());
            set.connections.push(own);
        }
    }
    Ok(sets.into_values().collect())
}

fn folder_sets(folder: &Path) -> Result<Vec<Set>, Failure> {
    let entries = std::fs::read_dir(folder).map_err(|cause| {
        Failure::user(format!("cannot read the mappings in `{}`: {cause}", folder.display())).hint(
            "run this where rollcall.yaml or mappings/ stands, or name a folder with --mappings",
        )
    })?;
    let mut sets = Vec::new();
    let shared = Shared::read(folder);
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        // Shared modules are no connector.
        if name == "lib" {
            continue;
        }
        let connector = Files::read(&name, &entry.path());
        if let (false, Ok(id)) = (connector.is_empty(), ConnectionId::parse(&name)) {
            let (zone, region) = (ZONE.to_owned(), REGION.to_owned());
            let layers = Layers { shared: shared.clone(), ..Layers::plain(&connector, None) };
            sets.push(Set {
                roots: roots(folder, &name),
                name,
                connector: id,
                tenants: Vec::new(),
                layers,
                zone,
                region,
                connections: Vec::new(),
            });
        }
    }
    if sets.is_empty() {
        return Err(Failure::user(format!("there are no mappings in `{}`", folder.display())));
    }
    sets.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(sets)
}

/// The folders of a connector and of the shared modules.
fn roots(mappings: &Path, connector: &str) -> Vec<(String, PathBuf)> {
    [connector, "lib"].map(|name| (format!("{name}/"), mappings.join(name))).into()
}
