//! `rollcall mapping test --generate`: cases from stored records, with nobody in them.
//!
//! Not here: which records (`mapping`'s picker, asked through `app`). The invariant: what is written was masked with a key
//! that only this installation has, and a case that a person wrote is never overwritten.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::Where;
use super::sets::{Set, sets};
use crate::app::{self, CaseTold, PickAsked, Question};
use crate::cli::Context;
use crate::cli::exit::{Failure, Outcome};
use crate::cli::local::Asker;
use crate::model::entity::Entity;

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
    let asked = sets.iter().filter_map(|set| Some((set, set.shared()?)));
    let asked: Vec<_> = asked.collect();
    if asked.is_empty() || !app::load_config(&context.config)?.state.is_dir() {
        return Err(Failure::user("there are no stored records to choose cases from")
            .hint("run `rollcall sync` once; cases are made for the mappings of a configuration"));
    }
    let mut daemon = Asker::new(context)?;
    let mut written = Vec::new();
    for (set, of) in asked {
        let question = Question::Pick(PickAsked { of, entity, most: choice.most });
        let chosen: Vec<CaseTold> = daemon.ask(&question)?;
        for case in chosen {
            written.push((write(set, &case)?, case));
        }
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

fn write(set: &Set, case: &CaseTold) -> Result<PathBuf, Failure> {
    // The name comes from another process: it stays in its folder.
    let name = Path::new(&case.file).file_name().unwrap_or_default();
    let root = set.roots.first().map_or_else(PathBuf::new, |(_, folder)| folder.clone());
    let folder = root.join("cases").join(case.entity.name());
    let file = folder.join(name);
    let cannot = |cause: std::io::Error| {
        Failure::user(format!("cannot write `{}`: {cause}", file.display()))
            .hint("mend the permissions of the mappings folder")
    };
    std::fs::create_dir_all(&folder).map_err(cannot)?;
    std::fs::write(&file, &case.text).map_err(cannot)?;
    Ok(file)
}
