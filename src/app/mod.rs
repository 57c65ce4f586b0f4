//! The one place that builds adapters and hands them to the core.
//!
//! An [`App`] is what is opened once and kept: the runtime, the state, the plugin host, the targets. A [`Generation`] is
//! what a reload replaces as a whole: configuration, mappings, plugins. The invariant: a generation exists only if all
//! of it was loaded, checked and passed its cases.

mod daemon;
mod embed;
mod failure;
mod generation;
mod hold;
mod inboxes;
mod links;
mod machine;
mod mappings;
mod questions;

use std::collections::HashMap;
use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::Notify;

pub use daemon::Daemon;
pub use embed::{Embedded, Embedding};
pub use failure::Failure;
pub use generation::{Generation, Part};
pub use machine::{SystemClock, peak_rss_bytes, runtime};
pub use mappings::{layers, mappings, today};
pub use questions::{
    About, CanaryAsked, CanaryStarted, CaseTold, ConnectionImpact, ExplainAsked, Explained,
    FieldTold, FileBack, GenerationTold, GenerationsAsked, GenerationsTold, ImpactAsked, Judged,
    PickAsked, PlanTold, ProbeAsked, Probed, Question, Reversal, RevertAsked, SharedMappings,
    StoredAsked, StoredTold, VerdictAsked, VersionTold,
};

use crate::archive::FileArchive;
use crate::config::{Archiving, Config, Tenant};
use crate::host::{OsRandom, PluginHost, RecordError, Recorder};
use crate::model::ids::{ConnectionId, TenantId};
use crate::port::archive::Retention;
use crate::port::clock::Clock;
use crate::port::store::StoreError;
use crate::port::target::Target;
use crate::state::{Options, SledStore};
use crate::sync::ledger::Ledger;
use crate::sync::service::Wiring;
use crate::sync::{Settings, Syncer};
use crate::target::ehr::{self, EmbeddedEhr};

/// The file in the state folder that tells where the daemon listens.
const DAEMON: &str = "daemon.json";

/// How often, and how far apart, a held state folder is tried.
const LOCK_TRIES: u32 = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(100);

/// Which connections a verb is about; nothing means all.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Only this tenant.
    pub tenant: Option<String>,
    /// Only this connection.
    pub connection: Option<String>,
}

/// What is opened once.
pub struct App {
    config: Config,
    runtime: Runtime,
    host: Arc<PluginHost>,
    store: Arc<SledStore>,
    clock: Arc<dyn Clock>,
    archive: Arc<FileArchive>,
    targets: Mutex<HashMap<PathBuf, Arc<EmbeddedEhr>>>,
    /// Told when somebody has said something of a held mapping.
    judged: Notify,
    recorder: Option<(TenantId, ConnectionId, Arc<Recorder>)>,
}

impl App {
    /// Loads the configuration and opens the state.
    ///
    /// # Errors
    /// [`Failure`] with everything that is wrong with the configuration, or why the state cannot be opened.
    pub fn open(file: &Path) -> Result<Self, Failure> {
        Self::open_on(file, runtime().map_err(|cause| Failure::of(&cause))?)
    }

    /// As [`App::open`], on a runtime that is there already.
    ///
    /// # Errors
    /// As [`App::open`].
    pub fn open_on(file: &Path, runtime: Runtime) -> Result<Self, Failure> {
        let config = load_config(file)?;
        let store = open_store(&config.state).map_err(|cause| Failure::of(&cause))?;
        let host =
            PluginHost::new(Some(config.cache.clone())).map_err(|cause| Failure::of(&cause))?;
        let store = Arc::new(store);
        host.keep_counts(store.clone());
        if !config.limits.rates {
            host.ignore_rates();
        }
        let Archiving { folder, days, size } = config.archive.clone();
        let retention = Retention { days, bytes: size.bytes() };
        Ok(Self {
            archive: Arc::new(FileArchive::new(folder, retention)),
            config,
            runtime,
            host: Arc::new(host),
            store,
            clock: Arc::new(SystemClock),
            targets: Mutex::default(),
            judged: Notify::new(),
            recorder: None,
        })
    }

    /// The configuration the process was started with.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Runs a future to its end.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// The generation of the configuration the process was started with.
    ///
    /// # Errors
    /// [`Failure`] with everything that is wrong.
    pub fn generation(&self) -> Result<Generation, Failure> {
        self.build(self.config.clone(), None)
    }

    /// Records what the plugin of the one selected connection does, from the next generation on.
    ///
    /// # Errors
    /// [`Failure`] when not exactly one connection is selected, or the file cannot be written.
    pub fn record(&mut self, selection: &Selection, file: &Path) -> Result<Arc<Recorder>, Failure> {
        let mut chosen = self.connections(selection);
        let (Some((tenant, connection)), true) = (chosen.pop(), chosen.is_empty()) else {
            return Err(Failure::of(&RecordError::Connection));
        };
        let recorder = Recorder::create(file, &OsRandom).map_err(|cause| Failure::of(&cause))?;
        let recorder = Arc::new(recorder);
        self.recorder = Some((tenant, connection, Arc::clone(&recorder)));
        Ok(recorder)
    }

