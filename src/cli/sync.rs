//! `rollcall sync`: one run of every connection.

use std::path::PathBuf;
use std::sync::Arc;

use super::exit::{Failure, Outcome};
use super::progress::Shower;
use super::whose::Whose;
use super::{Context, summary};
use crate::app::{App, Selection};
use crate::host::Recorded;
use crate::model::hash::ContentHash;
use crate::sync::Mode;
use crate::sync::ledger::RunState;
use crate::sync::report::Report;
use crate::sync::service::Wiring;

/// Reads every connection, plans, and writes what differs.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    whose: Whose,
    /// Plan only; the same as `rollcall plan`.
    #[arg(long)]
    dry_run: bool,
    /// Lets the held plan with this digest pass the gate. Another plan is held again.
    #[arg(long, value_name = "DIGEST", value_parser = digest)]
    approve: Option<ContentHash>,
    /// Records everything the plugin does into this file, without personal data, for `rollcall plugin replay`.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
}

pub(super) fn digest(text: &str) -> Result<ContentHash, String> {
    ContentHash::parse(text).ok_or_else(|| "a plan's digest has 32 hexadecimal digits".to_owned())
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Outcome, Failure> {
    let mode = if args.dry_run { Mode::Plan } else { Mode::Sync };
    let selection = args.whose.selection();
    let mut app = App::open(&context.config)?;
    super::trace::start(app.config().log);
    let recorder = args.record.as_deref().map(|file| app.record(&selection, file)).transpose()?;
    let mode = |_: &Wiring| Ok(mode.clone());
    let reports = app.block_on(run_all(&app, &selection, mode, args.approve));
    // A run that broke off is worth its recording most of all.
    let ended = recorder.map(|recorder| recorder.finish()).transpose();
    let reports = reports?;
    context.format.show(&reports, |reports| {
        reports
            .iter()
            .map(|report| summary::report(report, "rollcall sync"))
            .collect::<Vec<_>>()
            .join("\n")
    });
    let ended = ended.map_err(|cause| Failure::from_error(&cause))?;
    if let Some(Recorded { calls, effects, left_out }) = ended {
        eprintln!("recorded {calls} calls with {effects} effects; {left_out} calls left out");
    }
    Ok(outcome(&reports))
}

/// Runs every selected connection, one after the other.
pub(super) async fn run_all(
    app: &App,
    selection: &Selection,
    mode: impl Fn(&Wiring) -> Result<Mode, Failure>,
    approve: Option<ContentHash>,
) -> Result<Vec<Report>, Failure> {
    let shower = Arc::new(Shower::new());
    let stop = super::serve::stop_on_signal();
    let generation = app.generation()?;
    let mut reports = Vec::new();
    for wiring in app.wirings(&generation, selection)? {
        let request = crate::sync::Request {
            mode: mode(&wiring)?,
            approve,
            stop: stop.clone(),
            progress: shower.clone(),
            mapper: wiring.mapper.clone(),
        };
        let ended = wiring.syncer.run(&request).await;
        shower.clear();
        reports.push(ended.map_err(|cause| Failure::from_error(&cause))?);
    }
    Ok(reports)
}

pub(super) fn outcome(reports: &[Report]) -> Outcome {
    if reports.iter().any(|report| report.state == RunState::Held) {
        Outcome::Findings
    } else if reports.iter().any(|r| !r.failures.is_empty() || r.parked.values().any(|&n| n > 0)) {
        Outcome::Partly
    } else {
        Outcome::Done
    }
}
