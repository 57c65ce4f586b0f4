//! Who is in which cohort of the gap ledger.

use crate::model::entity::Entity;
use crate::port::store::{Op, Space, StoreError};
use crate::sync::coverage::{Cohort, Cohorts};

use super::{Ledger, damaged, decode_json, encode_json};

impl Ledger {
    /// The cohorts of a kind of attendance.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub fn cohorts(&self, entity: Entity) -> Result<Cohorts, StoreError> {
        let found = self.store().get(Space::Index, &self.keys.cohorts(entity))?;
        found.map_or_else(|| Ok(Cohorts::default()), |bytes| decode_json(&bytes, "the cohorts"))
    }

    /// What has been read of one person; `None` when nothing was.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub fn read_of(&self, entity: Entity, person: &str) -> Result<Option<Cohort>, StoreError> {
        let Some(number) = self.member(entity, person)? else { return Ok(None) };
        Ok(self.cohorts(entity)?.table.remove(&number))
    }

    pub(in crate::sync) fn put_cohorts(&self, entity: Entity, cohorts: &Cohorts) -> Op {
        Op::Put(self.keys.cohorts(entity), encode_json(cohorts))
    }

    pub(in crate::sync) fn member(
        &self,
        entity: Entity,
        person: &str,
    ) -> Result<Option<u64>, StoreError> {
        let found = self.store().get(Space::Index, &self.keys.member(entity, person))?;
        let number = |bytes: bytes::Bytes| match bytes.as_ref().try_into() {
            Ok(bytes) => Ok(u64::from_le_bytes(bytes)),
            Err(_) => Err(damaged(format!("a membership of {} bytes", bytes.len()))),
        };
        found.map(number).transpose()
    }

    pub(in crate::sync) fn put_member(&self, entity: Entity, person: &str, cohort: u64) -> Op {
        Op::Put(self.keys.member(entity, person), cohort.to_le_bytes().to_vec())
    }

    pub(in crate::sync) fn delete_member(&self, entity: Entity, person: &str) -> Op {
        Op::Delete(self.keys.member(entity, person))
    }
}
