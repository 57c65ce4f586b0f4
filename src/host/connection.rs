//! One plugin set up for one tenant: a [`Provider`].
//!
//! It holds a few instances, gives each one call at a time, paces the calls and repeats those that met a busy platform. The
//! invariant: whatever a guest does ends with a fault of that call.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::model::entity::Entity;
use crate::model::fault::{Disposition, Fault};
use crate::model::ids::{ConnectionId, SourceId, TenantId};
use crate::model::rate::Quota;
use crate::model::record::{Capabilities, Cursor, Finding, Page, Record, Window};
use crate::port::clock::Clock;
use crate::port::provider::Provider;

use super::callbacks::Callbacks;
use super::context::Shared;
use super::error::HostError;
use super::instance::{Live, Operation, Ran, run};
use super::kept::Kept;
use super::limits::Limits;
use super::manifest::LongConnectionAsk;
use super::net::grant::{Grant, Reach};
use super::operation::{Fetch, List, ListAttendance, Offer, Probe};
use super::pace::Pace;
use super::plugin::Plugin;
use super::random::Randomness;
use super::record::Recorder;
use super::retry::Attempts;
use super::secret::{SecretSource, mentions};
use super::settings;

/// What a connection is made of.
pub struct ConnectionSpec {
    /// The plugin.
    pub plugin: Arc<Plugin>,
    /// Whose it is.
    pub tenant: TenantId,
    /// Its name.
    pub connection: ConnectionId,
    /// Settings as the tenant wrote them.
    pub settings: BTreeMap<String, String>,
    /// Where its secrets come from.
    pub secrets: Arc<dyn SecretSource>,
    /// The hosts it may talk to, of those the plugin asks for.
    pub grants: Vec<Grant>,
    /// Its bounds.
    pub limits: Limits,
    /// The present, for the guest.
    pub clock: Arc<dyn Clock>,
    /// Randomness, for the guest and for spreading retries.
    pub random: Arc<dyn Randomness>,
}

/// A plugin set up for one tenant.
pub struct Connection {
    pub(super) shared: Arc<Shared>,
    idle: Mutex<Vec<Live>>,
    pace: Pace,
    pub(super) callbacks: Callbacks,
    habits: Mutex<BTreeMap<Entity, Habit>>,
}

/// What calls for a kind of record have needed so far.
#[derive(Default)]
struct Habit {
    requests: f64,
    /// Requests in each bucket of the limits.
    buckets: BTreeMap<usize, f64>,
}

impl Connection {
    /// Sets a plugin up. Nothing of it runs yet.
    ///
    /// # Errors
    /// [`HostError`] when the settings are not what the plugin asks for.
    pub fn new(spec: ConnectionSpec) -> Result<Self, HostError> {
        Self::set_up(spec, None)
    }

    /// Sets a plugin up and lets a recorder listen to it.
    ///
    /// # Errors
    /// As [`Connection::new`], and [`HostError::Record`] when the recorder listens to another connection already.
    pub fn recorded(spec: ConnectionSpec, recorder: &Arc<Recorder>) -> Result<Self, HostError> {
        let connection = Self::set_up(spec, Some(Arc::clone(recorder)))?;
        recorder.begin(&connection.shared)?;
        Ok(connection)
    }

    fn set_up(spec: ConnectionSpec, recorder: Option<Arc<Recorder>>) -> Result<Self, HostError> {
        let settings = settings::filled(spec.plugin.manifest(), spec.settings)?;
        let asked = settings::hosts(spec.plugin.manifest(), &settings)?;
        let pace = Pace::new(spec.limits.instances);
        let callbacks = Callbacks::new(spec.limits.instances);
        let budgets = &spec.plugin.core.budgets;
        let rates = budgets.of(&spec.tenant, spec.plugin.manifest(), &settings);
        let shared = Shared {
            plugin: spec.plugin,
            tenant: spec.tenant,
            connection: spec.connection,
            settings,
            secrets: spec.secrets,
            reach: Reach::new(asked, spec.grants),
            limits: spec.limits,
            clock: spec.clock,
            random: spec.random,
            kept: Kept::default(),
            requests: AtomicU64::new(0),
            in_turn: AtomicBool::new(false),
            recorder,
            rates,
        };
        Ok(Self {
            shared: Arc::new(shared),
            idle: Mutex::default(),
            pace,
            callbacks,
            habits: Mutex::default(),
        })
    }

    /// The plugin behind it.
    pub fn plugin(&self) -> &Arc<Plugin> {
        &self.shared.plugin
    }

    /// That the plugin's platform has a long connection, and that the plugin reads what comes over it.
    ///
    /// # Errors
    /// [`HostError::NoLongConnection`] when it has none.
    pub fn check_long_connection(&self) -> Result<(), HostError> {
        self.long_connection().map(drop)
    }

