//! A mapping that was edited and is held until somebody says yes or no, and what was said.
//!
//! The invariant: a verdict belongs to the digest of the texts it was given for; any other text needs one of its own.

use serde::{Deserialize, Serialize};

use crate::model::canary::Trial;
use crate::model::hash::ContentHash;
use crate::port::store::{Op, Space, StoreError};
use crate::sync::impact::KindImpact;

use super::{Ledger, decode_json, encode_json};

/// Verdicts that are remembered; the oldest are forgotten, and such a text is judged anew.
const REMEMBERED: usize = 100;

/// An edited mapping that is not in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// The digest of its texts.
    pub digest: ContentHash,
    /// The digest of the texts in force, which it was compared with.
    pub against: ContentHash,
    /// When it was held, in Unix milliseconds.
    pub at_ms: i64,
    /// Why it is held.
    pub reasons: Vec<String>,
    /// What it would change.
    pub impact: Vec<KindImpact>,
    /// The canary that it is tried on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canary: Option<Trial>,
    /// The canary of the edit before, which this one has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Trial>,
}

/// What somebody said of an edited mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It comes into force.
    Approved,
    /// It stays out of force.
    Rejected,
}

/// A verdict and the texts it was given for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Given {
    digest: ContentHash,
    verdict: Verdict,
}

impl Ledger {
    /// The proposal that waits for a verdict.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub fn proposal(&self) -> Result<Option<Proposal>, StoreError> {
        let found = self.store().get(Space::Index, &self.keys.proposal())?;
        found.map(|bytes| decode_json(&bytes, "a held mapping")).transpose()
    }

    /// Keeps a proposal in place of the one before, or forgets it; what was written is on disk when this returns.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub fn propose(&self, proposal: Option<&Proposal>) -> Result<(), StoreError> {
        let key = self.keys.proposal();
        self.write_index(vec![match proposal {
            Some(proposal) => Op::Put(key, encode_json(proposal)),
            None => Op::Delete(key),
        }])?;
        self.store().flush()
    }

    /// What was said of texts.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub fn verdict(&self, digest: ContentHash) -> Result<Option<Verdict>, StoreError> {
        let given = self.verdicts()?;
        Ok(given.iter().rfind(|given| given.digest == digest).map(|given| given.verdict))
    }

    /// Remembers what was said of texts; it is on disk when this returns.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub fn judge(&self, digest: ContentHash, verdict: Verdict) -> Result<(), StoreError> {
        let mut given = self.verdicts()?;
        given.retain(|given| given.digest != digest);
        given.push(Given { digest, verdict });
        let old = given.len().saturating_sub(REMEMBERED);
        given.drain(..old);
        self.write_index(vec![Op::Put(self.keys.verdicts(), encode_json(&given))])?;
        self.store().flush()
    }

    fn verdicts(&self) -> Result<Vec<Given>, StoreError> {
        let found = self.store().get(Space::Index, &self.keys.verdicts())?;
        found.map_or_else(|| Ok(Vec::new()), |bytes| decode_json(&bytes, "verdicts on mappings"))
    }
}
