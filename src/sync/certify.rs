//! Whether a listing was complete. Pure.
//!
//! Only a certified listing licenses a retirement; an uncertified one says nothing about who is absent.

use crate::model::record::Evidence;

/// What is known of one listing after it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Parts (departments, say) that could not be read to their end, each with its reason.
    pub failures: Vec<String>,
    /// Distinct objects that were listed.
    pub distinct: u64,
    /// What the platform says.
    pub evidence: Evidence,
    /// The scope fingerprint of the listing before.
    pub previous_scope: Option<String>,
    /// Objects known from before that have not ended.
    pub known: u64,
    /// Parents that no listed department has.
    pub orphans: u64,
}

/// Why a listing is not certified.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case", tag = "why")]
pub enum Doubt {
    /// A part could not be read.
    Unread {
        /// How many parts.
        parts: usize,
        /// The first reason.
        first: String,
    },
    /// The platform counts other than what it listed.
    Total {
        /// What it says.
        platform: u64,
        /// What it listed.
        listed: u64,
    },
    /// What the app may see has changed since the last listing.
    Scope,
    /// Nothing was listed where something was known.
    Empty {
        /// How many were known.
        known: u64,
    },
    /// The department tree is not closed.
    Orphans {
        /// Departments whose parent was not listed.
        departments: u64,
    },
    /// The listing of departments, which this one was read by, is itself in doubt.
    Departments,
    /// The people listed by departments do not add up, so a department may be missing.
    People,
}

impl std::fmt::Display for Doubt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unread { parts, first } => {
                write!(f, "{parts} part(s) could not be read: {first}")
            }
            Self::Total { platform, listed } => {
                write!(f, "the platform counts {platform}, but listed {listed}")
            }
            Self::Scope => f.write_str("what the app may see has changed since the last listing"),
            Self::Empty { known } => write!(f, "nothing was listed, but {known} were known"),
            Self::Orphans { departments } => {
                write!(f, "{departments} department(s) name a parent that was not listed")
            }
            Self::Departments => f.write_str("the department listing itself is in doubt"),
            Self::People => f.write_str("the listing of people, read by departments, is in doubt"),
        }
    }
}

/// Every reason to doubt a listing; none means it is certified complete.
pub fn doubts(listing: &Listing) -> Vec<Doubt> {
    let mut doubts = Vec::new();
    if let Some(first) = listing.failures.first() {
        doubts.push(Doubt::Unread { parts: listing.failures.len(), first: first.clone() });
    }
    if let Some(platform) = listing.evidence.total.filter(|&total| total != listing.distinct) {
        doubts.push(Doubt::Total { platform, listed: listing.distinct });
    }
    if listing.previous_scope.is_some() && listing.previous_scope != listing.evidence.scope {
        doubts.push(Doubt::Scope);
    }
    if listing.distinct == 0 && listing.known > 0 {
        doubts.push(Doubt::Empty { known: listing.known });
    }
    if listing.orphans > 0 {
        doubts.push(Doubt::Orphans { departments: listing.orphans });
    }
    doubts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole() -> Listing {
        Listing { distinct: 10, known: 9, ..Listing::default() }
    }

    #[test]
    fn a_listing_read_to_its_end_is_certified() {
        assert_eq!(doubts(&whole()), []);
    }

    #[test]
    fn a_part_that_failed_is_a_doubt() {
        let listing = Listing { failures: vec!["od-1: reset".to_owned()], ..whole() };
        assert_eq!(doubts(&listing), [Doubt::Unread { parts: 1, first: "od-1: reset".to_owned() }]);
    }

    #[test]
    fn a_total_that_disagrees_is_a_doubt() {
        let evidence = Evidence { total: Some(50), scope: None };
        let listing = Listing { evidence, ..whole() };
        assert_eq!(doubts(&listing), [Doubt::Total { platform: 50, listed: 10 }]);
    }

    #[test]
    fn a_changed_scope_is_a_doubt_and_a_first_one_is_not() {
        let evidence = Evidence { scope: Some("b".to_owned()), total: None };
        let first = Listing { evidence, ..whole() };
        assert_eq!(doubts(&first), []);
        let changed = Listing { previous_scope: Some("a".to_owned()), ..first };
        assert_eq!(doubts(&changed), [Doubt::Scope]);
    }

    #[test]
    fn an_empty_listing_is_a_doubt_once_something_was_known() {
        let empty = Listing { distinct: 0, ..whole() };
        assert_eq!(doubts(&empty), [Doubt::Empty { known: 9 }]);
        assert_eq!(doubts(&Listing { known: 0, ..empty }), []);
    }

    #[test]
    fn an_open_tree_is_a_doubt() {
        assert_eq!(doubts(&Listing { orphans: 2, ..whole() }), [Doubt::Orphans { departments: 2 }]);
    }
}
