//! The people that edited mappings are or were tried on.
//!
//! A canary is kept under its id as long as a generation or the held mapping names it: what a run wrote can then be told and
//! computed again.

use std::collections::BTreeSet;

use crate::model::canary::Canary;
use crate::model::hash::ContentHash;
use crate::port::store::{Op, Space, StoreError};

use super::press::{compress, decompress};
use super::{Ledger, decode_json, encode_json};

impl Ledger {
    /// Keeps a canary and returns its id. Those that nothing names any more are forgotten.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    pub fn keep_canary(&self, canary: &Canary) -> Result<ContentHash, StoreError> {
        let id = canary.id();
        let packed = compress(&encode_json(canary))?;
        self.write_blobs(vec![Op::Put(self.keys.canary(Some(id)), packed)])?;
        self.forget_canaries(Some(id))?;
        Ok(id)
    }

    /// A canary, if it is kept.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub fn canary(&self, id: ContentHash) -> Result<Option<Canary>, StoreError> {
        let found = self.store().get(Space::Blob, &self.keys.canary(Some(id)))?;
        found.map(|packed| decode_json(&decompress(&packed)?, "a canary")).transpose()
    }

    /// Forgets the canaries that neither a generation nor the held mapping names, but `fresh`.
    pub(super) fn forget_canaries(&self, fresh: Option<ContentHash>) -> Result<(), StoreError> {
        let mut named: BTreeSet<ContentHash> = fresh.into_iter().collect();
        for generation in self.generations() {
            named.extend(generation?.canary.map(|tried| tried.canary));
        }
        let trial = self.proposal()?.and_then(|proposal| proposal.canary);
        named.extend(trial.map(|trial| trial.canary));
        let named: BTreeSet<Vec<u8>> =
            named.into_iter().map(|id| self.keys.canary(Some(id))).collect();
        let mut gone = Vec::new();
        for pair in self.store().scan(Space::Blob, &self.keys.canary(None), None) {
            let (key, _) = pair?;
            if !named.contains(key.as_ref()) {
                gone.push(Op::Delete(key.to_vec()));
            }
        }
        self.write_blobs(gone)
    }
}
