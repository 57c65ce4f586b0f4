//! Reads a provider: walks its listings part by part, several at once, and sends every page on.
//!
//! A part that fails is noted and the others go on; whether the listing still counts as complete is
//! [`super::certify`]'s to say.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::{Stream, StreamExt as _};
use tokio::sync::mpsc::Sender;
use tokio_util::sync::CancellationToken;

use crate::model::entity::Entity;
use crate::model::fault::{Disposition, Fault};
use crate::model::ids::SourceId;
use crate::model::record::{Cursor, Evidence, Page, Record, Window};
use crate::port::provider::Provider;

use super::SyncError;
use super::coverage::{Turn, Turns};
use super::intake::{Batch, Origin};

/// How often a part may start again because its cursor went stale.
const RESTARTS: u32 = 3;
/// Records of a batch.
const BATCH: usize = 128;
/// After so many failed parts the rest is not tried.
const FAILURES: usize = 50;

/// One part of a listing.
#[derive(Clone, Debug)]
pub(super) enum Part {
    /// The whole of it.
    Whole,
    /// What hangs off one department, or off none.
    Within(Option<SourceId>),
    /// Some people in a window of time.
    People(Arc<[SourceId]>, Window),
    /// The same, as the gap ledger asks.
    Turn(Turn),
}

/// What a listing came to.
#[derive(Default)]
pub(super) struct Listed {
    pub(super) evidence: Evidence,
    pub(super) failures: Vec<String>,
    /// Attendance: which turns were read to their end.
    pub(super) turns: Turns,
    /// Attendance: whether people came or went since the gap ledger was last filed.
    pub(super) unsettled: bool,
    /// Parts that have ended.
    pub(super) parts: u64,
}

/// Reads one kind.
pub(super) struct Puller<'a> {
    pub(super) entity: Entity,
    pub(super) provider: &'a dyn Provider,
    pub(super) sink: Sender<Batch>,
    /// What is no batch yet.
    pub(super) gathered: Mutex<Vec<Record>>,
    pub(super) stop: &'a CancellationToken,
    /// Parts read at once.
    pub(super) parallel: usize,
    pub(super) on_evidence: &'a (dyn Fn(&Evidence) + Sync),
    /// Called with the number of parts that have ended.
    pub(super) on_part: &'a (dyn Fn(u64) + Sync),
}

