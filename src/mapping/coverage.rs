//! Which branches of a mapping records reach, which fields they set, and which values its tables do not cover.
//!
//! A [`Watcher`] evaluates watched trees beside the mapper, never in its place. Not here: choosing records (`pick`). The
//! invariant: what is counted was reached; parts that run in the interpreter are not counted, and said to be so.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::tz::TimeZone;
use phonenumber::country;
use serde::Serialize;

use super::compiled::{Branch, Cover, Halt, Mark, Program, Target};
use super::engine::{self, LIMITS};
use super::fault::{Fault, Severity, Source};
use super::generation::{Generation, SettingError};
use super::library::Env;
use super::modules::Linked;
use super::projection::Projection;
use super::script::Script;
use super::tape::Tape;
use super::{cases, yaml};
use crate::model::draft::Content;
use crate::model::entity::Entity;
use crate::model::ids::ConnectionId;
use crate::model::schema;
use crate::port::mapper::Place;

/// Most different values of one lookup that are counted.
const VALUES: usize = 1_000;
/// Values of a table that one finding names.
const NAMED: usize = 5;
/// Most characters of a value that is named.
const NAMED_CHARS: usize = 24;

/// Watches how the records of one kind go through their mapping.
pub struct Watcher {
    entity: Entity,
    parts: Vec<Part>,
    projection: Projection,
    env: Arc<Env>,
    tape: Tape,
    reached: BTreeSet<usize>,
    states: Vec<[u64; 3]>,
    looks: BTreeMap<(usize, String), BTreeMap<(Cover, String), u64>>,
    records: u64,
}

struct Part {
    program: Program,
    script: Linked,
    /// The number of its first mark among those of all parts.
    first: usize,
}

/// What one record reached: numbers that stand for branches and for fields with a value, erased or left alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reached(Vec<usize>);

impl Reached {
    /// The numbers, in order.
    pub fn items(&self) -> &[usize] {
        &self.0
    }
}

/// How far records reach into the mapping of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// The kind of record.
    pub entity: Entity,
    /// How many records went through it.
    pub records: u64,
    /// Branches that were reached.
    pub reached: usize,
    /// All branches.
    pub branches: usize,
    /// Those that no record reached.
    pub missed: Vec<Missed>,
    /// The fields that the mapping sets.
    pub fields: Vec<FieldCoverage>,
    /// Fields that run in the interpreter and are not counted.
    pub uncounted: Vec<String>,
}

/// A branch that no record reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Missed {
    /// What kind of branch.
    pub branch: &'static str,
    /// Where it begins.
    pub place: Place,
}

/// How often a field came out how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldCoverage {
    /// The field.
    pub field: &'static str,
    /// Records that gave it a value.
    pub value: u64,
    /// Records that erased it.
    pub null: u64,
    /// Records that left it alone.
    pub missing: u64,
}

impl Generation {
    /// A watcher of one kind of record with a connection's settings; `None` when there is no mapping of it, or none of it
    /// is compiled.
    ///
    /// # Errors
    /// [`SettingError`] when the zone or the region does not exist.
    pub fn watcher(
        &self,
        entity: Entity,
        connection: &ConnectionId,
        zone: &str,
        region: &str,
    ) -> Result<Option<Watcher>, SettingError> {
        let Some(mapping) = self.mappings.get(&entity) else { return Ok(None) };
        let known = TimeZone::get(zone).map_err(|_| SettingError::Zone(zone.to_owned()))?;
        let id: country::Id =
            region.parse().map_err(|_| SettingError::Region(region.to_owned()))?;
        let env = Arc::new(Env {
            connection: connection.clone(),
            zone_name: known.iana_name().unwrap_or(zone).to_owned(),
            zone: known,
            region: id,
            tables: Arc::clone(&self.tables),
        });
        let engine = engine::build(&Arc::new(Env::blank(&self.tables)), LIMITS);
        let mut projection = Projection::new();
        let parts = parts(&engine, &mapping.scripts, entity, &mut projection);
        Ok(parts.map(|parts| Watcher {
            entity,
            parts,
            projection,
            env,
            tape: Tape::default(),
            reached: BTreeSet::new(),
            states: vec![[0; 3]; schema::fields(entity).len()],
            looks: BTreeMap::new(),
            records: 0,
        }))
    }

