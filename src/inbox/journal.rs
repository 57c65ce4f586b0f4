//! Writes events of all connections to the state, many at once: deliveries that arrive while one group is being flushed
//! make the next group.
//!
//! What this is not: a queue; what was written is found in the drawers. The one invariant: whoever waits is told after the
//! flush that covers their event, and of two deliveries with the same id one alone is new.

use std::collections::HashSet;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use crate::model::hash::ContentHash;
use crate::port::store::{Op, Space, Store, StoreError};

use super::drawer::Drawer;

/// Deliveries that wait for the next group; who comes later waits for room.
const WAITING: usize = 1_024;
/// The most deliveries of one group.
const GROUP: usize = 512;

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filed {
    /// It is on disk.
    New,
    /// It was on disk already.
    Known,
    /// There is no room for it.
    Full,
}

struct Slip {
    drawer: Arc<Drawer>,
    id: ContentHash,
    event: Vec<u8>,
    at_ms: i64,
    told: oneshot::Sender<Result<Filed, Unwritten>>,
}

/// The state could not be written; nothing is acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the event could not be stored: {0}")]
pub(super) struct Unwritten(String);

/// Writes to one store; cheap to clone. The writing thread ends with the last clone.
#[derive(Clone)]
pub struct Journal(mpsc::Sender<Slip>);

impl Journal {
    /// Starts the writing thread; call it inside a runtime.
    pub fn start(store: Arc<dyn Store>) -> Self {
        let (sender, mut slips) = mpsc::channel(WAITING);
        tokio::task::spawn_blocking(move || {
            let mut group = Vec::with_capacity(GROUP);
            while slips.blocking_recv_many(&mut group, GROUP) > 0 {
                write(&*store, std::mem::take(&mut group));
            }
        });
        Self(sender)
    }

    /// Stores an event; returns once it is on disk.
    pub(super) async fn file(
        &self,
        drawer: Arc<Drawer>,
        id: ContentHash,
        event: Vec<u8>,
        at_ms: i64,
    ) -> Result<Filed, Unwritten> {
        let gone = || Unwritten("the writer has stopped".to_owned());
        let (told, filed) = oneshot::channel();
        let slip = Slip { drawer, id, event, at_ms, told };
        self.0.send(slip).await.map_err(|_| gone())?;
        filed.await.map_err(|_| gone())?
    }
}

/// Writes one group, flushes, and tells everyone: whoever asked, and the workers, also of events that nobody waits for any
/// longer.
fn write(store: &dyn Store, group: Vec<Slip>) {
    let mut ops = Vec::with_capacity(group.len() * 2);
    let mut fresh = HashSet::new();
    let mut filed = Vec::with_capacity(group.len());
    for Slip { drawer, id, event, at_ms, told } in group {
        let one = file(store, &drawer, (id, event, at_ms), (&mut ops, &mut fresh));
        filed.push((drawer, told, one));
    }
    // What is known may still be on its way to the disk: it is flushed like what is new.
    let written = if ops.is_empty() { Ok(()) } else { store.write(Space::Index, ops) };
    let written = written.and_then(|()| store.flush());
    for (drawer, told, one) in filed {
        let answer = match (&written, one) {
            (Err(cause), _) => Err(Unwritten(cause.to_string())),
            (Ok(()), Err(cause)) => Err(Unwritten(cause.to_string())),
            (Ok(()), Ok(filed)) => Ok(filed),
        };
        if answer == Ok(Filed::New) {
            drawer.arrived.notify_one();
        }
        // Who asked may have given up; the platform then repeats the event and is told that it is known.
        told.send(answer).ok();
    }
}

fn file(
    store: &dyn Store,
    drawer: &Drawer,
    (id, event, at_ms): (ContentHash, Vec<u8>, i64),
    (ops, fresh): (&mut Vec<Op>, &mut HashSet<Vec<u8>>),
) -> Result<Filed, StoreError> {
    let key = drawer.id_key(id);
    if fresh.contains(&key) || store.get(Space::Index, &key)?.is_some() {
        return Ok(Filed::Known);
    }
    if !drawer.has_room() {
        return Ok(Filed::Full);
    }
    fresh.insert(key.clone());
    ops.extend(drawer.put(key, event, at_ms));
    Ok(Filed::New)
}
