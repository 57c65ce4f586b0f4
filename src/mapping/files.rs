//! The files of a connector's mappings, from a folder or from memory.
//!
//! Not here: what is in them. The invariant: only files that mean something are taken, and a file whose name is
//! almost right is a fault, not silence.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::fault::{Fault, Source};
use crate::model::entity::Entity;
use crate::model::hash::ContentHash;
use crate::model::schema;
use crate::model::sources::{Layer, LayerKind};

/// Most bytes of a script, a table file or a case.
const FILE_BYTES: u64 = 512 * 1024;
/// Most cases of an entity.
const CASES: usize = 1000;

/// The value tables' file.
const TABLES: &str = "tables.yaml";
/// The file of a tenant's exceptions.
const EXCEPTIONS: &str = "exceptions.yaml";
/// The folder of cases.
const CASES_FOLDER: &str = "cases";

/// The mapping files of one connector, or of one tenant's layer on it.
#[derive(Clone, Debug, Default)]
pub struct Files {
    label: String,
    pub(crate) scripts: BTreeMap<Entity, Arc<Source>>,
    pub(crate) tables: Option<Arc<Source>>,
    pub(crate) exceptions: Option<Arc<Source>>,
    /// Cases by entity, in the order of their names.
    pub(crate) cases: BTreeMap<Entity, Vec<Arc<Source>>>,
    faults: Vec<Fault>,
}

