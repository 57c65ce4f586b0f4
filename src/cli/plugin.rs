//! `rollcall plugin`: build, list and inspect components.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::Context;
use super::exit::{Failure, Outcome};
use super::{plugin_build, plugin_new, plugin_test};
use crate::app;
use crate::host::{Inspection, PluginHost};

/// What to do with plugins.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// Writes a crate to start from.
    New(plugin_new::Args),
    /// Compiles a guest crate into a component.
    Build {
        /// The crate's folder, such as plugins/feishu.
        folder: PathBuf,
        /// Where the component goes; beside the crate's folder when left out.
        #[arg(long, short)]
        out: Option<PathBuf>,
    },
    /// Drives components through everything that a platform may do to them, and says what they make of it.
    Test(plugin_test::Args),
    /// Lists the plugins of the configured folder.
    List {
        /// Another folder.
        #[arg(long)]
        dir: Option<PathBuf>,
    },
    /// Shows what a component is, asks for and offers. Runs nothing of it.
    Inspect {
        /// The component.
        file: PathBuf,
    },
    /// Repeats what `rollcall sync --record` wrote, offline, and shows the first difference.
    Replay(super::plugin_replay::Args),
}

pub(super) fn run(context: &Context, verb: Verb) -> Result<Outcome, Failure> {
    match verb {
        Verb::Replay(args) => super::plugin_replay::run(context, &args),
        Verb::New(args) => plugin_new::run(context, &args),
        Verb::Build { folder, out } => build(context, &folder, out),
        Verb::Test(args) => plugin_test::run(context, &args),
        Verb::List { dir } => list(context, dir),
        Verb::Inspect { file } => {
            let inspection = host()?.inspect(&file).map_err(|cause| Failure::from_error(&cause))?;
            context.format.show(&inspection, text);
            Ok(Outcome::Done)
        }
    }
}

pub(super) fn host() -> Result<PluginHost, Failure> {
    PluginHost::new(None).map_err(|cause| Failure::from_error(&cause))
}

/// The configured folder of plugins, or the one of a checkout.
pub(super) fn configured(context: &Context) -> Result<PathBuf, Failure> {
    if context.config.exists() {
        return Ok(app::load_config(&context.config)?.plugins);
    }
    Ok(PathBuf::from("plugins"))
}

fn list(context: &Context, dir: Option<PathBuf>) -> Result<Outcome, Failure> {
    let dir = dir.map_or_else(|| configured(context), Ok)?;
    let host = host()?;
    let entries = std::fs::read_dir(&dir)
        .map_err(|cause| Failure::user(format!("cannot read `{}`: {cause}", dir.display())))?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|ext| ext == "wasm"));
    files.sort();
    let mut found = Vec::new();
    let mut outcome = Outcome::Done;
    for file in files {
        match host.inspect(&file) {
            Ok(inspection) => found.push(inspection),
            Err(cause) => {
                outcome = Outcome::Findings;
                eprintln!("error: {}: {cause}", file.display());
            }
        }
    }
    context.format.show(&found, |found| {
        let line = |one: &Inspection| {
            let manifest = &one.manifest;
            format!(
                "{} {}  {}  [{}]",
                manifest.name,
                manifest.version,
                manifest.about,
                one.exports.join(", ")
            )
        };
        found.iter().map(line).collect::<Vec<_>>().join("\n")
    });
    Ok(outcome)
}

fn build(
    context: &Context,
    folder: &std::path::Path,
    out: Option<PathBuf>,
) -> Result<Outcome, Failure> {
    // `.` has no name to give to the file; the folder behind it has.
    let named = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    let out = out.unwrap_or_else(|| named.with_extension("wasm"));
    let built = plugin_build::build(folder, &out).map_err(|cause| Failure::from_error(&cause))?;
    let inspection = host()?.inspect(&out).map_err(|cause| Failure::from_error(&cause))?;
    eprintln!("built {} ({} bytes)", built.path.display(), built.bytes);
    context.format.show(&inspection, text);
    Ok(Outcome::Done)
}

fn text(one: &Inspection) -> String {
    let mut out = String::new();
    let manifest = &one.manifest;
    let mut put = |name: &str, value: String| writeln!(out, "{name:<12} {value}").ok();
    put("plugin", format!("{} {}", manifest.name, manifest.version));
    put("about", manifest.about.clone());
    put("contract", manifest.contract.clone());
    put("digest", one.digest.to_string());
    put("source", one.source_digest.clone().unwrap_or_else(|| "not stamped".to_owned()));
    put("offers", one.exports.join(", "));
    put("imports", one.imports.join(", "));
    put("hosts", manifest.hosts.join(", "));
    put("size", format!("{} bytes, compiled {}", one.size_bytes, one.compiled_bytes));
    for setting in &manifest.settings {
        put("setting", format!("{}: {}", setting.name, setting.about));
    }
    for secret in &manifest.secrets {
        put("secret", format!("{}: {}", secret.name, secret.about));
    }
    for permission in &manifest.permissions {
        put("permission", format!("{}: {}", permission.scope, permission.about));
    }
    out
}
