//! The key `cases`: what a mapping case that fails means for a reload.

use serde::{Deserialize, Serialize};

/// What happens to mappings whose cases fail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cases {
    /// They do not come into force: the generation before stays.
    #[default]
    Gate,
    /// They come into force, and the log says which cases fail. For trying things out.
    Warn,
}
