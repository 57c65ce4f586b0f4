//! How a long connection to a platform is doing.
//!
//! Not what it carries. The invariant: nothing in it tells of a person or opens anything.

use serde::{Deserialize, Serialize};

/// A long connection at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkStatus {
    /// What it is doing.
    pub state: LinkState,
    /// Unix milliseconds since which it has been up; none while it is not.
    pub connected_since_ms: Option<i64>,
    /// Unix milliseconds of the last event that was stored.
    pub last_event_ms: Option<i64>,
    /// Events that were stored and acknowledged since it was started.
    pub events: u64,
    /// Events that were not stored, and were asked for again.
    pub returned: u64,
    /// How often it was replaced, by plan or after a loss.
    pub reconnects: u64,
    /// Why it was lost or could not be made the last time.
    pub last_error: Option<String>,
}

/// What a long connection is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkState {
    /// It is being made.
    #[default]
    Connecting,
    /// Events can arrive.
    Connected,
    /// It is down and will be tried again.
    Waiting,
    /// Nobody keeps it any more.
    Stopped,
}
