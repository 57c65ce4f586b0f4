//! Scripts that turn source objects into drafts.

use crate::model::canary::Canary;
use crate::model::draft::Draft;
use crate::model::entity::Entity;
use crate::model::hash::ContentHash;
use crate::model::record::Record;
use crate::model::sources::{LayerKind, Sources};

/// Why one record could not be mapped. Says where and what to do; never holds the record's values.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Reject {
    /// A stable code, such as `mapping::type` or `schema::required`.
    pub code: String,
    /// The target field, when the fault lies in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What happened and what to do about it.
    pub message: String,
    /// Script, line and column (from 1), when a script is to blame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// A place in a script.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Place {
    /// The file, relative to the mappings folder.
    pub script: String,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// The line's text.
    pub text: String,
}

/// What became of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mapped {
    /// A valid draft.
    Draft(Draft),
    /// The mapping leaves this record out on purpose.
    Skipped,
    /// The record is parked.
    Rejected(Reject),
}

/// How one field of a draft came about.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Traced {
    /// The field.
    pub field: String,
    /// Where it is set.
    pub place: Option<Place>,
    /// The layer that sets it; none where no line of a mapping does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<LayerKind>,
    /// The exception that sets it, where one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception: Option<Excepted>,
    /// What of the record can make a difference to it.
    pub reads: Vec<Read>,
    /// Rows of tables that were asked for it.
    pub rows: Vec<RowUsed>,
}

/// An exception that sets a field of a record.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Excepted {
    /// Its last day, `YYYY-MM-DD`.
    pub until: String,
    /// Why it was made.
    pub reason: String,
    /// What the field would be if this exception were not there and all others were.
    pub without: Without,
}

/// A field without an exception that sets it.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Without {
    /// This value; null where it would be erased.
    Value(serde_json::Value),
    /// It would be left alone.
    LeftAlone,
    /// The mapping would leave the record out.
    LeftOut,
    /// The record would be parked, for this reason.
    Parked(String),
}

/// A part of a record that a mapping reads.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Read {
    /// Such as `record.status.is_resigned`.
    pub path: String,
    /// What stands there; none when there is nothing, or the whole record is read.
    pub value: Option<serde_json::Value>,
}

/// A row of a value table.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct RowUsed {
    /// The table.
    pub table: String,
    /// The value that was looked up.
    pub key: serde_json::Value,
    /// What the row says; none when there was no row.
    pub word: Option<serde_json::Value>,
}

/// The mappings of one connection in one generation. Pure: the same records and the same digest give the same result.
pub trait Mapper: Send + Sync {
    /// The entities it has a mapping for.
    fn entities(&self) -> Vec<Entity>;

    /// What the result depends on besides the record: script, tables, library, settings. `None` without a mapping.
    fn digest(&self, entity: Entity) -> Option<ContentHash>;

    /// The texts it was made of, where it was made of texts.
    fn sources(&self) -> Option<&Sources> {
        None
    }

    /// The canary that runs, if one does: its records are mapped by an edited mapping already.
    fn canary(&self) -> Option<&Canary> {
        None
    }

    /// Whether a record is one of the canary's.
    fn in_canary(&self, _entity: Entity, _record: &Record) -> bool {
        false
    }

    /// Where a field is set, in the layer that counts.
    fn place(&self, _entity: Entity, _field: &str) -> Option<Place> {
        None
    }

    /// How the fields of a record's draft came about; empty where that cannot be told.
    fn trace(&self, _entity: Entity, _record: &Record) -> Vec<Traced> {
        Vec::new()
    }

    /// Where a record is left out that the mapping leaves out.
    fn skipped_at(&self, _entity: Entity, _record: &Record) -> Option<Place> {
        None
    }

    /// Maps records; the result has one element per record, in order.
    fn map(&self, entity: Entity, records: &[Record]) -> Vec<Mapped>;
}
