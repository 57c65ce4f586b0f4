//! Sets a component up against a stage and walks its listings, as a sync does.
//!
//! What this is not: the sync itself; nothing is mapped or kept. The one invariant: every walk ends, whatever the component
//! answers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::host::{
    Connection, ConnectionSpec, Grant, Limits, Plugin, Randomness, RetryLimits, Secret,
    SecretSource,
};
use crate::model::entity::Entity;
use crate::model::fault::{Advice, Disposition, Fault};
use crate::model::ids::{ConnectionId, SourceId, TenantId};
use crate::model::record::{Capabilities, Cursor, Evidence, Page, Record, Walk};
use crate::port::clock::Clock;
use crate::port::provider::Provider as _;

use super::stage::{Access, Stage, Unplayable};

/// How often a listing may start again, as in a sync.
const RESTARTS: u32 = 3;
/// The most pages of one part of a listing.
const MOST_PAGES: u32 = 50_000;

/// What one call may use here.
#[derive(Clone, Copy)]
pub(super) struct Patience {
    pub(super) call: Duration,
    pub(super) attempts: u32,
}

impl Patience {
    /// One attempt, so that a fault is seen as it is.
    pub(super) const ONCE: Self = Self { call: Duration::from_secs(20), attempts: 1 };
    /// As many attempts as a sync makes, with short waits.
    pub(super) const SYNC: Self = Self { call: Duration::from_secs(20), attempts: 6 };

    fn limits(self) -> Limits {
        Limits {
            call: self.call,
            retry: RetryLimits {
                attempts: self.attempts,
                first: Duration::from_millis(20),
                ..Limits::STANDARD.retry
            },
            ..Limits::STANDARD
        }
    }
}

/// Sets a component up, as a tenant would.
pub(super) fn connect(
    plugin: &Arc<Plugin>,
    stage: &dyn Stage,
    patience: Patience,
) -> Result<Connection, Unplayable> {
    connect_with(plugin, stage.access(), stage.now_ms(), patience)
}

/// Sets a component up with less than it needs.
pub(super) fn connect_with(
    plugin: &Arc<Plugin>,
    access: Access,
    now_ms: i64,
    patience: Patience,
) -> Result<Connection, Unplayable> {
    let grants = access.grants.iter().map(|text| Grant::parse(text));
    let named = |error: crate::model::ids::IdError| Unplayable(error.to_string());
    let spec = ConnectionSpec {
        plugin: Arc::clone(plugin),
        tenant: TenantId::parse("kit").map_err(named)?,
        connection: ConnectionId::parse("kit").map_err(named)?,
        settings: access.settings,
        secrets: Arc::new(Known(access.secrets)),
        grants: grants.collect::<Result<_, _>>().map_err(|error| Unplayable(error.to_string()))?,
        limits: patience.limits(),
        clock: Arc::new(Still(now_ms)),
        random: Arc::new(Repeatable::default()),
    };
    Connection::new(spec).map_err(|error| Unplayable(error.to_string()))
}

struct Known(BTreeMap<String, String>);

impl SecretSource for Known {
    fn secret(&self, name: &str) -> Option<Secret> {
        self.0.get(name).cloned().map(Secret::new)
    }
}

/// Always the same moment: a run can be repeated.
struct Still(i64);

impl Clock for Still {
    fn now_ms(&self) -> i64 {
        self.0
    }
}

/// Bytes that look random and are the same in every run.
#[derive(Default)]
struct Repeatable(AtomicU64);

impl Randomness for Repeatable {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let turn = self.0.fetch_add(1, Ordering::Relaxed);
            let digest = blake3::hash(&turn.to_le_bytes());
            chunk.copy_from_slice(&digest.as_bytes()[..chunk.len()]);
        }
    }
}

/// What a kind came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) ids: BTreeSet<SourceId>,
    pub(super) pages: u64,
    pub(super) empty_pages: u64,
    pub(super) evidence: Evidence,
    /// Of every page in its order: records, cursors, evidence.
    pub(super) digest: Option<[u8; 32]>,
}

/// What a walk through the whole directory came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Walked {
    pub(super) kinds: BTreeMap<Entity, Listed>,
}

impl Walked {
    pub(super) fn count(&self, entity: Entity) -> u64 {
        self.kinds.get(&entity).map_or(0, |listed| listed.ids.len() as u64)
    }

