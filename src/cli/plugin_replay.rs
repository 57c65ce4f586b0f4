//! `rollcall plugin replay`: repeats a recording, offline.

use std::path::PathBuf;

use super::exit::{Failure, Outcome};
use super::{Context, plugin};
use crate::app;
use crate::host::{self, Build, Departure, Replayed};

/// Repeats what `rollcall sync --record` wrote, offline, and shows the first difference.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The recording.
    file: PathBuf,
    /// The component; the one of that name in the configured folder when left out.
    #[arg(long, value_name = "FILE")]
    plugin: Option<PathBuf>,
    /// Judges another build of the plugin than the one that was recorded.
    #[arg(long)]
    any_build: bool,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Outcome, Failure> {
    let told = |cause: &dyn std::error::Error| Failure::from_error(cause);
    let component = if let Some(file) = &args.plugin {
        file.clone()
    } else {
        let name = host::component(&args.file).map_err(|cause| told(&cause))?;
        plugin::configured(context)?.join(format!("{name}.wasm"))
    };
    let loaded = plugin::host()?.load(&component).map_err(|cause| told(&cause))?;
    let build = if args.any_build { Build::Any } else { Build::Same };
    let runtime = app::runtime().map_err(|cause| told(&cause))?;
    let replayed = runtime.block_on(host::replay(&loaded, &args.file, build));
    let replayed = replayed.map_err(|cause| told(&cause))?;
    context.format.show(&replayed, text);
    Ok(if replayed.differs.is_some() { Outcome::Findings } else { Outcome::Done })
}

fn text(replayed: &Replayed) -> String {
    let Replayed { calls, effects, records, left_out, differs } = replayed;
    let Some(Departure { call, export, difference }) = differs else {
        return format!(
            "{calls} calls with {effects} effects and {records} records went as recorded; \
             {left_out} were left out of the recording"
        );
    };
    let place = match difference.effect {
        Some(effect) => format!("at effect {effect}"),
        None => "in its result".to_owned(),
    };
    format!(
        "call {call} (`{export}`) differs {place}\n  expected {}\n  found    {}",
        difference.expected, difference.found
    )
}
