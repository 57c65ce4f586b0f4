//! `rollcall mapping revert`: the files of a generation that was in force, written back.
//!
//! The invariant: no text that is kept nowhere is written over, unless that is asked for.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::app::{self, About, FileBack, Question, Reversal, RevertAsked};
use crate::cli::exit::{Failure, Outcome};
use crate::cli::{Context, local};
use crate::config::Config;
use crate::model::sources::{Change, FileChange, LayerKind};

/// What to go back to.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The generation's digest, as `mapping history` shows it; its first digits will do.
    digest: String,
    /// The tenant, where there are several.
    #[arg(long)]
    tenant: Option<String>,
    /// The connection, where there are several.
    #[arg(long)]
    connection: Option<String>,
    /// Writes over edits that no generation has kept.
    #[arg(long)]
    force: bool,
    /// Shows what would be written, and writes nothing.
    #[arg(long)]
    dry_run: bool,
}

#[derive(Serialize)]
struct Reverted {
    written: bool,
    changes: Vec<FileChange>,
    /// What differs and cannot be written: built-in mappings are those of the binary.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    out_of_reach: Vec<FileChange>,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Outcome, Failure> {
    let (tenant, connection) = (args.tenant.clone(), args.connection.clone());
    let about = About { tenant, connection, entity: None };
    let asked = RevertAsked { about, digest: args.digest.clone() };
    let back: Reversal = local::ask(context, &Question::Revert(asked))?;
    if !args.force {
        refuse_unkept(&back.unkept)?;
    }
    if !args.dry_run {
        let config = app::load_config(&context.config)?;
        for file in &back.files {
            let path = path(&config, &back, file)?;
            write(&path, file.text.as_deref()).map_err(|cause| {
                Failure::user(format!("cannot write `{}`: {cause}", path.display()))
                    .hint("mend the permissions and run it again; what is written already stays")
            })?;
        }
    }
    let changes = back.files.into_iter().map(|file| file.change).collect();
    let out_of_reach = back.out_of_reach;
    let reverted = Reverted { written: !args.dry_run, changes, out_of_reach };
    context.format.show(&reverted, text);
    Ok(Outcome::Done)
}

/// Edits that would be lost.
fn refuse_unkept(unkept: &[String]) -> Result<(), Failure> {
    if unkept.is_empty() {
        return Ok(());
    }
    let files = unkept.join(", ");
    Err(Failure::user(format!("these files hold edits that are kept nowhere: {files}"))
        .hint("copy them, or write over them with --force"))
}

/// Where a file lies by the configuration.
fn path(config: &Config, back: &Reversal, file: &FileBack) -> Result<PathBuf, Failure> {
    let gone = || {
        Failure::user(format!("the connection {}/{} is gone", back.tenant, back.connection))
            .hint("the configuration was changed meanwhile; run the command again")
    };
    let tenant = config.tenants.get(&back.tenant).ok_or_else(gone)?;
    let connection = tenant.connections.get(&back.connection).ok_or_else(gone)?;
    let mappings = &config.mappings;
    let folder = match file.change.layer {
        LayerKind::Connector => mappings.join(connection.mapping.as_str()),
        LayerKind::Shared => mappings.join("lib"),
        LayerKind::Tenant | LayerKind::Exception | LayerKind::BuiltIn => {
            let folder = tenant.mappings.as_ref().ok_or_else(|| {
                Failure::user("the generation has a layer of the tenant, which has no folder now")
                    .hint("name one as `mappings` in the tenant's file")
            })?;
            folder.join(connection.mapping.as_str())
        }
    };
    Ok(folder.join(&file.name))
}

/// Writes a file at once and whole, or removes it.
fn write(path: &Path, text: Option<&str>) -> io::Result<()> {
    let Some(text) = text else {
        return fs::remove_file(path);
    };
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    fs::create_dir_all(folder)?;
    let aside = folder.join(format!(".{}.new", name.to_string_lossy()));
    fs::write(&aside, text)?;
    fs::rename(aside, path)
}

fn text(reverted: &Reverted) -> String {
    let mut out = String::new();
    let word = |change: Change| match (reverted.written, change) {
        (true, Change::Removed) => "removed",
        (true, Change::Added | Change::Changed) => "written",
        (false, Change::Removed) => "would be removed",
        (false, Change::Added | Change::Changed) => "would be written",
    };
    for change in &reverted.changes {
        writeln!(out, "{} {} ({})", change.file, word(change.change), change.layer.name()).ok();
    }
    for change in &reverted.out_of_reach {
        writeln!(out, "{} differs: it is part of the binary and stays", change.file).ok();
    }
    if reverted.changes.is_empty() {
        out.push_str("the files are those of this generation already\n");
    } else if reverted.written {
        out.push_str(
            "a running daemon takes them up now; files of a connector serve every tenant\n",
        );
    }
    out
}
