//! The checks: each a promise that a connector keeps, and how it is put to the test.
//!
//! | module | about |
//! |---|---|
//! | `shape` | what the component says of itself, without any platform |
//! | `listing` | whole, empty, odd, large and repeated listings |
//! | `trouble` | a platform that throttles, fails, breaks off or answers something else |
//! | `access` | hosts, secrets and tokens that are missing or spent |
//! | `attendance` | people, windows and nobody |
//! | `target` | writes: results, repetition, fields, ends, interruptions |
//!
//! The one invariant: a check opens a stage of its own; none depends on another.

mod access;
mod attendance;
mod listing;
mod shape;
mod target;
mod trouble;

use std::sync::Arc;
use std::time::Instant;

use futures_util::future::BoxFuture;

use crate::host::{Inspection, Plugin};
use crate::model::fault::{Advice, Fault};

use super::Options;
use super::report::{Check, Verdict};
use super::stage::{Cast, Scene, Texts, Unplayable};

/// What every check works on.
pub(super) struct Bench {
    pub(super) plugin: Arc<Plugin>,
    pub(super) inspection: Inspection,
    pub(super) cast: Cast,
    pub(super) options: Options,
}

impl Bench {
    /// Whether the component exports an interface of the contract.
    fn exports(&self, interface: &str) -> bool {
        let wanted = format!("rollcall:plugin/{interface}@");
        self.inspection.exports.iter().any(|name| name.starts_with(&wanted))
    }
}

/// How a check ends when it does not come to its verdict by itself.
enum Stop {
    Skip(String),
    Fail { found: String, remedy: String },
}

type Outcome = Result<String, Stop>;

impl From<Unplayable> for Stop {
    fn from(why: Unplayable) -> Self {
        Self::Skip(why.0)
    }
}

/// A fault where none should be.
impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        fail(format!("a calm platform is answered with a fault: {fault}"), remedy_of(&fault))
    }
}

fn remedy_of(fault: &Fault) -> String {
    let advice = fault.advice().map(|advice| advice.remedy.clone());
    advice.unwrap_or_else(|| {
        "run the component's own tests against what the platform answered".to_owned()
    })
}

fn fail(found: impl Into<String>, remedy: impl Into<String>) -> Stop {
    Stop::Fail { found: found.into(), remedy: remedy.into() }
}

fn skip(why: impl Into<String>) -> Stop {
    Stop::Skip(why.into())
}

/// Fails unless `holds`.
fn ensure(holds: bool, found: impl FnOnce() -> String, remedy: &str) -> Result<(), Stop> {
    if holds { Ok(()) } else { Err(fail(found(), remedy)) }
}

/// Everything an administrator needs is in a fault's advice.
fn well_told(fault: &Fault) -> Result<(), Stop> {
    let Some(Advice { code, message, remedy }) = fault.advice() else { return Ok(()) };
    let told = [("code", code), ("message", message), ("remedy", remedy)];
    match told.iter().find(|(_, text)| text.trim().is_empty()) {
        None => Ok(()),
        Some((part, _)) => Err(fail(
            format!("a fault has no {part}: {fault}"),
            "say what happened, to what, and what an administrator does about it",
        )),
    }
}

/// A fault that blames the component itself: a trap, an overrun, a broken contract.
fn blames_component(fault: &Fault) -> bool {
    matches!(fault, Fault::Plugin(_))
}

/// A fault in a few words: what it is, and its code.
fn brief(fault: &Fault) -> String {
    let word = match fault {
        Fault::Unauthorized(_) => "credentials refused",
        Fault::Forbidden(_) => "access denied",
        Fault::RateLimited(_) => "asked to slow down",
        Fault::NotFound => "not found",
        Fault::Invalid(_) => "request refused",
        Fault::StaleCursor => "listing starts again",
        Fault::Unavailable(_) => "unavailable",
        Fault::Unsupported => "not offered",
        Fault::Plugin(_) => "component failed",
    };
    match fault.advice() {
        Some(advice) => format!("{word} ({})", advice.code),
        None => word.to_owned(),
    }
}

