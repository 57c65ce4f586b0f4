//! One connection for a program that embeds rollcall: no configuration files, a target of its own.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::generation::Secrets;
use super::{Failure, SystemClock, machine};
use crate::config::{Attendance, Gate, Zone};
use crate::host::{self, ConnectionSpec, Grant, PluginHost};
use crate::mapping::{self, Files, Layers, Shared};
use crate::model::ids::{ConnectionId, TenantId};
use crate::port::archive::NoArchive;
use crate::port::mapper::Mapper;
use crate::port::store::Store;
use crate::port::target::Target;
use crate::state::{MemoryStore, Options, SledStore};
use crate::sync::progress::Silent;
use crate::sync::report::Report;
use crate::sync::{Mode, Request, Settings, SyncError, Syncer};

/// What a connection is made of; every field is public and none is checked before [`Embedding::open`].
pub struct Embedding {
    /// The component.
    pub plugin: PathBuf,
    /// The folder of the connector's mappings, such as `mappings/feishu`; shared modules stand in `lib` beside it.
    pub mappings: PathBuf,
    /// The plugin's settings.
    pub settings: BTreeMap<String, String>,
    /// The plugin's secrets.
    pub secrets: BTreeMap<String, String>,
    /// Hosts it may talk to, such as `open.feishu.cn` or, inside your network, `private:127.0.0.1:7001`.
    pub grants: Vec<String>,
    /// Where sync state lives; in memory when left out, so that every run is a first one.
    pub state: Option<PathBuf>,
    /// The IANA zone in which days begin and end.
    pub zone: String,
    /// The country by which phone numbers are read, as two letters.
    pub region: String,
}

/// An open connection.
pub struct Embedded {
    /// Runs it; for modes other than a plain sync.
    pub syncer: Syncer,
    /// Its mappings.
    pub mapper: Arc<dyn Mapper>,
}

impl Embedding {
    /// Loads plugin and mappings and opens the state.
    ///
    /// # Errors
    /// [`Failure`] saying what is wrong and what to do.
    pub fn open(self, target: Arc<dyn Target>) -> Result<Embedded, Failure> {
        let zone: Zone = parse(self.zone)?;
        let host = PluginHost::new(None).map_err(|cause| Failure::of(&cause))?;
        let plugin = host.load(&self.plugin).map_err(|cause| Failure::of(&cause))?;
        let connection =
            ConnectionId::parse(plugin.name().as_str()).map_err(|e| Failure::of(&e))?;
        let files = Files::read(connection.as_str(), &self.mappings);
        let shared = self.mappings.parent().map(Shared::read).unwrap_or_default();
        let layers = Layers { shared, ..Layers::plain(&files, None) };
        let generation =
            mapping::Generation::of_layers(layers).map_err(|faults| Failure::reports(&faults))?;
        let mapper = generation.mapper(&connection, zone.name(), &self.region);
        let mapper = mapper.map_err(|cause| Failure::of(&cause))?;
        let tenant = TenantId::parse("embedded").map_err(|cause| Failure::of(&cause))?;
        let grants: Result<Vec<Grant>, _> =
            self.grants.iter().map(|text| Grant::parse(text)).collect();
        let provider = host::Connection::new(ConnectionSpec {
            plugin,
            tenant: tenant.clone(),
            connection: connection.clone(),
            settings: self.settings,
            secrets: Arc::new(Secrets::from(self.secrets)),
            grants: grants.map_err(|cause| Failure::of(&cause))?,
            limits: host::Limits::STANDARD,
            clock: Arc::new(SystemClock),
            random: Arc::new(host::OsRandom),
        });
        let store: Arc<dyn Store> = match self.state {
            Some(folder) => Arc::new(
                SledStore::open(&folder, Options::default())
                    .map_err(|cause| Failure::of(&cause))?,
            ),
            None => Arc::new(MemoryStore::default()),
        };
        let settings = Settings {
            zone: zone.time_zone().clone(),
            gate: Gate::default(),
            attendance: Attendance::default(),
            matching: None,
            parallel: host::Limits::STANDARD.instances,
            workers: machine::workers(),
        };
        let provider = Arc::new(provider.map_err(|cause| Failure::of(&cause))?);
        let clock = Arc::new(SystemClock);
        let archive = Arc::new(NoArchive);
        let syncer =
            Syncer { tenant, connection, provider, target, store, archive, clock, settings };
        Ok(Embedded { syncer, mapper })
    }
}

fn parse(zone: String) -> Result<Zone, Failure> {
    Zone::try_from(zone).map_err(|cause| Failure::of(&cause))
}

impl Embedded {
    /// Reads, plans and writes once.
    ///
    /// # Errors
    /// [`SyncError`] when the run broke off; the next one makes it good.
    pub async fn sync(&self) -> Result<Report, SyncError> {
        let request = Request {
            mode: Mode::Sync,
            approve: None,
            stop: CancellationToken::new(),
            progress: Arc::new(Silent),
            mapper: self.mapper.clone(),
        };
        self.syncer.run(&request).await
    }
}
