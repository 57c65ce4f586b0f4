//! The texts of mappings, and which of them were in force since when.
//!
//! A text is kept under its digest, once, however often it is in force. The invariant: a generation is filed as in force
//! only after its texts were stored and everything that a run planned under it was written.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::model::canary::Tried;
use crate::model::entity::Entity;
use crate::model::hash::ContentHash;
use crate::model::ids::RunId;
use crate::model::sources::Sources;
use crate::port::store::{Op, Space, StoreError};

use super::press::{compress, decompress};
use super::{Ledger, decode_json, encode_json};

/// Changes of the generation in force that are kept; older ones are forgotten, and texts that no other one has.
pub const KEPT_GENERATIONS: usize = 500;

/// One generation of a connection's mappings, from when it came into force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InForce {
    /// The digest of its [`Sources`].
    pub digest: ContentHash,
    /// The first run that wrote by it.
    pub run: RunId,
    /// When that run ended, in Unix milliseconds.
    pub since_ms: i64,
    /// What the mapper called each of its mappings: [`crate::port::mapper::Mapper::digest`].
    pub mappings: BTreeMap<Entity, ContentHash>,
    /// The canary beside it, whose records were mapped by other texts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canary: Option<Tried>,
}

impl InForce {
    /// The texts that it is made of.
    fn texts(&self) -> impl Iterator<Item = ContentHash> + use<> {
        std::iter::once(self.digest).chain(self.canary.map(|tried| tried.edited))
    }
}

impl Ledger {
    /// Keeps texts, unless they are there, and returns their digest.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    pub fn keep_sources(&self, sources: &Sources) -> Result<ContentHash, StoreError> {
        let digest = sources.digest();
        let key = self.keys.sources(Some(digest));
        if self.store().get(Space::Blob, &key)?.is_none() {
            self.write_blobs(vec![Op::Put(key, compress(&encode_json(sources))?)])?;
        }
        Ok(digest)
    }

    /// The texts of a generation, if they are kept.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub fn sources(&self, digest: ContentHash) -> Result<Option<Sources>, StoreError> {
        let found = self.store().get(Space::Blob, &self.keys.sources(Some(digest)))?;
        found.map(|packed| decode_json(&decompress(&packed)?, "mapping texts")).transpose()
    }

    /// Every generation that came into force, oldest first; one that came back is there again.
    pub fn generations(&self) -> impl Iterator<Item = Result<InForce, StoreError>> + use<'_> {
        let prefix = self.keys.generation(None);
        // The one that has just the prefix as its key is the newest, stored once more.
        self.store()
            .scan(Space::Index, &prefix, Some(&prefix))
            .map(|pair| decode_json(&pair?.1, "a generation"))
    }

    /// The generation in force: that of the last run that wrote everything it had planned.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub fn generation_in_force(&self) -> Result<Option<InForce>, StoreError> {
        let found = self.store().get(Space::Index, &self.keys.generation(None))?;
        found.map(|bytes| decode_json(&bytes, "a generation")).transpose()
    }

    /// The generation that was in force after a run.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub fn generation_at(&self, run: RunId) -> Result<Option<InForce>, StoreError> {
        let mut found = None;
        for generation in self.generations() {
            let generation = generation?;
            if generation.run > run {
                break;
            }
            found = Some(generation);
        }
        Ok(found)
    }

    /// Files a generation as the one in force, if it was not before. Its texts have to be kept already.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    pub fn adopt(&self, generation: &InForce) -> Result<(), StoreError> {
        let before = self.generation_in_force()?;
        if before.is_some_and(|before| {
            before.digest == generation.digest
                && before.mappings == generation.mappings
                && before.canary == generation.canary
        }) {
            return Ok(());
        }
        let text = encode_json(generation);
        self.write_index(vec![
            Op::Put(self.keys.generation(Some(generation.run)), text.clone()),
            Op::Put(self.keys.generation(None), text),
        ])?;
        self.forget_generations()
    }

    fn forget_generations(&self) -> Result<(), StoreError> {
        let all: Vec<InForce> = self.generations().collect::<Result<_, _>>()?;
        let old = all.len().saturating_sub(KEPT_GENERATIONS);
        if old == 0 {
            return Ok(());
        }
        let (gone, kept) = all.split_at(old);
        let held = self.proposal()?.map(|proposal| proposal.digest);
        let named: BTreeSet<ContentHash> =
            kept.iter().flat_map(InForce::texts).chain(held).collect();
        let texts: BTreeSet<ContentHash> =
            gone.iter().flat_map(InForce::texts).filter(|digest| !named.contains(digest)).collect();
        let key = |one: &InForce| Op::Delete(self.keys.generation(Some(one.run)));
        self.write_index(gone.iter().map(key).collect())?;
        let text = |digest| Op::Delete(self.keys.sources(Some(digest)));
        self.write_blobs(texts.into_iter().map(text).collect())?;
        self.forget_canaries(None)
    }
}
