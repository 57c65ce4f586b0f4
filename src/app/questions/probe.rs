//! What a connection still lacks on its platform's side: credentials, permissions, ranges, fields.
//!
//! Not here: what is checked; that is the connector's knowledge. The invariant: nothing is listed, kept or written.

use serde::{Deserialize, Serialize};

use super::{About, App, Asked};
use crate::app::Failure;
use crate::config::Config;
use crate::model::ids::{ConnectionId, TenantId};
use crate::model::record::Finding;
use crate::port::provider::Provider as _;

/// The question.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ProbeAsked {
    /// Which connections.
    pub about: About,
}

/// What was found about one connection.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Probed {
    /// The customer.
    pub tenant: TenantId,
    /// The connection.
    pub connection: ConnectionId,
    /// What was checked, in that order.
    pub findings: Vec<Finding>,
    /// Why no more could be checked, if something stood in the way.
    pub fault: Option<String>,
}

impl Probed {
    /// Whether nothing is left to do.
    pub fn passed(&self) -> bool {
        self.fault.is_none() && self.findings.iter().all(|finding| finding.passed)
    }
}

pub(super) fn answer(
    app: &App,
    config: &Config,
    asked: &ProbeAsked,
) -> Result<Vec<Probed>, Failure> {
    app.asked(config, &asked.about)?.iter().map(|on| of_connection(app, config, on)).collect()
}

/// By a connection of its own, so that what runs meanwhile keeps its instances and tokens.
fn of_connection(app: &App, config: &Config, on: &Asked<'_>) -> Result<Probed, Failure> {
    let (tenant, connection) = on.ids();
    let plugin = app.plugin(config, &on.connection.plugin.to_string())?;
    let live = app.connect(config, on.tenant, on.connection, plugin)?;
    let (findings, fault) = match app.block_on(live.probe()) {
        Ok(findings) => (findings, None),
        Err(fault) => (Vec::new(), Some(fault.to_string())),
    };
    Ok(Probed { tenant, connection, findings, fault })
}
