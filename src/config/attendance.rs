//! The section `attendance` of a connection: which days a run reads.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Which days of attendance a run reads. Days are those of the tenant's time zone and include today.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Attendance {
    /// Days before today that every run reads again, for punches that come late: 0 to 31.
    #[serde(deserialize_with = "lookback")]
    pub lookback_days: u32,
    /// Days before today that the first run reads: 0 to 366.
    #[serde(deserialize_with = "backfill")]
    pub backfill_days: u32,
    /// The first day that is ever read.
    #[serde(deserialize_with = "since")]
    pub since: Option<Date>,
}

impl Default for Attendance {
    fn default() -> Self {
        Self { lookback_days: 3, backfill_days: 30, since: None }
    }
}

fn lookback<'de, D: serde::Deserializer<'de>>(node: D) -> Result<u32, D::Error> {
    days(node, 31)
}

fn backfill<'de, D: serde::Deserializer<'de>>(node: D) -> Result<u32, D::Error> {
    days(node, 366)
}

fn days<'de, D: serde::Deserializer<'de>>(node: D, most: u32) -> Result<u32, D::Error> {
    let days = u32::deserialize(node)?;
    if days <= most {
        return Ok(days);
    }
    Err(serde::de::Error::custom(format!("{days} days are out of range; write 0 to {most}")))
}

fn since<'de, D: serde::Deserializer<'de>>(node: D) -> Result<Option<Date>, D::Error> {
    let Some(text) = Option::<String>::deserialize(node)? else { return Ok(None) };
    let parsed = text.parse::<Date>().ok().filter(|_| text.len() == 10);
    parsed.map(Some).ok_or_else(|| {
        serde::de::Error::custom(format!(
            "`{text}` is no date; write year, month and day, as in `2026-01-31`"
        ))
    })
}
