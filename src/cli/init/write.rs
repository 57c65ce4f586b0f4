//! Writes the files of a new installation: all of them, or, when one is in the way, none.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::config::{Region, Zone};
use crate::model::ids::TenantId;

const MAIN: &str = include_str!("rollcall.yaml");
const TENANT: &str = include_str!("tenant.yaml");
const LAYER: &str = include_str!("layer.rhai");

/// A file that the caller carries with it.
#[derive(Clone, Debug)]
pub(super) struct Embedded<'a> {
    /// Its path below the new folder, such as `mappings/feishu/employee.rhai`.
    pub(super) path: String,
    /// Its content.
    pub(super) bytes: &'a [u8],
}

/// What to write.
#[derive(Clone, Debug)]
pub(super) struct Options<'a> {
    /// The first tenant's name.
    pub(super) tenant: TenantId,
    /// Its time zone.
    pub(super) timezone: Zone,
    /// Its country.
    pub(super) region: Region,
    /// The built-in mappings and plugins.
    pub(super) files: Vec<Embedded<'a>>,
}

/// Why nothing, or not everything, was written.
#[derive(Debug, thiserror::Error)]
pub(super) enum InitError {
    /// Files are in the way; nothing was written.
    #[error("{} there already: {}; move what is there away, or name another folder", is_or_are(.0), list(.0))]
    Exists(Vec<PathBuf>),
    /// The file system refused.
    #[error("`{}` cannot be written; mend the folder's permissions or free space, then run init again", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

fn is_or_are(paths: &[PathBuf]) -> &'static str {
    if paths.len() == 1 { "a file is" } else { "files are" }
}

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| format!("`{}`", path.display())).collect::<Vec<_>>().join(", ")
}

/// Writes everything into a folder, which need not be there yet; returns what was written, in order.
///
/// # Errors
/// [`InitError::Exists`] when a file is in the way, and then nothing is written; [`InitError::Write`] when the file system
/// refuses, and then what was written so far is taken away again.
pub(super) fn init(dir: &Path, options: &Options<'_>) -> Result<Vec<PathBuf>, InitError> {
    let files = files(options);
    let taken: Vec<PathBuf> = files
        .iter()
        .map(|(path, _)| dir.join(path))
        .filter(|path| path.symlink_metadata().is_ok())
        .collect();
    if !taken.is_empty() {
        return Err(InitError::Exists(taken));
    }
    let mut written = Vec::new();
    for (path, bytes) in &files {
        let path = dir.join(path);
        if let Err(source) = create(&path, bytes, &mut written) {
            for path in &written {
                drop(fs::remove_file(path));
            }
            return Err(InitError::Write { path, source });
        }
    }
    Ok(written)
}

fn files(options: &Options<'_>) -> Vec<(String, Vec<u8>)> {
    let Options { tenant, timezone, region, files } = options;
    let fill = |template: &str| {
        let text = template.replace("{tenant}", tenant.as_str());
        text.replace("{timezone}", timezone.name())
            .replace("{region}", region.as_str())
            .into_bytes()
    };
    let own = [
        ("rollcall.yaml".to_owned(), fill(MAIN)),
        (format!("tenants/{tenant}.yaml"), fill(TENANT)),
        (format!("mappings/tenants/{tenant}/feishu/employee.rhai"), fill(LAYER)),
    ];
    own.into_iter()
        .chain(files.iter().map(|file| (file.path.clone(), file.bytes.to_vec())))
        .collect()
}

