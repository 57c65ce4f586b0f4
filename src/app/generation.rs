//! What a reload replaces as a whole.

use std::collections::BTreeMap;
use std::sync::Arc;

use tracing::warn;

use super::{App, Failure};
use crate::config::{self, Cases, Config, Connection, Events, Grants, Tenant};
use crate::host::{self, ConnectionSpec, Plugin, RetryLimits};
use crate::mapping::{self, Files};
use crate::model::hash::ContentHash;
use crate::model::ids::{ConnectionId, TenantId};
use crate::port::callback::Callback;
use crate::port::mapper::Mapper;
use crate::port::provider::Provider;

/// A configuration with everything it names, loaded and checked.
#[derive(Clone)]
pub struct Generation {
    /// The configuration.
    pub config: Config,
    /// Every connection.
    pub parts: BTreeMap<(TenantId, ConnectionId), Part>,
}

/// One connection's plugin and mappings.
#[derive(Clone)]
pub struct Part {
    /// The platform.
    pub provider: Arc<dyn Provider>,
    /// Reads what the platform pushes; `None` when the plugin takes no callbacks.
    pub callback: Option<Arc<dyn Callback>>,
    /// The mappings.
    pub mapper: Arc<dyn Mapper>,
    /// The same, for a long connection.
    pub(super) live: Arc<host::Connection>,
    /// What the provider was built from: unchanged, it is kept with its tokens and instances.
    pub(super) origin: ContentHash,
}

impl App {
    /// Loads everything that a configuration names; parts of `before` that did not change are kept.
    ///
    /// # Errors
    /// [`Failure`] with everything that is wrong, for people.
    pub fn build(
        &self,
        config: Config,
        before: Option<&Generation>,
    ) -> Result<Generation, Failure> {
        let mut plugins: BTreeMap<String, Arc<Plugin>> = BTreeMap::new();
        let mut parts = BTreeMap::new();
        for tenant in config.tenants.values() {
            for connection in tenant.connections.values() {
                let name = connection.plugin.to_string();
                let plugin = match plugins.get(&name) {
                    Some(plugin) => plugin.clone(),
                    None => self.plugin(&config, &name)?,
                };
                plugins.insert(name, plugin.clone());
                let key = (tenant.id.clone(), connection.id.clone());
                let kept = before.and_then(|before| before.parts.get(&key));
                let mapper = mapper(&config, tenant, connection)?;
                let origin = origin(&config, connection, &plugin);
                let part = if let Some(kept) = kept.filter(|kept| kept.origin == origin) {
                    Part { mapper, ..kept.clone() }
                } else {
                    let live = self.connect(&config, tenant, connection, plugin)?;
                    let callback: Option<Arc<dyn Callback>> =
                        if live.takes_callbacks() { Some(live.clone()) } else { None };
                    Part { provider: live.clone(), callback, mapper, live, origin }
                };
                if connection.events == Events::LongConnection {
                    part.live.check_long_connection().map_err(|cause| Failure::of(&cause))?;
                }
                parts.insert(key, part);
            }
        }
        Ok(Generation { config, parts })
    }

    fn plugin(&self, config: &Config, name: &str) -> Result<Arc<Plugin>, Failure> {
        let file = config.plugins.join(format!("{name}.wasm"));
        self.host.load(&file).map_err(|cause| Failure::of(&cause))
    }

    fn connect(
        &self,
        config: &Config,
        tenant: &Tenant,
        connection: &Connection,
        plugin: Arc<Plugin>,
    ) -> Result<Arc<host::Connection>, Failure> {
        let spec = ConnectionSpec {
            plugin,
            tenant: tenant.id.clone(),
            connection: connection.id.clone(),
            settings: connection.settings.clone(),
            secrets: Arc::new(secrets(connection)),
            grants: grants(connection)?,
            limits: host::Limits {
                call: config.limits.call.get(),
                memory_bytes: bytes(config.limits.memory),
                http_bytes: bytes(config.limits.response),
                instances: config.limits.instances,
                retry: RetryLimits {
                    attempts: config.limits.attempts,
                    ..host::Limits::STANDARD.retry
                },
                ..host::Limits::STANDARD
            },
            clock: self.clock.clone(),
            random: Arc::new(host::OsRandom),
        };
        let live = match &self.recorder {
            Some((of, at, recorder)) if (of, at) == (&tenant.id, &connection.id) => {
                host::Connection::recorded(spec, recorder)
            }
            _ => host::Connection::new(spec),
        };
        live.map(Arc::new).map_err(|cause| Failure::of(&cause))
    }
}

