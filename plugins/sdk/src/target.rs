//! The values of the contract's `target`: what is written to a system, and what it says.
//!
//! What this is not: the plan; that is judged before a target sees any of it. The one invariant: names and meaning are those
//! of the WIT, whose comments are the reference.

use crate::Kind;

/// What becomes of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// It is made, or brought to these values.
    Upsert,
    /// It is marked as ended, never erased.
    Retire,
}

/// One write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The external id: the same change twice is the same record.
    pub key: String,
    /// What it is about.
    pub kind: Kind,
    /// What becomes of it.
    pub verb: Verb,
    /// The target's own id, once it is known.
    pub id: Option<String>,
    /// A JSON object: a field that is absent is left alone, one that is `null` is erased.
    pub fields: String,
}

/// What a target says of a change that it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The target's own id.
    pub id: String,
    /// A JSON object with the previous values of the changed fields, where the target tells them.
    pub before: Option<String>,
}
