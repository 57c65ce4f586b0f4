//! The command line: one file per verb, each with its arguments and one function.
//!
//! Data goes to stdout, everything else to stderr. Exit codes: 0 done, 1 the user can fix it, 2 bad usage, 3 partly
//! applied, 70 a bug of ours.

mod builtin;
mod demo;
mod exit;
mod explain;
mod format;
mod history;
mod init;
mod local;
mod mapping;
mod plan;
mod plugin;
mod plugin_build;
mod plugin_new;
mod plugin_replay;
mod plugin_test;
mod probe;
mod progress;
mod replay;
mod schema;
mod serve;
mod status;
mod summary;
mod sync;
mod trace;
mod when;
mod whose;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use exit::{Failure, Outcome};
pub use format::Format;

/// Keeps an EHR in step with Feishu, `DingTalk` and `WeCom`.
#[derive(Debug, Parser)]
#[command(name = "rollcall", version, arg_required_else_help = true)]
pub struct Cli {
    /// The main configuration file.
    #[arg(long, short, global = true, value_name = "FILE", default_value = "rollcall.yaml")]
    config: PathBuf,
    /// How results are printed.
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Runs everything against a simulated platform: no credentials, one command.
    Demo(demo::Args),
    /// Keeps every connection in step: on schedule, and at once when a mapping is edited.
    Serve(serve::Args),
    /// Checks what connections still lack on their platforms' side.
    Probe(probe::Args),
    /// Plans and writes once.
    Sync(sync::Args),
    /// Shows what a sync would write, and why, without writing.
    Plan(plan::Args),
    /// Shows what the daemon is doing, or how the last runs ended.
    Status(status::Args),
    /// Tells why a value is what it is, why somebody is not there, or what a code means.
    Explain(explain::Args),
    /// Shows what a record was before.
    History(history::Args),
    /// Writes again what was kept, as it is or as it was, without reading the platform.
    Replay(replay::Args),
    /// Prints the JSON Schema of an entity.
    Schema(schema::Args),
    /// Checks, tests and tries mappings.
    #[command(subcommand)]
    Mapping(mapping::Verb),
    /// Starts, builds, tests, lists, inspects and replays plugins.
    #[command(subcommand)]
    Plugin(plugin::Verb),
    /// Writes a commented configuration to start from.
    Init(init::Args),
}

/// What every verb gets.
pub struct Context {
    /// The main configuration file.
    pub config: PathBuf,
    /// How results are printed.
    pub format: Format,
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let Cli { config, format, verb } = Cli::parse();
    let context = Context { config, format };
    let outcome = match verb {
        Verb::Demo(args) => demo::run(&context, &args),
        Verb::Serve(args) => serve::run(&context, &args),
        Verb::Probe(args) => probe::run(&context, &args),
        Verb::Sync(args) => sync::run(&context, &args),
        Verb::Plan(args) => plan::run(&context, &args),
        Verb::Status(args) => status::run(&context, &args),
        Verb::Explain(args) => explain::run(&context, &args),
        Verb::History(args) => history::run(&context, &args),
        Verb::Replay(args) => replay::run(&context, &args),
        Verb::Schema(args) => schema::run(&context, &args),
        Verb::Mapping(verb) => mapping::run(&context, verb),
        Verb::Plugin(verb) => plugin::run(&context, verb),
        Verb::Init(args) => init::run(&context, &args),
    };
    exit::code(outcome, format)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_well_formed() {
        super::Cli::command().debug_assert();
    }
}
