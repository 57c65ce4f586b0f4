//! Holds an edited mapping back where its tenant asks for that: the one in force stays until somebody says yes, for
//! everybody or for all but a canary.
//!
//! Not here: what the edit changes (`sync::impact`), who is in a canary (`sync::canary`) and which bounds there are
//! (`config`). The invariant: the answer depends on the two texts, the stored records, the bounds and what was said alone,
//! so that a restart, a single `sync` and the daemon come to the same.

use std::sync::Arc;

use tracing::{info, warn};

use super::questions::mapper_of;
use super::{App, Failure, Generation, Part, machine};
use crate::api::HeldMapping;
use crate::config::{Impact, Tenant};
use crate::model::canary::Trial;
use crate::model::hash::ContentHash;
use crate::model::ids::{ConnectionId, TenantId};
use crate::port::mapper::Mapper;
use crate::port::store::StoreError;
use crate::sync::canary::CanaryMapper;
use crate::sync::impact::{self, Sides, hold};
use crate::sync::ledger::{Ledger, Proposal, Verdict};

/// Why a canary ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// The edited mapping was approved: everybody is mapped by it.
    Approved,
    /// It was rejected: nobody is.
    Rejected,
    /// The files were edited once more: nobody is mapped by what was tried.
    Edited,
    /// Another canary took its place.
    Replaced,
}

/// Writes into the log that a canary has ended.
pub(super) fn tell_end(
    (tenant, connection): (&TenantId, &ConnectionId),
    trial: &Trial,
    why: Ended,
) {
    let Trial { department, people, .. } = trial;
    info!(%tenant, %connection, %department, people, ?why, "the canary of an edited mapping ended");
}

/// What is known of one connection's held mapping.
struct Desk<'a> {
    tenant: &'a TenantId,
    connection: &'a ConnectionId,
    ledger: Ledger,
}

impl App {
    /// Judges an edited mapping against the one in force, which is returned when the edited one is held. `kept` is the one
    /// that was returned before, to be taken again where it is the same.
    ///
    /// # Errors
    /// [`Failure`] when the state cannot be read.
    pub(super) fn hold(
        &self,
        tenant: &Tenant,
        connection: &ConnectionId,
        edited: &dyn Mapper,
        kept: Option<&Arc<dyn Mapper>>,
    ) -> Result<Option<Arc<dyn Mapper>>, Failure> {
        let of = |cause| Failure::of(&cause);
        if tenant.mapping_changes.impact == Impact::Off {
            return Ok(None);
        }
        let ledger = self.ledger(&tenant.id, connection).map_err(of)?;
        let desk = Desk { tenant: &tenant.id, connection, ledger };
        let Some((digest, against)) = differs(&desk.ledger, edited).map_err(of)? else {
            return desk.settled();
        };
        let verdict = desk.ledger.verdict(digest).map_err(of)?;
        if verdict == Some(Verdict::Approved) {
            return desk.settled();
        }
        let Some(old) = desk.in_force(against, kept)? else { return desk.settled() };
        let known = desk.ledger.proposal().map_err(of)?;
        let same = |it: &Proposal| it.digest == digest && it.against == against;
        if verdict == Some(Verdict::Rejected) || known.as_ref().is_some_and(same) {
            return Ok(Some(old));
        }
        let sides = Sides { old: &*old, new: edited };
        let impact = impact::measure(&desk.ledger, sides, None, machine::cores());
        let impact = impact.map_err(|cause| Failure::of(&cause))?;
        let reasons = hold::reasons(&impact, &tenant.mapping_changes);
        if reasons.is_empty() {
            return desk.settled();
        }
        if let Some(sources) = edited.sources() {
            desk.ledger.keep_sources(sources).map_err(of)?;
        }
        let at_ms = self.clock.now_ms();
        let proposal =
            Proposal { digest, against, at_ms, reasons, impact, canary: None, ended: None };
        desk.propose(proposal, known)?;
        Ok(Some(old))
    }

