//! Yes or no to mappings that are held.

use serde::{Deserialize, Serialize};

use super::{About, App};
use crate::app::Failure;
use crate::app::hold::{Ended, tell_end};
use crate::config::Config;
use crate::model::ids::{ConnectionId, TenantId};
use crate::sync::ledger::{Proposal, Verdict};

/// The verdict on what the selected connections hold.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VerdictAsked {
    /// Which connections.
    pub about: About,
    /// Yes or no.
    pub verdict: Verdict,
}

/// What the verdict was given on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Judged {
    /// The customer.
    pub tenant: TenantId,
    /// The connection.
    pub connection: ConnectionId,
    /// What was held.
    pub proposal: Proposal,
}

pub(super) fn answer(
    app: &App,
    config: &Config,
    asked: &VerdictAsked,
) -> Result<Vec<Judged>, Failure> {
    let of = |cause| Failure::of(&cause);
    let mut judged = Vec::new();
    for on in app.asked(config, &asked.about)? {
        let Some(proposal) = on.ledger.proposal().map_err(of)? else { continue };
        on.ledger.judge(proposal.digest, asked.verdict).map_err(of)?;
        on.ledger.propose(None).map_err(of)?;
        let (tenant, connection) = on.ids();
        if let Some(trial) = &proposal.canary {
            let why = match asked.verdict {
                Verdict::Approved => Ended::Approved,
                Verdict::Rejected => Ended::Rejected,
            };
            tell_end((&tenant, &connection), trial, why);
        }
        judged.push(Judged { tenant, connection, proposal });
    }
    if judged.is_empty() {
        return Err(nothing_held());
    }
    app.judged.notify_one();
    Ok(judged)
}

/// There is nothing to say yes or no to.
pub(super) fn nothing_held() -> Failure {
    Failure::new("no mapping is held".to_owned()).hint(
        "`rollcall status` shows what is held, `rollcall mapping impact` what an edit changes",
    )
}
