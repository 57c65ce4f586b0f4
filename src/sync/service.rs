//! One connection kept in step: a loop that runs on schedule, on request and after a reload.
//!
//! A pass is never dropped half way: what to do is chosen first, the work is awaited outside of the choice.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::config::{Schedule, Zone};
use crate::model::entity::Entity;
use crate::model::ids::{ConnectionId, TenantId};
use crate::model::rate::Quota;
use crate::port::mapper::Mapper;

use super::SyncError;
use super::ledger::RunState;
use super::look::{self, Asker, Looked, Order, Sight};
use super::outlook::{Outlook, Watcher};
use super::progress::Progress;
use super::report::Report;
use super::run::{Mode, Request, Syncer};

/// A full listing that could not be certified is made again after this long, so often.
const AGAIN: Duration = Duration::from_mins(30);
const TRIES: u32 = 3;
/// When nothing is scheduled, the loop looks again after this long.
const IDLE: Duration = Duration::from_hours(1);

/// Everything a pass needs; a reload replaces it as a whole.
pub struct Wiring {
    /// The connection.
    pub syncer: Syncer,
    /// Its mappings.
    pub mapper: Arc<dyn Mapper>,
    /// When it runs.
    pub schedule: Schedule,
    /// When everything is listed in any case.
    pub full_listing: Schedule,
    /// Where the schedule is read.
    pub zone: Zone,
}

/// What a service is doing and what it did last.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// The customer.
    pub tenant: TenantId,
    /// The connection.
    pub connection: ConnectionId,
    /// Why a run is on its way, if one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub running: Option<Trigger>,
    /// How far that run is, and how long it still takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outlook: Option<Outlook>,
    /// Calls that the platform meters by the month.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub quotas: Vec<Quota>,
    /// Unix milliseconds of the next scheduled run.
    pub next_run_ms: Option<i64>,
    /// The last run that came to a report.
    pub last: Option<Arc<Report>>,
    /// Why the last run broke off, if it did.
    pub error: Option<String>,
    /// Runs that came to a report since the service started, those over pushed events left out.
    pub runs: u64,
    /// Runs over pushed events that came to a report; `last` and `error` tell nothing of them.
    pub looks: u64,
}

/// Why a pass is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// The service has just started.
    Start,
    /// It is time.
    Schedule,
    /// It is time to list everything, or the last such listing could not be certified.
    FullListing,
    /// An event of the platform is known to be lost: what it told can only be found by reading.
    Lost,
    /// Someone asked.
    Request,
    /// Mappings, configuration or plugins changed.
    Reload,
    /// The platform pushed events.
    Event,
}

/// The loop. Run it with [`Service::run`].
pub struct Service {
    wiring: watch::Receiver<Arc<Wiring>>,
    /// What the last pass worked by.
    worked_by: Arc<Wiring>,
    requests: mpsc::Receiver<()>,
    looks: mpsc::Receiver<Order>,
    /// Unix milliseconds of the next scheduled run, and what it is; a look does not move it.
    due: Option<(i64, Trigger)>,
    status: watch::Sender<Status>,
    progress: Arc<dyn Progress>,
    /// Full listings in a row that could not be certified, and when the next try is due (Unix milliseconds).
    uncertified: u32,
    again: Option<i64>,
}

/// A hold on a running service.
#[derive(Clone)]
pub struct Handle {
    wiring: watch::Sender<Arc<Wiring>>,
    requests: mpsc::Sender<()>,
    looks: Asker,
    status: watch::Receiver<Status>,
}

impl Handle {
    /// Puts new wiring in force; the run on its way keeps the old one to its end.
    pub fn rewire(&self, wiring: Wiring) {
        self.wiring.send_replace(Arc::new(wiring));
    }

    /// Asks for a run; several requests before it starts make one.
    pub fn request(&self) {
        // A full channel holds a request already.
        self.requests.try_send(()).ok();
    }

    /// Looks as soon as the run on its way has ended, and tells how that went.
    pub async fn look(&self, sight: Sight) -> Looked {
        self.looks.ask(sight).await
    }

    /// The status, to look at or to wait on.
    pub fn status(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }
}

impl Service {
    /// A service and its handle.
    pub fn new(wiring: Wiring, progress: Arc<dyn Progress>) -> (Self, Handle) {
        let status = Status {
            tenant: wiring.syncer.tenant.clone(),
            connection: wiring.syncer.connection.clone(),
            running: None,
            outlook: None,
            quotas: wiring.syncer.provider.quotas(),
            next_run_ms: None,
            last: None,
            error: None,
            runs: 0,
            looks: 0,
        };
        let worked_by = Arc::new(wiring);
        let (wiring_sender, wiring) = watch::channel(worked_by.clone());
        let (request_sender, requests) = mpsc::channel(1);
        let (status_sender, status) = watch::channel(status);
        let (asker, looks) = look::channel();
        let service = Self {
            wiring,
            worked_by,
            requests,
            looks,
            due: None,
            status: status_sender,
            progress,
            uncertified: 0,
            again: None,
        };
        (service, Handle { wiring: wiring_sender, requests: request_sender, looks: asker, status })
    }

