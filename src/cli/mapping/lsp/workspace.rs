//! The mappings that an editor has open, each with what its records are known to hold.
//!
//! The invariant: a running daemon is asked for what stored records show; without one the state is open only while it is
//! read at the start, so that a daemon or a sync is never kept out.

use std::path::{Path, PathBuf};

use crate::cli::Context;
use crate::cli::mapping::Where;
use crate::cli::mapping::records::Records;
use crate::cli::mapping::sets::{Set, sets};
use crate::mapping::{Fault, Files, Generation, Known, Layers, Pictures, Shared, documented};
use crate::model::entity::Entity;

/// Most stored records of each kind that are looked at.
const RECORDS: usize = 5_000;

/// All sets of mappings.
pub(super) struct Workspace {
    known: Vec<(Set, Pictures)>,
}

/// A file of a mapping: a script, value tables or exceptions.
pub(super) struct Document<'w> {
    name: String,
    /// What a script maps.
    pub(super) entity: Option<Entity>,
    set: Option<&'w (Set, Pictures)>,
    /// The folder it lies in, and the name that messages give to that.
    folder: PathBuf,
    label: String,
}

impl Workspace {
    /// Reads what there is; where nothing can be read, files are judged on their own.
    pub(super) fn open(context: &Context, place: &Where, without_records: bool) -> Self {
        let sets = sets(context, place).unwrap_or_default();
        let mut records =
            if without_records { Records::none() } else { Records::of(context, &sets) };
        let known = sets.into_iter().map(|set| {
            let told = records.show(&set, Some(RECORDS));
            let pictures = told.map_or_else(|| set.documented(), |told| told.pictures);
            (set, pictures)
        });
        Self { known: known.collect() }
    }

    /// What a file is to a mapping, if anything: a script wherever it lies, other files where a mapping is known to be.
    pub(super) fn document(&self, file: &Path) -> Option<Document<'_>> {
        let name = file.file_name()?.to_str()?.to_owned();
        let entity = name.strip_suffix(".rhai").and_then(Entity::parse);
        let folder = canonical(file.parent()?);
        let root = self.known.iter().find_map(|one| {
            let mut roots = one.0.roots.iter();
            roots
                .find(|(_, root)| canonical(root) == folder)
                .map(|root| (one, root.0.trim_end_matches('/').to_owned()))
        });
        if entity.is_none() && (root.is_none() || !Files::is_data(&name)) {
            return None;
        }
        let (set, label) = match root {
            Some((set, label)) => (Some(set), label),
            None => (None, folder.file_name()?.to_str()?.to_owned()),
        };
        Some(Document { name, entity, set, folder, label })
    }
}

fn canonical(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}

impl Document<'_> {
    /// Everything that is said of the file with this text in place of what is on disk.
    pub(super) fn review(&self, text: &str) -> Vec<Fault> {
        let with = |label: &str, folder: &Path| {
            let files = Files::read(label, folder);
            if canonical(folder) == self.folder {
                files.with(label, &self.name, text)
            } else {
                files
            }
        };
        let mut faults = if let Some((set, pictures)) = self.set {
            let mut layers = set.layers.clone();
            for (label, folder) in &set.roots {
                let name = label.trim_end_matches('/');
                match (name, folder.parent()) {
                    ("lib", Some(mappings)) => layers.shared = Shared::read(mappings),
                    _ if name == set.connector.as_str() => layers.connector = with(name, folder),
                    _ => layers.tenant = Some(with(name, folder)),
                }
            }
            Generation::review(&layers, pictures)
        } else {
            let pictures = documented(&self.label, Some(&self.folder));
            let files = with(&self.label, &self.folder);
            Generation::review(&Layers::plain(&files, None), &pictures)
        };
        let shown = format!("{}/{}", self.label, self.name);
        faults.retain(|fault| fault.place().script == shown);
        faults
    }

    /// What the script's records are known to hold.
    pub(super) fn known(&self) -> Option<Known> {
        let entity = self.entity?;
        match self.set {
            Some((_, pictures)) => pictures.get(&entity).cloned(),
            None => documented(&self.label, Some(&self.folder)).remove(&entity),
        }
    }
}
