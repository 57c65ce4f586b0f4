//! The folder of shared modules, `mappings/lib`.
//!
//! Not here: what an import does with them (`modules`). The invariant: a module's name is that of its file, and leads to
//! no other file.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::fault::{Fault, Source};
use super::files::{is_backup, read_bounded};
use super::modules::{FOLDER, Modules, is_name};
use crate::model::hash::ContentHash;
use crate::model::sources::{Layer, LayerKind};

/// Most modules of an installation.
const MOST: usize = 100;

/// The shared modules of an installation.
#[derive(Clone, Debug, Default)]
pub struct Shared {
    pub(crate) modules: Modules,
    faults: Vec<Fault>,
}

impl Shared {
    /// Takes modules by the names of their files, such as `names.rhai`.
    pub fn from_memory<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut shared = Self::default();
        for (name, text) in files {
            shared.take(name, text.to_owned());
        }
        shared
    }

    /// Reads the folder `lib` of a folder of mappings; without one there are no modules.
    pub fn read(mappings: &Path) -> Self {
        let mut shared = Self::default();
        let entries = match fs::read_dir(mappings.join(FOLDER)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return shared,
            Err(error) => {
                shared.unreadable("", &error);
                return shared;
            }
        };
        for entry in entries {
            let found =
                entry.map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()));
            let (name, path) = match found {
                Ok(found) => found,
                Err(error) => {
                    shared.unreadable("", &error);
                    continue;
                }
            };
            let meant = Path::new(&name).extension().is_some_and(|end| end == "rhai");
            if !meant || is_backup(&name) || path.is_dir() {
                continue;
            }
            match read_bounded(&path) {
                Ok(text) => shared.take(&name, text),
                Err(error) => shared.unreadable(&name, &error),
            }
        }
        shared
    }

    /// The texts, to be kept; [`Shared::of_layer`] turns them back.
    pub(crate) fn to_layer(&self) -> Option<Layer> {
        if self.modules.is_empty() {
            return None;
        }
        let file =
            |(name, source): (&String, &Arc<Source>)| (format!("{name}.rhai"), source.text.clone());
        let files = self.modules.iter().map(file).collect();
        Some(Layer { name: FOLDER.to_owned(), kind: LayerKind::Shared, files })
    }

    /// The modules that a kept layer holds.
    pub(crate) fn of_layer(layer: &Layer) -> Self {
        Self::from_memory(layer.files.iter().map(|(name, text)| (name.as_str(), text.as_str())))
    }

    /// What the modules are: equal ones have equal digests, and a folder with faults never that of one without.
    pub fn digest(&self) -> ContentHash {
        let faults = (self.faults.len() as u64).to_le_bytes();
        let texts = self.modules.iter();
        let texts = texts.flat_map(|(name, source)| [name.as_bytes(), source.text.as_bytes()]);
        ContentHash::of_parts(std::iter::once(&faults[..]).chain(texts))
    }

    /// What was wrong with the files as such.
    pub(crate) fn faults(&self) -> &[Fault] {
        &self.faults
    }

    fn take(&mut self, file: &str, text: String) {
        let source = Arc::new(Source { name: format!("{FOLDER}/{file}"), text });
        let name = file.strip_suffix(".rhai").unwrap_or(file);
        let fault = |message: String, help: &str| {
            Fault::of(&source, None, "mapping::import", message).help(help)
        };
        if !is_name(name) {
            let message = format!("`{}` cannot be imported by its name", source.name);
            self.faults
                .push(fault(message, "name the file with small letters, digits and underscores"));
        } else if self.modules.len() >= MOST {
            let message = format!("there are more than {MOST} shared modules");
            self.faults.push(fault(message, "put what belongs together into one file"));
        } else {
            self.modules.insert(name.to_owned(), source);
        }
    }

    fn unreadable(&mut self, name: &str, error: &io::Error) {
        let source = Source { name: format!("{FOLDER}/{name}"), text: String::new() };
        let message = format!("`{}` cannot be read: {error}", source.name);
        self.faults.push(
            Fault::of(&source, None, "mapping::unreadable", message)
                .help("mend the file or its permissions"),
        );
    }
}
