//! Sets a simulator up: which platform it is, how big its company is, what the app may do, how the platform behaves.
//!
//! Not what happens at run time, and not what only one platform has: the methods for that stand in the platform's
//! folder. The invariant: with nothing set, the simulator is well-behaved and every run is
//! the same.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::calendar::{day_of, midnight, parse_date};
use crate::clock::Clock;
use crate::dingtalk;
use crate::faults::FaultRule;
use crate::feishu;
use crate::grants::{AttendanceRange, ContactRange, Grants};
use crate::limits::RateLimits;
use crate::platform::Platform;
use crate::server::House;
use crate::simulator::Simulator;
use crate::site::{Config, Site};
use crate::wecom;
use crate::world::{Cards, CardsError, Churn, Recipe, World};

/// The date it is unless another is set.
pub const DEFAULT_TODAY: &str = "2026-03-31";
/// A company may have so many people.
pub const PEOPLE_MOST: u32 = 2_000_000;
/// So many days may have punches.
pub const DAYS_MOST: u32 = 3_660;

/// A simulator that cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Too few or too many people.
    #[error("a company cannot have {people} people; choose 1 to {PEOPLE_MOST}")]
    People {
        /// What was asked for.
        people: u32,
    },
    /// Too few or too many days.
    #[error("punches cannot cover {days} days; choose 1 to {DAYS_MOST}")]
    Days {
        /// What was asked for.
        days: u32,
    },
    /// Not a date.
    #[error("`{date}` is no date between 1990 and 2100; write it as 2026-03-31")]
    Today {
        /// What was given.
        date: String,
    },
    /// The punch cards cannot be used.
    #[error("the punch cards cannot be used")]
    Cards(#[from] CardsError),
    /// A fault is to strike an endpoint that the platform does not have.
    #[error("{platform} has no endpoint `{endpoint}`; choose one of: {known}")]
    Endpoint {
        /// The platform.
        platform: Platform,
        /// What was asked for.
        endpoint: &'static str,
        /// What there is.
        known: String,
    },
    /// The address cannot be listened on.
    #[error(
        "cannot listen on `{address}`; choose a free port of this machine, such as 127.0.0.1:0"
    )]
    Bind {
        /// The address.
        address: String,
        /// Why not.
        source: std::io::Error,
    },
}

/// A simulator in the making; see [`Simulator::builder`].
#[derive(Clone, Debug)]
#[must_use = "it does nothing before `start`"]
pub struct Builder {
    platform: Platform,
    people: u32,
    seed: u64,
    days: u32,
    now: Now,
    punches: Option<PathBuf>,
    app: Option<(String, String)>,
    scopes: Option<BTreeSet<String>>,
    without_scopes: BTreeSet<String>,
    contact: ContactRange,
    attendance: AttendanceRange,
    churn: Option<Churn>,
    faults: Vec<FaultRule>,
    token_life: Duration,
    rate_limits: RateLimits,
    rate_limit_reset: u64,
    slow_step: Duration,
    push_repeats: Option<Vec<Duration>>,
    notice: Duration,
    pub(crate) settings: Settings,
}

/// What only one platform has; each reads its own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    pub feishu: feishu::Settings,
    pub dingtalk: dingtalk::Settings,
    pub wecom: wecom::Settings,
}

/// What time it is in the world.
#[derive(Clone, Debug)]
enum Now {
    /// Three in the afternoon of a date.
    Date(String),
    Instant(i64),
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            platform: Platform::default(),
            people: 200,
            seed: 1,
            days: 30,
            now: Now::Date(DEFAULT_TODAY.to_owned()),
            punches: None,
            app: None,
            scopes: None,
            without_scopes: BTreeSet::new(),
            contact: ContactRange::All,
            attendance: AttendanceRange::All,
            churn: None,
            faults: Vec::new(),
            token_life: Duration::from_hours(2),
            rate_limits: RateLimits::Off,
            rate_limit_reset: 1,
            slow_step: Duration::from_millis(100),
            push_repeats: None,
            notice: Duration::from_secs(10),
            settings: Settings::default(),
        }
    }
}

impl Builder {
    /// Which platform it is; Feishu unless set. Credentials and scopes that are not set are that platform's defaults.
    pub fn platform(self, platform: Platform) -> Self {
        Self { platform, ..self }
    }

    /// How many people are employed on the first day; leavers of the window come on top.
    pub fn people(self, people: u32) -> Self {
        Self { people, ..self }
    }

    /// What everything follows from.
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// How many days up to and including today have punches.
    pub fn days(self, days: u32) -> Self {
        Self { days, ..self }
    }

    /// The world's date, `YYYY-MM-DD`; it is three in the afternoon in Shanghai.
    pub fn today(self, date: impl Into<String>) -> Self {
        Self { now: Now::Date(date.into()), ..self }
    }

    /// The world's time in Unix seconds, instead of [`Self::today`].
    pub fn now(self, unix_seconds: i64) -> Self {
        Self { now: Now::Instant(unix_seconds), ..self }
    }

    /// Takes punches from the `in_time.csv` and `out_time.csv` of this folder.
    pub fn punches(self, folder: impl Into<PathBuf>) -> Self {
        Self { punches: Some(folder.into()), ..self }
    }

    /// The app's credentials.
    pub fn app(self, id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self { app: Some((id.into(), secret.into())), ..self }
    }

    /// Grants exactly these scopes instead of all that the platform's connector asks for.
    pub fn scopes<S: Into<String>>(self, scopes: impl IntoIterator<Item = S>) -> Self {
        Self { scopes: Some(scopes.into_iter().map(Into::into).collect()), ..self }
    }

