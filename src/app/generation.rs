//! What a reload replaces as a whole.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use tracing::warn;

use super::{App, Failure};
use crate::config::{self, Cases, Config, Connection, Events, Grants, Tenant};
use crate::host::{self, ConnectionSpec, Plugin, RetryLimits};
use crate::mapping::{self, Files, Layers, Severity, Shared};
use crate::model::hash::ContentHash;
use crate::model::ids::{ConnectionId, TenantId};
use crate::port::callback::Callback;
use crate::port::clock::Clock;
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
                let (mapper, next) = mapper(&config, tenant, connection, day)?;
                let begins = next.and_then(|day| begin_ms(day, tenant.timezone.time_zone()));
                until_ms = until_ms.into_iter().chain(begins).min();
                let origin = origin(&config, connection, &plugin);
                let held_for = self.hold(tenant, &connection.id, &*mapper)?;
                let part = if let Some(kept) = kept.filter(|kept| kept.origin == origin) {
                    Part { mapper, held_for, ..kept.clone() }
                } else {
                    let live = self.connect(&config, tenant, connection, plugin)?;
                    let callback: Option<Arc<dyn Callback>> =
                        if live.takes_callbacks() { Some(live.clone()) } else { None };
                    Part { provider: live.clone(), callback, mapper, held_for, live, origin }
                };
                if connection.events == Events::LongConnection {
                    part.live.check_long_connection().map_err(|cause| Failure::of(&cause))?;
                }
                parts.insert(key, part);
            }
        }
        Ok(Generation { config, parts, until_ms })
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

/// Loads a connection's mappings and lets its cases judge them; with the day on which they change by themselves.
fn mapper(
    config: &Config,
    tenant: &Tenant,
    connection: &Connection,
    day: Date,
) -> Result<(Arc<dyn Mapper>, Option<Date>), Failure> {
    let generation = mappings(config, tenant, connection, day)?;
    doubt(config, tenant, connection, &generation);
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
    mapper.map(|mapper| (mapper, generation.next_day())).map_err(|cause| Failure::of(&cause))
}

/// Logs what looks like a mistake in mappings that come into force all the same.
fn doubt(
    config: &Config,
    tenant: &Tenant,
    connection: &Connection,
    generation: &mapping::Generation,
) {
    let name = connection.mapping.as_str();
    let known = mapping::documented(name, Some(&config.mappings.join(name)));
    let mut doubts = generation.findings(&known);
    doubts.retain(|fault| fault.severity() == Severity::Warning);
    if let Some(first) = doubts.first() {
        let (code, place) = (first.code(), first.place());
        warn!(
            tenant = %tenant.id, connection = %connection.id, doubts = doubts.len(), code,
            file = %place.script, line = place.line,
            "the mappings look wrong in places; `rollcall mapping check` tells where"
        );
    }
}

/// The mappings of a connection on a day, all layers of them.
///
/// # Errors
/// [`Failure`] with every fault of every file.
pub fn mappings(
    config: &Config,
    tenant: &Tenant,
    connection: &Connection,
    day: Date,
) -> Result<mapping::Generation, Failure> {
    let layers = layers(config, tenant, connection, Some(day));
    if layers.is_empty() {
        let folder = config.mappings.join(connection.mapping.as_str());
        return Err(Failure::new(format!("there are no mappings in `{}`", folder.display()))
            .hint("name the folder that holds them as `mappings` in rollcall.yaml"));
    }
    mapping::Generation::of_layers(layers).map_err(|faults| Failure::reports(&faults))
}

/// The layers of a connection's mappings, as their files are now.
pub fn layers(
    config: &Config,
    tenant: &Tenant,
    connection: &Connection,
    day: Option<Date>,
) -> Layers {
    let name = connection.mapping.as_str();
    let folder = tenant.mappings.as_ref().map(|folder| folder.join(name));
    let folder = folder.filter(|folder| folder.is_dir());
    Layers {
        builtin: mapping::builtin::files(name),
        connector: Files::read(&format!("{name}/"), &config.mappings.join(name)),
        tenant: folder.map(|folder| Files::read(&format!("{}/{name}/", tenant.id), &folder)),
        shared: Shared::read(&config.mappings),
        day,
    }
}

/// The day that it is for a tenant.
pub fn today(clock: &dyn Clock, tenant: &Tenant) -> Date {
    let now = Timestamp::from_millisecond(clock.now_ms()).unwrap_or(Timestamp::UNIX_EPOCH);
    tenant.timezone.time_zone().to_datetime(now).date()
}

/// When a day begins in a zone, in Unix milliseconds.
fn begin_ms(day: Date, zone: &TimeZone) -> Option<i64> {
    let start = zone.to_zoned(day.to_datetime(Time::midnight())).ok()?;
    Some(start.timestamp().as_millisecond())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_where_the_tenant_is_also_without_a_midnight() {
        let begins = |zone: &str, day: Date| begin_ms(day, &TimeZone::get(zone).unwrap());
        let day = Date::constant(2026, 7, 1);
        assert_eq!(begins("Asia/Shanghai", day), Some(1_782_835_200_000));
        assert_eq!(begins("UTC", day), Some(1_782_864_000_000));
        // São Paulo's clocks went from 23:59:59 to 01:00 in that night.
        let gap = Date::constant(2018, 11, 4);
        assert_eq!(begins("America/Sao_Paulo", gap), Some(1_541_300_400_000));
    }
}
