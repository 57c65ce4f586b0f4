//! `rollcall explain`: what a code means, why a value is what it is, or why somebody is not there; one file for each kind of
//! question.

mod code;
mod pages;
pub(super) mod record;

pub(in crate::cli) use code::page;

use super::Context;
use super::exit::{Failure, Outcome};
use record::Which;

/// Explains a code, such as `mapping::unknown_field`, or a record: where its values come from, or why it is not in the EHR.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A code, as every fault shows it; or an external id, the platform's id, an employee number or a name.
    what: String,
    /// One field of the record.
    field: Option<String>,
    #[command(flatten)]
    which: Which,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Outcome, Failure> {
    if args.what.contains("::") {
        return code::run(context, &args.what);
    }
    record::explain(context, &args.what, args.field.as_deref(), &args.which)
}