    /// How far the cases beside the mappings reach, for each kind of record that has a mapping.
    pub fn coverage(&self, connector: &ConnectionId) -> Vec<Coverage> {
        let mut found = Vec::new();
        for entity in self.entities() {
            let Ok(Some(mut watcher)) = self.watcher(entity, connector, cases::ZONE, cases::REGION)
            else {
                continue;
            };
            for source in self.cases.get(&entity).into_iter().flatten() {
                if let Ok(case) = yaml::case(&source.text) {
                    watcher.look(case.record.to_string().as_bytes());
                }
            }
            found.push(watcher.coverage());
        }
        found
    }
}

fn parts(
    engine: &rhai::Engine,
    scripts: &[Script],
    entity: Entity,
    projection: &mut Projection,
) -> Option<Vec<Part>> {
    let mut parts: Vec<Part> = Vec::new();
    let mut first = 0;
    for script in scripts {
        let program = Program::watched(engine, script, entity, projection).ok()?;
        let marks = program.marks.len();
        parts.push(Part { program, script: script.linked.clone(), first });
        first += marks;
    }
    Some(parts)
}

impl Watcher {
    /// Lets a record go through; what it reached. What cannot be read, and what the tree leaves to the interpreter, reaches
    /// as far as it got.
    pub fn look(&mut self, payload: &[u8]) -> Reached {
        let mut reached = BTreeSet::new();
        let Ok(text) = std::str::from_utf8(payload) else { return Reached::default() };
        let Ok(doc) = self.tape.parse(text, &self.projection) else { return Reached::default() };
        self.records += 1;
        let marks = self.parts.last().map_or(0, |part| part.first + part.program.marks.len());
        let mut states: BTreeMap<usize, usize> = BTreeMap::new();
        for part in &self.parts {
            let (outcome, watch) = part.program.watch(&doc, &self.env, |target, value| {
                let content = value.into_content().map_err(|_| Halt::Fail)?;
                let at = match target {
                    Target::Field(at) => Some(*at),
                    Target::Name(name) => schema::position(self.entity, name),
                };
                let state = match content {
                    Some(Content::Null) => 1,
                    Some(_) => 0,
                    None => 2,
                };
                at.map(|at| states.insert(at, state));
                Ok(())
            });
            reached.extend(watch.reached.iter().map(|mark| part.first + mark));
            for look in watch.looks {
                let site = self.looks.entry((part.first + look.mark, look.table)).or_default();
                if site.len() < VALUES || site.contains_key(&(look.cover, look.value.clone())) {
                    *site.entry((look.cover, look.value)).or_default() += 1;
                }
            }
            if !matches!(outcome, Ok(true)) {
                states.clear();
                break;
            }
        }
        for (at, state) in states {
            if let Some(counts) = self.states.get_mut(at) {
                counts[state] += 1;
            }
            reached.insert(marks + at * 3 + state);
        }
        self.reached.extend(&reached);
        Reached(reached.into_iter().collect())
    }

    fn marks(&self) -> impl Iterator<Item = (usize, &Mark, &Part)> {
        self.parts.iter().flat_map(|part| {
            let marks = part.program.marks.iter().enumerate();
            marks.map(move |(nth, mark)| (part.first + nth, mark, part))
        })
    }

    /// How far all records together reached.
    pub fn coverage(&self) -> Coverage {
        let branches: Vec<_> =
            self.marks().filter(|(_, mark, _)| mark.what != Branch::Lookup).collect();
        let missed = branches.iter().filter(|(number, ..)| !self.reached.contains(number));
        let mut missed: Vec<Missed> = missed
            .map(|(_, mark, part)| Missed { branch: word(mark.what), place: place(**mark, part) })
            .collect();
        missed.sort_by(|a, b| {
            (&a.place.script, a.place.line, a.place.column).cmp(&(
                &b.place.script,
                b.place.line,
                b.place.column,
            ))
        });
        let table = schema::fields(self.entity).iter().zip(&self.states);
        Coverage {
            entity: self.entity,
            records: self.records,
            reached: branches.len() - missed.len(),
            branches: branches.len(),
            missed,
            fields: table
                .filter(|(_, counts)| counts.iter().any(|count| *count > 0))
                .map(|(field, [value, null, missing])| FieldCoverage {
                    field: field.name,
                    value: *value,
                    null: *null,
                    missing: *missing,
                })
                .collect(),
            uncounted: self
                .parts
                .iter()
                .flat_map(|part| part.program.reasons.iter().map(|(field, _)| field.clone()))
                .collect(),
        }
    }

