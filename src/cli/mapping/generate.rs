//! `rollcall mapping test --generate`: cases from stored records, with nobody in them.
//!
//! Not here: which records (`mapping`'s picker). The invariant: what is written was masked with a key that only this
//! installation has, and a case that a person wrote is never overwritten.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::json;

use super::Where;
use super::records;
use super::sets::{Set, sets};
use crate::app::App;
use crate::cli::Context;
use crate::cli::exit::{Failure, Outcome};
use crate::config::Config;
use crate::mapping::PickedCase;
use crate::model::entity::Entity;
use crate::model::redact::Key;

/// Which records cases are chosen from.
#[derive(Debug, clap::Args)]
pub(super) struct Choice {
    /// With --generate: only this connector, such as feishu.
    #[arg(long, requires = "generate")]
    connector: Option<String>,
    /// With --generate: only this kind of record, such as employee.
    #[arg(long, requires = "generate")]
    entity: Option<String>,
    /// With --generate: the most new cases of each kind of record.
    #[arg(long, value_name = "N", default_value_t = 12, requires = "generate")]
    most: usize,
}

pub(super) fn run(context: &Context, place: &Where, choice: &Choice) -> Result<Outcome, Failure> {
    let entity = choice.entity.as_deref().map(parse).transpose()?;
    let mut sets = sets(context, place)?;
    sets.retain(|set| choice.connector.as_ref().is_none_or(|name| name == set.connector.as_str()));
    let app = records::open(context, &sets).ok_or_else(|| {
        Failure::user("there are no stored records to choose cases from")
            .hint("run `rollcall sync` once, and stop the daemon for this command, because it holds the state")
    })?;
    let mut written = Vec::new();
    for set in &sets {
        written.extend(choose(&app, set, entity, choice.most)?);
    }
    let value: Vec<_> =
        written.iter().map(|(file, case)| json!({"file": file, "adds": case.adds})).collect();
    context.format.show(&json!({"written": value}), |_| {
        let mut out = String::new();
        for (file, case) in &written {
            writeln!(out, "{}: reaches {} more", file.display(), case.adds).ok();
        }
        writeln!(out, "{} cases written; read them before you keep them", written.len()).ok();
        out
    });
    Ok(Outcome::Done)
}

fn parse(name: &str) -> Result<Entity, Failure> {
    Entity::parse(name).ok_or_else(|| {
        let known = Entity::ALL.map(Entity::name).join(", ");
        Failure::user(format!("there is no entity `{name}`")).hint(format!("one of: {known}"))
    })
}

fn choose(
    app: &App,
    set: &Set,
    only: Option<Entity>,
    most: usize,
) -> Result<Vec<(PathBuf, PickedCase)>, Failure> {
    let generation = set.load()?;
    let key = key(app.config(), set)?;
    let mut written = Vec::new();
    for entity in generation.entities() {
        if only.is_some_and(|only| only != entity) {
            continue;
        }
        let picker = generation.picker(entity, &set.connector, &set.zone, key);
        let Some(mut picker) = picker.map_err(|cause| Failure::from_error(&cause))? else {
            continue;
        };
        records::each(app, set, entity, usize::MAX, |_, record| picker.offer(&record.payload))?;
        for case in picker.choose(most) {
            written.push((write(set, entity, &case)?, case));
        }
    }
    Ok(written)
}

/// A key that follows from the connection's secrets: the same cases each time, and no way back without them.
fn key(config: &Config, set: &Set) -> Result<Key, Failure> {
    let mut secrets = Vec::new();
    for (tenant, connection) in &set.connections {
        let found = config.tenants.get(tenant).and_then(|it| it.connections.get(connection));
        for (name, secret) in found.iter().flat_map(|connection| &connection.secrets) {
            secrets.extend_from_slice(name.as_bytes());
            secrets.extend_from_slice(secret.expose().as_bytes());
        }
    }
    if secrets.is_empty() {
        let mut key = Key::default();
        getrandom::fill(&mut key).map_err(Failure::bug)?;
        return Ok(key);
    }
    Ok(blake3::derive_key("rollcall: stand-ins of generated mapping cases, 1", &secrets))
}

fn write(set: &Set, entity: Entity, case: &PickedCase) -> Result<PathBuf, Failure> {
    let root = set.roots.first().map_or_else(PathBuf::new, |(_, folder)| folder.clone());
    let folder = root.join("cases").join(entity.name());
    let file = folder.join(&case.file);
    let cannot = |cause: std::io::Error| {
        Failure::user(format!("cannot write `{}`: {cause}", file.display()))
            .hint("mend the permissions of the mappings folder")
    };
    std::fs::create_dir_all(&folder).map_err(cannot)?;
    std::fs::write(&file, &case.text).map_err(cannot)?;
    Ok(file)
}
