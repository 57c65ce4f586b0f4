//! `rollcall mapping`: check, test and try mappings.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};

use super::Context;
use super::exit::{Failure, Outcome};
use crate::app;
use crate::mapping::{self, Fault, Files, Generation};
use crate::model::entity::Entity;
use crate::model::ids::{ConnectionId, SourceId};
use crate::model::record::Record;
use crate::port::mapper::{Mapped, Place};

/// The zone and region of a mapping that is tried without a configuration.
const ZONE: &str = "Asia/Shanghai";
const REGION: &str = "CN";

/// What to do with mappings.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// Compiles every mapping and tells everything that is wrong, with its line.
    Check(Where),
    /// Runs every case beside the mappings.
    Test(Where),
    /// Maps one record, or an array of them, and prints the draft or why there is none.
    Run {
        /// The connector, such as feishu.
        connector: String,
        /// The entity, such as employee.
        entity: String,
        /// A JSON file with the record; `-` reads it from stdin.
        #[arg(long, short, default_value = "-")]
        input: PathBuf,
        #[command(flatten)]
        place: Where,
    },
    /// Lists the functions that mappings may call.
    Functions,
}

/// Which mappings.
#[derive(Debug, clap::Args)]
pub(super) struct Where {
    /// A folder of mappings, instead of those that the configuration names.
    #[arg(long, value_name = "DIR")]
    mappings: Option<PathBuf>,
}

pub(super) fn run(context: &Context, verb: Verb) -> Result<Outcome, Failure> {
    match verb {
        Verb::Check(place) => check(context, &place),
        Verb::Test(place) => test(context, &place),
        Verb::Run { connector, entity, input, place } => {
            let entity = Entity::parse(&entity).ok_or_else(|| {
                let known = Entity::ALL.map(Entity::name).join(", ");
                Failure::user(format!("there is no entity `{entity}`"))
                    .hint(format!("one of: {known}"))
            })?;
            try_out(context, &place, &connector, entity, &input)
        }
        Verb::Functions => {
            let all: Vec<_> = mapping::functions().collect();
            context.format.show(&all, |all| {
                let line = |one: &&mapping::Function| format!("{:<44} {}", one.usage, one.about);
                all.iter().map(line).collect::<Vec<_>>().join("\n")
            });
            Ok(Outcome::Done)
        }
    }
}

/// A set of mappings under the name that people know it by.
struct Set {
    name: String,
    connector: ConnectionId,
    base: Files,
    layer: Option<Files>,
    zone: String,
    region: String,
}

/// What stands in the folder, or what the configuration puts together for each connection.
fn sets(context: &Context, place: &Where) -> Result<Vec<Set>, Failure> {
    if let Some(folder) = &place.mappings {
        return folder_sets(folder);
    }
    if !context.config.exists() {
        return folder_sets(Path::new("mappings"));
    }
    let config = app::load_config(&context.config)?;
    let mut sets = BTreeMap::new();
    for tenant in config.tenants.values() {
        for connection in tenant.connections.values() {
            let connector = connection.mapping.clone();
            let folder = config.mappings.join(connector.as_str());
            let layer = tenant.mappings.as_ref().map(|layer| layer.join(connector.as_str()));
            let layer = layer.filter(|layer| layer.is_dir());
            let name = match layer {
                Some(_) => format!("{connector} with the layer of {}", tenant.id),
                None => connector.to_string(),
            };
            let set = Set {
                name: name.clone(),
                base: Files::read(connector.as_str(), &folder),
                layer: layer
                    .map(|layer| Files::read(&format!("{}/{connector}", tenant.id), &layer)),
                connector,
                zone: tenant.timezone.name().to_owned(),
                region: tenant.region.as_str().to_owned(),
            };
            sets.insert(name, set);
        }
    }
    Ok(sets.into_values().collect())
}

fn folder_sets(folder: &Path) -> Result<Vec<Set>, Failure> {
    let entries = std::fs::read_dir(folder).map_err(|cause| {
        Failure::user(format!("cannot read the mappings in `{}`: {cause}", folder.display())).hint(
            "run this where rollcall.yaml or mappings/ stands, or name a folder with --mappings",
        )
    })?;
    let mut sets = Vec::new();
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let base = Files::read(&name, &entry.path());
        if let (false, Ok(connector)) = (base.is_empty(), ConnectionId::parse(&name)) {
            let (zone, region) = (ZONE.to_owned(), REGION.to_owned());
            sets.push(Set { name, connector, base, layer: None, zone, region });
        }
    }
    if sets.is_empty() {
        return Err(Failure::user(format!("there are no mappings in `{}`", folder.display())));
    }
    sets.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(sets)
}