    /// Takes one scope away.
    pub fn without_scope(mut self, scope: &str) -> Self {
        self.without_scopes.insert(scope.to_owned());
        self
    }

    /// Which departments and people the app sees.
    pub fn contact_range(self, contact: ContactRange) -> Self {
        Self { contact, ..self }
    }

    /// Whose punches and results the app sees.
    pub fn attendance_range(self, attendance: AttendanceRange) -> Self {
        Self { attendance, ..self }
    }

    /// Which request budgets are kept.
    pub fn rate_limits(self, rate_limits: RateLimits) -> Self {
        Self { rate_limits, ..self }
    }

    /// The seconds to wait that the fault 429 names, where the platform names any; 1 unless set.
    pub fn rate_limit_reset(self, seconds: u64) -> Self {
        Self { rate_limit_reset: seconds, ..self }
    }

    /// How long a token lives; two hours unless set.
    pub fn token_life(self, life: Duration) -> Self {
        Self { token_life: life, ..self }
    }

    /// The pause between the pieces of a slow or dripping body; 100 ms unless set.
    pub fn slow_step(self, pause: Duration) -> Self {
        Self { slow_step: pause, ..self }
    }

    /// After which times an event that was not acknowledged is pushed again, instead of the platform's own schedule.
    pub fn push_repeats(self, after: impl IntoIterator<Item = Duration>) -> Self {
        Self { push_repeats: Some(after.into_iter().collect()), ..self }
    }

    /// How long a long connection lives after its drop was announced; ten seconds unless set.
    pub fn drop_notice(self, notice: Duration) -> Self {
        Self { notice, ..self }
    }

    /// The faults in force from the start.
    pub fn faults(self, rules: impl IntoIterator<Item = FaultRule>) -> Self {
        Self { faults: rules.into_iter().collect(), ..self }
    }

    /// How much happens in one step; [`Churn::of`] the number of people unless set.
    pub fn churn(self, churn: Churn) -> Self {
        Self { churn: Some(churn), ..self }
    }

    /// Builds the world and serves it; it stops when the simulator is dropped.
    ///
    /// # Errors
    /// [`StartError`] when a setting or the address cannot be used.
    pub async fn start(self, address: &str) -> Result<Simulator, StartError> {
        let now = self.checked_now()?;
        self.check_faults()?;
        let cards = self.punches.as_deref().map(Cards::load).transpose()?.map(Arc::new);
        let bind = |source| StartError::Bind { address: address.to_owned(), source };
        let listener = TcpListener::bind(address).await.map_err(bind)?;
        let local: SocketAddr = listener.local_addr().map_err(bind)?;
        let recipe = Recipe {
            seed: self.seed,
            people: self.people,
            days: self.days,
            today: day_of(now),
            cards,
        };
        let facts = self.platform.facts();
        let grants = self.grants();
        let churn = self.churn.unwrap_or_else(|| Churn::of(self.people));
        let site = Arc::new(Site::new(
            self.seed,
            self.config(),
            Clock::new(now),
            World::new(recipe),
            facts.endpoints,
            self.faults,
        ));
        let front = (facts.open)(Arc::clone(&site), &self.settings, &grants);
        site.feed.repeat_after(self.push_repeats.unwrap_or_else(|| front.repeats().to_vec()));
        let (stop, stopped) = oneshot::channel();
        let (site_here, front_here) = (Arc::clone(&site), Arc::clone(&front));
        let house = House { site: site_here, front: front_here, slow_step: self.slow_step };
        let task = tokio::spawn(crate::server::serve(listener, house, stopped));
        Ok(Simulator::new(site, front, local, grants, churn, stop, task))
    }

    fn grants(&self) -> Grants {
        let defaults = || self.platform.facts().scopes.iter().map(|s| (*s).to_owned()).collect();
        let mut scopes: BTreeSet<String> = self.scopes.clone().unwrap_or_else(defaults);
        scopes.retain(|scope| !self.without_scopes.contains(scope));
        Grants { scopes, contact: self.contact.clone(), attendance: self.attendance }
    }

    fn config(&self) -> Config {
        let (id, secret) = self.platform.facts().app;
        let app = self.app.clone().unwrap_or_else(|| (id.to_owned(), secret.to_owned()));
        Config {
            platform: self.platform,
            app_id: app.0,
            app_secret: app.1,
            token_life: self.token_life,
            rate_limits: self.rate_limits,
            rate_limit_reset: self.rate_limit_reset,
            notice: self.notice,
        }
    }

    fn check_faults(&self) -> Result<(), StartError> {
        let known = self.platform.facts().endpoints;
        let stray = self
            .faults
            .iter()
            .filter_map(FaultRule::only_on)
            .find(|on| !known.iter().any(|endpoint| endpoint.name() == *on));
        stray.map_or(Ok(()), |endpoint| {
            let known: Vec<&str> = known.iter().map(|endpoint| endpoint.name()).collect();
            Err(StartError::Endpoint { platform: self.platform, endpoint, known: known.join(", ") })
        })
    }

    fn checked_now(&self) -> Result<i64, StartError> {
        if !(1..=PEOPLE_MOST).contains(&self.people) {
            return Err(StartError::People { people: self.people });
        }
        if !(1..=DAYS_MOST).contains(&self.days) {
            return Err(StartError::Days { days: self.days });
        }
        let now = match &self.now {
            Now::Date(date) => parse_date(date).map(|day| midnight(day) + 15 * 3_600),
            Now::Instant(instant) => Some(*instant),
        };
        now.filter(|now| (631_152_000..4_102_444_800).contains(now)).ok_or_else(|| {
            StartError::Today {
                date: match &self.now {
                    Now::Date(date) => date.clone(),
                    Now::Instant(instant) => instant.to_string(),
                },
            }
        })
    }
}