    /// The selected connections.
    pub fn connections(&self, selection: &Selection) -> Vec<(TenantId, ConnectionId)> {
        let all = self.config.tenants.values().flat_map(|tenant| {
            tenant.connections.keys().map(|connection| (tenant.id.clone(), connection.clone()))
        });
        all.filter(|(tenant, connection)| selection.takes(tenant, connection)).collect()
    }

    /// The state of a connection.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    pub fn ledger(
        &self,
        tenant: &TenantId,
        connection: &ConnectionId,
    ) -> Result<Ledger, StoreError> {
        Ledger::open(self.store.clone(), tenant, connection)
    }

    /// How many pushed events of a connection wait to be worked off.
    ///
    /// # Errors
    /// [`StoreError`] when the state cannot be read.
    pub fn events_waiting(
        &self,
        tenant: &TenantId,
        connection: &ConnectionId,
    ) -> Result<u64, StoreError> {
        crate::inbox::waiting(self.store.clone(), tenant, connection)
    }

    /// What each selected connection needs for a run.
    ///
    /// # Errors
    /// [`Failure`] when nothing is selected, or an EHR cannot be opened.
    pub fn wirings(
        &self,
        generation: &Generation,
        selection: &Selection,
    ) -> Result<Vec<Wiring>, Failure> {
        let chosen: Vec<_> = generation
            .parts
            .iter()
            .filter(|((tenant, connection), _)| selection.takes(tenant, connection))
            .collect();
        if chosen.is_empty() {
            return Err(Failure::new("no connection is selected".to_owned())
                .hint("see the tenants' files for their names"));
        }
        chosen
            .into_iter()
            .map(|((tenant, id), part)| self.wiring(generation, tenant, id, part))
            .collect()
    }

    fn wiring(
        &self,
        generation: &Generation,
        tenant: &TenantId,
        connection: &ConnectionId,
        part: &Part,
    ) -> Result<Wiring, Failure> {
        let gone = || Failure::new(format!("the connection {tenant}/{connection} is gone"));
        let tenant = generation.config.tenants.get(tenant).ok_or_else(gone)?;
        let set = tenant.connections.get(connection).ok_or_else(gone)?;
        let syncer = Syncer {
            tenant: tenant.id.clone(),
            connection: connection.clone(),
            provider: part.provider.clone(),
            target: self.target(tenant)?,
            store: self.store.clone(),
            archive: self.archive.clone(),
            clock: self.clock.clone(),
            settings: Settings {
                zone: tenant.timezone.time_zone().clone(),
                gate: tenant.gate,
                attendance: set.attendance,
                matching: tenant.matching.clone(),
                parallel: generation.config.limits.instances,
                workers: machine::workers(),
            },
        };
        Ok(Wiring {
            syncer,
            mapper: self.in_force(&tenant.id, connection, part)?,
            schedule: tenant.schedule.clone(),
            full_listing: tenant.full_listing.clone(),
            zone: tenant.timezone.clone(),
        })
    }

    /// The tenant's EHR, opened once.
    fn target(&self, tenant: &Tenant) -> Result<Arc<dyn Target>, Failure> {
        let mut targets = self.targets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(target) = targets.get(&tenant.ehr) {
            return Ok(target.clone());
        }
        let opened = EmbeddedEhr::open(&tenant.ehr, self.clock.clone(), ehr::Options::default());
        let opened = Arc::new(opened.map_err(|cause| Failure::of(&cause))?);
        targets.insert(tenant.ehr.clone(), opened.clone());
        Ok(opened)
    }
}

impl Selection {
    fn takes(&self, tenant: &TenantId, connection: &ConnectionId) -> bool {
        let matches =
            |wanted: &Option<String>, name: &str| wanted.as_ref().is_none_or(|w| w == name);
        matches(&self.tenant, tenant.as_str()) && matches(&self.connection, connection.as_str())
    }
}

/// Opens the state. `rollcall status` holds it for a moment where no daemon runs, so a held one is waited for.
fn open_store(folder: &Path) -> Result<SledStore, StoreError> {
    for _ in 0..LOCK_TRIES {
        match SledStore::open(folder, Options::default()) {
            Err(StoreError::Locked { .. }) => std::thread::sleep(LOCK_PAUSE),
            opened => return opened,
        }
    }
    SledStore::open(folder, Options::default())
}

/// Loads the configuration alone.
///
/// # Errors
/// [`Failure`] with everything that is wrong.
pub fn load_config(file: &Path) -> Result<Config, Failure> {
    crate::config::load(file).map_err(|faults| Failure::new(faults.to_string()))
}

/// How to reach a daemon.
#[derive(Clone)]
pub struct Contact {
    /// Where it listens.
    pub address: SocketAddr,
    /// What opens it for questions; only its own user can read it.
    pub key: String,
}

/// How to reach the daemon of this configuration, if one has been started.
pub fn daemon(config: &Config) -> Option<Contact> {
    let text = std::fs::read(config.state.join(DAEMON)).ok()?;
    let note: daemon::Note = serde_json::from_slice(&text).ok()?;
    Some(Contact { address: note.listen, key: note.key })
}
