//! What the outside grants to the app: scopes, whom it may see, and whose attendance.
//!
//! Not what that means: each platform reads ids and scopes in its own way. The invariant: an id that nobody has
//! grants nothing.

use std::collections::BTreeSet;

/// Which departments and people the app sees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ContactRange {
    /// All members: the root may be asked.
    #[default]
    All,
    /// Some departments with everything below them, and some people.
    Part {
        /// Ids in any of the kinds that the platform has for departments.
        departments: Vec<String>,
        /// Ids in any of the kinds that the platform has for people.
        users: Vec<String>,
    },
}

/// Whose punches and results the app sees, where the platform has such a range.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum AttendanceRange {
    /// Everyone's.
    #[default]
    All,
    /// Nobody's: every attendance call is refused.
    Nothing,
    /// This share of people, 0 to 1; the others are unauthorised.
    Share(f64),
}

/// Everything granted to the app, in the outside's terms.
#[derive(Clone, Debug)]
pub(crate) struct Grants {
    pub scopes: BTreeSet<String>,
    pub contact: ContactRange,
    pub attendance: AttendanceRange,
}
