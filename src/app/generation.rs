//! What a reload replaces as a whole.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::mappings::{Made, Workshop, today};
use super::{App, Failure};
use crate::config::{self, Config, Connection, Events, Grants, Tenant};
use crate::host::{self, ConnectionSpec, Plugin, RetryLimits};
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
    /// When another one has to be built although no file changes: an exception begins or ends. In Unix milliseconds.
    pub until_ms: Option<i64>,
}

/// One connection's plugin and mappings.
#[derive(Clone)]
pub struct Part {
    /// The platform.
    pub provider: Arc<dyn Provider>,
    /// Reads what the platform pushes; `None` when the plugin takes no callbacks.
    pub callback: Option<Arc<dyn Callback>>,
    /// The mappings as the files have them.
    pub mapper: Arc<dyn Mapper>,
    /// What those were made of.
    pub(super) made: Made,
    /// The mappings in force, while those of the files are held.
    pub held_for: Option<Arc<dyn Mapper>>,
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
        let mut until_ms = None;
        let mut workshop = Workshop::new(&config);
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
                let day = today(&*self.clock, tenant);
                let same = kept.map(|kept| (&kept.made, &kept.mapper));
                let (mapper, made) = workshop.mapper(tenant, connection, day, same)?;
                let begins = made.until_ms(tenant.timezone.time_zone());
                until_ms = until_ms.into_iter().chain(begins).min();
                let origin = origin(&config, connection, &plugin);
                let held_for = kept.and_then(|kept| kept.held_for.as_ref());
                let held_for = self.hold(tenant, &connection.id, &*mapper, held_for)?;
                let part = if let Some(kept) = kept.filter(|kept| kept.origin == origin) {
                    Part { mapper, made, held_for, ..kept.clone() }
                } else {
                    let live = self.connect(&config, tenant, connection, plugin)?;
                    let callback: Option<Arc<dyn Callback>> =
                        if live.takes_callbacks() { Some(live.clone()) } else { None };
                    Part { provider: live.clone(), callback, mapper, made, held_for, live, origin }
                };
                if connection.events == Events::LongConnection {
                    part.live.check_long_connection().map_err(|cause| Failure::of(&cause))?;
                }
                parts.insert(key, part);
            }
        }
        Ok(Generation { config, parts, until_ms })
    }

    pub(super) fn plugin(&self, config: &Config, name: &str) -> Result<Arc<Plugin>, Failure> {
        let file = config.plugins.join(format!("{name}.wasm"));
        self.host.load(&file).map_err(|cause| Failure::of(&cause))
    }

    pub(super) fn connect(
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
