//! A fake platform over real HTTP: its answers, limits, permissions and faults, over a company made from a seed.
//!
//! For tests, demonstrations and benchmarks; not a copy of a platform, only of what a directory and attendance
//! sync meets. It follows the project's fact sheets on the platforms, and where a sheet says that something is not
//! known, the choice is documented at the code that makes it.
//!
//! # Map
//! - [`Simulator`] is the handle, [`Builder`] its set-up.
//! - `world` makes people, departments and punches up; [`feishu`] and [`dingtalk`] show them as those platforms do; `server` is HTTP.
//! - `platform` is where platforms plug in, `exchange` what a request and an answer are to all of them.
//! - `feed` holds the events that nobody has acknowledged yet, `lines` pushes them over long connections.
//! - `faults`, `limits`, `tokens` and `clock` are the ways in which a platform is difficult.
//!
//! # Invariants
//! - Everything follows from the seed, the settings and the steps taken. Nothing reads the wall clock's date.
//! - A person costs twenty bytes; records are written when they are asked for and never kept.
//! - No name, number or address belongs to anyone: hosts end in `.example`, mobiles start with 1380000.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), simulator::StartError> {
//! let sim = simulator::Simulator::builder().people(50).seed(1).start("127.0.0.1:0").await?;
//! assert!(sim.url().starts_with("http://127.0.0.1:"));
//! assert_eq!(sim.truth().people, 50);
//! sim.shutdown().await;
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod builder;
mod calendar;
mod cipher;
mod clock;
mod dice;
pub mod dingtalk;
mod endpoint;
mod exchange;
mod faults;
mod feed;
pub mod feishu;
mod grants;
mod ids;
mod json;
mod limits;
mod lines;
mod platform;
mod push;
mod server;
mod simulator;
mod site;
mod tickets;
mod tokens;
pub mod wecom;
mod world;

pub use builder::{Builder, DAYS_MOST, DEFAULT_TODAY, PEOPLE_MOST, StartError};
pub use endpoint::Endpoint;
pub use faults::{Fault, FaultRule, FaultRuleError};
pub use feed::Pushes;
pub use grants::{AttendanceRange, ContactRange};
pub use limits::RateLimits;
pub use platform::{Platform, UnknownPlatform};
pub use push::{CallbackError, CallbackKeys};
pub use simulator::Simulator;
pub use site::Requests;
pub use world::{CardsError, Churn, Truth};