impl Puller<'_> {
    /// Reads every part.
    ///
    /// # Errors
    /// [`SyncError::Stopped`], or [`SyncError::Provider`] when the platform refuses the credentials.
    pub(super) async fn read(self, parts: impl Stream<Item = Part>) -> Result<Listed, SyncError> {
        let listed = Mutex::new(Listed::default());
        self.walk_all(parts, &listed).await?;
        self.send_rest().await?;
        Ok(listed.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    async fn walk_all(
        &self,
        parts: impl Stream<Item = Part>,
        listed: &Mutex<Listed>,
    ) -> Result<(), SyncError> {
        let walks = parts.map(|part| self.walk(part, listed));
        let mut walks = std::pin::pin!(walks.buffer_unordered(self.parallel.max(1)));
        while let Some(walked) = walks.next().await {
            walked?;
            if self.stop.is_cancelled() {
                return Err(SyncError::Stopped);
            }
            let mut listed = lock(listed);
            if listed.failures.len() >= FAILURES {
                listed.failures.push("too many parts failed; the rest was not read".to_owned());
                return Ok(());
            }
        }
        lock(listed).turns.finish();
        Ok(())
    }

    async fn walk(&self, part: Part, listed: &Mutex<Listed>) -> Result<(), SyncError> {
        let mut restarts = 0;
        loop {
            let fault = match self.pages(&part, listed).await? {
                Ok(()) => {
                    self.ended(&part, listed, true);
                    return Ok(());
                }
                Err(fault) => fault,
            };
            match fault.disposition() {
                Disposition::Restart if restarts < RESTARTS => restarts += 1,
                _ if matches!(fault, Fault::Unauthorized(_)) || matches!(part, Part::Whole) => {
                    return Err(SyncError::Provider(fault));
                }
                _ => {
                    self.ended(&part, listed, false);
                    lock(listed).failures.push(format!("{} {}: {fault}", self.entity, name(&part)));
                    return Ok(());
                }
            }
        }
    }

    /// Sends the pages of a part on, up to its end or its fault.
    async fn pages(
        &self,
        part: &Part,
        listed: &Mutex<Listed>,
    ) -> Result<Result<(), Fault>, SyncError> {
        let mut cursor: Option<Cursor> = None;
        let mut met = HashSet::new();
        loop {
            if self.stop.is_cancelled() {
                return Err(SyncError::Stopped);
            }
            let page = match self.page(part, cursor.as_ref()).await {
                Ok(page) => page,
                Err(fault) => return Ok(Err(fault)),
            };
            self.note(&page, listed);
            let Page { records, next, .. } = page;
            self.send(records).await?;
            match next {
                None => return Ok(Ok(())),
                Some(next) if met.insert(next.clone()) => cursor = Some(next),
                Some(_) => return Ok(Err(repeating())),
            }
        }
    }

    /// Sends records on in batches: a page may hold a handful of them, or thousands.
    pub(super) async fn send(&self, records: Vec<Record>) -> Result<(), SyncError> {
        let mut batches: Vec<Vec<Record>> = Vec::new();
        {
            let mut gathered = lock(&self.gathered);
            gathered.extend(records);
            while gathered.len() >= BATCH {
                batches.push(gathered.drain(..BATCH).collect());
            }
        }
        for records in batches {
            self.pass(records).await?;
        }
        Ok(())
    }

    /// Sends on what is left.
    pub(super) async fn send_rest(&self) -> Result<(), SyncError> {
        let records = std::mem::take(&mut *lock(&self.gathered));
        if records.is_empty() { Ok(()) } else { self.pass(records).await }
    }

    async fn pass(&self, records: Vec<Record>) -> Result<(), SyncError> {
        let batch = Batch { origin: Origin::Pulled, records };
        let sent = self.sink.send(batch).await;
        sent.map_err(|_| SyncError::Worker("the intake is gone".to_owned()))
    }

    async fn page(&self, part: &Part, cursor: Option<&Cursor>) -> Result<Page, Fault> {
        match part {
            Part::Whole => self.provider.list(self.entity, None, cursor).await,
            Part::Within(department) => {
                self.provider.list(self.entity, department.as_ref(), cursor).await
            }
            Part::People(people, window) | Part::Turn(Turn { people, window, .. }) => {
                self.provider.list_attendance(self.entity, people, *window, cursor).await
            }
        }
    }

    fn ended(&self, part: &Part, listed: &Mutex<Listed>, read: bool) {
        let mut listed = lock(listed);
        listed.parts += 1;
        if let Part::Turn(turn) = part {
            listed.turns.note(turn, read);
        }
        (self.on_part)(listed.parts);
    }

    fn note(&self, page: &Page, listed: &Mutex<Listed>) {
        let mut listed = lock(listed);
        if let Some(evidence) = &page.evidence {
            let known = &mut listed.evidence;
            known.scope = evidence.scope.clone().or(known.scope.take());
            known.total = evidence.total.or(known.total);
            (self.on_evidence)(&listed.evidence);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn name(part: &Part) -> String {
    match part {
        Part::Whole => "listing".to_owned(),
        Part::Within(Some(department)) => format!("of department {department}"),
        Part::Within(None) => "outside any department".to_owned(),
        Part::People(people, window) | Part::Turn(Turn { people, window, .. }) => {
            format!("of {} people in {}..{}", people.len(), window.start, window.end)
        }
    }
}

fn repeating() -> Fault {
    Fault::Invalid(crate::model::fault::Advice {
        code: "paging".to_owned(),
        message: "the platform handed out the same page token twice".to_owned(),
        remedy: "run again; if it stays, report it to the platform with the time of this run"
            .to_owned(),
    })
}
