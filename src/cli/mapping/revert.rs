//! `rollcall mapping revert`: the files of a generation that was in force, written back.
//!
//! The invariant: no text that is kept nowhere is written over, unless that is asked for.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::kept::{self, Kept};
use crate::app::{self, App, Selection};
use crate::cli::Context;
use crate::cli::exit::{Failure, Outcome};
use crate::config::{Connection, Tenant};
use crate::mapping::Layers;
use crate::model::sources::{Change, FileChange, LayerKind, Sources};

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
    let selection = Selection { tenant: args.tenant.clone(), connection: args.connection.clone() };
    let app = App::open(&context.config)?;
    let (tenant, connection, kept) = chosen(&app, &selection, &args.digest)?;
    let wanted = find(&kept, &args.digest)?;
    let day = app::today(&app::SystemClock, tenant);
    let now = app::layers(app.config(), tenant, connection, Some(day));
    let now = now_texts(&now);
    let changes = now.changes(&wanted.sources);
    let (out_of_reach, changes): (Vec<_>, Vec<_>) =
        changes.into_iter().partition(|change| change.layer == LayerKind::BuiltIn);
    if !args.force {
        refuse_unkept(&now, &changes, &kept)?;
    }
    if !args.dry_run {
        for change in &changes {
            let path = path(&app, tenant, connection, change)?;
            write(&path, wanted.sources.text(change)).map_err(|cause| {
                Failure::user(format!("cannot write `{}`: {cause}", path.display()))
                    .hint("mend the permissions and run it again; what is written already stays")
            })?;
        }
    }
    let reverted = Reverted { written: !args.dry_run, changes, out_of_reach };
    context.format.show(&reverted, text);
    Ok(Outcome::Done)
}

/// The one connection that has had this generation.
fn chosen<'a>(
    app: &'a App,
    selection: &Selection,
    digest: &str,
) -> Result<(&'a Tenant, &'a Connection, Vec<Kept>), Failure> {
    let mut found = Vec::new();
    for (tenant, connection) in app.connections(selection) {
        let kept = kept::all(app, &tenant, &connection)?;
        if kept.iter().any(|one| one.in_force.digest.to_string().starts_with(digest)) {
            found.push((tenant, connection, kept));
        }
    }
    let hint = "`rollcall mapping history` lists them; name one with --tenant and --connection";
    let (Some((tenant, connection, kept)), true) = (found.pop(), found.is_empty()) else {
        let message = format!("not exactly one connection has had the generation `{digest}`");
        return Err(Failure::user(message).hint(hint));
    };
    let tenant =
        app.config().tenants.get(&tenant).ok_or_else(|| Failure::bug("the tenant is gone"))?;
    let connection = tenant.connections.get(&connection);
    let connection = connection.ok_or_else(|| Failure::bug("the connection is gone"))?;
    Ok((tenant, connection, kept))
}

fn find<'k>(kept: &'k [Kept], digest: &str) -> Result<&'k Kept, Failure> {
    let mut found: Vec<&Kept> =
        kept.iter().filter(|one| one.in_force.digest.to_string().starts_with(digest)).collect();
    // One that came back is there several times.
    found.dedup_by_key(|one| one.in_force.digest);
    found.sort_by_key(|one| one.in_force.digest);
    found.dedup_by_key(|one| one.in_force.digest);
    match found[..] {
        [one] => Ok(one),
        _ => Err(Failure::user(format!("`{digest}` begins the digest of several generations"))
            .hint("give more of its digits")),
    }
}

/// The files as they are now, those of the binary only where they count.
fn now_texts(layers: &Layers) -> Sources {
    Sources { layers: layers.in_use(), ..Sources::default() }
}

/// Edits that would be lost.
fn refuse_unkept(now: &Sources, changes: &[FileChange], kept: &[Kept]) -> Result<(), Failure> {
    let is_kept = |change: &&FileChange| {
        let text = now.text(change);
        text.is_none() || kept.iter().any(|one| one.sources.text(change) == text)
    };
    let lost: Vec<&str> =
        changes.iter().filter(|change| !is_kept(change)).map(|one| one.file.as_str()).collect();
    if lost.is_empty() {
        return Ok(());
    }
    Err(Failure::user(format!("these files hold edits that are kept nowhere: {}", lost.join(", ")))
        .hint("copy them, or write over them with --force"))
}

fn path(
    app: &App,
    tenant: &Tenant,
    connection: &Connection,
    change: &FileChange,
) -> Result<PathBuf, Failure> {
    let mappings = &app.config().mappings;
    let folder = match change.layer {
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
    Ok(folder.join(&change.name))
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
