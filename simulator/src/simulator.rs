//! The handle of a running simulator: where it is, what it was asked, and what happens in its world.
//!
//! Not its set-up. The invariant: whatever is changed here is seen by the next request that arrives.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

use crate::builder::Builder;
use crate::calendar::{date_text, day_of, midnight};
use crate::faults::FaultRule;
use crate::feed::Pushes;
use crate::grants::{AttendanceRange, ContactRange, Grants};
use crate::lines::What;
use crate::platform::{Front, Platform};
use crate::push::{CallbackError, CallbackKeys, Pusher};
use crate::site::{Requests, Site};
use crate::world::{Churn, Truth};

/// A running fake platform; dropping it stops it.
#[derive(Debug)]
pub struct Simulator {
    site: Arc<Site>,
    front: Arc<dyn Front>,
    address: SocketAddr,
    grants: Mutex<Grants>,
    churn: Churn,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
    /// Pushes to the callback's address; ends with the simulator.
    pushing: Mutex<JoinSet<()>>,
}

impl Simulator {
    /// Starts to set one up.
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(crate) fn new(
        site: Arc<Site>,
        front: Arc<dyn Front>,
        address: SocketAddr,
        grants: Grants,
        churn: Churn,
        stop: oneshot::Sender<()>,
        task: JoinHandle<()>,
    ) -> Self {
        Self {
            site,
            front,
            address,
            grants: Mutex::new(grants),
            churn,
            stop,
            task,
            pushing: Mutex::default(),
        }
    }

    /// Which platform it is.
    pub fn platform(&self) -> Platform {
        self.site.config.platform
    }

    /// The host part of every address of the platform, such as `http://127.0.0.1:7001`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The app's id.
    pub fn app_id(&self) -> &str {
        &self.site.config.app_id
    }

    /// The app's secret.
    pub fn app_secret(&self) -> &str {
        &self.site.config.app_secret
    }

    /// How often each endpoint was asked so far.
    pub fn requests(&self) -> Requests {
        self.site.requests()
    }

    /// Replaces all fault rules; an empty list ends misbehaviour.
    pub fn set_faults(&self, rules: impl IntoIterator<Item = FaultRule>) {
        self.site.faults().replace(rules.into_iter().collect());
    }

    /// Adds one fault rule.
    pub fn inject(&self, rule: FaultRule) {
        self.site.faults().add(rule);
    }

    /// Ends the life of every token that was handed out.
    pub fn expire_tokens(&self) {
        self.site.revoke_all();
    }

    /// Moves the simulator's clock: tokens age, budgets refill, and the world's date follows.
    pub fn advance(&self, by: Duration) {
        self.site.clock.advance(by);
        self.site.feed.wake();
    }

    /// The world's time in Unix seconds.
    pub fn now(&self) -> i64 {
        self.site.clock.now()
    }

    /// The world's date, `YYYY-MM-DD`, in Shanghai.
    pub fn today(&self) -> String {
        date_text(day_of(self.now()))
    }

    /// Lets so many steps of change happen, all of them now; their events go out where somebody is to be told.
    pub fn step(&self, steps: u32) {
        let now = self.now();
        let mut world = self.site.world_mut();
        let before = world.steps();
        for _ in 0..steps {
            world.step(self.churn, now);
        }
        let changes: Vec<_> = world.changes_since(before).copied().collect();
        // Whoever hears of a change can read it.
        drop(world);
        self.site.feed.publish(changes, self.site.clock.uptime());
    }

    /// Pushes what happens from now on to this address, once the address has passed the platform's trial; an earlier one
    /// gets nothing more.
    ///
    /// # Errors
    /// [`CallbackError`] when the address did not pass; an earlier one then stays in force.
    pub async fn set_callback(&self, url: &str, keys: CallbackKeys) -> Result<(), CallbackError> {
        let pusher = Pusher::begin(&self.site, &self.front, (url, keys)).await?;
        let mut pushing = self.pushing.lock().unwrap_or_else(PoisonError::into_inner);
        pushing.abort_all();
        pushing.spawn(pusher.run());
        Ok(())
    }

    /// What became of the events that were to be pushed.
    pub fn pushes(&self) -> Pushes {
        self.site.feed.pushes()
    }

    /// How many long connections are open now, and how many ever were.
    pub fn long_connections(&self) -> (usize, usize) {
        (self.site.lines.open(), self.site.lines.opened())
    }

    /// Drops every long connection without a word.
    pub fn cut_long_connections(&self) {
        self.site.lines.order(What::Cut);
    }

    /// Announces to every long connection that it will be dropped, and drops it after [`Builder::drop_notice`].
    pub fn announce_drop(&self) {
        self.site.lines.order(What::Announce);
    }

    /// How many steps have happened.
    pub fn steps(&self) -> u32 {
        self.site.world().steps()
    }

    /// The events of everything that happened after a step, oldest first, each a JSON envelope; of very many changes
    /// only the newest 65,536 are kept.
    pub fn events_since(&self, step: u32) -> Vec<String> {
        let world = self.site.world();
        world.changes_since(step).filter_map(|change| self.front.event(&world, change)).collect()
    }

    /// What a correct sync of everything that is on record should end with.
    pub fn truth(&self) -> Truth {
        let first = self.site.world().first_day;
        self.truth_between(midnight(first), self.now() + 1)
    }

    /// The same with punches in `from <= check_time < to` and results of the days these instants fall on.
    pub fn truth_between(&self, from: i64, to: i64) -> Truth {
        self.site.world().truth(from, to, self.now())
    }

    /// Changes the granted scopes.
    pub fn set_scopes<S: Into<String>>(&self, scopes: impl IntoIterator<Item = S>) {
        let scopes = scopes.into_iter().map(Into::into).collect();
        self.regrant(|grants| grants.scopes = scopes);
    }

    /// Takes one scope away.
    pub fn revoke_scope(&self, scope: &str) {
        self.regrant(|grants| {
            grants.scopes.remove(scope);
        });
    }

    /// Changes which departments and people the app sees.
    pub fn set_contact_range(&self, range: ContactRange) {
        self.regrant(|grants| grants.contact = range);
    }

    /// Changes whose punches and results the app sees.
    pub fn set_attendance_range(&self, range: AttendanceRange) {
        self.regrant(|grants| grants.attendance = range);
    }

    fn regrant(&self, change: impl FnOnce(&mut Grants)) {
        let mut grants = self.grants.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut grants);
        self.front.regrant(&grants);
    }

    /// Stops listening, gives open answers two seconds to finish, and returns when the last connection is closed.
    pub async fn shutdown(self) {
        let Self { stop, task, .. } = self;
        drop(stop);
        // A server that panicked has stopped as well.
        task.await.unwrap_or_default();
    }
}