/// Loads a connection's mappings and lets its cases judge them.
fn mapper(
    config: &Config,
    tenant: &Tenant,
    connection: &Connection,
) -> Result<Arc<dyn Mapper>, Failure> {
    let generation = mappings(config, tenant, connection)?;
    let cases = generation.run_cases(&connection.mapping);
    if let Some(first) = cases.failures().next() {
        let told = first.differences.join("\n  ");
        match config.cases {
            Cases::Gate => {
                return Err(Failure::new(format!("the case `{}` fails:\n  {told}", first.file))
                    .hint("mend the mapping, or the case if it asks for something else now"));
            }
            Cases::Warn => {
                let failing = cases.failures().count();
                warn!(failing, first = %first.file, "mapping cases fail; the mappings are in force all the same");
            }
        }
    }
    let (zone, region) = (tenant.timezone.name(), tenant.region.as_str());
    let mapper = generation.mapper(&connection.id, zone, region);
    mapper.map_err(|cause| Failure::of(&cause))
}

/// The mappings of a connection: the connector's own, and over them the tenant's layer.
///
/// # Errors
/// [`Failure`] with every fault of every file.
pub fn mappings(
    config: &Config,
    tenant: &Tenant,
    connection: &Connection,
) -> Result<mapping::Generation, Failure> {
    let name = connection.mapping.as_str();
    let base = Files::read(&format!("{name}/"), &config.mappings.join(name));
    let layer = tenant.mappings.as_ref().map(|folder| folder.join(name));
    let layer = layer.filter(|folder| folder.is_dir());
    let layer = layer.map(|folder| Files::read(&format!("{}/{name}/", tenant.id), &folder));
    if base.is_empty() {
        let folder = config.mappings.join(name);
        return Err(Failure::new(format!("there are no mappings in `{}`", folder.display()))
            .hint("name the folder that holds them as `mappings` in rollcall.yaml"));
    }
    mapping::Generation::load(&base, layer.as_ref()).map_err(|faults| Failure::reports(&faults))
}

/// The secrets that the configuration resolved, for the host to fill in.
pub(super) struct Secrets(BTreeMap<String, host::Secret>);

impl From<BTreeMap<String, String>> for Secrets {
    fn from(texts: BTreeMap<String, String>) -> Self {
        Self(texts.into_iter().map(|(name, text)| (name, host::Secret::new(text))).collect())
    }
}

impl host::SecretSource for Secrets {
    fn secret(&self, name: &str) -> Option<host::Secret> {
        self.0.get(name).cloned()
    }
}

fn secrets(connection: &Connection) -> Secrets {
    let text =
        |(name, secret): (&String, &config::Secret)| (name.clone(), secret.expose().to_owned());
    connection.secrets.iter().map(text).collect::<BTreeMap<_, _>>().into()
}

fn grants(connection: &Connection) -> Result<Vec<host::Grant>, Failure> {
    let Grants { hosts, private } = &connection.grants;
    let inside = private.iter().map(|endpoint| format!("private:{endpoint}"));
    let texts = hosts.iter().map(ToString::to_string).chain(inside);
    texts.map(|text| host::Grant::parse(&text).map_err(|cause| Failure::of(&cause))).collect()
}

fn bytes(size: config::Size) -> usize {
    usize::try_from(size.bytes()).unwrap_or(usize::MAX)
}

/// A digest of everything a provider is built from. Secrets count by value, but only inside this digest.
fn origin(config: &Config, connection: &Connection, plugin: &Plugin) -> ContentHash {
    let secrets: Vec<(&str, &str)> =
        connection.secrets.iter().map(|(name, secret)| (name.as_str(), secret.expose())).collect();
    let settings = format!("{:?}{:?}", connection.settings, connection.grants);
    let limits = format!("{:?}", config.limits);
    let secrets = format!("{secrets:?}");
    let parts =
        [&plugin.digest().0[..], settings.as_bytes(), limits.as_bytes(), secrets.as_bytes()];
    ContentHash::of_parts(parts)
}
