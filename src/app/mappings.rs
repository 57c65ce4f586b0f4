//! The mappings of every connection, read and compiled no more often than their texts change.
//!
//! Not here: what is in them (`mapping`), and whether an edit is held (`hold`). The invariant: a mapper that is kept is what
//! would be made anew: every text that it depends on is the same, its cases among them, and so are the tenant's settings and
//! the exceptions of the day.
//!
//! # Why
//! A reload builds everything, so that what comes into force was checked as a whole. With thousands of tenants nearly all of
//! it is as it was: such a mapper is kept, without its cases run again. Tenants without mappings of their own share the
//! compiled scripts of their connector, and what looks wrong in those is told once.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use tracing::warn;

use super::Failure;
use crate::config::{Cases, Config, Connection, Tenant};
use crate::mapping::{self, Files, Layers, Severity, Shared};
use crate::model::hash::ContentHash;
use crate::model::ids::ConnectionId;
use crate::port::clock::Clock;
use crate::port::mapper::Mapper;

/// What a mapper was made of, and the days on which the same exceptions are in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Made {
    of: ContentHash,
    from: Date,
    until: Option<Date>,
}

impl Made {
    /// Whether the same would be made of this on that day.
    fn stands(&self, of: ContentHash, day: Date) -> bool {
        self.of == of && self.from <= day && self.until.is_none_or(|until| day < until)
    }

    /// When another one has to be made although no file changes, in Unix milliseconds.
    pub(super) fn until_ms(&self, zone: &TimeZone) -> Option<i64> {
        begin_ms(self.until?, zone)
    }
}

/// Makes the mappers of one configuration; each folder is read once.
pub(super) struct Workshop<'a> {
    config: &'a Config,
    shared: Shared,
    connectors: BTreeMap<ConnectionId, Connector>,
    /// By what they are made of, and the day.
    compiled: BTreeMap<(ContentHash, Date), Arc<mapping::Generation>>,
}

/// The layers that all tenants have in common.
struct Connector {
    builtin: Option<Files>,
    files: Files,
    digest: ContentHash,
}

impl<'a> Workshop<'a> {
    pub(super) fn new(config: &'a Config) -> Self {
        let shared = Shared::read(&config.mappings);
        Self { config, shared, connectors: BTreeMap::new(), compiled: BTreeMap::new() }
    }

    /// The mapper of a connection on a day: the one that there was, where nothing that it was made of has changed, else one
    /// that its cases have judged.
    ///
    /// # Errors
    /// [`Failure`] with every fault of every file, or the first case that fails.
    pub(super) fn mapper(
        &mut self,
        tenant: &Tenant,
        connection: &Connection,
        day: Date,
        kept: Option<(&Made, &Arc<dyn Mapper>)>,
    ) -> Result<(Arc<dyn Mapper>, Made), Failure> {
        let (layers, texts) = self.layers(tenant, connection, Some(day));
        let (zone, region) = (tenant.timezone.name(), tenant.region.as_str());
        let name = connection.mapping.as_str();
        let cases = format!("{:?}", self.config.cases);
        let scripts = ContentHash::of_parts([&texts.0[..], name.as_bytes(), cases.as_bytes()]);
        let of = ContentHash::of_parts([&scripts.0[..], zone.as_bytes(), region.as_bytes()]);
        if let Some((made, mapper)) = kept.filter(|(made, _)| made.stands(of, day)) {
            return Ok((mapper.clone(), *made));
        }
        let compiled = match self.compiled.get(&(scripts, day)) {
            Some(compiled) => compiled.clone(),
            None => Arc::new(self.compile(tenant, connection, layers)?),
        };
        self.compiled.insert((scripts, day), compiled.clone());
        let mapper = compiled.mapper(&connection.id, zone, region);
        let mapper = mapper.map_err(|cause| Failure::of(&cause))?;
        Ok((mapper, Made { of, from: day, until: compiled.next_day() }))
    }

