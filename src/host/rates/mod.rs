//! The rate limits of a platform, kept by the host: a request waits here for its turn, so that a sync runs at the limit and
//! not above it.
//!
//! One [`Rates`] for each app of a tenant, whatever connections use it; in it one [`bucket::Bucket`] for each class of
//! endpoints that the plugin's manifest declares ([`ask`]), and one for all the rest. A bucket begins at the documented
//! limit and follows what the platform says in headers and codes ([`signs`]). Not for retries: a refused request is the
//! guest's to report, its repetition the caller's. The invariant: a request is sent at the moment it reserved or later,
//! never before.

mod ask;
mod bucket;
mod month;
mod signs;
mod window;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use tokio::time::Instant;

pub use ask::{ClassAsk, PathPattern, Per, Rate, RatesAsk, RatesError, ThrottledAsk};

use self::bucket::Bucket;
use self::month::Month;
use super::manifest::Manifest;
use super::net::client::Fetched;
use crate::model::fault::{Advice, Fault};
use crate::model::ids::{PluginName, TenantId};
use crate::model::rate::Quota;
use crate::port::store::Store;

/// Whose limits they are: the tenant, the plugin, and the values by which the platform tells apps apart.
type Owner = (TenantId, PluginName, Vec<String>);

/// The limits of every app, shared by the process.
#[derive(Default)]
pub(super) struct Budgets {
    owners: Mutex<HashMap<Owner, Weak<Rates>>>,
    counts: OnceLock<Arc<dyn Store>>,
    /// No limit is kept but those that a platform enforces itself.
    off: OnceLock<()>,
}

/// The limits of one app.
pub(super) struct Rates {
    ask: RatesAsk,
    /// Which paths lead to which bucket; the last bucket is that of all other paths.
    routes: Vec<Route>,
    buckets: Mutex<Vec<Bucket>>,
}

struct Route {
    class: usize,
    /// Only this path of the class, when each has its own bucket.
    path: Option<usize>,
    bucket: Option<usize>,
    month: Option<Arc<Month>>,
}

/// Where a request counts.
#[derive(Clone, Default)]
pub(super) struct Classes {
    buckets: Vec<usize>,
    months: Vec<Arc<Month>>,
}

/// Why a request is not sent, not even later.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    #[error("the platform's limit asks for a wait of {0:?}")]
    Later(Duration),
    #[error(
        "the platform says that the {limit} calls of class `{class}` of this month are used up"
    )]
    Month { class: String, limit: u32, counted: u64 },
}

impl Refused {
    /// What the caller of the call sees.
    pub(super) fn fault(&self) -> Fault {
        match self {
            Self::Later(wait) => Fault::RateLimited(Some(*wait)),
            Self::Month { class, counted, .. } => Fault::Forbidden(Advice {
                code: "rates::month".to_owned(),
                message: format!("{self}; {counted} were counted here"),
                remedy: format!(
                    "wait for the next month, buy calls on the platform, or read less: a longer schedule, a shorter look-back; calls of class `{class}` are tried again every hour"
                ),
            }),
        }
    }
}

impl Budgets {
    /// Keeps the counts of metered calls in a store, so that they outlive the process. Only the first store counts.
    pub(super) fn keep_counts(&self, store: Arc<dyn Store>) {
        self.counts.set(store).ok();
    }

    /// Keeps no declared limit from now on.
    pub(super) fn ignore(&self) {
        self.off.set(()).ok();
    }

    /// The limits of the app that a connection uses.
    pub(super) fn of(
        &self,
        tenant: &TenantId,
        manifest: &Manifest,
        settings: &BTreeMap<String, String>,
    ) -> Arc<Rates> {
        if self.off.get().is_some() {
            return Rates::none();
        }
        let ask = &manifest.rates;
        let app = ask.app.iter().map(|name| settings.get(name).cloned().unwrap_or_default());
        let owner: Owner = (tenant.clone(), manifest.name.clone(), app.collect());
        let mut owners = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
        owners.retain(|_, rates| rates.strong_count() > 0);
        let kept = owners.get(&owner).and_then(Weak::upgrade).filter(|kept| kept.ask == *ask);
        kept.unwrap_or_else(|| {
            let rates = Arc::new(Rates::new(ask.clone(), &owner, self.counts.get()));
            owners.insert(owner, Arc::downgrade(&rates));
            rates
        })
    }
}

