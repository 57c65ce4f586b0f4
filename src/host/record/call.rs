//! A guest call as a value, and what came of it.
//!
//! The invariant: a call that is performed again is given exactly what it was given, through the same operation.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::host::failure::Failure;
use crate::host::instance::{Live, Operation};
use crate::host::operation::{Fetch, List, ListAttendance, Offer, Probe};
use crate::model::entity::Entity;
use crate::model::fault::Fault;
use crate::model::hash::ContentHash;
use crate::model::ids::SourceId;
use crate::model::record::{Capabilities, Cursor, Page, Record, Walk, Window};

use super::stage::Stage;

/// What a guest was called for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "export")]
pub(in crate::host) enum Call {
    Offer,
    Probe,
    List { kind: Entity, within: Option<String>, cursor: Option<String> },
    Attendance { kind: Entity, people: Vec<String>, start: i64, end: i64, cursor: Option<String> },
    Fetch { kind: Entity, ids: Vec<String> },
}

/// What a call gave, in a form that all operations share.
#[derive(Debug, Default)]
pub(in crate::host) struct Made {
    pub(in crate::host) records: Vec<Record>,
    pub(in crate::host) next: Option<String>,
    /// Everything else, as JSON.
    pub(in crate::host) rest: Value,
}

impl From<&Page> for Made {
    fn from(page: &Page) -> Self {
        let evidence = page.evidence.as_ref();
        let rest = evidence.map_or(Value::Null, |it| json!({"scope": it.scope, "total": it.total}));
        let next = page.next.as_ref().map(|Cursor(text)| text.clone());
        Self { records: page.records.clone(), next, rest }
    }
}

impl From<&Capabilities> for Made {
    fn from(offered: &Capabilities) -> Self {
        let walk = |walk: &Walk| match walk {
            Walk::Whole(kind) => json!({"whole": kind}),
            Walk::PerDepartment(kind) => json!({"per_department": kind}),
        };
        let walks: Vec<_> = offered.walks.iter().map(walk).collect();
        let batches: Vec<_> = offered
            .batches
            .iter()
            .map(|it| json!({"kind": it.entity, "people": it.people, "days": it.days}))
            .collect();
        Self { rest: json!({"walks": walks, "batches": batches}), ..Self::default() }
    }
}

/// What is written of a result: enough to tell any difference, nothing to read people from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Outcome {
    pub(super) records: usize,
    ids: ContentHash,
    payloads: ContentHash,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    #[serde(default, skip_serializing_if = "Value::is_null")]
    rest: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
}

impl Outcome {
    pub(super) fn of(made: &Result<Made, Fault>) -> Self {
        let nothing = Made::default();
        let (made, fault) = match made {
            Ok(made) => (made, None),
            Err(fault) => (&nothing, Some(format!("{}: {fault}", kind(fault)))),
        };
        let records = &made.records;
        Self {
            records: records.len(),
            ids: ContentHash::of_parts(records.iter().map(|it| it.id.as_str().as_bytes())),
            payloads: ContentHash::of_parts(records.iter().map(|it| &it.payload[..])),
            next: made.next.clone(),
            rest: made.rest.clone(),
            fault,
        }
    }

    /// The fields that differ, as two texts for people.
    pub(super) fn difference(&self, found: &Self) -> Option<(String, String)> {
        let told = |of: &Self| {
            [
                ("records", of.records.to_string()),
                ("ids", of.ids.to_string()),
                ("payloads", of.payloads.to_string()),
                ("next", of.next.clone().unwrap_or_else(|| "none".to_owned())),
                ("rest", of.rest.to_string()),
                ("fault", of.fault.clone().unwrap_or_else(|| "none".to_owned())),
            ]
        };
        let (mut wanted, mut met) = (Vec::new(), Vec::new());
        for ((name, expected), (_, found)) in told(self).into_iter().zip(told(found)) {
            if expected != found {
                wanted.push(format!("{name} {}", super::cut(&expected)));
                met.push(format!("{name} {}", super::cut(&found)));
            }
        }
        (!wanted.is_empty()).then(|| (wanted.join(", "), met.join(", ")))
    }
}

fn kind(fault: &Fault) -> &'static str {
    match fault {
        Fault::Unauthorized(_) => "unauthorized",
        Fault::Forbidden(_) => "forbidden",
        Fault::RateLimited(_) => "rate-limited",
        Fault::NotFound => "not-found",
        Fault::Invalid(_) => "invalid",
        Fault::StaleCursor => "stale-cursor",
        Fault::Unavailable(_) => "unavailable",
        Fault::Unsupported => "unsupported",
        Fault::Plugin(_) => "plugin",
    }
}

impl Call {
    /// The export, as people know it.
    pub(in crate::host) fn export(&self) -> &'static str {
        match self {
            Self::Offer => Offer::EXPORT,
            Self::Probe => Probe::EXPORT,
            Self::List { .. } => List::EXPORT,
            Self::Attendance { .. } => ListAttendance::EXPORT,
            Self::Fetch { .. } => Fetch::EXPORT,
        }
    }

    /// The same call with stand-ins.
    pub(super) fn redacted(self, stage: &Stage) -> Self {
        let one = |text: Option<String>| text.map(|text| stage.handed(&text));
        let all = |ids: Vec<String>| ids.iter().map(|id| stage.handed(id)).collect();
        match self {
            Self::Offer | Self::Probe => self,
            Self::List { kind, within, cursor } => {
                Self::List { kind, within: one(within), cursor: one(cursor) }
            }
            Self::Attendance { kind, people, start, end, cursor } => {
                Self::Attendance { kind, people: all(people), start, end, cursor: one(cursor) }
            }
            Self::Fetch { kind, ids } => Self::Fetch { kind, ids: all(ids) },
        }
    }

    /// Runs it in an instance.
    pub(in crate::host) async fn perform(&self, live: &mut Live) -> Result<Made, Failure> {
        match self.clone() {
            Self::Offer => made(&Offer, live).await,
            Self::Probe => made(&Probe, live).await,
            Self::List { kind, within, cursor } => {
                let within = within
                    .map(|id| SourceId::parse(&id))
                    .transpose()
                    .map_err(|_| Failure::Fault(Fault::NotFound))?;
                let cursor = cursor.map(Cursor);
                let list = List { entity: kind, within: within.as_ref(), cursor: cursor.as_ref() };
                made(&list, live).await
            }
            Self::Attendance { kind, people, start, end, cursor } => {
                let (window, cursor) = (Window { start, end }, cursor.map(Cursor));
                let cursor = cursor.as_ref();
                made(&ListAttendance { entity: kind, people, window, cursor }, live).await
            }
            Self::Fetch { kind, ids } => made(&Fetch { entity: kind, ids }, live).await,
        }
    }
}

async fn made<O: Operation>(operation: &O, live: &mut Live) -> Result<Made, Failure> {
    operation.run(live).await.map(|out| O::made(&out))
}
