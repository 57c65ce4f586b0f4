//! `rollcall history`: what a record was before, version by version.

use super::Context;
use super::exit::{Failure, Outcome};
use super::explain::record::{self, Which};

/// Shows every kept version of a record, and which fields each one changed.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// External id, the platform's id, employee number or name.
    what: String,
    #[command(flatten)]
    which: Which,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Outcome, Failure> {
    record::history(context, &args.what, &args.which)
}
