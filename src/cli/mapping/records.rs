//! What the stored records of an installation show, for the check and for editors.
//!
//! Asked of a running daemon, or of the state where none runs. The invariant: an installation without state, or with one
//! that cannot be read, is checked all the same, and that is said.

use super::sets::Set;
use crate::app::{Question, SharedMappings, StoredAsked, StoredTold, load_config};
use crate::cli::Context;
use crate::cli::local::Asker;

/// Whoever knows the stored records.
pub(super) struct Records<'c>(Option<Asker<'c>>);

impl<'c> Records<'c> {
    /// Nobody, where no configuration says whose records there are, or none was ever stored.
    pub(super) fn of(context: &'c Context, sets: &[Set]) -> Self {
        let none = sets.iter().all(|set| set.connections.is_empty());
        let state = || load_config(&context.config).is_ok_and(|config| config.state.is_dir());
        if none || !state() {
            return Self(None);
        }
        Self(Asker::new(context).ok())
    }

    /// Nobody.
    pub(super) fn none() -> Self {
        Self(None)
    }

    /// What the records of a set show; `most` as in [`StoredAsked`]. Nothing where they cannot be asked for, which is told once.
    pub(super) fn show(&mut self, set: &Set, most: Option<usize>) -> Option<StoredTold> {
        let of = set.shared()?;
        let told = self.0.as_mut()?.ask(&Question::Stored(StoredAsked { of, most }));
        told.inspect_err(|failure| {
            eprintln!("note: the stored records are not looked at: {failure}");
            self.0 = None;
        })
        .ok()
    }
}

impl Set {
    /// What the set is called in questions; `None` for one that is no connection's.
    pub(super) fn shared(&self) -> Option<SharedMappings> {
        let (tenant, _) = self.connections.first()?;
        let tenant = self.layers.tenant.is_some().then(|| tenant.clone());
        Some(SharedMappings { connector: self.connector.clone(), tenant })
    }
}
