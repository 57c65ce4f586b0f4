//! A platform's error codes as a table: what kind of fault each is, what happened and what an administrator does.
//!
//! What this is not: the codes themselves, which are the connector's, and reading an answer, which is `failure`. The one
//! invariant: what a class means to the host is decided here, once for every connector.

use std::ops::RangeInclusive;

use crate::{Advice, Fault};

/// What a code means for the call, before it becomes a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The token does not hold: with a new one the call may succeed, once.
    Token,
    /// The credentials do not hold.
    Unauthorized,
    /// The connection has no such secret.
    NoSecret,
    /// A permission of the app is missing.
    Scope,
    /// This machine's address is not allowed.
    Address,
    /// A range, an allow-list entry or a licence is missing.
    Forbidden,
    /// Too many calls just now.
    RateLimited,
    /// The month's calls are used up: waiting a moment does not help.
    Month,
    /// The object is not there, or not for this app.
    NotFound,
    /// The place in the listing does not hold.
    StaleCursor,
    /// The answer is larger than the host takes.
    TooLarge,
    /// The request is refused as it is.
    Invalid,
    /// The platform fails.
    Unavailable,
}

impl Class {
    /// What a status means where no code says more.
    pub fn of_status(status: u16) -> Self {
        match status {
            401 => Self::Unauthorized,
            403 => Self::Forbidden,
            429 => Self::RateLimited,
            500.. => Self::Unavailable,
            _ => Self::Invalid,
        }
    }

    /// The fault as the host knows it; `wait_ms` counts where calls are too many.
    pub fn fault(self, advice: Advice, wait_ms: u32) -> Fault {
        match self {
            Self::Token | Self::Unauthorized | Self::NoSecret => Fault::Unauthorized(advice),
            Self::Scope | Self::Address | Self::Forbidden | Self::Month => Fault::Forbidden(advice),
            Self::RateLimited => Fault::RateLimited(wait_ms),
            Self::NotFound => Fault::NotFound,
            Self::StaleCursor => Fault::StaleCursor,
            Self::TooLarge | Self::Invalid => Fault::Invalid(advice),
            Self::Unavailable => Fault::Unavailable(advice),
        }
    }
}

/// One row of a table of codes.
#[derive(Debug)]
pub struct Row {
    codes: RangeInclusive<i64>,
    /// What it means.
    pub class: Class,
    /// What happened.
    pub message: &'static str,
    /// What an administrator does.
    pub remedy: &'static str,
}

/// A row for several codes in a line.
pub const fn row(
    codes: RangeInclusive<i64>,
    class: Class,
    message: &'static str,
    remedy: &'static str,
) -> Row {
    Row { codes, class, message, remedy }
}

/// A row for one code.
pub const fn one(code: i64, class: Class, message: &'static str, remedy: &'static str) -> Row {
    row(code..=code, class, message, remedy)
}

/// The row of a code, if the table has it.
pub fn find(table: &'static [Row], code: i64) -> Option<&'static Row> {
    table.iter().find(|row| row.codes.contains(&code))
}

/// Two rows that share a code, or an empty one beside itself: a table with such rows says different things of one code.
pub fn overlap(table: &[Row]) -> Option<(&Row, &Row)> {
    let empty = table.iter().find(|row| row.codes.is_empty()).map(|row| (row, row));
    empty.or_else(|| {
        table.iter().enumerate().find_map(|(index, row)| {
            let meets = |other: &&Row| {
                other.codes.start() <= row.codes.end() && row.codes.start() <= other.codes.end()
            };
            table[..index].iter().find(meets).map(|other| (other, row))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::{Class, find, one, overlap, row};

    static TABLE: &[super::Row] =
        &[one(1, Class::Token, "a", "b"), row(3..=5, Class::Invalid, "c", "d")];

    #[test]
    fn a_code_is_found_in_its_row() {
        assert_eq!(find(TABLE, 4).map(|row| row.class), Some(Class::Invalid));
        assert!(find(TABLE, 2).is_none());
    }

    #[test]
    fn rows_that_share_a_code_are_told() {
        assert!(overlap(TABLE).is_none());
        let shared = [row(3..=5, Class::Invalid, "", ""), row(5..=6, Class::Invalid, "", "")];
        assert!(overlap(&shared).is_some());
        #[expect(clippy::reversed_empty_ranges, reason = "the mistake that is to be told")]
        let empty = [row(6..=5, Class::Invalid, "", "")];
        assert!(overlap(&empty).is_some());
    }
}
