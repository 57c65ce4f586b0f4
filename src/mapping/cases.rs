//! Cases: an invented source object and what has to become of it. They run on every reload.
//!
//! Not here: how a case's file is written (`yaml`). The invariant: a case that cannot be read fails; it is never left
//! out.

use serde::Serialize;
use serde_json::{Map, Value};

use super::fault::Source;
use super::generation::Generation;
use super::yaml::{self, RawCase, RawRejection};
use crate::model::draft::Draft;
use crate::model::entity::Entity;
use crate::model::ids::{ConnectionId, SourceId};
use crate::model::record::Record;
use crate::port::mapper::{Mapped, Reject};

/// What became of one case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CaseResult {
    /// The kind of record.
    pub entity: Entity,
    /// The case's file, such as `feishu/cases/employee/leaver.yaml`.
    pub file: String,
    /// What differs, one line each; empty when the case passes.
    pub differences: Vec<String>,
}

/// What became of all cases.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CaseReport {
    /// By entity and file name.
    pub results: Vec<CaseResult>,
}

impl CaseReport {
    /// The cases that fail.
    pub fn failures(&self) -> impl Iterator<Item = &CaseResult> {
        self.results.iter().filter(|result| !result.differences.is_empty())
    }

    /// Whether all pass.
    pub fn passed(&self) -> bool {
        self.failures().next().is_none()
    }
}

/// The surroundings of cases: the connection is called as the connector, the zone is this unless a case names another.
pub(super) const ZONE: &str = "Asia/Shanghai";
pub(super) const REGION: &str = "CN";

impl Generation {
    /// Runs every case. `connector` is the name that stands in the cases' external ids, such as `feishu`.
    pub fn run_cases(&self, connector: &ConnectionId) -> CaseReport {
        let results = self.cases.iter().flat_map(|(entity, sources)| {
            sources.iter().map(|source| CaseResult {
                entity: *entity,
                file: source.name.clone(),
                differences: self.run_case(connector, *entity, source),
            })
        });
        CaseReport { results: results.collect() }
    }

    fn run_case(&self, connector: &ConnectionId, entity: Entity, source: &Source) -> Vec<String> {
        let case = match yaml::case(&source.text) {
            Ok(case) => case,
            Err(fault) => return vec![format!("the case cannot be read: {}", fault.message)],
        };
        let expectations = usize::from(case.draft.is_some())
            + usize::from(case.rejected.is_some())
            + usize::from(case.skipped);
        if expectations != 1 {
            return vec!["a case needs one of `draft`, `rejected` and `skipped: true`".to_owned()];
        }
        let zone = case.zone.as_deref().unwrap_or(ZONE);
        let mapper = match self.mapper(connector, zone, REGION) {
            Ok(mapper) => mapper,
            Err(error) => return vec![error.to_string()],
        };
        let Ok(id) = SourceId::parse("case") else {
            return vec!["the case has no id".to_owned()];
        };
        let record = Record { id, payload: case.record.to_string().into() };
        match mapper.map(entity, &[record]).pop() {
            Some(found) => differences(&case, &found),
            None => vec!["there is no mapping for this case".to_owned()],
        }
    }
}

fn differences(case: &RawCase, found: &Mapped) -> Vec<String> {
    match (found, &case.draft, &case.rejected) {
        (Mapped::Draft(draft), Some(wanted), _) => compare(wanted, draft),
        (Mapped::Rejected(reject), _, Some(wanted)) => compare_rejection(wanted, reject),
        (Mapped::Skipped, None, None) => Vec::new(),
        (Mapped::Skipped, ..) => vec!["the record is left out".to_owned()],
        (Mapped::Rejected(reject), ..) => {
            vec![format!("the record is rejected: {} ({})", reject.message, reject.code)]
        }
        (Mapped::Draft(_), ..) => vec!["the record gives a draft".to_owned()],
    }
}

fn compare(wanted: &Map<String, Value>, draft: &Draft) -> Vec<String> {
    let found: Map<String, Value> = serde_json::from_slice(draft.json()).unwrap_or_default();
    let names: std::collections::BTreeSet<&String> = wanted.keys().chain(found.keys()).collect();
    names
        .into_iter()
        .filter_map(|name| match (wanted.get(name), found.get(name)) {
            (wanted, found) if wanted == found => None,
            (Some(wanted), Some(found)) => Some(format!("`{name}` is {found}, not {wanted}")),
            (Some(wanted), None) => Some(format!("`{name}` is missing, not {wanted}")),
            (None, Some(found)) => Some(format!("`{name}` is {found}, not missing")),
            (None, None) => None,
        })
        .collect()
}

fn compare_rejection(wanted: &RawRejection, found: &Reject) -> Vec<String> {
    let mut differences = Vec::new();
    if wanted.code != found.code {
        differences.push(format!(
            "the rejection is `{}` ({}), not `{}`",
            found.code, found.message, wanted.code
        ));
    }
    if wanted.field.is_some() && wanted.field != found.field {
        let field = found.field.as_deref().unwrap_or("none");
        differences.push(format!("the rejected field is `{field}`"));
    }
    differences
}