    /// What the tables did not cover: a warning for values without a row, a note for those that only a default covers.
    /// `tells` says whether a value may be shown as it is.
    pub fn uncovered(&self, tells: impl Fn(&str) -> bool) -> Vec<Fault> {
        let mut faults = Vec::new();
        for ((number, table), values) in &self.looks {
            let Some((_, mark, part)) = self.marks().find(|(mark, ..)| mark == number) else {
                continue;
            };
            for cover in [Cover::None, Cover::Default] {
                let of: Vec<(&str, u64)> = values
                    .iter()
                    .filter(|((found, _), _)| *found == cover)
                    .map(|((_, value), count)| (value.as_str(), *count))
                    .collect();
                if !of.is_empty() {
                    faults.push(self.lacking(table, cover, &of, (mark, part), &tells));
                }
            }
        }
        faults
    }

    fn lacking(
        &self,
        table: &str,
        cover: Cover,
        values: &[(&str, u64)],
        (mark, part): (&Mark, &Part),
        tells: impl Fn(&str) -> bool,
    ) -> Fault {
        let count: u64 = values.iter().map(|(_, count)| count).sum();
        let who = match (self.entity, count) {
            (Entity::Employee, 1) => "person",
            (Entity::Employee, _) => "people",
            (_, 1) => "record",
            _ => "records",
        };
        let several = if values.len() == 1 { "value" } else { "values" };
        let mut values = values.to_vec();
        values.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let named: Vec<String> = values
            .iter()
            .take(NAMED)
            .map(|(value, count)| format!("{} ({count})", named(value, &tells)))
            .collect();
        let more = if values.len() > NAMED { ", .." } else { "" };
        let named = format!("{}{more}", named.join(", "));
        let (source, line, column) = resolved(*mark, part);
        let fault = |code, message: String| Fault::at(source, (line, column), code, message);
        let number = values.len();
        match cover {
            Cover::None => fault(
                "mapping::uncovered",
                format!("table `{table}`: {number} {several} unmapped, {count} {who}: {named}"),
            )
            .severe(Severity::Warning)
            .label("these records are parked")
            .help(format!("add rows to `{table}` in `tables.yaml`, or a row `_` for all other values")),
            Cover::Default | Cover::Row => fault(
                "mapping::defaulted",
                format!("table `{table}`: {number} {several} covered by a default, {count} {who}: {named}"),
            )
            .severe(Severity::Note)
            .label("no row of their own")
            .help("add rows where the default is too coarse"),
        }
    }
}

/// A value as a finding shows it: what may be somebody's is only hinted at.
fn named(value: &str, tells: impl Fn(&str) -> bool) -> String {
    if value.chars().count() <= NAMED_CHARS && tells(value) {
        return format!("\"{value}\"");
    }
    let first: String = value.chars().take(1).collect();
    format!("\"{first}***\"")
}

fn place(mark: Mark, part: &Part) -> Place {
    let (source, line, column) = resolved(mark, part);
    source.place(line, column)
}

/// Where a mark really stands: in the script or in a module.
fn resolved(mark: Mark, part: &Part) -> (&Arc<Source>, usize, usize) {
    part.script.resolve(mark.at.line().unwrap_or(1), mark.at.position().unwrap_or(1))
}

