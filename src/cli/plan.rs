//! `rollcall plan`: what a sync would write, field by field.

use std::fmt::Write as _;

use serde::Serialize;

use super::exit::{Failure, Outcome};
use super::whose::Whose;
use super::{Context, summary, sync};
use crate::app::{App, Selection};
use crate::model::plan::Verb;
use crate::sync::Mode;
use crate::sync::diff::Shown;
use crate::sync::report::Report;
use crate::sync::service::Wiring;

/// Reads every connection and shows what a sync would write. Writes nothing to the EHR.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    whose: Whose,
    /// How many changes to show of each connection.
    #[arg(long, default_value_t = 50)]
    limit: usize,
}

/// A plan with the changes that are shown.
#[derive(Serialize)]
pub(super) struct Planned {
    #[serde(flatten)]
    report: Report,
    changes: Vec<Shown>,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Outcome, Failure> {
    let selection = args.whose.selection();
    let app = App::open(&context.config)?;
    super::trace::start(app.config().log);
    let mode = |_: &Wiring| Ok(Mode::Plan);
    let planned = app.block_on(planned(&app, &selection, mode, args.limit))?;
    Ok(show(context, &planned, "rollcall sync"))
}

/// Prints plans; `verb` is the command that carries them out.
pub(super) fn show(context: &Context, planned: &Vec<Planned>, verb: &str) -> Outcome {
    context
        .format
        .show(planned, |all| all.iter().map(|one| text(one, verb)).collect::<Vec<_>>().join("\n"));
    let held = planned.iter().any(|one| !one.report.held.is_empty());
    if held { Outcome::Findings } else { Outcome::Done }
}

/// Plans every selected connection, with at most `limit` changes of each.
pub(super) async fn planned(
    app: &App,
    selection: &Selection,
    mode: impl Fn(&Wiring) -> Result<Mode, Failure>,
    limit: usize,
) -> Result<Vec<Planned>, Failure> {
    let reports = sync::run_all(app, selection, mode, None).await?;
    let wirings = app.wirings(&app.generation()?, selection)?;
    let mut planned = Vec::new();
    for (report, wiring) in reports.into_iter().zip(wirings) {
        let mut changes = Vec::new();
        let shown = wiring.syncer.show(report.run, limit, |change| changes.push(change)).await;
        shown.map_err(|cause| Failure::from_error(&cause))?;
        planned.push(Planned { report, changes });
    }
    Ok(planned)
}

fn text(planned: &Planned, verb: &str) -> String {
    let mut out = summary::report(&planned.report, verb);
    for change in &planned.changes {
        let sign = match change.verb {
            Verb::Create => '+',
            Verb::Update => '~',
            Verb::Retire => '-',
        };
        writeln!(out, "{sign} {} {}", change.entity, change.external_id).ok();
        for field in &change.fields {
            writeln!(out, "    {}: {} -> {}", field.field, field.before, field.after).ok();
        }
    }
    let all: u64 = planned.report.plan.values().map(crate::model::plan::Tally::total).sum();
    let left = all.saturating_sub(planned.changes.len() as u64);
    if left > 0 {
        writeln!(out, "... and {left} more; raise --limit to see them").ok();
    }
    out
}