#[derive(Serialize)]
struct Finding<'a> {
    code: &'static str,
    message: String,
    place: &'a Place,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'a str>,
}

fn check(context: &Context, place: &Where) -> Result<Outcome, Failure> {
    let mut faults: Vec<Fault> = Vec::new();
    let mut names = Vec::new();
    for set in sets(context, place)? {
        faults.extend(Generation::check(&set.base, set.layer.as_ref()));
        names.push(set.name);
    }
    let findings: Vec<Finding<'_>> = faults
        .iter()
        .map(|fault| Finding {
            code: fault.code(),
            message: fault.to_string(),
            place: fault.place(),
            help: fault.advice(),
        })
        .collect();
    context.format.show(&json!({"checked": names, "findings": findings}), |_| {
        if faults.is_empty() {
            return format!("{}: no fault", names.join(", "));
        }
        app::Failure::reports(&faults).message
    });
    Ok(if faults.is_empty() { Outcome::Done } else { Outcome::Findings })
}

fn test(context: &Context, place: &Where) -> Result<Outcome, Failure> {
    let mut results = Vec::new();
    for set in sets(context, place)? {
        let generation = load(&set)?;
        results.extend(generation.run_cases(&set.connector).results);
    }
    let failed = results.iter().filter(|result| !result.differences.is_empty()).count();
    context.format.show(
        &json!({"cases": results.len(), "failed": failed, "results": results}),
        |_| {
            let mut out = String::new();
            for result in &results {
                let word = if result.differences.is_empty() { "ok" } else { "FAILED" };
                writeln!(out, "{word:<7} {}", result.file).ok();
                for difference in &result.differences {
                    writeln!(out, "        {difference}").ok();
                }
            }
            writeln!(out, "{} passed, {failed} failed", results.len() - failed).ok();
            out
        },
    );
    Ok(if failed == 0 { Outcome::Done } else { Outcome::Findings })
}

fn load(set: &Set) -> Result<Generation, Failure> {
    let loaded = Generation::load(&set.base, set.layer.as_ref());
    loaded.map_err(|faults| app::Failure::reports(&faults).into())
}

fn try_out(
    context: &Context,
    place: &Where,
    connector: &str,
    entity: Entity,
    input: &Path,
) -> Result<Outcome, Failure> {
    let set = sets(context, place)?.into_iter().find(|set| set.connector.as_str() == connector);
    let set =
        set.ok_or_else(|| Failure::user(format!("there are no mappings for `{connector}`")))?;
    let generation = load(&set)?;
    let mapper = generation.mapper(&set.connector, &set.zone, &set.region);
    let mapper = mapper.map_err(|cause| Failure::from_error(&cause))?;
    if mapper.digest(entity).is_none() {
        return Err(Failure::user(format!("`{connector}` has no mapping of {entity}")));
    }
    let mut outcome = Outcome::Done;
    let mut shown = Vec::new();
    for mapped in mapper.map(entity, &records(input)?) {
        shown.push(match mapped {
            Mapped::Draft(draft) => {
                let value: Value = serde_json::from_slice(draft.json()).map_err(Failure::bug)?;
                json!({"draft": value})
            }
            Mapped::Skipped => json!({"skipped": true}),
            Mapped::Rejected(reject) => {
                outcome = Outcome::Findings;
                json!({"rejected": reject})
            }
        });
    }
    context.format.value(&shown);
    Ok(outcome)
}

fn records(input: &Path) -> Result<Vec<Record>, Failure> {
    let cannot = |cause| Failure::user(format!("cannot read `{}`: {cause}", input.display()));
    let text = if input == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map_err(cannot)?;
        text
    } else {
        std::fs::read_to_string(input).map_err(cannot)?
    };
    let value: Value = serde_json::from_str(&text)
        .map_err(|cause| Failure::user(format!("`{}` is no JSON: {cause}", input.display())))?;
    let values = match value {
        Value::Array(values) => values,
        value => vec![value],
    };
    let id = SourceId::parse("input").map_err(Failure::bug)?;
    Ok(values
        .iter()
        .map(|v| Record { id: id.clone(), payload: Bytes::from(v.to_string()) })
        .collect())
}
