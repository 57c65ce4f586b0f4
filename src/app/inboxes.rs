//! The inboxes of a daemon: opened for connections whose plugin takes callbacks, rewired by a reload, closed with the
//! connection.
//!
//! The one invariant: at most one inbox is open for a connection, and it lives as long as the service that its events
//! are worked off by.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::error;

use super::{App, Generation};
use crate::api::Find;
use crate::inbox::{self, Bounds, Intake, Journal, Parts, Tally, Tempo};
use crate::model::ids::{ConnectionId, TenantId};
use crate::port::callback::Callback;
use crate::port::inbox::Inbox;
use crate::port::store::StoreError;
use crate::sync::service::Handle;

type Key = (TenantId, ConnectionId);

/// With what the plugin may take, less than the three seconds in which platforms want an answer.
const STORE: Duration = Duration::from_secs(1);

struct Open {
    intake: Arc<Intake>,
    stop: CancellationToken,
}

/// See the module.
pub(super) struct Inboxes {
    app: Arc<App>,
    journal: Journal,
    bounds: Bounds,
    tasks: TaskTracker,
    stop: CancellationToken,
    open: Mutex<BTreeMap<Key, Open>>,
}

impl Inboxes {
    pub(super) fn new(app: Arc<App>, tasks: TaskTracker, stop: CancellationToken) -> Self {
        let configured = app.config().callbacks;
        let body_bytes = usize::try_from(configured.body.bytes()).unwrap_or(usize::MAX);
        let bounds = Bounds { body_bytes, backlog: configured.backlog, store: STORE };
        let journal = Journal::start(app.store.clone());
        Self { app, journal, bounds, tasks, stop, open: Mutex::default() }
    }

    /// The largest body that is taken.
    pub(super) fn body_bytes(&self) -> usize {
        self.bounds.body_bytes
    }

    /// Gives every connection of a generation that takes callbacks its inbox, and closes those of others.
    pub(super) fn arrange(
        &self,
        generation: &Generation,
        service: impl Fn(&Key) -> Option<Handle>,
    ) {
        let taking = |key: &Key| generation.parts.get(key)?.callback.clone();
        let mut open = self.lock();
        open.retain(|key, one| {
            let kept = taking(key).is_some();
            if !kept {
                one.stop.cancel();
            }
            kept
        });
        for key in generation.parts.keys() {
            let (Some(callback), Some(handle)) = (taking(key), service(key)) else { continue };
            if let Some(one) = open.get(key) {
                one.intake.rewire(callback);
                continue;
            }
            match self.begin(key, callback, handle) {
                Ok(one) => {
                    open.insert(key.clone(), one);
                }
                Err(cause) => {
                    let (tenant, connection) = key;
                    error!(%tenant, %connection, %cause, "callbacks of this connection are not taken");
                }
            }
        }
    }

    fn begin(
        &self,
        (tenant, connection): &Key,
        callback: Arc<dyn Callback>,
        handle: Handle,
    ) -> Result<Open, StoreError> {
        let (intake, worker) = inbox::open(Parts {
            tenant: tenant.clone(),
            connection: connection.clone(),
            callback,
            looker: Arc::new(handle),
            store: self.app.store.clone(),
            journal: self.journal.clone(),
            clock: self.app.clock.clone(),
            bounds: self.bounds,
            tempo: Tempo::default(),
        })?;
        let stop = self.stop.child_token();
        self.tasks.spawn(worker.run(stop.clone()));
        Ok(Open { intake: Arc::new(intake), stop })
    }

    /// The inbox of a connection, if it takes callbacks.
    pub(super) fn inbox(&self, tenant: &str, connection: &str) -> Option<Arc<dyn Inbox>> {
        let key = (TenantId::parse(tenant).ok()?, ConnectionId::parse(connection).ok()?);
        self.lock().get(&key).map(|one| one.intake.clone() as Arc<dyn Inbox>)
    }

    /// As [`Inboxes::inbox`], for the server.
    pub(super) fn find(self: &Arc<Self>) -> Find {
        let inboxes = self.clone();
        Arc::new(move |tenant, connection| inboxes.inbox(tenant, connection))
    }

    /// What became of deliveries, connection by connection.
    pub(super) fn tallies(&self) -> Vec<Tally> {
        self.lock().values().map(|one| one.intake.tally()).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Key, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
