//! The daemon: one service per connection, its inbox, one watcher, one server, and a supervisor that rewires all of them
//! when a generation comes into force.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, warn};

use super::inboxes::Inboxes;
use super::links::Links;
use super::{App, DAEMON, Failure, Generation, Selection, machine};
use crate::api::{Answer, Api, Callbacks, Desk, Look, Snapshot};
use crate::config::Watched;
use crate::model::ids::{ConnectionId, TenantId};
use crate::reload::{self, Built, Changed, Pace, Reloader};
use crate::sync::progress::Progress;
use crate::sync::service::{Handle, Service, Status};

type Services = Arc<Mutex<BTreeMap<(TenantId, ConnectionId), Running>>>;
type InForce = reload::Handle<Generation>;

struct Running {
    handle: Handle,
    stop: CancellationToken,
}

/// What a daemon leaves in its state folder for `rollcall status`.
#[derive(Serialize, Deserialize)]
pub(super) struct Note {
    pid: u32,
    pub(super) listen: SocketAddr,
    /// What opens the daemon for questions of its own command line.
    #[serde(default)]
    pub(super) key: String,
}

/// A running daemon.
pub struct Daemon {
    address: SocketAddr,
    services: Services,
    tasks: TaskTracker,
    app: Arc<App>,
}

impl Daemon {
    /// Starts everything; it runs until `stop`.
    ///
    /// # Errors
    /// [`Failure`] when the configuration, a mapping or a plugin cannot be loaded, or the address is taken.
    pub async fn start(
        app: Arc<App>,
        progress: Arc<dyn Progress>,
        stop: CancellationToken,
    ) -> Result<Self, Failure> {
        let (reloader, in_force) = reloader(&app).await?;
        let tasks = TaskTracker::new();
        let services = Services::default();
        let inboxes = Arc::new(Inboxes::new(app.clone(), tasks.clone(), stop.clone()));
        let links = Arc::new(Links::new(tasks.clone(), stop.clone()));
        let supervisor = Supervisor {
            app: app.clone(),
            in_force: in_force.clone(),
            services: services.clone(),
            inboxes: inboxes.clone(),
            links: links.clone(),
            tasks: tasks.clone(),
            progress,
            stop: stop.clone(),
        };
        supervisor.arrange()?;
        let callbacks = Callbacks::new(inboxes.find(), inboxes.body_bytes());
        let key = machine::key().map_err(|cause| Failure::of(&cause))?;
        let desk = Desk::new(&key, answer(app.clone(), in_force.clone()));
        let look = look(app.clone(), services.clone(), inboxes, links, in_force);
        let api = Api::bind(app.config().listen, look, callbacks, desk).await;
        let api = api.map_err(|cause| cannot_listen(&app, &cause))?;
        let address = api.address().map_err(|cause| Failure::of(&cause))?;
        note(&app, address, key);
        tasks.spawn(reloader.run(stop.clone()));
        tasks.spawn(supervisor.run());
        tasks.spawn(async move {
            if let Err(cause) = api.run(stop).await {
                error!(%cause, "the status server ended");
            }
        });
        tasks.close();
        Ok(Self { address, services, tasks, app })
    }

    /// Where health and status are served.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The status of every connection, to wait on.
    pub fn statuses(&self) -> Vec<watch::Receiver<Status>> {
        lock(&self.services).values().map(|running| running.handle.status()).collect()
    }

    /// Waits until everything has stopped.
    pub async fn finish(self) {
        self.tasks.wait().await;
        drop(std::fs::remove_file(self.app.config().state.join(DAEMON)));
    }
}

/// Rewires services when a generation comes into force.
struct Supervisor {
    app: Arc<App>,
    in_force: InForce,
    services: Services,
    inboxes: Arc<Inboxes>,
    links: Arc<Links>,
    tasks: TaskTracker,
    progress: Arc<dyn Progress>,
    stop: CancellationToken,
}

