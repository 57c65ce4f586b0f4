//! The course of a targeted run: what was found is mapped, planned, judged and applied as in any other run.
//!
//! The one invariant: nothing is retired here, and no listing is judged.

use crate::model::entity::Entity;
use crate::model::ids::SourceId;
use crate::model::record::AttendanceBatch;
use crate::sync::SyncError;
use crate::sync::find::{Finder, Found};
use crate::sync::ledger::Ledger;
use crate::sync::phase::Source;
use crate::sync::pull::Part;
use crate::sync::targets::Targets;
use crate::sync::windows;

use super::{Request, Run, Syncer};

impl Syncer {
    /// Reads what a targeted run looks at; before the run begins, so that a platform that is down leaves no run behind.
    pub(super) async fn find(
        &self,
        targets: &Targets,
        request: &Request,
        ledger: &Ledger,
    ) -> Result<Found, SyncError> {
        let (provider, mapper, stop) = (&*self.provider, &*request.mapper, &request.stop);
        Finder { provider, mapper, ledger, stop }.find(targets).await
    }
}

impl Run<'_> {
    pub(super) async fn look(&mut self, targets: &Targets, found: Found) -> Result<(), SyncError> {
        self.failures.extend(found.failures);
        // Departments first: people refer to them.
        for (entity, records) in
            [(Entity::Department, found.departments), (Entity::Employee, found.people)]
        {
            if !records.is_empty() {
                self.phase(entity, Source::Given(records), false).await?;
            }
        }
        self.relink().await?;
        let capabilities = self.syncer.provider.capabilities().await?;
        for (entity, people) in targets.attendance() {
            let batch = capabilities.batches.iter().find(|batch| batch.entity == entity);
            let (Some(batch), Some(_)) = (batch, self.request.mapper.digest(entity)) else {
                continue;
            };
            let parts = self.parts(*batch, &people.iter().cloned().collect::<Vec<_>>())?;
            let listed = self.phase(entity, Source::Pull(parts), false).await?;
            self.failures.extend(listed.failures);
        }
        Ok(())
    }

    /// The same days that a listing would read, of these people alone.
    fn parts(&self, batch: AttendanceBatch, people: &[SourceId]) -> Result<Vec<Part>, SyncError> {
        let settings = &self.syncer.settings;
        let now = self.syncer.clock.now_ms() / 1000;
        let read_until = self.ledger.meta(batch.entity)?.read_until;
        let span = windows::span(now, read_until, settings.attendance, &settings.zone);
        let mut parts = Vec::new();
        for group in people.chunks(batch.people.max(1)) {
            let slices = windows::slices(span, batch.days);
            parts.extend(slices.map(|window| Part::People(group.into(), window)));
        }
        Ok(parts)
    }
}
