//! Records that could not be mapped or written, each with its reason.

use crate::model::entity::Entity;
use crate::model::ids::RunId;
use crate::port::mapper::Place;
use crate::port::store::{Op, Space, StoreError};

use super::{Ledger, decode_json, encode_json};

/// Why a record is parked. Holds no value of the record.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Parked {
    /// A stable code.
    pub code: String,
    /// The target field, when the fault lies in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What happened and what to do.
    pub message: String,
    /// Where in a script.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// The run that parked it.
    pub run: RunId,
}

impl Ledger {
    /// The operation that parks a record.
    pub fn put_parked(&self, entity: Entity, source: &str, parked: &Parked) -> Op {
        Op::Put(self.keys.parked(entity, source), encode_json(parked))
    }

    /// The operation that takes a record out of the parked ones.
    pub fn delete_parked(&self, entity: Entity, source: &str) -> Op {
        Op::Delete(self.keys.parked(entity, source))
    }

    /// Why a record is parked, if it is.
    ///
    /// # Errors
    /// [`StoreError`] when the state cannot be read.
    pub fn parked_as(&self, entity: Entity, source: &str) -> Result<Option<Parked>, StoreError> {
        let found = self.store().get(Space::Index, &self.keys.parked(entity, source))?;
        found.map(|value| decode_json(&value, "a parked record")).transpose()
    }

    /// The parked records of a kind, by source id.
    pub fn parked(
        &self,
        entity: Entity,
    ) -> impl Iterator<Item = Result<(String, Parked), StoreError>> + use<'_> {
        let prefix = self.keys.parked(entity, "");
        let skip = prefix.len();
        self.store().scan(Space::Index, &prefix, None).map(move |pair| {
            let (key, value) = pair?;
            let source = String::from_utf8_lossy(&key[skip..]).into_owned();
            Ok((source, decode_json(&value, "a parked record")?))
        })
    }
}