    /// The layers of a connection's mappings as their files are, and the digest of their texts.
    fn layers(
        &mut self,
        tenant: &Tenant,
        connection: &Connection,
        day: Option<Date>,
    ) -> (Layers, ContentHash) {
        let name = connection.mapping.as_str();
        let folder = tenant.mappings.as_ref().map(|folder| folder.join(name));
        let folder = folder.filter(|folder| folder.is_dir());
        let own = folder.map(|folder| Files::read(&format!("{}/{name}/", tenant.id), &folder));
        let config = self.config;
        let known = self.connectors.entry(connection.mapping.clone());
        let common = known.or_insert_with(|| Connector::read(config, name));
        let mut parts = vec![common.digest, self.shared.digest()];
        parts.extend(own.as_ref().map(Files::digest));
        let layers = Layers {
            builtin: common.builtin.clone(),
            connector: common.files.clone(),
            tenant: own,
            shared: self.shared.clone(),
            day,
        };
        (layers, ContentHash::of_parts(parts.iter().map(|part| &part.0[..])))
    }

    /// Compiles layers and lets their cases judge them.
    fn compile(
        &self,
        tenant: &Tenant,
        connection: &Connection,
        layers: Layers,
    ) -> Result<mapping::Generation, Failure> {
        let generation = compile(self.config, connection, layers)?;
        doubt(self.config, tenant, connection, &generation);
        let cases = generation.run_cases(&connection.mapping);
        if let Some(first) = cases.failures().next() {
            let told = first.differences.join("\n  ");
            match self.config.cases {
                Cases::Gate => {
                    return Err(Failure::new(format!(
                        "the case `{}` fails:\n  {told}",
                        first.file
                    ))
                    .hint("mend the mapping, or the case if it asks for something else now"));
                }
                Cases::Warn => {
                    let failing = cases.failures().count();
                    warn!(failing, first = %first.file, "mapping cases fail; the mappings are in force all the same");
                }
            }
        }
        Ok(generation)
    }
}

impl Connector {
    fn read(config: &Config, name: &str) -> Self {
        let builtin = mapping::builtin::files(name);
        let files = Files::read(&format!("{name}/"), &config.mappings.join(name));
        let digests = [builtin.as_ref().map(Files::digest), Some(files.digest())];
        let parts = digests.iter().map(|digest| digest.as_ref().map_or(&[][..], |it| &it.0[..]));
        Self { digest: ContentHash::of_parts(parts), builtin, files }
    }
}

fn compile(
    config: &Config,
    connection: &Connection,
    layers: Layers,
) -> Result<mapping::Generation, Failure> {
    if layers.is_empty() {
        let folder = config.mappings.join(connection.mapping.as_str());
        return Err(Failure::new(format!("there are no mappings in `{}`", folder.display()))
            .hint("name the folder that holds them as `mappings` in rollcall.yaml"));
    }
    mapping::Generation::of_layers(layers).map_err(|faults| Failure::reports(&faults))
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
    compile(config, connection, layers(config, tenant, connection, Some(day)))
}

/// The layers of a connection's mappings, as their files are now.
pub fn layers(
    config: &Config,
    tenant: &Tenant,
    connection: &Connection,
    day: Option<Date>,
) -> Layers {
    Workshop::new(config).layers(tenant, connection, day).0
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

    #[test]
    fn a_mapper_stands_as_long_as_its_texts_and_its_exceptions_do() {
        let (one, other) = (ContentHash::of(b"one"), ContentHash::of(b"other"));
        let day = |day| Date::constant(2026, 7, day);
        let made = Made { of: one, from: day(3), until: Some(day(6)) };
        assert!(made.stands(one, day(3)) && made.stands(one, day(5)));
        assert!(!made.stands(other, day(3)), "another text");
        assert!(!made.stands(one, day(6)), "an exception begins or ends");
        assert!(!made.stands(one, day(2)), "the clock was set back");
        assert!(Made { until: None, ..made }.stands(one, Date::MAX));
    }
}
