//! From files to a [`Config`], or to the report of everything that is wrong with them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::model::hash::ContentHash;
use crate::model::ids::TenantId;

use super::Config;
use super::connection::Surroundings;
use super::fault::{ConfigFault, ConfigFaults};
use super::root::RootFile;
use super::secret::Environment;
use super::source::{Source, whole};
use super::tenant::{Tenant, TenantFile};
use super::watch::Watched;

/// Loads the configuration and reads its secrets, variables from the environment of this process.
///
/// # Errors
/// [`ConfigFaults`]: everything that is wrong, in all files.
pub fn load(file: &Path) -> Result<Config, ConfigFaults> {
    load_with(file, &|name| std::env::var(name).ok())
}

/// Loads the configuration with variables from elsewhere.
///
/// # Errors
/// [`ConfigFaults`]: everything that is wrong, in all files.
pub fn load_with(file: &Path, env: &Environment<'_>) -> Result<Config, ConfigFaults> {
    let folder = file.parent().unwrap_or(Path::new(""));
    let mut loading =
        Loading { folder, env, faults: Vec::new(), parts: Vec::new(), watched: Vec::new() };
    let config = loading.root(file);
    match config {
        Some(config) if loading.faults.is_empty() => Ok(config),
        Some(_) | None => Err(ConfigFaults::new(file.to_owned(), loading.faults)),
    }
}

struct Loading<'a> {
    folder: &'a Path,
    env: &'a Environment<'a>,
    faults: Vec<ConfigFault>,
    /// What the digest is made of.
    parts: Vec<Vec<u8>>,
    watched: Vec<Watched>,
}

/// A tenant's file and what became of it.
struct Judged {
    source: Source,
    tenant: Option<Tenant>,
}

