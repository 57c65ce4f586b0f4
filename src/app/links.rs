//! The long connections of a daemon: opened where the configuration wants one, made anew when a reload changes what they
//! are made of, closed with the connection.
//!
//! The one invariant: at most one is kept for a connection; the next one begins after the one before it has ended.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::error;

use super::Generation;
use crate::api::LongConnection;
use crate::config::Events;
use crate::host::Stream;
use crate::model::hash::ContentHash;
use crate::model::ids::{ConnectionId, TenantId};
use crate::model::link::LinkStatus;
use crate::port::inbox::Inbox;

type Key = (TenantId, ConnectionId);

struct Link {
    /// What it was made of.
    origin: ContentHash,
    status: watch::Receiver<LinkStatus>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// See the module.
pub(super) struct Links {
    tasks: TaskTracker,
    stop: CancellationToken,
    kept: Mutex<BTreeMap<Key, Link>>,
}

impl Links {
    pub(super) fn new(tasks: TaskTracker, stop: CancellationToken) -> Self {
        Self { tasks, stop, kept: Mutex::default() }
    }

    /// Gives every connection of a generation that wants one its long connection, and ends those of others.
    pub(super) fn arrange(
        &self,
        generation: &Generation,
        inbox: impl Fn(&Key) -> Option<Arc<dyn Inbox>>,
    ) {
        let mut kept = self.lock();
        let mut before: BTreeMap<Key, Link> = std::mem::take(&mut *kept);
        for (key, part) in &generation.parts {
            if !wants(generation, key) {
                continue;
            }
            if let Some(same) = before.get(key).filter(|old| old.origin == part.origin) {
                debug_assert!(!same.stop.is_cancelled(), "what is kept runs");
                kept.extend(before.remove_entry(key));
                continue;
            }
            let Some(inbox) = inbox(key) else { continue };
            match Stream::new(&part.live, inbox) {
                Ok(made) => {
                    let link = self.begin(made, part.origin, before.remove(key));
                    kept.insert(key.clone(), link);
                }
                Err(cause) => {
                    let (tenant, connection) = key;
                    error!(%tenant, %connection, %cause, "no long connection is kept");
                }
            }
        }
        // Also those whose successor could not be made: what they were made of is no longer in force.
        for gone in before.into_values() {
            gone.stop.cancel();
        }
    }

    fn begin(
        &self,
        (stream, status): (Stream, watch::Receiver<LinkStatus>),
        origin: ContentHash,
        old: Option<Link>,
    ) -> Link {
        let stop = self.stop.child_token();
        let stopped = stop.clone();
        let task = self.tasks.spawn(async move {
            if let Some(old) = old {
                old.stop.cancel();
                // However it ended: it is gone.
                old.task.await.ok();
            }
            stream.run(stopped).await;
        });
        Link { origin, status, stop, task }
    }

    /// How they are doing, connection by connection.
    pub(super) fn statuses(&self) -> Vec<LongConnection> {
        let told = |((tenant, connection), link): (&Key, &Link)| LongConnection {
            tenant: tenant.clone(),
            connection: connection.clone(),
            status: link.status.borrow().clone(),
        };
        self.lock().iter().map(told).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, Link>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wants(generation: &Generation, (tenant, connection): &Key) -> bool {
    let tenant = generation.config.tenants.get(tenant);
    let connection = tenant.and_then(|tenant| tenant.connections.get(connection));
    connection.is_some_and(|connection| connection.events == Events::LongConnection)
}
