//! `rollcall mapping lsp`: a language server for mappings, over stdin and stdout.
//!
//! Findings as one types, completion and hover. The protocol stays in this folder. Not here: what is found or suggested
//! (`mapping`). The invariant: stdout carries messages of the protocol only, and nothing is written to disk.

mod convert;
mod pipes;
mod server;
mod workspace;

use tower_lsp_server::{LspService, Server};

use super::Where;
use crate::app;
use crate::cli::Context;
use crate::cli::exit::{Failure, Outcome};
use server::Editor;
use workspace::Workspace;

/// Serves editors: findings as one types, completion of parts of the record, fields and functions, hover.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    place: Where,
    /// Leaves the stored records alone: only what the platforms' pages document is known then.
    #[arg(long)]
    without_records: bool,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Outcome, Failure> {
    let workspace = Workspace::open(context, &args.place, args.without_records);
    let runtime = app::runtime().map_err(Failure::bug)?;
    let input = pipes::input(runtime.handle());
    let (output, carrier) = pipes::output(runtime.handle());
    runtime.block_on(async {
        let (service, socket) = LspService::new(|client| Editor::new(client, workspace));
        Server::new(input, output, socket).serve(service).await;
    });
    carrier.finish();
    Ok(Outcome::Done)
}