    /// The mapper that a connection runs by: the edited one, unless it is held and nobody has approved it; both while a
    /// canary runs.
    ///
    /// # Errors
    /// [`Failure`] when the state cannot be read.
    pub(super) fn in_force(
        &self,
        tenant: &TenantId,
        connection: &ConnectionId,
        part: &Part,
    ) -> Result<Arc<dyn Mapper>, Failure> {
        let of = |cause| Failure::of(&cause);
        let (Some(old), Some(sources)) = (&part.held_for, part.mapper.sources()) else {
            return Ok(part.mapper.clone());
        };
        let digest = sources.digest();
        let ledger = self.ledger(tenant, connection).map_err(of)?;
        if ledger.verdict(digest).map_err(of)? == Some(Verdict::Approved) {
            return Ok(part.mapper.clone());
        }
        let proposal = ledger.proposal().map_err(of)?.filter(|it| it.digest == digest);
        let Some(trial) = proposal.and_then(|it| it.canary) else { return Ok(old.clone()) };
        let Some(canary) = ledger.canary(trial.canary).map_err(of)? else {
            warn!(%tenant, %connection, "nobody knows who is in the canary any more; start it again");
            return Ok(old.clone());
        };
        let (old, edited) = (old.clone(), part.mapper.clone());
        Ok(Arc::new(CanaryMapper::new(connection.clone(), old, edited, canary)))
    }

    /// What is held of a generation, for the status.
    pub(super) fn held(&self, generation: &Generation) -> Vec<HeldMapping> {
        let mut held = Vec::new();
        for ((tenant, connection), part) in &generation.parts {
            let (Some(_), Some(sources)) = (&part.held_for, part.mapper.sources()) else {
                continue;
            };
            let digest = sources.digest();
            let Ok(ledger) = self.ledger(tenant, connection) else { continue };
            let rejected = match ledger.verdict(digest) {
                Ok(Some(Verdict::Approved)) => continue,
                Ok(verdict) => verdict == Some(Verdict::Rejected),
                Err(_) => false,
            };
            let (reasons, canary, ended) = match ledger.proposal() {
                Ok(Some(Proposal { reasons, canary, ended, .. })) => (reasons, canary, ended),
                Ok(None) | Err(_) => (Vec::new(), None, None),
            };
            let (tenant, connection) = (tenant.clone(), connection.clone());
            held.push(HeldMapping { tenant, connection, digest, rejected, reasons, canary, ended });
        }
        held
    }
}

impl Desk<'_> {
    /// The mapping in force; none when it can no longer be told.
    fn in_force(
        &self,
        digest: ContentHash,
        kept: Option<&Arc<dyn Mapper>>,
    ) -> Result<Option<Arc<dyn Mapper>>, Failure> {
        let same = |it: &&Arc<dyn Mapper>| it.sources().is_some_and(|it| it.digest() == digest);
        if let Some(kept) = kept.filter(same) {
            return Ok(Some(kept.clone()));
        }
        let sources = self.ledger.sources(digest).map_err(|cause| Failure::of(&cause))?;
        let Some(sources) = sources else { return Ok(None) };
        match mapper_of(&sources, self.connection) {
            Ok(old) => Ok(Some(old)),
            Err(cause) => {
                let (tenant, connection) = (self.tenant, self.connection);
                warn!(%tenant, %connection, %cause, "this rollcall cannot read the mapping in force; the one in the files is taken as it is");
                Ok(None)
            }
        }
    }

    /// Holds an edited mapping, in place of the one that was held before. A canary of that one ends: nobody has said that
    /// what is new in this one may be tried on its people.
    fn propose(&self, mut proposal: Proposal, before: Option<Proposal>) -> Result<(), Failure> {
        let (tenant, connection) = (self.tenant, self.connection);
        let reason = proposal.reasons.join("; ");
        warn!(%tenant, %connection, %reason, "an edited mapping is held; the one before stays in force");
        let (canary, earlier) = before.map_or((None, None), |it| (it.canary, it.ended));
        // An editor may save twice: the second time there is none to end, and what ended is still worth telling.
        proposal.ended = canary.clone().or(earlier);
        self.ledger.propose(Some(&proposal)).map_err(|cause| Failure::of(&cause))?;
        if let Some(trial) = &canary {
            tell_end((tenant, connection), trial, Ended::Edited);
        }
        Ok(())
    }

    /// Nothing is held any more.
    fn settled(&self) -> Result<Option<Arc<dyn Mapper>>, Failure> {
        let of = |cause| Failure::of(&cause);
        if let Some(before) = self.ledger.proposal().map_err(of)? {
            self.ledger.propose(None).map_err(of)?;
            if let Some(trial) = &before.canary {
                tell_end((self.tenant, self.connection), trial, Ended::Edited);
            }
        }
        Ok(None)
    }
}

/// The digests of the texts edited and in force, where they differ.
fn differs(
    ledger: &Ledger,
    edited: &dyn Mapper,
) -> Result<Option<(ContentHash, ContentHash)>, StoreError> {
    let (Some(sources), Some(in_force)) = (edited.sources(), ledger.generation_in_force()?) else {
        return Ok(None);
    };
    let digests = (sources.digest(), in_force.digest);
    Ok((digests.0 != digests.1).then_some(digests))
}
