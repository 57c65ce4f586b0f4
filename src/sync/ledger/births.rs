//! When records were first read.
//!
//! Slots are handed out in order, so one line for each run that met new records tells it of all of them: the first slot that
//! the run handed out, and when it began.

use crate::model::entity::Entity;
use crate::port::store::{Op, Space, StoreError};

use super::{Ledger, damaged};

/// See the module.
pub struct Births {
    /// First slot of a run and when that run began, in Unix milliseconds; in the order of slots.
    runs: Vec<(u32, i64)>,
}

impl Births {
    /// When the run began that first read the record with this slot; none when that was before rollcall noted it.
    pub fn of(&self, slot: u32) -> Option<i64> {
        let after = self.runs.partition_point(|(first, _)| *first <= slot);
        after.checked_sub(1).map(|at| self.runs[at].1)
    }

    /// When the very first record was read; none when that is not known.
    pub fn first(&self) -> Option<i64> {
        self.of(0)
    }
}

impl Ledger {
    /// The operation that notes the first slot that a run handed out.
    pub(in crate::sync) fn put_birth(&self, entity: Entity, first: u32, began_ms: i64) -> Op {
        Op::Put(self.keys.birth(entity, Some(first)), began_ms.to_be_bytes().to_vec())
    }

    /// When the records of a kind were first read.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read or a line is damaged.
    pub fn births(&self, entity: Entity) -> Result<Births, StoreError> {
        let prefix = self.keys.birth(entity, None);
        let mut runs = Vec::new();
        for pair in self.store().scan(Space::Index, &prefix, None) {
            let (key, value) = pair?;
            let slot = key[prefix.len()..].try_into().map(u32::from_be_bytes);
            let at = value.as_ref().try_into().map(i64::from_be_bytes);
            let (Ok(slot), Ok(at)) = (slot, at) else {
                return Err(damaged(format!("the births of {entity}")));
            };
            runs.push((slot, at));
        }
        Ok(Births { runs })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_was_handed_out_by_the_run_whose_first_slot_lies_below_it() {
        let births = Births { runs: vec![(10, 1_000), (12, 2_000), (90, 3_000)] };
        let of: Vec<_> = [9, 10, 11, 12, 89, 90, 5_000].map(|slot| births.of(slot)).into();
        let known = [1_000, 1_000, 2_000, 2_000, 3_000, 3_000].map(Some);
        assert_eq!(of[0], None, "from before births were noted");
        assert_eq!(of[1..], known);
        assert_eq!(births.first(), None);
    }
}