    pub(super) fn pages(&self) -> u64 {
        self.kinds.values().map(|listed| listed.pages).sum()
    }

    /// The figures, for people.
    pub(super) fn told(&self) -> String {
        let kinds = self.kinds.iter();
        let counts: Vec<String> =
            kinds.map(|(kind, listed)| format!("{} {kind}", listed.ids.len())).collect();
        format!("{} in {} pages", counts.join(", "), self.pages())
    }
}

/// Looks at every record that a walk meets.
pub(super) type Look<'l> = &'l mut (dyn FnMut(Entity, &Record) + Send);

/// Walks every kind of the directory to its end.
///
/// # Errors
/// The first fault that a sync would not get over.
pub(super) async fn walk(connection: &Connection, look: Look<'_>) -> Result<Walked, Fault> {
    let Capabilities { mut walks, .. } = connection.capabilities().await?;
    // Departments first: the others may be listed within them.
    walks.sort_by_key(|walk| match walk {
        Walk::Whole(kind) | Walk::PerDepartment(kind) => *kind,
    });
    let mut walked = Walked::default();
    for walk in walks {
        let (kind, parts) = match walk {
            Walk::Whole(kind) => (kind, vec![None]),
            Walk::PerDepartment(kind) => (kind, parts(&walked)),
        };
        let mut listed = Listed::default();
        let mut digests = blake3::Hasher::new();
        for within in &parts {
            part(connection, kind, within.as_ref(), (&mut listed, &mut digests), look).await?;
        }
        listed.digest = Some(*digests.finalize().as_bytes());
        walked.kinds.insert(kind, listed);
    }
    Ok(walked)
}

/// Every department, and none.
fn parts(walked: &Walked) -> Vec<Option<SourceId>> {
    let departments = walked.kinds.get(&Entity::Department);
    let ids = departments.into_iter().flat_map(|listed| listed.ids.iter().cloned());
    ids.map(Some).chain([None]).collect()
}

async fn part(
    connection: &Connection,
    kind: Entity,
    within: Option<&SourceId>,
    (listed, digests): (&mut Listed, &mut blake3::Hasher),
    look: Look<'_>,
) -> Result<(), Fault> {
    let mut restarts = 0;
    let mut cursor: Option<Cursor> = None;
    let (mut met, mut pages) = (BTreeSet::new(), 0_u32);
    loop {
        let page = match connection.list(kind, within, cursor.as_ref()).await {
            Ok(page) => page,
            Err(fault) if fault.disposition() == Disposition::Restart && restarts < RESTARTS => {
                restarts += 1;
                cursor = None;
                met.clear();
                continue;
            }
            Err(fault) => return Err(fault),
        };
        take(listed, digests, &page);
        page.records.iter().for_each(|record| look(kind, record));
        pages += 1;
        match page.next {
            None => return Ok(()),
            Some(next) if pages < MOST_PAGES && met.insert(next.0.clone()) => cursor = Some(next),
            Some(_) => return Err(endless()),
        }
    }
}

fn take(listed: &mut Listed, digests: &mut blake3::Hasher, page: &Page) {
    for record in &page.records {
        digests.update(record.id.as_str().as_bytes());
        digests.update(&[0]);
        digests.update(&record.payload);
    }
    let rest = format!("{:?}{:?}", page.next, page.evidence);
    digests.update(rest.as_bytes());
    listed.pages += 1;
    listed.empty_pages += u64::from(page.records.is_empty());
    listed.ids.extend(page.records.iter().map(|record| record.id.clone()));
    if let Some(evidence) = &page.evidence {
        listed.evidence.scope = evidence.scope.clone().or(listed.evidence.scope.take());
        listed.evidence.total = evidence.total.or(listed.evidence.total);
    }
}

/// What the sync says of a listing that comes back to a page it was on.
fn endless() -> Fault {
    Fault::Plugin(Advice {
        code: ENDLESS.to_owned(),
        message: "the component hands out the same cursor twice, or more pages than can be".to_owned(),
        remedy: "compare the platform's page token with the one that was sent; when they are the same, answer with a fault".to_owned(),
    })
}

/// The code of a listing without end.
pub(super) const ENDLESS: &str = "kit::endless";
