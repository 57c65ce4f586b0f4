//! What people ask about mappings and records; a running daemon answers over its local address, and without one the state
//! does.
//!
//! Not here: how an answer is shown (cli). The invariant: a question changes nothing but what is said of a held mapping.

mod canary;
mod explain;
mod generations;
mod history;
mod impact;
mod named;
mod picked;
mod probe;
mod stored;
mod verdict;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{App, Failure, Selection};
use crate::config::{Config, Connection, Matching, Tenant};
use crate::mapping::Generation as Mappings;
use crate::model::entity::Entity;
use crate::model::hash::ContentHash;
use crate::model::ids::{ConnectionId, ExternalId, TenantId};
use crate::model::record::Record;
use crate::model::sources::Sources;
use crate::port::mapper::{Mapped, Mapper};
use crate::port::store::Store;
use crate::sync::canary::CanaryMapper;
use crate::sync::ledger::{InForce, Ledger};
use crate::sync::lineage;

pub use canary::{CanaryAsked, CanaryStarted};
pub use explain::{ExplainAsked, Explained, FieldTold, PlanTold};
pub use generations::{
    FileBack, GenerationTold, GenerationsAsked, GenerationsTold, Reversal, RevertAsked,
};
pub use history::VersionTold;
pub use impact::{ConnectionImpact, ImpactAsked};
pub use picked::{CaseTold, PickAsked};
pub use probe::{ProbeAsked, Probed};
pub use stored::{SharedMappings, StoredAsked, StoredTold};
pub use verdict::{Judged, VerdictAsked};

/// A question.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// What an edit of the mappings does to everybody.
    Impact(ImpactAsked),
    /// Why a record is what it is, or is not there.
    Explain(ExplainAsked),
    /// What a record was before.
    History(ExplainAsked),
    /// What connections still lack on their platforms' side.
    Probe(ProbeAsked),
    /// Yes or no to what is held.
    Verdict(VerdictAsked),
    /// What is held, for one department first.
    Canary(CanaryAsked),
    /// Which mappings were in force.
    Generations(GenerationsAsked),
    /// What it takes to go back to one of them.
    Revert(RevertAsked),
    /// What stored records show of mappings.
    Stored(StoredAsked),
    /// Cases of stored records.
    Pick(PickAsked),
}

/// Which connections a question is about, as [`Selection`].
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct About {
    /// Only this tenant.
    pub tenant: Option<String>,
    /// Only this connection.
    pub connection: Option<String>,
    /// Only this kind of record.
    pub entity: Option<Entity>,
}

impl App {
    /// Answers a question as JSON. `config` is the configuration in force.
    ///
    /// # Errors
    /// [`Failure`] saying why there is no answer.
    pub fn answer(&self, config: &Config, question: &Question) -> Result<Value, Failure> {
        let answer = match question {
            Question::Impact(asked) => serde_json::to_value(impact::answer(self, config, asked)?),
            Question::Explain(asked) => serde_json::to_value(explain::answer(self, config, asked)?),
            Question::History(asked) => serde_json::to_value(history::answer(self, config, asked)?),
            Question::Probe(asked) => serde_json::to_value(probe::answer(self, config, asked)?),
            Question::Verdict(asked) => serde_json::to_value(verdict::answer(self, config, asked)?),
            Question::Canary(asked) => serde_json::to_value(canary::answer(self, config, asked)?),
            Question::Generations(asked) => {
                serde_json::to_value(generations::answer(self, config, asked)?)
            }
            Question::Revert(asked) => {
                serde_json::to_value(generations::reversal(self, config, asked)?)
            }
            Question::Stored(asked) => serde_json::to_value(stored::answer(self, config, asked)?),
            Question::Pick(asked) => serde_json::to_value(picked::answer(self, config, asked)?),
        };
        answer.map_err(|cause| Failure::of(&cause))
    }

    /// The employee of another connection that a person is.
    fn owner(
        &self,
        on: &Asked<'_>,
        rules: &Matching,
        key: &ExternalId,
    ) -> Result<Option<ExternalId>, Failure> {
        let store: Arc<dyn Store> = self.store.clone();
        let found = lineage::owner(&store, (&on.tenant.id, &on.connection.id), rules, key);
        found.map_err(|cause| Failure::of(&cause))
    }

