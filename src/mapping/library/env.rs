//! What the functions know besides their arguments: fixed for a connection in a generation.

use std::fmt;
use std::sync::Arc;

use jiff::tz::TimeZone;
use phonenumber::country;

use super::Failure;
use crate::mapping::tables::Tables;
use crate::model::ids::ConnectionId;

/// The surroundings of a mapping.
#[derive(Clone)]
pub(crate) struct Env {
    /// Whose records these are.
    pub(crate) connection: ConnectionId,
    /// The tenant's zone by name.
    pub(crate) zone_name: String,
    /// The tenant's zone.
    pub(crate) zone: TimeZone,
    /// The tenant's country, for phone numbers without country code.
    pub(crate) region: country::Id,
    /// The value tables in force.
    pub(crate) tables: Arc<Tables>,
}

impl Env {
    /// Surroundings that only serve to compile.
    pub(crate) fn blank(tables: &Tables) -> Self {
        Self {
            connection: ConnectionId::parse("none")
                .unwrap_or_else(|_| unreachable!("a constant slug")),
            zone_name: "UTC".to_owned(),
            zone: TimeZone::UTC,
            region: country::Id::CN,
            tables: Arc::new(tables.clone()),
        }
    }

    /// The zone of a name; the tenant's own costs nothing.
    pub(crate) fn zone(&self, function: &str, name: &str) -> Result<TimeZone, Failure> {
        if name == self.zone_name {
            return Ok(self.zone.clone());
        }
        TimeZone::get(name).map_err(|_| {
            Failure::new(
                "mapping::zone",
                format!("`{function}` got a zone that the IANA database does not have; use `tz` or a name such as \"Asia/Shanghai\""),
            )
        })
    }
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Env({}, {}, {:?})", self.connection, self.zone_name, self.region)
    }
}
