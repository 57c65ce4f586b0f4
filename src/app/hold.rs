//! Holds an edited mapping back where its tenant asks for that: the one in force stays until somebody says yes.
//!
//! Not here: what the edit changes (`sync::impact`) and which bounds there are (`config`). The invariant: the answer
//! depends on the two texts, the stored records, the bounds and the verdict alone, so that a restart, a single `sync` and
//! the daemon come to the same.

use std::sync::Arc;

use tracing::warn;

use super::questions::mapper_of;
use super::{App, Failure, Generation, Part, machine};
use crate::api::HeldMapping;
use crate::config::{Impact, Tenant};
use crate::model::hash::ContentHash;
use crate::model::ids::{ConnectionId, TenantId};
use crate::port::mapper::Mapper;
use crate::port::store::StoreError;
use crate::sync::impact::{self, Sides, hold};
use crate::sync::ledger::{Ledger, Proposal, Verdict};

impl App {
    /// Judges an edited mapping against the one in force, which is returned when the edited one is held.
    ///
    /// # Errors
    /// [`Failure`] when the state cannot be read.
    pub(super) fn hold(
        &self,
        tenant: &Tenant,
        connection: &ConnectionId,
        edited: &dyn Mapper,
    ) -> Result<Option<Arc<dyn Mapper>>, Failure> {
        let of = |cause| Failure::of(&cause);
        if tenant.mapping_changes.impact == Impact::Off {
            return Ok(None);
        }
        let ledger = self.ledger(&tenant.id, connection).map_err(of)?;
        let Some((digest, against)) = differs(&ledger, edited).map_err(of)? else {
            return settled(&ledger);
        };
        let verdict = ledger.verdict(digest).map_err(of)?;
        if verdict == Some(Verdict::Approved) {
            return settled(&ledger);
        }
        let Some(texts) = ledger.sources(against).map_err(of)? else { return settled(&ledger) };
        let old = match mapper_of(&texts, connection) {
            Ok(old) => old,
            Err(cause) => {
                warn!(tenant = %tenant.id, %connection, %cause, "this rollcall cannot read the mapping in force; the one in the files is taken as it is");
                return settled(&ledger);
            }
        };
        let known = ledger.proposal().map_err(of)?;
        let same = |it: &Proposal| it.digest == digest && it.against == against;
        if verdict == Some(Verdict::Rejected) || known.as_ref().is_some_and(same) {
            return Ok(Some(old));
        }
        let sides = Sides { old: &*old, new: edited };
        let impact = impact::measure(&ledger, sides, None, machine::cores());
        let impact = impact.map_err(|cause| Failure::of(&cause))?;
        let reasons = hold::reasons(&impact, &tenant.mapping_changes);
        if reasons.is_empty() {
            return settled(&ledger);
        }
        if let Some(sources) = edited.sources() {
            ledger.keep_sources(sources).map_err(of)?;
        }
        warn!(tenant = %tenant.id, %connection, reason = %reasons.join("; "), "an edited mapping is held; the one before stays in force");
        let at_ms = self.clock.now_ms();
        let proposal = Proposal { digest, against, at_ms, reasons, impact };
        ledger.propose(Some(&proposal)).map_err(of)?;
        Ok(Some(old))
    }

    /// The mapper that a connection runs by: the edited one, unless it is held and nobody has approved it.
    ///
    /// # Errors
    /// [`Failure`] when the state cannot be read.
    pub(super) fn in_force(
        &self,
        tenant: &TenantId,
        connection: &ConnectionId,
        part: &Part,
    ) -> Result<Arc<dyn Mapper>, Failure> {
        let (Some(old), Some(sources)) = (&part.held_for, part.mapper.sources()) else {
            return Ok(part.mapper.clone());
        };
        let ledger = self.ledger(tenant, connection).map_err(|cause| Failure::of(&cause))?;
        let verdict = ledger.verdict(sources.digest()).map_err(|cause| Failure::of(&cause))?;
        let approved = verdict == Some(Verdict::Approved);
        Ok(if approved { part.mapper.clone() } else { old.clone() })
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
            let reasons = ledger.proposal().ok().flatten().map(|proposal| proposal.reasons);
            let (tenant, connection) = (tenant.clone(), connection.clone());
            let reasons = reasons.unwrap_or_default();
            held.push(HeldMapping { tenant, connection, digest, rejected, reasons });
        }
        held
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

/// Nothing is held any more.
fn settled(ledger: &Ledger) -> Result<Option<Arc<dyn Mapper>>, Failure> {
    let of = |cause| Failure::of(&cause);
    if ledger.proposal().map_err(of)?.is_some() {
        ledger.propose(None).map_err(of)?;
    }
    Ok(None)
}