    pub(super) fn long_connection(&self) -> Result<&LongConnectionAsk, HostError> {
        let asked = self.plugin().manifest().long_connection.as_ref();
        asked.filter(|_| self.takes_callbacks()).ok_or_else(|| HostError::NoLongConnection {
            plugin: self.plugin().name().clone(),
            connection: self.shared.connection.clone(),
        })
    }

    pub(super) async fn call<O: Operation>(&self, operation: &O) -> Result<O::Out, Fault> {
        let mut attempts = Attempts::begin(self.shared.limits.retry);
        loop {
            let pass = self.pace.enter().await;
            let Ran { out, throttled, .. } = self.once(operation).await;
            let fault = match out {
                Ok(out) => {
                    pass.went_well();
                    return Ok(out);
                }
                Err(fault) => fault,
            };
            let Disposition::Retry(asked) = fault.disposition() else { return Err(fault) };
            let Some(wait) = attempts.next(asked, self.shared.random.as_ref()) else {
                if matches!(fault, Fault::RateLimited(_)) && !throttled {
                    // Longer than a call may take in all, later calls had better fail and say so.
                    pass.slow_down(asked.unwrap_or_default().min(self.shared.limits.retry.total));
                }
                return Err(fault);
            };
            let (tenant, connection) = (&self.shared.tenant, &self.shared.connection);
            tracing::debug!(%tenant, %connection, export = O::EXPORT, ?wait, %fault, "call repeated");
            if throttled {
                // The limits of that class hold the next attempt back, and nobody else.
                drop(pass);
            } else if matches!(fault, Fault::RateLimited(_)) {
                pass.slow_down(wait);
            } else {
                drop(pass);
                tokio::time::sleep(wait).await;
            }
        }
    }

    async fn once<O: Operation>(&self, operation: &O) -> Ran<O::Out> {
        let idle = self.lock().pop();
        let mut ran = run(&self.shared, idle, operation).await;
        self.lock().extend(ran.live.take());
        if let Some(entity) = operation.entity().filter(|_| ran.out.is_ok()) {
            let mut habits = self.habits.lock().unwrap_or_else(PoisonError::into_inner);
            let habit = habits.entry(entity).or_default();
            habit.requests += f64::from(ran.requests);
            for bucket in &ran.used {
                *habit.buckets.entry(*bucket).or_default() += 1.0;
            }
        }
        ran
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Live>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The texts of ids. An id that looks like a placeholder for a secret would become one in a guest's request.
fn texts(ids: &[SourceId]) -> Result<Vec<String>, Fault> {
    ids.iter().map(|id| checked(id).map(|id| id.as_str().to_owned())).collect()
}

fn checked(id: &SourceId) -> Result<&SourceId, Fault> {
    if mentions(id.as_str().as_bytes()) { Err(Fault::NotFound) } else { Ok(id) }
}

#[async_trait]
impl Provider for Connection {
    async fn capabilities(&self) -> Result<Capabilities, Fault> {
        self.call(&Offer).await
    }

    async fn probe(&self) -> Result<Vec<Finding>, Fault> {
        self.call(&Probe).await
    }

    async fn list(
        &self,
        entity: Entity,
        within: Option<&SourceId>,
        cursor: Option<&Cursor>,
    ) -> Result<Page, Fault> {
        let within = within.map(checked).transpose()?;
        self.call(&List { entity, within, cursor }).await
    }

    async fn list_attendance(
        &self,
        entity: Entity,
        people: &[SourceId],
        window: Window,
        cursor: Option<&Cursor>,
    ) -> Result<Page, Fault> {
        let people = texts(people)?;
        self.call(&ListAttendance { entity, people, window, cursor }).await
    }

    async fn fetch(&self, entity: Entity, ids: &[SourceId]) -> Result<Vec<Record>, Fault> {
        let ids = texts(ids)?;
        self.call(&Fetch { entity, ids }).await
    }

    fn quotas(&self) -> Vec<Quota> {
        self.shared.rates.quotas(self.shared.clock.now_ms())
    }

    fn time_for(&self, entity: Entity, requests: u64) -> Option<Duration> {
        let habits = self.habits.lock().unwrap_or_else(PoisonError::into_inner);
        let habit = habits.get(&entity)?;
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let share = requests as f64 / habit.requests.max(1.0);
        let requests = habit.buckets.iter().map(|(&at, &count)| (at, count * share)).collect();
        Some(self.shared.rates.time_for(&requests))
    }

    fn requests(&self) -> u64 {
        self.shared.requests.load(Ordering::Relaxed)
    }
}
