//! The mappings that were in force, and the way back to one of them.
//!
//! Not here: writing files (cli). The invariant: texts that are told as kept nowhere are in no generation that the state has.

use serde::{Deserialize, Serialize};

use super::{About, Asked};
use crate::app::{App, Failure, layers, today};
use crate::config::Config;
use crate::model::hash::ContentHash;
use crate::model::ids::{ConnectionId, RunId, TenantId};
use crate::model::sources::{FileChange, LayerKind, Sources};
use crate::sync::ledger::InForce;

/// Which connections' generations.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GenerationsAsked {
    /// Which connections.
    pub about: About,
    /// How many of each, the newest first.
    pub limit: usize,
}

/// The generations of a connection.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GenerationsTold {
    /// The customer.
    pub tenant: TenantId,
    /// The connection.
    pub connection: ConnectionId,
    /// The newest first.
    pub generations: Vec<GenerationTold>,
}

/// One generation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GenerationTold {
    /// The digest of its texts.
    pub digest: ContentHash,
    /// Since when it was in force.
    pub since: String,
    /// The first run that wrote by it.
    pub run: RunId,
    /// Whether it is in force now.
    pub in_force: bool,
    /// The generation of the canary that ran beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canary: Option<ContentHash>,
    /// The files that it changed.
    pub changes: Vec<FileChange>,
}

/// The generation to go back to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RevertAsked {
    /// Which connection.
    pub about: About,
    /// The digest, or its first digits.
    pub digest: String,
}

/// What goes back to how it was.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Reversal {
    /// The customer.
    pub tenant: TenantId,
    /// The connection.
    pub connection: ConnectionId,
    /// Files that differ now.
    pub files: Vec<FileBack>,
    /// What differs and cannot be written: built-in mappings are those of the binary.
    pub out_of_reach: Vec<FileChange>,
    /// Files whose texts of now no generation has.
    pub unkept: Vec<String>,
}

/// A file that goes back to how it was.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FileBack {
    /// Which one, and what becomes of it.
    pub change: FileChange,
    /// Its name within the layer's folder.
    pub name: String,
    /// Its text; none when it is removed.
    pub text: Option<String>,
}

/// A generation and its texts.
struct Kept {
    in_force: InForce,
    sources: Sources,
}

/// All of them, the oldest first; one whose texts are gone is left out.
fn kept(on: &Asked<'_>) -> Result<Vec<Kept>, Failure> {
    let mut kept = Vec::new();
    for generation in on.ledger.generations() {
        let in_force = generation.map_err(|cause| Failure::of(&cause))?;
        let sources = on.ledger.sources(in_force.digest).map_err(|cause| Failure::of(&cause))?;
        kept.extend(sources.map(|sources| Kept { in_force, sources }));
    }
    Ok(kept)
}

pub(super) fn answer(
    app: &App,
    config: &Config,
    asked: &GenerationsAsked,
) -> Result<Vec<GenerationsTold>, Failure> {
    let one = |on: Asked<'_>| {
        let (tenant, connection) = on.ids();
        let generations = told(&kept(&on)?, asked.limit);
        Ok(GenerationsTold { tenant, connection, generations })
    };
    app.asked(config, &asked.about)?.into_iter().map(one).collect()
}

fn told(kept: &[Kept], limit: usize) -> Vec<GenerationTold> {
    let nothing = Sources::default();
    let numbered = kept.iter().enumerate().rev().take(limit);
    numbered
        .map(|(nth, one)| {
            let before = nth.checked_sub(1).and_then(|at| kept.get(at));
            let before = before.map_or(&nothing, |before| &before.sources);
            let since = jiff::Timestamp::from_millisecond(one.in_force.since_ms);
            GenerationTold {
                digest: one.in_force.digest,
                since: since.map(|at| at.to_string()).unwrap_or_default(),
                run: one.in_force.run,
                in_force: nth + 1 == kept.len(),
                canary: one.in_force.canary.map(|tried| tried.edited),
                changes: before.changes(&one.sources),
            }
        })
        .collect()
}

/// What it takes to go back to a generation.
pub(super) fn reversal(
    app: &App,
    config: &Config,
    asked: &RevertAsked,
) -> Result<Reversal, Failure> {
    let (on, kept) = chosen(app, config, asked)?;
    let wanted = find(&kept, &asked.digest)?;
    let day = today(&*app.clock, on.tenant);
    let now = layers(config, on.tenant, on.connection, Some(day));
    // The files of the binary only where they count.
    let now = Sources { layers: now.in_use(), ..Sources::default() };
    let changes = now.changes(&wanted.sources).into_iter();
    let (out_of_reach, changes): (Vec<_>, Vec<_>) =
        changes.partition(|change| change.layer == LayerKind::BuiltIn);
    let unkept = changes.iter().filter(|change| {
        let text = now.text(change);
        text.is_some() && !kept.iter().any(|one| one.sources.text(change) == text)
    });
    let unkept = unkept.map(|change| change.file.clone()).collect();
    let back = |change: FileChange| FileBack {
        name: change.name.clone(),
        text: wanted.sources.text(&change).map(str::to_owned),
        change,
    };
    let (tenant, connection) = on.ids();
    let files = changes.into_iter().map(back).collect();
    Ok(Reversal { tenant, connection, files, out_of_reach, unkept })
}

/// The one connection that has had this generation.
fn chosen<'a>(
    app: &App,
    config: &'a Config,
    asked: &RevertAsked,
) -> Result<(Asked<'a>, Vec<Kept>), Failure> {
    let mut found = Vec::new();
    for on in app.asked(config, &asked.about)? {
        let kept = kept(&on)?;
        if kept.iter().any(|one| begins(one, &asked.digest)) {
            found.push((on, kept));
        }
    }
    match (found.pop(), found.is_empty()) {
        (Some(one), true) => Ok(one),
        _ => Err(Failure::new(format!(
            "not exactly one connection has had the generation `{}`",
            asked.digest
        ))
        .hint("`rollcall mapping history` lists them; name one with --tenant and --connection")),
    }
}

fn begins(one: &Kept, digest: &str) -> bool {
    one.in_force.digest.to_string().starts_with(digest)
}

fn find<'k>(kept: &'k [Kept], digest: &str) -> Result<&'k Kept, Failure> {
    let mut found: Vec<&Kept> = kept.iter().filter(|one| begins(one, digest)).collect();
    // One that came back is there several times.
    found.sort_by_key(|one| one.in_force.digest);
    found.dedup_by_key(|one| one.in_force.digest);
    match found[..] {
        [one] => Ok(one),
        _ => Err(Failure::new(format!("`{digest}` begins the digest of several generations"))
            .hint("give more of its digits")),
    }
}
