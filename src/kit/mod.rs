//! The conformance kit: plays a platform to a component and says whether it keeps the promises of a connector.
//!
//! [`examine`] loads a component as the daemon would, sets it up against a platform on this machine that can misbehave, and
//! runs every check of [`checks`] that applies. The platform is the simulator for the plugins it knows, and for any other
//! component what its `kit.yaml` describes.
//!
//! What this is not: a proof that a component is right about its platform; mapping cases and the author's own tests are for
//! that. The one invariant: what could not be tested is reported as skipped with its reason, never as passed.

mod canned;
mod checks;
mod drive;
mod report;
mod simulated;
mod stage;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::host::{HostError, PluginHost};

pub use report::{Check, Report, Verdict};

/// How much the kit does, and with what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// What describes the platform, instead of the simulator or the `kit.yaml` beside the component.
    pub script: Option<PathBuf>,
    /// The size of the listing that shows how a component copes with a large one.
    pub records: u32,
}

impl Options {
    /// What `rollcall plugin test` does unless told otherwise.
    pub const STANDARD: Self = Self { script: None, records: 100_000 };
}

/// Why a component could not be examined at all.
#[derive(Debug, thiserror::Error)]
pub enum KitError {
    /// The file is no plugin.
    #[error(transparent)]
    Host(#[from] HostError),
    /// A description cannot be read.
    #[error("`{}` cannot be read; check that it is there", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A description says what cannot be played.
    #[error("`{}` describes no platform: {reason}", .path.display())]
    Script {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        reason: String,
    },
}

/// Examines one component.
///
/// # Errors
/// [`KitError`] when there is nothing to examine; whatever a component does wrong is in the report.
pub async fn examine(host: &PluginHost, file: &Path, options: Options) -> Result<Report, KitError> {
    let inspection = host.inspect(file)?;
    let plugin = host.load(file)?;
    let cast = stage::Cast::find(&inspection.manifest, file, options.script.as_deref())?;
    let bench = checks::Bench { plugin: Arc::clone(&plugin), inspection, cast, options };
    Ok(Report {
        plugin: plugin.name().clone(),
        version: plugin.manifest().version.clone(),
        digest: plugin.digest(),
        platform: bench.cast.name(),
        checks: checks::run(&bench).await,
    })
}