fn word(branch: Branch) -> &'static str {
    match branch {
        Branch::Then => "`if`",
        Branch::Else => "`else`",
        Branch::Arm => "arm of `switch`",
        Branch::Default => "after `??`",
        Branch::Lookup => "lookup",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::Files;

    const SCRIPT: &str = r#"#{
display_name: record.name ?? "nobody",
department_external_ids: [],
status: if record.gone == true { "terminated" } else { "active" },
gender: switch record.kind { 1 => "male", 2 => "female", _ => () },
employment_type: lookup("employment_type", record.type),
alias: lookup("alias", record.word, "x"),
}"#;
    const TABLES: &str = "employment_type:\n  1: full_time\nalias:\n  a: b\n";

    fn watcher() -> Watcher {
        let files =
            Files::from_memory("feishu", [("employee.rhai", SCRIPT), ("tables.yaml", TABLES)]);
        let generation = Generation::load(&files, None).unwrap();
        let connection = ConnectionId::parse("feishu").unwrap();
        generation.watcher(Entity::Employee, &connection, "Asia/Shanghai", "CN").unwrap().unwrap()
    }

    fn missed(watcher: &Watcher) -> Vec<String> {
        let missed = watcher.coverage().missed;
        missed.iter().map(|it| format!("{} {}", it.place.line, it.branch)).collect()
    }

    #[test]
    fn branches_that_no_record_reaches_are_told_with_their_line() {
        let mut watcher = watcher();
        assert_eq!(
            missed(&watcher),
            [
                "2 after `??`",
                "4 `if`",
                "4 `else`",
                "5 arm of `switch`",
                "5 arm of `switch`",
                "5 arm of `switch`"
            ]
        );
        watcher.look(br#"{"name":"x","kind":1}"#);
        watcher.look(br#"{"gone":true,"kind":2}"#);
        assert_eq!(missed(&watcher), ["5 arm of `switch`"]);
        let coverage = watcher.coverage();
        assert_eq!((coverage.reached, coverage.branches, coverage.records), (5, 6, 2));
        let gender = coverage.fields.iter().find(|field| field.field == "gender").unwrap();
        assert_eq!((gender.value, gender.null, gender.missing), (2, 0, 0));
    }

    #[test]
    fn records_that_take_the_same_way_reach_the_same() {
        let mut watcher = watcher();
        let one = watcher.look(br#"{"name":"x","kind":1}"#);
        let two = watcher.look(br#"{"name":"y","kind":1}"#);
        let three = watcher.look(br#"{"name":"y","kind":3}"#);
        assert_eq!(one, two);
        assert_ne!(one, three);
        assert_eq!(watcher.look(b"no json"), Reached::default());
    }

    #[test]
    fn values_without_a_row_are_counted_and_those_of_a_person_are_not_shown() {
        let mut watcher = watcher();
        for record in [
            r#"{"type":1,"word":"a"}"#,
            r#"{"type":7}"#,
            r#"{"type":7}"#,
            r#"{"type":8}"#,
            r#"{"type":"李伟","word":"z"}"#,
        ] {
            watcher.look(record.as_bytes());
        }
        let told: Vec<String> = watcher
            .uncovered(str::is_ascii)
            .iter()
            .map(|fault| format!("{} {:?} {fault}", fault.code(), fault.severity()))
            .collect();
        assert_eq!(
            told,
            [
                "mapping::uncovered Warning table `employment_type`: 3 values unmapped, 4 people: \"7\" (2), \"8\" (1), \"李***\" (1)",
                // A record that is parked at another field is not looked at any further.
            ]
        );
    }

    #[test]
    fn a_default_counts_as_covered_and_is_noted() {
        let mut watcher = watcher();
        watcher.look(br#"{"name":"x","word":"z"}"#);
        let told = watcher.uncovered(|_| true);
        assert_eq!(told.len(), 1);
        assert_eq!((told[0].code(), told[0].severity()), ("mapping::defaulted", Severity::Note));
        assert!(told[0].to_string().ends_with("1 value covered by a default, 1 person: \"z\" (1)"));
    }

    #[test]
    fn values_that_are_counted_have_a_bound() {
        let mut watcher = watcher();
        for n in 0..VALUES + 50 {
            watcher.look(format!("{{\"name\":\"x\",\"word\":\"w{n}\"}}").as_bytes());
        }
        let most = watcher.looks.values().map(BTreeMap::len).max().unwrap();
        assert_eq!(most, VALUES);
    }
}
