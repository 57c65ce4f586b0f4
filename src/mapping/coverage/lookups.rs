//! The values that were looked up in tables, and what the tables did not cover.
//!
//! Not here: looking them up. The invariant: what is kept has a bound, and a value that may be somebody's is not shown.

use std::collections::BTreeMap;

use super::{Part, Watcher, resolved};
use crate::mapping::compiled::{Cover, Look, Mark};
use crate::mapping::fault::{Fault, Severity};
use crate::model::entity::Entity;

/// Most different values of one lookup that are counted.
pub(super) const VALUES: usize = 1_000;
/// Values of a table that one finding names.
const NAMED: usize = 5;
/// Most characters of a value that is named.
const NAMED_CHARS: usize = 24;

/// How often each value was looked up, by the number of the place and the table.
#[derive(Debug, Default)]
pub(super) struct Lookups(pub(super) BTreeMap<(usize, String), BTreeMap<(Cover, String), u64>>);

impl Lookups {
    /// Counts one; `first` is the number of the part's first mark.
    pub(super) fn count(&mut self, first: usize, look: Look) {
        let site = self.0.entry((first + look.mark, look.table)).or_default();
        if site.len() < VALUES || site.contains_key(&(look.cover, look.value.clone())) {
            *site.entry((look.cover, look.value)).or_default() += 1;
        }
    }
}

impl Watcher {
    /// What the tables did not cover: a warning for values without a row, a note for those that only a default covers.
    /// `tells` says whether a value may be shown as it is.
    pub fn uncovered(&self, tells: impl Fn(&str) -> bool) -> Vec<Fault> {
        let mut faults = Vec::new();
        for ((number, table), values) in &self.looks.0 {
            let Some((mark, part)) = self.mark(*number) else { continue };
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
