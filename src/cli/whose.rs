//! Which connections a verb is about: `--tenant` and `--connection`, alike in every verb.

use crate::app::{About, Selection};
use crate::model::entity::Entity;

/// Which connections; without either, all of them.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Whose {
    /// Only this tenant.
    #[arg(long)]
    tenant: Option<String>,
    /// Only this connection.
    #[arg(long)]
    connection: Option<String>,
}

impl Whose {
    /// For a verb that works on connections.
    pub(super) fn selection(&self) -> Selection {
        Selection { tenant: self.tenant.clone(), connection: self.connection.clone() }
    }

    /// For a question about connections, or about one kind of their records.
    pub(super) fn about(&self, entity: Option<Entity>) -> About {
        let Self { tenant, connection } = self.clone();
        About { tenant, connection, entity }
    }
}
