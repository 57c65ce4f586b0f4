//! The write-ahead log: what it holds is carried over into the file beside the writer.
//!
//! To carry over is to wait for the disk. A thread does it that lasts no longer than that, through a connection of its own,
//! while the writer goes on; the little that comes meanwhile the writer carries over itself, and then the log starts anew.
//! The invariant: the writer never leaves the thread far behind, so the log is bounded, unless somebody reads on and on.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::Connection;

use super::open::Options;

/// So much longer may the log become before the writer waits for the thread.
const PATIENCE: u32 = 4;
/// The writer itself carries over so small a part of what the thread does.
const LITTLE: u32 = 16;
/// The thread looks so often for what came meanwhile.
const PASSES: usize = 4;

/// See the module.
pub(super) struct Log {
    path: PathBuf,
    /// Pages that the log gathers before they are carried over.
    many: u32,
    /// Pages in the log at the last commit.
    pages: Arc<AtomicU32>,
    /// How many of them were carried over.
    carried: u32,
    carrier: Option<JoinHandle<()>>,
}

impl Log {
    /// Takes care of the log of a connection to the file at `path`.
    pub(super) fn watch(
        path: &Path,
        connection: &mut Connection,
        options: Options,
    ) -> rusqlite::Result<Self> {
        let page_bytes = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
        let many = options.log_bytes.checked_div(page_bytes).unwrap_or_default().max(LITTLE);
        // To cut the log's file and let it grow again costs more than it is worth while sets come.
        let left_bytes = 2 * i64::from(options.log_bytes);
        connection.pragma_update_and_check(None, "journal_size_limit", left_bytes, |_| Ok(()))?;
        let pages = Arc::new(AtomicU32::new(0));
        let counted = pages.clone();
        connection.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages: i32| {
            counted.store(pages.unsigned_abs(), Ordering::Relaxed);
            Ok(())
        }))?;
        Ok(Self { path: path.to_owned(), many, pages, carried: 0, carrier: None })
    }

    /// Sees to the log between two writes.
    pub(super) fn tend(&mut self, connection: &Connection) {
        let pages = self.pages.load(Ordering::Relaxed);
        if pages < self.carried {
            self.carried = 0;
        }
        let grown = pages - self.carried;
        match self.carrier.take() {
            Some(carrier) if !carrier.is_finished() && grown < PATIENCE * self.many => {
                self.carrier = Some(carrier);
            }
            Some(carrier) => {
                // One that failed has left all of it to the writer.
                drop(carrier.join());
                self.finish(connection);
            }
            None if grown >= self.many => {
                let (path, few) = (self.path.clone(), self.many / LITTLE);
                let carrier = thread::Builder::new().name("ehr-log".to_owned());
                match carrier.spawn(move || drop(carry_most(&path, few))) {
                    Ok(carrier) => self.carrier = Some(carrier),
                    Err(_) => self.finish(connection),
                }
            }
            None => {}
        }
    }

    /// Carries over what is left. A file that cannot be written, or a page that somebody still reads, stays in the log.
    fn finish(&mut self, connection: &Connection) {
        drop(carry(connection));
        self.carried = self.pages.load(Ordering::Relaxed);
    }

    /// Carries all of it over and cuts it, without waiting for anybody who reads.
    pub(super) fn cut(
        &mut self,
        connection: &Connection,
        options: Options,
    ) -> rusqlite::Result<()> {
        self.wait();
        connection.busy_timeout(Duration::ZERO)?;
        let cut = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(()));
        connection.busy_timeout(options.busy)?;
        cut
    }

    fn wait(&mut self) {
        if let Some(carrier) = self.carrier.take() {
            drop(carrier.join());
        }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.wait();
    }
}

/// Carries over until little comes meanwhile.
fn carry_most(path: &Path, few: u32) -> rusqlite::Result<()> {
    let connection = Connection::open(path)?;
    let mut before = 0;
    for _ in 0..PASSES {
        let carried = carry(&connection)?;
        if carried.abs_diff(before) < few {
            break;
        }
        before = carried;
    }
    Ok(())
}

/// Carries over what nobody reads. Returns how many pages of the log the file has now.
fn carry(connection: &Connection) -> rusqlite::Result<u32> {
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", (), |row| {
        Ok(row.get::<_, i64>(2)?.try_into().unwrap_or(0))
    })
}
