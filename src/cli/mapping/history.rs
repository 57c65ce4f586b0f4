//! `rollcall mapping history`: which mappings were in force since when, and what each changed.

use std::fmt::Write as _;

use crate::app::{GenerationsAsked, GenerationsTold, Question};
use crate::cli::exit::{Failure, Outcome};
use crate::cli::whose::Whose;
use crate::cli::{Context, local};
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

pub(super) fn run(context: &Context, args: &Args) -> Result<Outcome, Failure> {
    let asked = GenerationsAsked { about: args.whose.about(None), limit: args.limit };
    let told: Vec<GenerationsTold> = local::ask(context, &Question::Generations(asked))?;
    context.format.show(&told, |all| all.iter().map(text).collect::<Vec<_>>().join("\n"));
    Ok(Outcome::Done)
}

fn text(shown: &GenerationsTold) -> String {
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
