//! What all requests share: the world, the clock, and the books that the platform keeps.
//!
//! Not the answers. The invariant: every lock is held only while one request or one change is worked on.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use crate::calendar::civil;
use crate::clock::Clock;
use crate::dice::{Ask, Dice};
use crate::endpoint::Endpoint;
use crate::faults::{Fault, FaultBox, FaultRule};
use crate::feed::Feed;
use crate::ids::Ids;
use crate::limits::{Budget, Limiter, RateLimits};
use crate::lines::Lines;
use crate::platform::Platform;
use crate::tickets::Tickets;
use crate::tokens::{Issued, TokenKind, Tokens};
use crate::world::World;

/// What does not change while the simulator runs.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub platform: Platform,
    pub app_id: String,
    pub app_secret: String,
    pub token_life: Duration,
    pub rate_limits: RateLimits,
    pub rate_limit_reset: u64,
    /// How long a long connection lives after its drop was announced.
    pub notice: Duration,
}

/// How often each endpoint was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    /// Endpoints that were asked at all.
    pub by_endpoint: Vec<(Endpoint, u64)>,
    /// All of them.
    pub total: u64,
    /// Those refused by the rate limits; they are in the other counts too.
    pub throttled: u64,
}

impl Requests {
    /// How often one endpoint was asked.
    pub fn of(&self, endpoint: impl Into<Endpoint>) -> u64 {
        let endpoint = endpoint.into();
        self.by_endpoint.iter().find(|(known, _)| *known == endpoint).map_or(0, |(_, count)| *count)
    }
}

#[derive(Debug)]
pub(crate) struct Site {
    pub seed: u64,
    pub ids: Ids,
    pub config: Config,
    pub clock: Clock,
    /// What is pushed, whichever way.
    pub feed: Feed,
    pub lines: Lines,
    tickets: Mutex<Tickets>,
    dice: Dice,
    world: RwLock<World>,
    tokens: Mutex<Tokens>,
    limiter: Mutex<Limiter>,
    faults: Mutex<FaultBox>,
    endpoints: &'static [Endpoint],
    counts: Vec<AtomicU64>,
    total: AtomicU64,
    throttled: AtomicU64,
}

impl Site {
    pub(crate) fn new(
        seed: u64,
        config: Config,
        clock: Clock,
        world: World,
        endpoints: &'static [Endpoint],
        faults: Vec<FaultRule>,
    ) -> Self {
        let dice = Dice::new(seed);
        Self {
            seed,
            ids: Ids::new(seed),
            clock,
            feed: Feed::default(),
            lines: Lines::new(config.notice),
            tickets: Mutex::new(Tickets::new(dice)),
            dice,
            world: RwLock::new(world),
            tokens: Mutex::new(Tokens::new(dice, config.token_life)),
            limiter: Mutex::default(),
            faults: Mutex::new(FaultBox::new(dice, faults)),
            endpoints,
            counts: endpoints.iter().map(|_| AtomicU64::new(0)).collect(),
            total: AtomicU64::new(0),
            throttled: AtomicU64::new(0),
            config,
        }
    }

    pub(crate) fn world(&self) -> RwLockReadGuard<'_, World> {
        self.world.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn world_mut(&self) -> RwLockWriteGuard<'_, World> {
        self.world.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, FaultBox> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn strikes(&self, fault: Fault, endpoint: impl Into<Endpoint>) -> bool {
        self.faults().strikes(fault, endpoint.into())
    }

    /// Counts a request and names it for the platform's log.
    pub(crate) fn count(&self, endpoint: Endpoint) -> String {
        if let Some(count) = self.counts.get(endpoint.place()) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let nth = self.total.fetch_add(1, Ordering::Relaxed);
        let (year, month, day) = civil(crate::calendar::day_of(self.clock.now()));
        let roll = self.dice.roll(Ask::Log, nth, 0);
        format!("{year:04}{month:02}{day:02}{nth:08}{:016X}", roll.0)
    }

    pub(crate) fn requests(&self) -> Requests {
        let count = |endpoint: &Endpoint| {
            let count = self.counts.get(endpoint.place())?.load(Ordering::Relaxed);
            (count > 0).then_some((*endpoint, count))
        };
        let by_endpoint = self.endpoints.iter().filter_map(count).collect();
        let [total, throttled] =
            [&self.total, &self.throttled].map(|count| count.load(Ordering::Relaxed));
        Requests { by_endpoint, total, throttled }
    }

    /// # Errors
    /// The limit and the seconds to wait, by the budgets or by a fault.
    pub(crate) fn admit(
        &self,
        endpoint: impl Into<Endpoint>,
        documented: Budget,
    ) -> Result<(), (u32, u64)> {
        let endpoint = endpoint.into();
        let mut limiter = self.limiter.lock().unwrap_or_else(PoisonError::into_inner);
        let admitted =
            limiter.admit(self.config.rate_limits, endpoint, documented, self.clock.uptime());
        drop(limiter);
        admitted.map_err(|exceeded| {
            self.throttled.fetch_add(1, Ordering::Relaxed);
            (exceeded.limit, exceeded.reset)
        })?;
        if self.strikes(Fault::RateLimited, endpoint) {
            return Err((50, self.config.rate_limit_reset));
        }
        Ok(())
    }

    fn tokens(&self) -> MutexGuard<'_, Tokens> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn issue(&self, kind: TokenKind) -> Issued {
        self.tokens().issue(kind, self.clock.uptime())
    }

    pub(crate) fn is_valid(&self, kind: TokenKind, token: &str) -> bool {
        self.tokens().is_valid(kind, token, self.clock.uptime())
    }

    pub(crate) fn tickets(&self) -> MutexGuard<'_, Tickets> {
        self.tickets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn revoke(&self, token: &str) {
        self.tokens().revoke(token);
    }

    pub(crate) fn revoke_all(&self) {
        self.tokens().revoke_all();
    }
}