impl Rates {
    fn new(ask: RatesAsk, owner: &Owner, counts: Option<&Arc<dyn Store>>) -> Self {
        let now = Instant::now();
        let (mut routes, mut buckets) = (Vec::new(), Vec::new());
        for (class, asked) in ask.classes.iter().enumerate() {
            let month = asked.limits.iter().find(|rate| rate.per == Per::Month).map(|rate| {
                let offset = ask.utc_offset_minutes;
                Arc::new(Month::open(&asked.name, rate.requests, offset, owner, counts.cloned()))
            });
            let limits: Vec<(Duration, u32)> = asked
                .limits
                .iter()
                .filter_map(|rate| Some((rate.per.length()?, rate.requests)))
                .collect();
            // A class that is only counted by the month slows nobody down.
            let paces = month.is_none() || !limits.is_empty();
            let parts = if asked.each { asked.paths.len() } else { 1 };
            for path in 0..parts {
                let bucket = paces.then_some(buckets.len());
                buckets.extend(paces.then(|| Bucket::new(&limits, now)));
                let path = asked.each.then_some(path);
                routes.push(Route { class, path, bucket, month: month.clone() });
            }
        }
        buckets.push(Bucket::new(&[], now));
        Self { ask, routes, buckets: Mutex::new(buckets) }
    }

    /// No limits, for calls that reach no platform.
    pub(super) fn none() -> Arc<Self> {
        let buckets = Mutex::new(vec![Bucket::new(&[], Instant::now())]);
        Arc::new(Self { ask: RatesAsk::default(), routes: Vec::new(), buckets })
    }

    /// Where a request to a path counts.
    pub(super) fn classes(&self, path: &str) -> Classes {
        let mut classes = Classes::default();
        for route in &self.routes {
            let paths = &self.ask.classes[route.class].paths;
            let meets = match route.path {
                Some(at) => paths[at].matches(path),
                None => paths.iter().any(|pattern| pattern.matches(path)),
            };
            if meets {
                classes.buckets.extend(route.bucket);
                classes.months.extend(route.month.clone());
            }
        }
        if classes.buckets.is_empty() {
            classes.buckets.push(self.lock().len() - 1);
        }
        classes
    }

    /// Reserves the next moment at which a request may be sent, at most `patience` from now.
    pub(super) fn reserve(
        &self,
        classes: &Classes,
        patience: Duration,
        now_ms: i64,
    ) -> Result<Instant, Refused> {
        if let Some(month) = classes.months.iter().find(|month| month.is_spent(now_ms)) {
            return Err(month.refused());
        }
        let now = Instant::now();
        let mut buckets = self.lock();
        let mut at = now;
        // A later moment for one bucket may be too early for one asked before it; two rounds settle most, all converge.
        loop {
            let before = at;
            for &bucket in &classes.buckets {
                at = buckets[bucket].next(at, now);
            }
            if at == before {
                break;
            }
        }
        if at - now > patience {
            return Err(Refused::Later(at - now));
        }
        for &bucket in &classes.buckets {
            buckets[bucket].take(at);
        }
        Ok(at)
    }

    /// Whether the platform has refused a class since the reservation.
    pub(super) fn is_blocked(&self, classes: &Classes) -> bool {
        let (buckets, now) = (self.lock(), Instant::now());
        classes.buckets.iter().any(|&bucket| buckets[bucket].blocked(now).is_some())
    }

    /// Takes note of an answer; tells whether it refuses for the rate.
    pub(super) fn answered(
        &self,
        classes: &Classes,
        sent: Instant,
        fetched: &Fetched,
        now_ms: i64,
    ) -> bool {
        let told = signs::read(&self.ask.throttled, fetched);
        let mut buckets = self.lock();
        match told {
            Some(told) if told.month && !classes.months.is_empty() => {
                for month in &classes.months {
                    month.spend(now_ms);
                }
            }
            Some(told) => {
                let now = Instant::now();
                for &at in &classes.buckets {
                    buckets[at].throttle(told, sent, now);
                }
            }
            None => {
                let now = Instant::now();
                for &at in &classes.buckets {
                    buckets[at].served(sent, now);
                }
            }
        }
        told.is_some()
    }

    /// What is counted by the month.
    pub(super) fn quotas(&self, now_ms: i64) -> Vec<Quota> {
        let mut quotas: Vec<Quota> = Vec::new();
        for month in self.routes.iter().filter_map(|route| route.month.as_ref()) {
            if quotas.last().is_none_or(|last| last.class != month.class()) {
                quotas.push(month.quota(now_ms));
            }
        }
        quotas
    }

    /// The time that requests take at the present limits: `requests` of each bucket.
    pub(super) fn time_for(&self, requests: &BTreeMap<usize, f64>) -> Duration {
        let buckets = self.lock();
        let times =
            requests.iter().filter_map(|(&at, &count)| Some(buckets.get(at)?.time_for(count)));
        times.max().unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Bucket>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Classes {
    /// The buckets, by number.
    pub(super) fn buckets(&self) -> &[usize] {
        &self.buckets
    }

    /// Counts a request that the platform served, on disk before it returns.
    pub(super) async fn count(&self, now_ms: i64) {
        for month in &self.months {
            month.clone().count(now_ms).await;
        }
    }
}

#[cfg(test)]
mod tests;