impl Files {
    /// Takes files by their names relative to the connector's folder, such as `employee.rhai` or
    /// `cases/employee/leaver.yaml`. `label` is put in front of the names in messages, such as `feishu`.
    pub fn from_memory<'a>(
        label: &str,
        files: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let mut taken = Self::labelled(label);
        for (name, text) in files {
            taken.take(label, name, text.to_owned());
        }
        taken.sort();
        taken
    }

    /// Reads a connector's folder. A folder that does not exist holds no files; what cannot be read is a fault.
    pub fn read(label: &str, folder: &Path) -> Self {
        let mut taken = Self::labelled(label);
        taken.read_folder(label, folder, "");
        taken.sort();
        taken
    }

    fn labelled(label: &str) -> Self {
        Self { label: label.trim_end_matches('/').to_owned(), ..Self::default() }
    }

    /// The texts, to be kept; [`Files::of_layer`] turns them back into files.
    pub(crate) fn to_layer(&self, kind: LayerKind) -> Layer {
        let single = self.scripts.values().chain(&self.tables).chain(&self.exceptions);
        let sources = single.chain(self.cases.values().flatten());
        let inside = |source: &Source| {
            let name = source.name.strip_prefix(&self.label).unwrap_or(&source.name);
            (name.trim_start_matches('/').to_owned(), source.text.clone())
        };
        let files = sources.map(|source| inside(source)).collect();
        Layer { name: self.label.clone(), kind, files }
    }

    /// The files that a kept layer holds.
    pub fn of_layer(layer: &Layer) -> Self {
        let files = layer.files.iter().map(|(name, text)| (name.as_str(), text.as_str()));
        Self::from_memory(&layer.name, files)
    }

    /// What the files are: equal ones have equal digests, and a folder with faults never that of one without.
    pub fn digest(&self) -> ContentHash {
        let single = self.scripts.values().chain(&self.tables).chain(&self.exceptions);
        let sources = single.chain(self.cases.values().flatten());
        let texts = sources.flat_map(|source| [source.name.as_bytes(), source.text.as_bytes()]);
        let faults = (self.faults.len() as u64).to_le_bytes();
        let head = [self.label.as_bytes(), &faults[..]];
        ContentHash::of_parts(head.into_iter().chain(texts))
    }

    /// The same with another text for one file, as an editor has it.
    #[must_use]
    pub fn with(mut self, label: &str, name: &str, text: &str) -> Self {
        self.take(label, name, text.to_owned());
        self
    }

    /// Whether a file of this name, in a mapping's folder, holds value tables or exceptions.
    pub fn is_data(name: &str) -> bool {
        name == TABLES || name == EXCEPTIONS
    }

    /// Whether there is nothing at all.
    pub fn is_empty(&self) -> bool {
        self.scripts.is_empty()
            && self.tables.is_none()
            && self.exceptions.is_none()
            && self.cases.is_empty()
            && self.faults.is_empty()
    }

    /// What was wrong with the files as such.
    pub(crate) fn faults(&self) -> &[Fault] {
        &self.faults
    }

    fn sort(&mut self) {
        for cases in self.cases.values_mut() {
            cases.sort_by(|a, b| a.name.cmp(&b.name));
        }
    }

    fn read_folder(&mut self, label: &str, folder: &Path, prefix: &str) {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return,
            Err(error) => return self.unreadable(label, prefix, &error),
        };
        for entry in entries {
            let (entry, kind) = match entry.and_then(|entry| Ok((entry.file_type()?, entry))) {
                Ok((kind, entry)) => (entry, kind),
                Err(error) => {
                    self.unreadable(label, prefix, &error);
                    continue;
                }
            };
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            // A mounted volume shows its files through links.
            if kind.is_dir() || (kind.is_symlink() && entry.path().is_dir()) {
                let depth = name.matches('/').count();
                if name == CASES_FOLDER || (depth == 1 && name.starts_with("cases/")) {
                    self.read_folder(label, &entry.path(), &format!("{name}/"));
                }
            } else if is_meant(&name) {
                match read_bounded(&entry.path()) {
                    Ok(text) => self.take(label, &name, text),
                    Err(error) => self.unreadable(label, &name, &error),
                }
            }
        }
    }

    fn take(&mut self, label: &str, name: &str, text: String) {
        let name_shown = format!("{}/{name}", label.trim_end_matches('/'));
        let source = Arc::new(Source { name: name_shown, text });
        if name == TABLES {
            self.tables = Some(source);
        } else if name == EXCEPTIONS {
            self.exceptions = Some(source);
        } else if let Some(entity) = name.strip_suffix(".rhai") {
            match Entity::parse(entity) {
                Some(entity) => {
                    self.scripts.insert(entity, source);
                }
                None => self.faults.push(unknown_entity(&source, entity)),
            }
        } else if let Some(entity) =
            name.strip_prefix("cases/").and_then(|rest| rest.split('/').next())
        {
            match Entity::parse(entity) {
                Some(entity) => {
                    let cases = self.cases.entry(entity).or_default();
                    if cases.len() < CASES {
                        cases.push(source);
                    } else {
                        self.faults.push(Fault::of(
                            &source,
                            None,
                            "mapping::too_many",
                            format!("{entity} has more than {CASES} cases"),
                        ));
                    }
                }
                None => self.faults.push(unknown_entity(&source, entity)),
            }
        }
    }

    fn unreadable(&mut self, label: &str, name: &str, error: &io::Error) {
        let name = format!("{}/{name}", label.trim_end_matches('/'));
        let source = Source { name, text: String::new() };
        let message = format!("`{}` cannot be read: {error}", source.name);
        self.faults.push(
            Fault::of(&source, None, "mapping::unreadable", message)
                .help("mend the file or its permissions"),
        );
    }
}

/// Scripts, tables and cases; editors leave other files behind.
fn is_meant(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name);
    if is_backup(file) {
        return false;
    }
    match name.matches('/').count() {
        0 => Files::is_data(name) || name.strip_suffix(".rhai").is_some(),
        2 => name.starts_with("cases/") && name.strip_suffix(".yaml").is_some(),
        _ => false,
    }
}

/// What editors and version control keep beside a file.
pub(super) fn is_backup(file: &str) -> bool {
    file.starts_with('.')
}

/// Reads a file that is not too large.
pub(super) fn read_bounded(path: &Path) -> io::Result<String> {
    if fs::metadata(path)?.len() > FILE_BYTES {
        let message = format!("it is larger than {FILE_BYTES} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    fs::read_to_string(path)
}

fn unknown_entity(source: &Source, name: &str) -> Fault {
    let names = Entity::ALL.map(Entity::name);
    let fault = Fault::of(
        source,
        None,
        "mapping::unknown_entity",
        format!("`{}`: there is no kind of record `{name}`", source.name),
    );
    fault.help(match schema::nearest(name, names) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("use one of: {}", names.join(", ")),
    })
}
