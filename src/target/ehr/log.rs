//! The write-ahead log: what it holds is carried over into the file beside the writer.
//!
//! To carry over is to wait for the disk. A thread does it, through a connection of its own, while the writer goes on; the
//! little that comes meanwhile the writer carries over itself, and then the log starts anew. The thread lasts while sets come:
//! of each new one the C library would keep some memory. The invariant: the writer never leaves the thread far behind, so the
//! log is bounded, unless somebody reads on and on.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, mpsc};
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
    carrier: Option<Carrier>,
    /// Whether the carrier was asked and has not said that it is done.
    under_way: bool,
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
        Ok(Self { path: path.to_owned(), many, pages, carried: 0, carrier: None, under_way: false })
    }

    /// Sees to the log between two writes.
    pub(super) fn tend(&mut self, connection: &Connection) {
        let pages = self.pages.load(Ordering::Relaxed);
        if pages < self.carried {
            self.carried = 0;
        }
        let grown = pages - self.carried;
        if self.under_way {
            // One that failed has left all of it to the writer.
            if self.is_done() || grown >= PATIENCE * self.many {
                self.wait();
                self.finish(connection);
            }
        } else if grown >= self.many {
            self.under_way = self.ask();
            if !self.under_way {
                self.finish(connection);
            }
        }
    }

    /// Whether there is a thread that carries over now.
    fn ask(&mut self) -> bool {
        if self.carrier.is_none() {
            self.carrier = Carrier::start(self.path.clone(), self.many / LITTLE).ok();
        }
        let asked = self.carrier.as_ref().is_some_and(|it| it.orders.try_send(()).is_ok());
        if !asked {
            // It is gone; the next time another one is started.
            self.carrier = None;
        }
        asked
    }

    fn is_done(&mut self) -> bool {
        let told = self.carrier.as_ref().map(|carrier| carrier.done.try_recv());
        self.under_way = matches!(told, Some(Err(mpsc::TryRecvError::Empty)));
        !self.under_way
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
        self.rest();
        connection.busy_timeout(Duration::ZERO)?;
        let cut = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(()));
        connection.busy_timeout(options.busy)?;
        cut
    }

    fn wait(&mut self) {
        if let Some(carrier) = self.carrier.as_ref().filter(|_| self.under_way) {
            // One that is gone does nothing more either.
            carrier.done.recv().unwrap_or_default();
        }
        self.under_way = false;
    }

    /// Waits for the thread and ends it.
    fn rest(&mut self) {
        self.wait();
        if let Some(Carrier { orders, thread, .. }) = self.carrier.take() {
            drop(orders);
            drop(thread.join());
        }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.rest();
    }
}

/// The thread that carries over, each time it is asked to.
struct Carrier {
    orders: mpsc::SyncSender<()>,
    done: mpsc::Receiver<()>,
    thread: JoinHandle<()>,
}

impl Carrier {
    fn start(path: PathBuf, few: u32) -> io::Result<Self> {
        let (orders, asked) = mpsc::sync_channel(1);
        let (told, done) = mpsc::sync_channel(1);
        let thread = thread::Builder::new().name("ehr-log".to_owned()).spawn(move || {
            while asked.recv().is_ok() {
                drop(carry_most(&path, few));
                if told.send(()).is_err() {
                    break;
                }
            }
        })?;
        Ok(Self { orders, done, thread })
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
