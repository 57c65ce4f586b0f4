//! The key `events` of a connection: how the platform tells of changes.

use serde::{Deserialize, Serialize};

/// How events reach a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Events {
    /// The platform calls `/callbacks/<tenant>/<connection>`; without a callback set up there, none arrive.
    #[default]
    Callback,
    /// rollcall connects to the platform and keeps the connection up: nothing has to be opened to the outside.
    LongConnection,
}