/// Creates a file that must not be there, and notes it once it is.
fn create(path: &Path, bytes: &[u8], written: &mut Vec<PathBuf>) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = fs::File::create_new(path)?;
    written.push(path.to_owned());
    file.write_all(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{self, Schedule};

    fn options(tenant: &str) -> Options<'static> {
        Options {
            tenant: TenantId::parse(tenant).unwrap(),
            timezone: "Asia/Shanghai".parse().unwrap(),
            region: "CN".parse().unwrap(),
            files: vec![
                Embedded { path: "mappings/feishu/employee.rhai".to_owned(), bytes: b"#{}" },
                Embedded { path: "plugins/feishu.wasm".to_owned(), bytes: b"wasm" },
            ],
        }
    }

    fn names(folder: &Path, paths: &[PathBuf]) -> Vec<String> {
        paths.iter().map(|path| path.strip_prefix(folder).unwrap().display().to_string()).collect()
    }

    #[test]
    fn what_is_written_loads_once_the_secret_is_set() {
        let folder = tempfile::tempdir().unwrap();
        let written = init(&folder.path().join("new"), &options("globex")).unwrap();
        let new = folder.path().join("new");
        assert_eq!(
            names(&new, &written),
            [
                "rollcall.yaml",
                "tenants/globex.yaml",
                "mappings/tenants/globex/feishu/employee.rhai",
                "mappings/feishu/employee.rhai",
                "plugins/feishu.wasm"
            ]
        );
        let set = |name: &str| (name == "FEISHU_APP_SECRET").then(|| "not-a-real-one".to_owned());
        let config = config::load_with(&new.join("rollcall.yaml"), &set).unwrap();
        let tenant = &config.tenants[&TenantId::parse("globex").unwrap()];
        assert_eq!(tenant.ehr, new.join("data/globex/ehr.db"));
        assert_eq!(tenant.mappings, Some(new.join("mappings/tenants/globex")));
        let connection = tenant.connections.values().next().unwrap();
        assert_eq!(connection.secrets["app_secret"].expose(), "not-a-real-one");
    }

    #[test]
    fn without_the_secret_that_is_the_only_fault() {
        let folder = tempfile::tempdir().unwrap();
        init(folder.path(), &options("acme")).unwrap();
        let faults =
            config::load_with(&folder.path().join("rollcall.yaml"), &|_| None).unwrap_err();
        let codes: Vec<_> =
            faults.faults().iter().map(|fault| (fault.code, fault.file.as_str())).collect();
        assert_eq!(codes, [("config::secret", "tenants/acme.yaml")]);
    }

    #[test]
    fn the_main_file_spells_out_the_defaults() {
        let folder = tempfile::tempdir().unwrap();
        init(folder.path(), &options("acme")).unwrap();
        let load = || {
            config::load_with(&folder.path().join("rollcall.yaml"), &|_| Some("x".to_owned()))
                .unwrap()
        };
        let spelled = load();
        fs::write(folder.path().join("rollcall.yaml"), "").unwrap();
        assert_eq!(spelled.digest, load().digest);
        assert_eq!(spelled.tenants.values().next().unwrap().schedule, Schedule::default());
    }

    #[test]
    fn a_file_in_the_way_is_never_overwritten_and_nothing_else_is_written() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("plugins")).unwrap();
        fs::write(folder.path().join("plugins/feishu.wasm"), "mine").unwrap();
        let error = init(folder.path(), &options("acme")).unwrap_err();
        assert!(matches!(&error, InitError::Exists(paths) if paths.len() == 1), "{error}");
        assert!(error.to_string().starts_with("a file is there already: `"), "{error}");
        assert_eq!(fs::read(folder.path().join("plugins/feishu.wasm")).unwrap(), b"mine");
        assert!(!folder.path().join("rollcall.yaml").exists());
    }

    #[test]
    fn a_folder_that_cannot_be_made_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("plugins"), "a file where a folder belongs").unwrap();
        let error = init(folder.path(), &options("acme")).unwrap_err();
        assert!(
            matches!(&error, InitError::Write { path, .. } if path.ends_with("plugins/feishu.wasm")),
            "{error}"
        );
        assert!(!folder.path().join("rollcall.yaml").exists());
    }

    #[test]
    fn every_template_is_filled_in() {
        for (path, bytes) in files(&options("acme")) {
            let text = String::from_utf8(bytes).unwrap();
            assert!(
                !text.contains("{tenant}")
                    && !text.contains("{timezone}")
                    && !text.contains("{region}"),
                "{path}"
            );
        }
    }
}
