//! What all requests share: the world, the clock, and the books that the platform keeps.
//!
//! Not the answers. The invariant: every lock is held only while one request or one change is worked on.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use crate::calendar::civil;
use crate::clock::Clock;
use crate::dice::{Ask, Dice};
use crate::endpoint::Endpoint;
use crate::faults::{Fault, FaultBox, FaultRule};
use crate::feishu::TokenErrors;
use crate::feishu::access::Access;
use crate::ids::Ids;
use crate::limits::{Limiter, RateLimits};
use crate::tokens::{Issued, TokenKind, Tokens};
use crate::world::World;

/// What does not change while the simulator runs.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub app_id: String,
    pub app_secret: String,
    pub verification_token: String,
    pub tenant_key: String,
    pub token_life: Duration,
    pub token_errors: TokenErrors,
    pub recursion_limit: Option<usize>,
    pub max_span_days: u32,
    pub rate_limits: RateLimits,
    pub rate_limit_reset: u64,
    pub slow_step: Duration,
}

/// How often each endpoint was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    /// Endpoints that were asked at all.
    pub by_endpoint: Vec<(Endpoint, u64)>,
    /// All of them.
    pub total: u64,
}

impl Requests {
    /// How often one endpoint was asked.
    pub fn of(&self, endpoint: Endpoint) -> u64 {
        self.by_endpoint.iter().find(|(known, _)| *known == endpoint).map_or(0, |(_, count)| *count)
    }
}

#[derive(Debug)]
pub(crate) struct Site {
    pub seed: u64,
    pub ids: Ids,
    pub config: Config,
    pub clock: Clock,
    dice: Dice,
    world: RwLock<World>,
    access: RwLock<Arc<Access>>,
    tokens: Mutex<Tokens>,
    limiter: Mutex<Limiter>,
    faults: Mutex<FaultBox>,
    counts: Vec<AtomicU64>,
    total: AtomicU64,
}

impl Site {
    pub(crate) fn new(
        seed: u64,
        config: Config,
        clock: Clock,
        world: World,
        access: Access,
        faults: Vec<FaultRule>,
    ) -> Self {
        let dice = Dice::new(seed);
        Self {
            seed,
            ids: Ids::new(seed),
            clock,
            dice,
            world: RwLock::new(world),
            access: RwLock::new(Arc::new(access)),
            tokens: Mutex::new(Tokens::new(dice, config.token_life)),
            limiter: Mutex::default(),
            faults: Mutex::new(FaultBox::new(dice, faults)),
            counts: Endpoint::ALL.iter().map(|_| AtomicU64::new(0)).collect(),
            total: AtomicU64::new(0),
            config,
        }
    }

    pub(crate) fn world(&self) -> RwLockReadGuard<'_, World> {
        self.world.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn world_mut(&self) -> RwLockWriteGuard<'_, World> {
        self.world.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn access(&self) -> Arc<Access> {
        Arc::clone(&self.access.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn set_access(&self, access: Access) {
        *self.access.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(access);
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, FaultBox> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn strikes(&self, fault: Fault, endpoint: Endpoint) -> bool {
        self.faults().strikes(fault, endpoint)
    }

    /// Counts a request and names it, as `X-Tt-Logid` does.
    pub(crate) fn count(&self, endpoint: Endpoint) -> String {
        if let Some(count) = self.counts.get(endpoint as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let nth = self.total.fetch_add(1, Ordering::Relaxed);
        let (year, month, day) = civil(crate::calendar::day_of(self.clock.now()));
        let roll = self.dice.roll(Ask::Log, nth, 0);
        format!("{year:04}{month:02}{day:02}{nth:08}{:016X}", roll.0)
    }

    pub(crate) fn requests(&self) -> Requests {
        let count = |endpoint: &Endpoint| {
            let count = self.counts.get(*endpoint as usize)?.load(Ordering::Relaxed);
            (count > 0).then_some((*endpoint, count))
        };
        let by_endpoint = Endpoint::ALL.iter().filter_map(count).collect();
        Requests { by_endpoint, total: self.total.load(Ordering::Relaxed) }
    }

    /// # Errors
    /// The limit and the seconds to wait, by the budgets or by a fault.
    pub(crate) fn admit(&self, endpoint: Endpoint) -> Result<(), (u32, u64)> {
        let mut limiter = self.limiter.lock().unwrap_or_else(PoisonError::into_inner);
        let admitted = limiter.admit(self.config.rate_limits, endpoint, self.clock.uptime());
        drop(limiter);
        admitted.map_err(|exceeded| (exceeded.limit, exceeded.reset))?;
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

    pub(crate) fn revoke(&self, token: &str) {
        self.tokens().revoke(token);
    }

    pub(crate) fn revoke_all(&self) {
        self.tokens().revoke_all();
    }
}