struct Row {
    name: &'static str,
    promise: &'static str,
    run: for<'b> fn(&'b Bench) -> BoxFuture<'b, Outcome>,
}

macro_rules! rows {
    ($($name:literal $promise:literal $($check:ident)::+;)+) => {
        &[$(Row { name: $name, promise: $promise, run: |bench| Box::pin($($check)::+(bench)) }),+]
    };
}

const ROWS: &[Row] = rows! {
    "manifest" "says what it is, what it asks for and why" shape::manifest;
    "exports" "offers something beside `plugin`" shape::exports;
    "start" "starts and says what it can, without a platform" shape::start;
    "probe" "finds nothing wrong where nothing is wrong" access::probe;
    "refused_hosts" "sends nothing to hosts that are not granted, and says which to grant" access::refused_hosts;
    "missing_secrets" "says which secret is missing" access::missing_secrets;
    "expired_token" "gets over a token that is no longer accepted" access::expired_token;
    "paging" "lists everything once, to the end" listing::whole;
    "empty_page" "goes on after a page without items" listing::empty_page;
    "cut_listing" "never passes a listing off as whole that the platform cut short" listing::cut;
    "repeated_page" "ends a listing that leads back to the same page" listing::repeated;
    "determinism" "lists an unchanged world twice in the same way" listing::determinism;
    "odd_texts" "hands on every text and id as it is" listing::odd_texts;
    "fetch" "reads single objects and leaves out those that are not there" listing::fetch;
    "large" "lists very many records" listing::large;
    "throttling" "asks to slow down when the platform does" trouble::throttling;
    "server_error" "takes a failing platform for unavailable, and gets over it" trouble::server_error;
    "broken_connection" "takes a broken connection for unavailable, and gets over it" trouble::reset;
    "web_page" "never takes a web page for an empty listing" trouble::web_page;
    "cut_body" "never takes half a document for a listing" trouble::cut_body;
    "wrong_types" "survives values of another type" trouble::wrong_types;
    "deadline" "ends in time when the platform does not" trouble::deadline;
    "target_schema" "describes what it takes, as JSON Schema" target::describe;
    "target_results" "gives each change its own result, in order" target::results;
    "target_repetition" "makes of the same change twice one record" target::idempotent;
    "target_fields" "writes every text and key as it is, and only what changes" target::fields;
    "target_ends" "ends a record once, twice, or when it is not there" target::retire;
    "target_listing" "lists what it holds under the keys it was written with" target::held;
    "target_interruption" "completes what a failing system left undone" target::interrupted;
    "attendance" "asks for these people in this window, and for nobody when there is nobody" attendance::windows;
};

/// Runs every check, one after the other.
pub(super) async fn run(bench: &Bench) -> Vec<Check> {
    let mut checks = Vec::with_capacity(ROWS.len());
    for Row { name, promise, run } in ROWS {
        let began = Instant::now();
        let verdict = match run(bench).await {
            Ok(found) => Verdict::passed(found),
            Err(Stop::Fail { found, remedy }) => Verdict::failed(found, remedy),
            Err(Stop::Skip(why)) => Verdict::skipped(why),
        };
        let wall_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        checks.push(Check { name, promise, verdict, wall_ms });
    }
    checks
}

/// A company that has several pages of everything and is listed in a moment.
const SMALL: Scene = Scene { people: 2_000, texts: Texts::Plain };

/// Skips what only a component with a directory is asked.
fn needs_directory(bench: &Bench) -> Result<(), Stop> {
    if bench.exports("directory") { Ok(()) } else { Err(skip("the component has no directory")) }
}

/// Whom a page of which kind is asked for first.
async fn first_page(
    connection: &crate::host::Connection,
) -> Result<crate::model::record::Page, Fault> {
    use crate::model::record::Walk;
    use crate::port::provider::Provider as _;
    let offered = connection.capabilities().await?;
    let mut walks = offered.walks.iter().map(|walk| match walk {
        Walk::Whole(kind) | Walk::PerDepartment(kind) => *kind,
    });
    match walks.next() {
        Some(kind) => connection.list(kind, None, None).await,
        None => Err(Fault::Unsupported),
    }
}