    /// Runs until `stop`; a run on its way is ended early.
    pub async fn run(mut self, stop: CancellationToken) {
        self.pass(Trigger::Start, Mode::Sync, &stop).await.ok();
        self.due = self.next();
        loop {
            let wait = self.until_due();
            let trigger = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                changed = self.wiring.changed() => match changed {
                    Ok(()) => Trigger::Reload,
                    Err(_) => break,
                },
                Some(()) = self.requests.recv() => Trigger::Request,
                () = sleep(wait) => match self.due {
                    Some((_, trigger)) => trigger,
                    None => continue,
                },
                Some(order) = self.looks.recv() => {
                    let ended = self.pass(order.trigger(), order.mode(), &stop).await;
                    // Who asked may have gone.
                    order.told.send(Looked::of(&ended)).ok();
                    continue;
                }
            };
            let mode = if trigger == Trigger::Reload { Mode::Remap } else { Mode::Sync };
            if mode == Mode::Sync || self.maps_anew() {
                self.pass(trigger, mode, &stop).await.ok();
            }
            self.due = self.next();
        }
    }

    /// Whether the newest wiring maps otherwise than the last pass did: one tenant's edit is no work for all others.
    fn maps_anew(&mut self) -> bool {
        let (old, new) = (&self.worked_by, self.wiring.borrow_and_update());
        let differs = |entity: Entity| old.mapper.digest(entity) != new.mapper.digest(entity);
        let matching = |wiring: &Wiring| wiring.syncer.settings.matching.clone();
        Entity::ALL.into_iter().any(differs) || matching(old) != matching(&new)
    }

    /// When the next run is due, and what it is.
    fn next(&self) -> Option<(i64, Trigger)> {
        let wiring = self.wiring.borrow();
        let now = wiring.syncer.clock.now_ms();
        let full = wiring.full_listing.next(now, &wiring.zone);
        let full = full.into_iter().chain(self.again.map(|at| at.max(now))).min();
        let next = wiring.schedule.next(now, &wiring.zone);
        let due = match (full, next) {
            // Every scheduled run lists everything, so one at the same moment is the full listing.
            (Some(full), next) if next.is_none_or(|next| full <= next) => {
                Some((full, Trigger::FullListing))
            }
            (_, next) => next.map(|next| (next, Trigger::Schedule)),
        };
        self.status.send_modify(|status| status.next_run_ms = due.map(|(at, _)| at));
        due
    }

    /// Decides whether a full listing has to be made again before the next night.
    fn certified(&mut self, trigger: Trigger, whole: bool, now: i64) {
        if matches!(trigger, Trigger::Reload | Trigger::Event) {
            return;
        }
        if whole {
            (self.uncertified, self.again) = (0, None);
        } else if trigger == Trigger::FullListing {
            self.uncertified += 1;
            let pause = i64::try_from(AGAIN.as_millis()).unwrap_or_default();
            self.again = (self.uncertified <= TRIES).then(|| now.saturating_add(pause));
            if self.again.is_none() {
                self.uncertified = 0;
            }
        }
    }

    fn until_due(&self) -> Duration {
        let now = self.wiring.borrow().syncer.clock.now_ms();
        let wait = |(at, _)| Duration::from_millis(u64::try_from(at - now).unwrap_or_default());
        self.due.map_or(IDLE, wait)
    }

    async fn pass(
        &mut self,
        trigger: Trigger,
        mode: Mode,
        stop: &CancellationToken,
    ) -> Result<Arc<Report>, SyncError> {
        let wiring = self.wiring.borrow_and_update().clone();
        self.worked_by = wiring.clone();
        self.status.send_modify(|status| status.running = Some(trigger));
        let request = Request {
            mode,
            approve: None,
            stop: stop.clone(),
            progress: Watcher::over(&wiring.syncer, self.status.clone(), self.progress.clone()),
            mapper: wiring.mapper.clone(),
        };
        let ended = wiring.syncer.run(&request).await.map(Arc::new);
        let Syncer { tenant, connection, .. } = &wiring.syncer;
        let whole = ended
            .as_ref()
            .is_ok_and(|report| report.doubts.is_empty() && report.failures.is_empty());
        self.certified(trigger, whole, wiring.syncer.clock.now_ms());
        match &ended {
            Ok(report) => told(report, trigger),
            Err(cause) => error!(%tenant, %connection, ?trigger, %cause, "run broke off"),
        }
        self.status.send_modify(|status| {
            status.running = None;
            status.outlook = None;
            status.quotas = wiring.syncer.provider.quotas();
            match &ended {
                _ if trigger == Trigger::Event => status.looks += u64::from(ended.is_ok()),
                Ok(report) => {
                    status.last = Some(report.clone());
                    status.error = None;
                    status.runs += 1;
                }
                Err(cause) => status.error = Some(cause.to_string()),
            }
        });
        ended
    }
}

fn told(report: &Report, trigger: Trigger) {
    let Report { tenant, connection, run, .. } = report;
    let (writes, records, wall_ms) = (report.writes(), report.records(), report.wall_ms);
    info!(%tenant, %connection, %run, ?trigger, records, writes, wall_ms, "run ended");
    for (entity, doubts) in &report.doubts {
        for doubt in doubts {
            warn!(%tenant, %connection, %run, %entity, %doubt, "listing not certified: nobody is retired");
        }
    }
    if report.state == RunState::Held {
        for held in &report.held {
            warn!(%tenant, %connection, %run, reason = %held, "plan held before its first write");
        }
    }
}
