//! `rollcall mapping history`: which mappings were in force since when, and what each changed.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde::Serialize;

use super::kept::{self, Kept};
use crate::app::App;
use crate::cli::Context;
use crate::cli::exit::{Failure, Outcome};
use crate::cli::whose::Whose;
use crate::model::hash::ContentHash;
use crate::model::ids::{ConnectionId, RunId, TenantId};
use crate::model::sources::FileChange;

/// Files shown of each generation; all of them as JSON.
const SHOWN: usize = 12;

/// Whose mappings.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    whose: Whose,
    /// How many generations to show of each connection, the newest first.
    #[arg(long, default_value_t = 20)]
    limit: usize,
}

#[derive(Serialize)]
struct Shown {
    tenant: TenantId,
    connection: ConnectionId,
    generations: Vec<One>,
}

#[derive(Serialize)]
struct One {
    digest: ContentHash,
    since: String,
    run: RunId,
    in_force: bool,
    /// The generation of the canary that ran beside it.
    #[serde(skip_serializing_if = "Option::is_none")]
    canary: Option<ContentHash>,
    changes: Vec<FileChange>,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Outcome, Failure> {
    let selection = args.whose.selection();
    let app = App::open(&context.config)?;
    let mut shown = Vec::new();
    for (tenant, connection) in app.connections(&selection) {
        let generations = generations(&kept::all(&app, &tenant, &connection)?, args.limit);
        shown.push(Shown { tenant, connection, generations });
    }
    context.format.show(&shown, |all| all.iter().map(text).collect::<Vec<_>>().join("\n"));
    Ok(Outcome::Done)
}

fn generations(kept: &[Kept], limit: usize) -> Vec<One> {
    let nothing = crate::model::sources::Sources::default();
    let numbered = kept.iter().enumerate().rev().take(limit);
    numbered
        .map(|(nth, one)| {
            let before = nth.checked_sub(1).and_then(|at| kept.get(at));
            let before = before.map_or(&nothing, |before| &before.sources);
            let since = Timestamp::from_millisecond(one.in_force.since_ms);
            One {
                digest: one.in_force.digest,
                since: since.map(|at| at.to_string()).unwrap_or_default(),
                run: one.in_force.run,
                in_force: nth + 1 == kept.len(),
                canary: one.in_force.canary.map(|tried| tried.edited),
                changes: before.changes(&one.sources),
            }
        })
        .collect()
}

fn text(shown: &Shown) -> String {
    let mut out = format!("{}/{}\n", shown.tenant, shown.connection);
    if shown.generations.is_empty() {
        out.push_str("  no run has written by a mapping yet\n");
    }
    for one in &shown.generations {
        let mark = if one.in_force { "  in force" } else { "" };
        writeln!(out, "  {}  since {}  run {}{mark}", one.digest.short(), one.since, one.run.0)
            .ok();
        if let Some(edited) = one.canary {
            writeln!(out, "    beside a canary of generation {}", edited.short()).ok();
        }
        for FileChange { layer, file, change, .. } in one.changes.iter().take(SHOWN) {
            writeln!(out, "    {:<8} {file} ({})", change.name(), layer.name()).ok();
        }
        let more = one.changes.len().saturating_sub(SHOWN);
        if more > 0 {
            writeln!(out, "    and {more} files more").ok();
        }
    }
    out
}