impl Supervisor {
    async fn run(self) {
        let mut generations = self.in_force.generations();
        generations.mark_unchanged();
        loop {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => break,
                changed = generations.changed() => if changed.is_err() { break },
                () = self.app.judged.notified() => {}
            }
            if let Err(failure) = self.arrange() {
                error!(%failure, "a connection could not be rewired; it goes on as before");
            }
        }
    }

    /// Gives every connection of the generation in force its service, and stops those that are gone.
    fn arrange(&self) -> Result<(), Failure> {
        let generation = self.in_force.current();
        if generation.config.state != self.app.config().state {
            warn!("`state` was changed in the configuration; that takes a restart");
        }
        let mut services = lock(&self.services);
        services.retain(|key, running| {
            let kept = generation.parts.contains_key(key);
            if !kept {
                running.stop.cancel();
            }
            kept
        });
        for wiring in self.app.wirings(&generation, &Selection::default())? {
            let key = (wiring.syncer.tenant.clone(), wiring.syncer.connection.clone());
            if let Some(running) = services.get(&key) {
                running.handle.rewire(wiring);
                continue;
            }
            let (service, handle) = Service::new(wiring, self.progress.clone());
            let stop = self.stop.child_token();
            self.tasks.spawn(service.run(stop.clone()));
            services.insert(key, Running { handle, stop });
        }
        let handle = |key: &_| services.get(key).map(|running| running.handle.clone());
        self.inboxes.arrange(&generation, handle);
        self.links.arrange(&generation, |(tenant, connection)| {
            self.inboxes.inbox(tenant.as_str(), connection.as_str())
        });
        Ok(())
    }
}

async fn reloader(app: &Arc<App>) -> Result<(Reloader<Generation>, InForce), Failure> {
    let before: Arc<Mutex<Option<Arc<Generation>>>> = Arc::default();
    let builder = app.clone();
    let kept = before.clone();
    let build = move |_: &Changed| {
        let config = super::load_config(&builder.config().file)?;
        let watched: Vec<Watched> = config.watched.clone();
        let before = lock(&kept).clone();
        let generation = builder.build(config, before.as_deref())?;
        // Providers are kept from the newest build, in force or not: they do not depend on what failed beside them.
        *lock(&kept) = Some(Arc::new(generation.clone()));
        Ok::<_, Failure>(Built { generation, watched })
    };
    let watched = app.config().watched.clone();
    let started = Reloader::start(watched, Pace::default(), app.clock.clone(), build).await;
    let (reloader, in_force) = started.map_err(Failure::new)?;
    // A day passes: exceptions of mappings begin and end although no file changes.
    Ok((reloader.renewed(|generation: &Generation| generation.until_ms), in_force))
}

fn look(
    app: Arc<App>,
    services: Services,
    inboxes: Arc<Inboxes>,
    links: Arc<Links>,
    in_force: InForce,
) -> Look {
    Arc::new(move || {
        let reload = in_force.status();
        Snapshot {
            version: env!("CARGO_PKG_VERSION"),
            pid: std::process::id(),
            generation: reload.generation,
            reload_error: reload.error.map(|error| error.text),
            held_mappings: app.held(&in_force.current()),
            connections: lock(&services)
                .values()
                .map(|running| running.handle.status().borrow().clone())
                .collect(),
            callbacks: inboxes.tallies(),
            long_connections: links.statuses(),
        }
    })
}

/// Answers questions by the generation in force, aside from everything else.
fn answer(app: Arc<App>, in_force: InForce) -> Answer {
    Arc::new(move |question| {
        let (app, generation) = (app.clone(), in_force.current());
        let work = move || {
            let question = serde_json::from_slice(&question).map_err(|cause| {
                Failure::of(&cause).hint("the daemon is of another version; restart it")
            })?;
            app.answer(&generation.config, &question)
        };
        Box::pin(async move {
            let told = match tokio::task::spawn_blocking(work).await {
                Ok(Ok(answer)) => json!({ "answer": answer }),
                Ok(Err(failure)) => json!({ "error": failure.message, "hint": failure.hint }),
                Err(cause) => json!({ "error": cause.to_string() }),
            };
            told.to_string().into_bytes()
        })
    })
}

fn note(app: &App, listen: SocketAddr, key: String) {
    let note = Note { pid: std::process::id(), listen, key };
    let text = serde_json::to_vec(&note).unwrap_or_default();
    if let Err(cause) = machine::write_private(&app.config().state.join(DAEMON), &text) {
        warn!(%cause, "`rollcall status` will not find this daemon");
    }
}

fn cannot_listen(app: &App, cause: &std::io::Error) -> Failure {
    Failure::new(format!("cannot listen on {}: {cause}", app.config().listen))
        .hint("stop what listens there, or set `listen` in rollcall.yaml")
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