impl Loading<'_> {
    fn root(&mut self, file: &Path) -> Option<Config> {
        let name = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned();
        let absent = "run `rollcall init` to write one, or name another with `--config`";
        let mut source = self.keep(Source::load(file, name, absent))?;
        let root: RootFile = source.read();
        self.digest(&root);
        let [plugins, mappings, tenants] = [
            self.folder_of("plugins", &root.plugins, &mut source),
            self.folder_of("mappings", &root.mappings, &mut source),
            self.folder_of("tenants", &root.tenants, &mut source),
        ];
        self.faults.extend(source.into_faults());
        self.watched.push(Watched::config_file(file.to_owned()));
        self.watched.push(Watched::tenants(tenants.clone()));
        self.watched.push(Watched::mappings(mappings.clone()));
        self.watched.push(Watched::plugins(plugins.clone()));
        let tenants = self.tenants(&root, &tenants, &plugins);
        Some(Config {
            file: file.to_owned(),
            archive: root.archive.clone().resolve(self.folder, &self.folder.join(&root.state)),
            state: self.folder.join(&root.state),
            plugins,
            mappings,
            cache: self.folder.join(&root.cache),
            listen: root.listen,
            log: root.log,
            limits: root.limits,
            callbacks: root.callbacks,
            cases: root.cases,
            tenants,
            digest: ContentHash::of_parts(self.parts.iter().map(Vec::as_slice)),
            watched: std::mem::take(&mut self.watched),
        })
    }

    /// A folder that must be there.
    fn folder_of(&self, key: &str, path: &Path, source: &mut Source) -> PathBuf {
        let folder = self.folder.join(path);
        if !folder.is_dir() && !source.has_fault_in(&[key]) {
            let message = format!(
                "there is no folder `{}`; create it, or name another as `{key}`; `rollcall init` writes all of them",
                path.display()
            );
            source.fault(&[key], "config::missing_folder", message);
        }
        folder
    }

    fn tenants(
        &mut self,
        root: &RootFile,
        folder: &Path,
        plugins: &Path,
    ) -> BTreeMap<TenantId, Tenant> {
        let Some(files) = names(folder, &["yaml", "yml"]) else { return BTreeMap::new() };
        if files.is_empty() {
            let message = "the folder holds no tenant; add a file such as `acme.yaml`, or run `rollcall init`";
            self.faults.push(whole(
                &root.tenants.to_string_lossy(),
                "config::no_tenant",
                message.to_owned(),
            ));
        }
        let plugins = names(plugins, &["wasm"])
            .map(|files| files.iter().map(|file| stem(file)).collect::<Vec<_>>());
        let mut first: BTreeMap<String, &str> = BTreeMap::new();
        let mut judged = Vec::new();
        for file in &files {
            let name = root.tenants.join(file).to_string_lossy().into_owned();
            if let Some(first) = first.insert(stem(file), file) {
                let message =
                    format!("`{first}` is a file of the same tenant; remove one of the two");
                self.faults.push(whole(&name, "config::second_tenant", message));
            }
            let Some(source) = self.keep(Source::load(&folder.join(file), name, "save it again"))
            else {
                continue;
            };
            judged.push(self.tenant(file, source, root, plugins.as_deref()));
        }
        refuse_shared_ehr(&mut judged);
        let mut tenants = BTreeMap::new();
        for Judged { source, tenant } in judged {
            self.faults.extend(source.into_faults());
            tenants.extend(tenant.map(|tenant| (tenant.id.clone(), tenant)));
        }
        tenants
    }

    fn tenant(
        &mut self,
        file: &str,
        mut source: Source,
        root: &RootFile,
        plugins: Option<&[String]>,
    ) -> Judged {
        let read: TenantFile = source.read();
        self.parts.push(stem(file).into_bytes());
        self.digest(&read);
        self.watched
            .extend(read.secret_files().map(|path| Watched::config_file(self.folder.join(path))));
        self.watched
            .extend(read.setting_files().map(|path| Watched::config_file(self.folder.join(path))));
        let id = TenantId::parse(&stem(file));
        if let Err(error) = &id {
            let message = format!("a tenant is named as its file, and {error}; rename the file");
            source.whole("config::tenant_name", message);
        }
        let around = Surroundings { folder: self.folder, env: self.env, plugins };
        let tenant = read.check(id.ok(), &root.schedule, &around, &mut source);
        self.watched
            .extend(tenant.iter().filter_map(|t| t.mappings.clone()).map(Watched::mappings));
        Judged { source, tenant }
    }

    fn keep<T>(&mut self, result: Result<T, ConfigFault>) -> Option<T> {
        result.map_err(|fault| self.faults.push(fault)).ok()
    }

    fn digest(&mut self, part: &impl serde::Serialize) {
        let json = serde_json::to_vec(part)
            .expect("the files' structs have text keys and no failing values");
        self.parts.push(json);
    }
}

/// Two tenants in one EHR would overwrite each other's records.
fn refuse_shared_ehr(judged: &mut [Judged]) {
    let mut owners: BTreeMap<PathBuf, TenantId> = BTreeMap::new();
    for Judged { source, tenant } in judged {
        let Some(Tenant { id, ehr, .. }) = tenant else { continue };
        let path = std::path::absolute(&*ehr).unwrap_or_else(|_| ehr.clone());
        if let Some(owner) = owners.insert(path, id.clone()).filter(|owner| owner != id) {
            let message = format!(
                "this is the EHR of tenant `{owner}` too; give each tenant a file of its own"
            );
            source.fault(&["ehr"], "config::shared_ehr", message);
        }
    }
}

/// The names of a folder's files that end so, in order, hidden ones left out; `None` when it cannot be read.
fn names(folder: &Path, endings: &[&str]) -> Option<Vec<String>> {
    let ends = |name: &str| {
        Path::new(name).extension().is_some_and(|end| endings.iter().any(|e| end == *e))
    };
    let entries = std::fs::read_dir(folder).ok()?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()))
        .filter(|name| !name.starts_with('.') && ends(name))
        .collect();
    names.sort();
    Some(names)
}

fn stem(file: &str) -> String {
    Path::new(file).file_stem().unwrap_or_default().to_string_lossy().into_owned()
}
