//! `rollcall mapping canary`: a held mapping comes into force for one department first.

use std::fmt::Write as _;

use jiff::Timestamp;

use crate::app::{CanaryAsked, CanaryStarted, Question};
use crate::cli::exit::{Failure, Outcome};
use crate::cli::whose::Whose;
use crate::cli::{Context, local};
use crate::model::canary::Trial;

/// Puts an edited mapping that is held in force for the people of one department and below; `approve` does so for
/// everybody, `reject` takes it back.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The department: external id, the platform's id or name.
    #[arg(long, value_name = "KEY")]
    department: String,
    #[command(flatten)]
    whose: Whose,
}

pub(super) fn run(context: &Context, args: Args) -> Result<Outcome, Failure> {
    let about = args.whose.about(None);
    let asked = CanaryAsked { about, department: args.department };
    let started: CanaryStarted = local::ask(context, &Question::Canary(asked))?;
    context.format.show(&started, text);
    Ok(Outcome::Done)
}

fn text(started: &CanaryStarted) -> String {
    let CanaryStarted { tenant, connection, digest, canary, replaced } = started;
    let mut out = format!(
        "{tenant}/{connection}: with the next run, generation {} is in force for {}: {}\n",
        digest.short(),
        called(canary),
        size(canary)
    );
    if let Some(replaced) = replaced {
        let name = called(replaced);
        writeln!(out, "  it takes the place of the canary of {name}, whose people go back unless they are in both").ok();
    }
    out.push_str(
        "  everybody else, and whoever joins the department later, stays with the mapping in force;\n  \
         then `rollcall mapping approve` takes it to everybody, `rollcall mapping reject` back\n",
    );
    out
}

/// A canary that runs, in one line.
pub(in crate::cli) fn told(trial: &Trial) -> String {
    let since = Timestamp::from_millisecond(trial.since_ms);
    let since = since.map(|at| format!(" since {at:.0}")).unwrap_or_default();
    format!("a canary runs{since}: {}, {}", called(trial), size(trial))
}

/// Its department.
pub(super) fn called(trial: &Trial) -> String {
    match &trial.name {
        Some(name) => format!("{name} ({})", trial.department),
        None => trial.department.to_string(),
    }
}

fn size(trial: &Trial) -> String {
    let many = |count: u64, one: &str, more: &str| match count {
        1 => format!("1 {one}"),
        _ => format!("{count} {more}"),
    };
    let people = many(trial.people, "person", "people");
    format!("{people} in {}", many(trial.departments, "department", "departments"))
}
