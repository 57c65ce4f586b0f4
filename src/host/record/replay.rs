//! Runs a component over a recording: no network, no clock, no secrets, only what was written.
//!
//! The invariant: a replay that finds no difference did, effect for effect and byte for byte, what was recorded.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

use serde::Serialize;
use tokio::time::{Instant, timeout_at};

use super::Difference;
use super::call::Outcome;
use super::file::{Header, Line, Reader, RecordError, Taken};
use super::tape::{Script, Tape};
use crate::host::context::Shared;
use crate::host::failure::Failure;
use crate::host::instance::Live;
use crate::host::kept::Kept;
use crate::host::limits::Limits;
use crate::host::net::grant::Reach;
use crate::host::plugin::Plugin;
use crate::host::random::Randomness;
use crate::host::rates::Rates;
use crate::host::secret::{Secret, SecretSource};
use crate::model::ids::{ConnectionId, PluginName, TenantId};
use crate::port::clock::Clock;

/// Which component may be judged by a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Build {
    /// The one that was recorded.
    Same,
    /// Any of the same plugin: a regression test of a new build.
    Any,
}

/// What a replay came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Replayed {
    /// Calls that were repeated.
    pub calls: u64,
    /// Their effects.
    pub effects: u64,
    /// Records they gave.
    pub records: u64,
    /// Calls that the recording names and does not hold.
    pub left_out: u64,
    /// The first call that went otherwise; nothing is repeated after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub differs: Option<Departure>,
}

/// A call that went otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Departure {
    /// Which call, from 1.
    pub call: u64,
    /// The export it called.
    pub export: String,
    /// What differs.
    #[serde(flatten)]
    pub difference: Difference,
}

/// The plugin that a recording was made with.
///
/// # Errors
/// [`RecordError`] when the file cannot be read.
pub fn component(file: &Path) -> Result<PluginName, RecordError> {
    Ok(Reader::open(file)?.0.plugin)
}

/// Repeats every call of a recording.
///
/// # Errors
/// [`RecordError`] when the file cannot be read or was made with another component. A difference is no error.
pub async fn replay(
    plugin: &Arc<Plugin>,
    file: &Path,
    build: Build,
) -> Result<Replayed, RecordError> {
    let (header, mut reader) = Reader::open(file)?;
    check(plugin, file, &header, build)?;
    let shared = Arc::new(offline(plugin, header.bounds.limits()));
    let mut instances = HashMap::new();
    let mut replayed = Replayed::default();
    loop {
        let taken = match reader.next()? {
            Line::Call(taken) => *taken,
            Line::LeftOut { .. } => {
                replayed.left_out += 1;
                continue;
            }
            Line::End { .. } => return Ok(replayed),
        };
        replayed.calls += 1;
        replayed.effects += taken.effects.len() as u64;
        replayed.records += taken.outcome.records as u64;
        let export = taken.call.export().to_owned();
        if let Err(difference) = repeat(&shared, &mut instances, taken).await {
            let call = replayed.calls;
            replayed.differs = Some(Departure { call, export, difference });
            return Ok(replayed);
        }
    }
}

fn check(plugin: &Plugin, file: &Path, header: &Header, build: Build) -> Result<(), RecordError> {
    let (path, recorded) = (file.to_owned(), header.plugin.clone());
    if plugin.name() != &recorded {
        return Err(RecordError::Plugin { path, recorded, found: plugin.name().clone() });
    }
    if build == Build::Same && plugin.digest() != header.digest {
        let (plugin, found) = (recorded, plugin.digest());
        return Err(RecordError::Digest { path, plugin, recorded: header.digest, found });
    }
    Ok(())
}

async fn repeat(
    shared: &Arc<Shared>,
    instances: &mut HashMap<u64, Live>,
    taken: Taken,
) -> Result<(), Difference> {
    let Taken { instance, call, effects, outcome } = taken;
    let tape = Tape::Playing(Script::recorded(effects));
    let idle = instances.remove(&instance);
    let core = Arc::clone(&shared.plugin.core);
    let _pulse = core.ticker.pulse();
    let performance = async {
        let mut live = match idle {
            Some(mut live) => {
                live.set_tape(tape);
                live
            }
            None => Live::start(shared, Some(tape)).await?,
        };
        let (usable, out) = live.play(&call).await;
        Ok((live, usable, out))
    };
    let played = timeout_at(Instant::now() + shared.limits.call, performance).await;
    let result = |found: Failure| {
        let expected = "a call that ends".to_owned();
        let found = found.into_fault(shared, call.export()).to_string();
        Difference { effect: None, expected, found }
    };
    let (mut live, usable, out) =
        played.unwrap_or(Err(Failure::Deadline(shared.limits.call))).map_err(result)?;
    if let Some(Tape::Playing(script)) = live.take_tape() {
        script.end()?;
    }
    let found = Outcome::of(&out.map_err(|failure| failure.into_fault(shared, call.export())));
    if let Some((expected, found)) = outcome.difference(&found) {
        return Err(Difference { effect: None, expected, found });
    }
    if usable {
        instances.insert(instance, live);
    }
    Ok(())
}

/// A connection that has nothing.
fn offline(plugin: &Arc<Plugin>, limits: Limits) -> Shared {
    struct Nothing;
    impl SecretSource for Nothing {
        fn secret(&self, _: &str) -> Option<Secret> {
            None
        }
    }
    impl Clock for Nothing {
        fn now_ms(&self) -> i64 {
            0
        }
    }
    impl Randomness for Nothing {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }
    let tenant = TenantId::parse("replay").expect("small letters are a tenant's name");
    let connection = ConnectionId::parse("replay").expect("small letters are a connection's name");
    Shared {
        plugin: Arc::clone(plugin),
        tenant,
        connection,
        settings: BTreeMap::new(),
        secrets: Arc::new(Nothing),
        reach: Reach::new(Vec::new(), Vec::new()),
        limits,
        clock: Arc::new(Nothing),
        random: Arc::new(Nothing),
        kept: Kept::default(),
        requests: AtomicU64::new(0),
        in_turn: AtomicBool::new(false),
        recorder: None,
        rates: Rates::none(),
    }
}
