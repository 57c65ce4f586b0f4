//! `rollcall mapping`: check, test, try, show and revert mappings; one file per verb.

mod canary;
mod cases;
mod check;
mod functions;
mod generate;
mod history;
mod impact;
mod lsp;
mod records;
mod revert;
mod sarif;
mod sets;
mod show;
mod try_out;
mod verdict;

use std::path::PathBuf;

use super::Context;
use super::exit::{Failure, Outcome};
use super::whose::Whose;
use crate::sync::ledger::Verdict;

pub(super) use canary::told as canary;
pub(super) use impact::entity;

/// What to do with mappings.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    Check(check::Args),
    Test(cases::Args),
    /// Maps one record, or an array of them, and prints the draft or why there is none.
    Run {
        /// The connector, such as feishu.
        connector: String,
        /// The entity, such as employee.
        entity: String,
        /// A JSON file with the record; `-` reads it from stdin.
        #[arg(long, short, default_value = "-")]
        input: PathBuf,
        #[command(flatten)]
        place: Where,
    },
    /// Shows whom and what an edit changes, before it is in force.
    Impact(impact::Args),
    /// Puts edited mappings in force that are held.
    Approve(Whose),
    Canary(canary::Args),
    /// Keeps edited mappings that are held out of force.
    Reject(Whose),
    /// Lists the functions that mappings may call.
    Functions,
    Lsp(lsp::Args),
    /// Shows which layer sets each field, and where.
    Show(show::Args),
    /// Lists the mappings that were in force, since when, and what each changed.
    History(history::Args),
    /// Writes the files of an earlier generation back.
    Revert(revert::Args),
}

/// Which mappings.
#[derive(Debug, clap::Args)]
pub(super) struct Where {
    /// A folder of mappings, instead of those that the configuration names.
    #[arg(long, value_name = "DIR")]
    mappings: Option<PathBuf>,
}

pub(super) fn run(context: &Context, verb: Verb) -> Result<Outcome, Failure> {
    match verb {
        Verb::Check(args) => check::run(context, &args),
        Verb::Test(args) => cases::run(context, &args),
        Verb::Run { connector, entity, input, place } => {
            try_out::run(context, &place, &connector, &entity, &input)
        }
        Verb::Impact(args) => impact::run(context, args),
        Verb::Approve(whose) => verdict::run(context, &whose, Verdict::Approved),
        Verb::Canary(args) => canary::run(context, args),
        Verb::Reject(whose) => verdict::run(context, &whose, Verdict::Rejected),
        Verb::Functions => Ok(functions::run(context)),
        Verb::Lsp(args) => lsp::run(context, &args),
        Verb::Show(args) => show::run(context, &args),
        Verb::History(args) => history::run(context, &args),
        Verb::Revert(args) => revert::run(context, &args),
    }
}
