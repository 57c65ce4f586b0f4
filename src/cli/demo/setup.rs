//! Writes the demo's configuration, the way a user would.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::builtin;
use super::super::exit::Failure;
use super::company::Company;

/// Marks a folder as a demo's: only such a folder is replaced.
const MARK: &str = ".rollcall-demo";
/// The tenant that the demo writes.
pub(super) const TENANT: &str = "demo";
const ZONE: &str = "Asia/Shanghai";

/// Writes configuration, secrets, and where the working folder has none, mappings and plugins. Returns the main file.
pub(super) fn write(dir: &Path, companies: &[Company], days: u32) -> Result<PathBuf, Failure> {
    clear(dir)?;
    let mappings = folder("mappings", &dir.join("mappings"), |to| {
        builtin::MAPPINGS.iter().try_for_each(|(path, text)| put(&to.join(path), text.as_bytes()))
    })?;
    let plugins = folder("plugins", &dir.join("plugins"), |to| {
        builtin::PLUGINS.iter().try_for_each(|(path, bytes)| put(&to.join(path), bytes))
    })?;
    put(&dir.join(MARK), b"")?;
    for company in companies {
        for (name, secret) in company.secrets() {
            put(&dir.join(secret_file(company, name)), secret.as_bytes())?;
        }
    }
    let main = format!(
        "state: state\nplugins: {}\nmappings: {}\ntenants: tenants\nlisten: 127.0.0.1:0\n\
         schedule: \"*/5 * * * *\"\ncases: warn\nlimits: {{ rates: false }}\nlog: {{ level: warn }}\n",
        quoted(&plugins),
        quoted(&mappings)
    );
    let mut tenant = format!("timezone: {ZONE}\nregion: CN\nehr: ehr.db\nconnections:\n");
    for company in companies {
        tenant.push_str(&connection(company, days));
    }
    put(&dir.join(format!("tenants/{TENANT}.yaml")), tenant.as_bytes())?;
    let file = dir.join("rollcall.yaml");
    put(&file, main.as_bytes())?;
    Ok(file)
}

fn connection(company: &Company, days: u32) -> String {
    let name = &company.connection;
    let address = company.simulator.url();
    let address = address.trim_start_matches("http://");
    let secrets: Vec<String> = company
        .secrets()
        .iter()
        .map(|(secret, _)| format!("{secret}: \"file:{}\"", secret_file(company, secret)))
        .collect();
    format!(
        "  {name}:\n    plugin: {name}\n{}    secrets: {{ {} }}\n    grants: {{ private: [{address:?}] }}\n    \
         attendance: {{ lookback_days: 3, backfill_days: {days} }}\n",
        company.settings(),
        secrets.join(", ")
    )
}

fn secret_file(company: &Company, secret: &str) -> String {
    format!("secrets/{}.{secret}", company.connection)
}

fn clear(dir: &Path) -> Result<(), Failure> {
    let empty = fs::read_dir(dir).map_or(true, |mut entries| entries.next().is_none());
    if empty {
        return Ok(());
    }
    if !dir.join(MARK).exists() {
        let message = format!("`{}` holds files that are not a demo's", dir.display());
        return Err(Failure::user(message).hint("give the demo another folder with --dir"));
    }
    fs::remove_dir_all(dir).map_err(|cause| cannot(dir, &cause))
}

/// The working folder's own `name`, if it has the connector's files, else `fallback` filled by `fill`.
fn folder(
    name: &str,
    fallback: &Path,
    fill: impl FnOnce(&Path) -> Result<(), Failure>,
) -> Result<PathBuf, Failure> {
    let own = Path::new(name);
    let found = own.join("feishu").is_dir() || own.join("feishu.wasm").is_file();
    if !found {
        fill(fallback)?;
    }
    let used = if found { own } else { fallback };
    fs::canonicalize(used).map_err(|cause| cannot(used, &cause))
}

fn put(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(|cause| cannot(folder, &cause))?;
    fs::write(path, bytes).map_err(|cause| cannot(path, &cause))
}

fn cannot(path: &Path, cause: &std::io::Error) -> Failure {
    Failure::user(format!("cannot write `{}`: {cause}", path.display()))
}

/// A path as YAML text: JSON's quoting is YAML's too.
fn quoted(path: &Path) -> String {
    serde_json::Value::from(path.to_string_lossy()).to_string()
}
