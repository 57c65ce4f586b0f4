//! Sets a simulator up: how big its company is, what the app may do, how the platform behaves.
//!
//! Not what happens at run time. The invariant: with nothing set, the simulator is well-behaved and every run is
//! the same.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::calendar::{day_of, midnight, parse_date};
use crate::clock::Clock;
use crate::faults::FaultRule;
use crate::feishu::TokenErrors;
use crate::feishu::access::{AttendanceRange, ContactRange, DEFAULT_SCOPES};
use crate::ids::Ids;
use crate::limits::RateLimits;
use crate::simulator::{Grants, Simulator};
use crate::site::{Config, Site};
use crate::world::{Cards, CardsError, Churn, Recipe, World};

/// The `app_id` unless another is set.
pub const DEFAULT_APP_ID: &str = "cli_simulator0001";
/// The `app_secret` unless another is set; it opens nothing but a simulator.
pub const DEFAULT_APP_SECRET: &str = "simulator-secret-0001";
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
    people: u32,
    seed: u64,
    days: u32,
    now: Now,
    punches: Option<PathBuf>,
    grants: Grants,
    churn: Option<Churn>,
    faults: Vec<FaultRule>,
    config: Config,
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
            people: 200,
            seed: 1,
            days: 30,
            now: Now::Date(DEFAULT_TODAY.to_owned()),
            punches: None,
            grants: Grants {
                scopes: DEFAULT_SCOPES.iter().map(|scope| (*scope).to_owned()).collect(),
                contact: ContactRange::All,
                attendance: AttendanceRange::All,
            },
            churn: None,
            faults: Vec::new(),
            config: Config {
                app_id: DEFAULT_APP_ID.to_owned(),
                app_secret: DEFAULT_APP_SECRET.to_owned(),
                verification_token: "simulator-verification-0001".to_owned(),
                tenant_key: "t_simulator0001".to_owned(),
                token_life: Duration::from_hours(2),
                token_errors: TokenErrors::default(),
                recursion_limit: None,
                max_span_days: 31,
                rate_limits: RateLimits::Off,
                rate_limit_reset: 1,
                slow_step: Duration::from_millis(100),
            },
        }
    }
}

impl Builder {
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
    pub fn app(mut self, id: impl Into<String>, secret: impl Into<String>) -> Self {
        self.config.app_id = id.into();
        self.config.app_secret = secret.into();
        self
    }

    /// What events carry as their token and tenant.
    pub fn events_as(
        mut self,
        verification_token: impl Into<String>,
        tenant_key: impl Into<String>,
    ) -> Self {
        self.config.verification_token = verification_token.into();
        self.config.tenant_key = tenant_key.into();
        self
    }

    /// Grants exactly these scopes instead of [`DEFAULT_SCOPES`].
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.grants.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Takes one scope away.
    pub fn without_scope(mut self, scope: &str) -> Self {
        self.grants.scopes.remove(scope);
        self
    }

    /// Which departments and people the app sees.
    pub fn contact_range(mut self, range: ContactRange) -> Self {
        self.grants.contact = range;
        self
    }

    /// Whose punches and results the app sees.
    pub fn attendance_range(mut self, range: AttendanceRange) -> Self {
        self.grants.attendance = range;
        self
    }

    /// Which request budgets are kept.
    pub fn rate_limits(mut self, limits: RateLimits) -> Self {
        self.config.rate_limits = limits;
        self
    }

    /// The seconds to wait that the fault 429 names; 1 unless set.
    pub fn rate_limit_reset(mut self, seconds: u64) -> Self {
        self.config.rate_limit_reset = seconds;
        self
    }

    /// With which HTTP status an invalid token is refused.
    pub fn token_errors(mut self, errors: TokenErrors) -> Self {
        self.config.token_errors = errors;
        self
    }

    /// How long a token lives; two hours unless set.
    pub fn token_life(mut self, life: Duration) -> Self {
        self.config.token_life = life;
        self
    }

    /// Refuses to list more departments than this recursively, with 43010.
    pub fn recursion_limit(mut self, departments: usize) -> Self {
        self.config.recursion_limit = Some(departments);
        self
    }

    /// The longest span of days of one punch or result query; 31 unless set.
    pub fn max_span_days(mut self, days: u32) -> Self {
        self.config.max_span_days = days;
        self
    }

    /// The pause between the pieces of a slow or dripping body; 100 ms unless set.
    pub fn slow_step(mut self, pause: Duration) -> Self {
        self.config.slow_step = pause;
        self
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
        let access = self.grants.access(Ids::new(self.seed));
        let churn = self.churn.unwrap_or_else(|| Churn::of(self.people));
        let site = Arc::new(Site::new(
            self.seed,
            self.config,
            Clock::new(now),
            World::new(recipe),
            access,
            self.faults,
        ));
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(crate::server::serve(listener, Arc::clone(&site), stopped));
        Ok(Simulator::new(site, local, self.grants, churn, stop, task))
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
