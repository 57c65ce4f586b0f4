//! After a run that was killed while it wrote: what it changed in the target is found out before anything is planned anew.
//!
//! Its receipts may be behind what was written, and the platform may show by now what it showed before that run; then nothing
//! but the target itself tells that something is to be written back. Creations need no look: a record of which nothing is known
//! is looked up anyway. The invariant: the plan is dropped only once every record of it stands as the target says.

use crate::model::ids::{ExternalId, RunId};
use crate::model::plan::{Change, ChangeSet, Verb};
use crate::sync::SyncError;
use crate::sync::apply::read_plan;
use crate::sync::ledger::{Entry, Ledger, Standing};

use super::{Syncer, blocking};

impl Syncer {
    /// Settles the plan of a run that did not end.
    pub(super) async fn recover(&self, ledger: &Ledger, run: RunId) -> Result<(), SyncError> {
        let mut sets = read_plan(ledger, run);
        while let Some(set) = sets.recv().await {
            let ChangeSet { entity, changes } = set?;
            let unsure =
                |change: Change| (change.verb != Verb::Create).then_some(change.external_id);
            let keys: Vec<ExternalId> = changes.into_iter().filter_map(unsure).collect();
            if keys.is_empty() {
                continue;
            }
            let held = self.target.load(entity, &keys).await?;
            let ledger = ledger.clone();
            blocking(move || {
                let mut ops = Vec::with_capacity(keys.len());
                for (key, held) in keys.iter().zip(&held) {
                    let entry = ledger.entry(entity, key.source())?.filter(|it| it.run == run);
                    let applied = Standing::of(held.as_ref());
                    let entry = entry.map(|entry| Entry { applied, ..entry });
                    ops.extend(entry.map(|entry| ledger.put_entry(entity, key.source(), &entry)));
                }
                Ok(ledger.write_index(ops)?)
            })
            .await?;
        }
        Ok(())
    }
}
