//! What is known of a platform's rate limits, for people.

use serde::Serialize;

/// Calls that the platform meters by the calendar month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Quota {
    /// The class of endpoints, as the plugin names it.
    pub class: String,
    /// The month, as `2026-11`, in the platform's zone.
    pub month: String,
    /// Calls made in it, by this installation.
    pub used: u64,
    /// What the platform documents as allowed; a tenant may have bought more.
    pub documented: u32,
    /// Whether the platform has said that the month is used up.
    pub spent: bool,
}
