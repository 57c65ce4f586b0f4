//! The embedded EHR: departments, people and their days as tables of one `SQLite` file, ready for SQL and BI.
//!
//! It is the default target, so that everything works with no other system. Not a general database layer: it knows the
//! tables of the EHR schema and the [`Target`] port, nothing else. The invariant: the file always holds whole sets.

mod ahead;
mod draft;
mod error;
mod ledger;
mod log;
mod open;
mod row;
mod rows;
mod settle;
mod summary;
mod tables;
mod upsert;

#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use async_trait::async_trait;
use rusqlite::Connection;
use tokio::sync::oneshot;

use self::ledger::Ledger;
use self::log::Log;
pub use self::open::Options;
pub use self::summary::{Count, count};
use crate::model::entity::Entity;
use crate::model::ids::{ConnectionId, ExternalId};
use crate::model::plan::ChangeSet;
use crate::port::clock::Clock;
use crate::port::target::{Dangling, Held, Refusal, Target, TargetError};

/// Calls that may wait for the writer; more wait for room.
const QUEUE: usize = 16;

type Job = Box<dyn FnOnce(&mut Ledger<'_>) + Send>;

/// The EHR in one `SQLite` file. Calls run one after the other on a thread of its own; dropping it waits for the last one
/// and closes the file.
pub struct EmbeddedEhr {
    path: PathBuf,
    clock: Arc<dyn Clock>,
    jobs: Option<mpsc::SyncSender<Job>>,
    writer: Option<JoinHandle<()>>,
}

impl EmbeddedEhr {
    /// Opens the file, which is made if it is missing, and brings its tables up to date. Blocking.
    ///
    /// # Errors
    /// [`TargetError`] when the file cannot be opened or written, is no EHR or comes from a newer rollcall.
    pub fn open(path: &Path, clock: Arc<dyn Clock>, options: Options) -> Result<Self, TargetError> {
        let mut connection = open::open(path, options)?;
        let log = Log::watch(path, &mut connection, options)
            .map_err(|error| error::failed(path, &error))?;
        let (jobs, queue) = mpsc::sync_channel(QUEUE);
        let writer = std::thread::Builder::new()
            .name("ehr-writer".to_owned())
            .spawn(move || write(&connection, log, &queue, options))
            .map_err(|error| TargetError::Unavailable(format!("no thread for the EHR: {error}")))?;
        Ok(Self { path: path.to_owned(), clock, jobs: Some(jobs), writer: Some(writer) })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Runs `work` on the writer's thread.
    async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Ledger<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, TargetError> {
        let gone = || {
            TargetError::Unavailable("the EHR's writer has stopped; restart rollcall".to_owned())
        };
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |ledger| {
            // A caller that no longer waits has nothing to be told.
            drop(answer.send(work(ledger)));
        });
        let jobs = self.jobs.clone().ok_or_else(gone)?;
        // A full queue makes the caller's task wait, not the runtime.
        let sent = match jobs.try_send(job) {
            Ok(()) => Ok(Ok(())),
            Err(mpsc::TrySendError::Full(job)) => {
                tokio::task::spawn_blocking(move || jobs.send(job)).await
            }
            Err(mpsc::TrySendError::Disconnected(job)) => Ok(Err(mpsc::SendError(job))),
        };
        sent.map_err(|_| gone())?.map_err(|_| gone())?;
        let outcome = answered.await.map_err(|_| gone())?;
        outcome.map_err(|error| error::failed(&self.path, &error))
    }

    /// The present in RFC 3339, to the second.
    fn now(&self) -> String {
        jiff::Timestamp::from_second(self.clock.now_ms().div_euclid(1000))
            .unwrap_or_default()
            .to_string()
    }
}

fn write(connection: &Connection, mut log: Log, queue: &mpsc::Receiver<Job>, options: Options) {
    let mut ledger = Ledger::new(connection);
    let mut next = queue.recv().ok();
    while let Some(job) = next {
        job(&mut ledger);
        log.tend(connection);
        next = match queue.recv_timeout(options.rest) {
            Ok(job) => Some(job),
            Err(mpsc::RecvTimeoutError::Disconnected) => None,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                // A log that somebody reads, or that does not fit into the file, stays until the next rest.
                drop(log.cut(connection, options));
                queue.recv().ok()
            }
        };
    }
}

impl Drop for EmbeddedEhr {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has already failed the call that made it.
            drop(writer.join());
        }
    }
}

impl fmt::Debug for EmbeddedEhr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedEhr").field("path", &self.path).finish_non_exhaustive()
    }
}

#[async_trait]
impl Target for EmbeddedEhr {
    async fn is_empty(
        &self,
        connection: &ConnectionId,
        entity: Entity,
    ) -> Result<bool, TargetError> {
        let connection = connection.clone();
        self.call(move |ledger| ledger.is_empty(&connection, entity)).await
    }

    async fn load(
        &self,
        entity: Entity,
        keys: &[ExternalId],
    ) -> Result<Vec<Option<Held>>, TargetError> {
        let keys = keys.to_vec();
        self.call(move |ledger| ledger.load(entity, &keys)).await
    }

    async fn apply(&self, set: Arc<ChangeSet>) -> Result<Vec<Result<(), Refusal>>, TargetError> {
        let now = self.now();
        self.call(move |ledger| ledger.apply(&set, &now)).await
    }

    async fn settle(&self, entity: Entity) -> Result<Vec<Dangling>, TargetError> {
        self.call(move |ledger| {
            ledger.in_transaction(|ledger| settle::settle(ledger.connection, entity))
        })
        .await
    }
}
