//! The section `limits`: what one plugin may use.

use serde::{Deserialize, Serialize};

use super::units::{Size, Span};

/// Bounds of one plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Time for one call, waiting for the platform included.
    pub call: Span,
    /// Memory of one instance.
    pub memory: Size,
    /// The largest HTTP response.
    pub response: Size,
    /// How many instances one connection runs at once.
    #[serde(deserialize_with = "instances")]
    pub instances: usize,
    /// How often a call that met a busy or failing platform is made, the first time included.
    #[serde(deserialize_with = "attempts")]
    pub attempts: u32,
    /// Whether the limits that a plugin declares for its platform are kept; off is for simulated platforms alone.
    pub rates: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            call: Span::seconds(60),
            memory: Size::mebibytes(64),
            response: Size::mebibytes(16),
            instances: 4,
            attempts: 6,
            rates: true,
        }
    }
}

fn instances<'de, D: serde::Deserializer<'de>>(node: D) -> Result<usize, D::Error> {
    match usize::deserialize(node)? {
        count @ 1..=64 => Ok(count),
        count => Err(serde::de::Error::custom(format!(
            "{count} instances are out of range; write 1 to 64"
        ))),
    }
}

fn attempts<'de, D: serde::Deserializer<'de>>(node: D) -> Result<u32, D::Error> {
    match u32::deserialize(node)? {
        count @ 1..=20 => Ok(count),
        count => Err(serde::de::Error::custom(format!(
            "{count} attempts are out of range; write 1 to 20"
        ))),
    }
}