    /// The connections that a question is about, with their state.
    fn asked<'a>(&self, config: &'a Config, about: &About) -> Result<Vec<Asked<'a>>, Failure> {
        let selection =
            Selection { tenant: about.tenant.clone(), connection: about.connection.clone() };
        let mut asked = Vec::new();
        for tenant in config.tenants.values() {
            for connection in tenant.connections.values() {
                if selection.takes(&tenant.id, &connection.id) {
                    let ledger = self.ledger(&tenant.id, &connection.id);
                    let ledger = ledger.map_err(|cause| Failure::of(&cause))?;
                    asked.push(Asked { tenant, connection, ledger });
                }
            }
        }
        if asked.is_empty() {
            return Err(Failure::new("no connection is selected".to_owned())
                .hint("see the tenants' files for their names"));
        }
        Ok(asked)
    }
}

/// The generation in force, and the mapper that its texts make.
type Old = (InForce, Arc<dyn Mapper>);

/// One connection that is asked about.
struct Asked<'a> {
    tenant: &'a Tenant,
    connection: &'a Connection,
    ledger: Ledger,
}

impl Asked<'_> {
    fn ids(&self) -> (TenantId, ConnectionId) {
        (self.tenant.id.clone(), self.connection.id.clone())
    }

    /// The generation in force and its mapper; none while nothing was ever written.
    fn in_force(&self) -> Result<Option<Old>, Failure> {
        let in_force = self.ledger.generation_in_force().map_err(|cause| Failure::of(&cause))?;
        let Some(in_force) = in_force else { return Ok(None) };
        Ok(self.mapper_in(&in_force)?.map(|mapper| (in_force, mapper)))
    }

    /// The mapper of a generation, with its canary if it had one; none when its texts are no longer kept.
    fn mapper_in(&self, in_force: &InForce) -> Result<Option<Arc<dyn Mapper>>, Failure> {
        let Some(old) = self.mapper_by(in_force.digest)? else { return Ok(None) };
        let Some(tried) = in_force.canary else { return Ok(Some(old)) };
        let canary = self.ledger.canary(tried.canary).map_err(|cause| Failure::of(&cause))?;
        let (Some(canary), Some(edited)) = (canary, self.mapper_by(tried.edited)?) else {
            return Ok(None);
        };
        Ok(Some(Arc::new(CanaryMapper::new(self.connection.id.clone(), old, edited, canary))))
    }

    /// The mapper of kept texts; none when they are no longer there.
    fn mapper_by(&self, digest: ContentHash) -> Result<Option<Arc<dyn Mapper>>, Failure> {
        let sources = self.ledger.sources(digest).map_err(|cause| Failure::of(&cause))?;
        sources.map(|sources| mapper_of(&sources, &self.connection.id)).transpose()
    }
}

/// The generation that a mapper of `in_force` maps a record by; with a note where that is a canary's.
fn mapped_by(
    in_force: &InForce,
    mapper: &dyn Mapper,
    entity: Entity,
    record: &Record,
) -> (ContentHash, Option<String>) {
    let tried = in_force.canary.filter(|_| mapper.in_canary(entity, record));
    let note = tried.map(|tried| {
        format!(
            "it is in a canary: the edited mapping, generation {}, is tried on it before everybody is mapped by it",
            tried.edited.short()
        )
    });
    (tried.map_or(in_force.digest, |tried| tried.edited), note)
}

/// The mapper of texts that were kept.
///
/// # Errors
/// [`Failure`] when this build refuses what an older one took.
pub(super) fn mapper_of(
    sources: &Sources,
    connection: &ConnectionId,
) -> Result<Arc<dyn Mapper>, Failure> {
    let mappings = Mappings::of_sources(sources).map_err(|faults| Failure::reports(&faults))?;
    let mapper = mappings.mapper(connection, &sources.zone, &sources.region);
    mapper.map_err(|cause| Failure::of(&cause))
}

/// What a mapping makes of one record.
fn draft(mapper: &dyn Mapper, entity: Entity, record: &Record) -> Mapped {
    mapper.map(entity, std::slice::from_ref(record)).pop().unwrap_or(Mapped::Skipped)
}
