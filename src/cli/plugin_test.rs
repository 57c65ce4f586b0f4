//! `rollcall plugin test`: the conformance kit over components, as a table or as JSON.

use std::path::PathBuf;

use super::Context;
use super::exit::{Failure, Outcome};
use crate::host::PluginHost;
use crate::kit::{self, Options, Report, Verdict};

/// Drives components through everything that a platform may do to them.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    /// The components.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The size of the large listing.
    #[arg(long, value_name = "N", default_value_t = Options::STANDARD.records,
          value_parser = clap::value_parser!(u32).range(1_000..=1_000_000))]
    records: u32,
    /// Describes the platform, instead of the simulator or the kit.yaml beside the component.
    #[arg(long, value_name = "FILE")]
    kit: Option<PathBuf>,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Outcome, Failure> {
    let host = PluginHost::new(None).map_err(|cause| Failure::from_error(&cause))?;
    // The platforms played here throttle only where that is what is tested.
    host.ignore_rates();
    let runtime = crate::app::runtime().map_err(Failure::bug)?;
    let options = Options { script: args.kit.clone(), records: args.records };
    let mut reports = Vec::new();
    for file in &args.files {
        eprintln!("testing {}", file.display());
        let examined = runtime.block_on(kit::examine(&host, file, options.clone()));
        reports.push(examined.map_err(|cause| Failure::from_error(&cause))?);
    }
    context
        .format
        .show(&reports, |reports| reports.iter().map(table).collect::<Vec<_>>().join("\n"));
    let passed = reports.iter().all(Report::passed);
    Ok(if passed { Outcome::Done } else { Outcome::Findings })
}

/// One line for each check, and below a failure what to do about it.
fn table(report: &Report) -> String {
    let mut out = String::new();
    let mut put = |line: String| {
        out.push_str(&line);
        out.push('\n');
    };
    put(format!("{} {}, against {}", report.plugin, report.version, report.platform));
    let width = report.checks.iter().map(|check| check.name.len()).max().unwrap_or_default();
    for check in &report.checks {
        let name = check.name;
        match &check.verdict {
            Verdict::Passed { found } => {
                put(format!("  pass  {name:<width$}  {}: {found}", check.promise));
            }
            Verdict::Skipped { why } => put(format!("  skip  {name:<width$}  skipped: {why}")),
            Verdict::Failed { found, remedy } => {
                put(format!("  FAIL  {name:<width$}  {}: {found}", check.promise));
                put(format!("        {:width$}  remedy: {remedy}", ""));
            }
        }
    }
    let (passed, failed, skipped) = report.counts();
    put(format!("{passed} passed, {failed} failed, {skipped} skipped"));
    out
}
