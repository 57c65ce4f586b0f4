//! The kinds of record that rollcall knows.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A kind of record, in the order in which kinds are applied: departments before people, people before their days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entity {
    /// A node of the organisation tree.
    Department,
    /// A person employed.
    Employee,
    /// One punch event.
    CheckIn,
    /// One person's attendance on one work date.
    AttendanceDay,
    /// One leave of absence.
    Leave,
}

impl Entity {
    /// Every entity, in apply order.
    pub const ALL: [Self; 5] =
        [Self::Department, Self::Employee, Self::CheckIn, Self::AttendanceDay, Self::Leave];

    /// The name in external ids, files, JSON and on the command line, such as `check_in`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Department => "department",
            Self::Employee => "employee",
            Self::CheckIn => "check_in",
            Self::AttendanceDay => "attendance_day",
            Self::Leave => "leave",
        }
    }

    /// The inverse of [`Entity::name`].
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|entity| entity.name() == name)
    }

    /// Whether an object that a complete listing no longer shows has ended. Events are facts: they stay.
    pub fn retires(self) -> bool {
        match self {
            Self::Department | Self::Employee => true,
            Self::CheckIn | Self::AttendanceDay | Self::Leave => false,
        }
    }
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
