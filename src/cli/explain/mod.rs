//! `rollcall explain`: what a code means; one file for each kind of question.

mod code;
mod pages;

pub(in crate::cli) use code::page;

use super::Context;
use super::exit::{Failure, Outcome};

/// Explains a code, such as `mapping::unknown_field`: what it means, an example, and how to mend it.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The code, as every fault shows it.
    what: String,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Outcome, Failure> {
    code::run(context, &args.what)
}
