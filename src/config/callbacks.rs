//! The section `callbacks`: how much of what platforms push is taken.

use serde::{Deserialize, Serialize};

use super::units::Size;

/// Bounds of every connection's inbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Callbacks {
    /// The largest delivery; a larger one is refused.
    pub body: Size,
    /// How many events of one connection may wait; further ones are refused, and the platform repeats them.
    #[serde(deserialize_with = "backlog")]
    pub backlog: u64,
}

impl Default for Callbacks {
    fn default() -> Self {
        Self { body: Size::mebibytes(1), backlog: 100_000 }
    }
}

fn backlog<'de, D: serde::Deserializer<'de>>(node: D) -> Result<u64, D::Error> {
    match u64::deserialize(node)? {
        count @ 100..=10_000_000 => Ok(count),
        count => Err(serde::de::Error::custom(format!(
            "a backlog of {count} is out of range; write 100 to 10000000"
        ))),
    }
}
