//! What only Feishu has to set: identities in events, how tokens are refused, and two limits.
//!
//! Not what all platforms share, which is the builder's own. The invariant: the defaults are what the fact sheet says.

use super::auth::TokenErrors;
use super::stream::Pace;
use crate::builder::Builder;

/// Feishu's own settings.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub verification_token: String,
    pub tenant_key: String,
    pub token_errors: TokenErrors,
    pub recursion_limit: Option<usize>,
    pub max_span_days: u32,
    pub pace: Pace,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            verification_token: "simulator-verification-0001".to_owned(),
            tenant_key: "t_simulator0001".to_owned(),
            token_errors: TokenErrors::default(),
            recursion_limit: None,
            max_span_days: 31,
            pace: Pace::default(),
        }
    }
}

/// What only Feishu reads.
impl Builder {
    /// What events carry as their token and tenant.
    pub fn events_as(
        mut self,
        verification_token: impl Into<String>,
        tenant_key: impl Into<String>,
    ) -> Self {
        self.settings.feishu.verification_token = verification_token.into();
        self.settings.feishu.tenant_key = tenant_key.into();
        self
    }

    /// With which HTTP status an invalid token is refused.
    pub fn token_errors(mut self, errors: TokenErrors) -> Self {
        self.settings.feishu.token_errors = errors;
        self
    }

    /// Refuses to list more departments than this recursively, with 43010.
    pub fn recursion_limit(mut self, departments: usize) -> Self {
        self.settings.feishu.recursion_limit = Some(departments);
        self
    }

    /// The longest span of days of one punch or result query; 31 unless set.
    pub fn max_span_days(mut self, days: u32) -> Self {
        self.settings.feishu.max_span_days = days;
        self
    }

    /// What the platform asks of clients of its long connection, in seconds: how often to ping, and how long to wait before
    /// they come back, at random up to the one and then always the other. 120, 30 and 120 unless set.
    pub fn long_connection_pace(mut self, ping: u64, first_wait: u64, wait: u64) -> Self {
        self.settings.feishu.pace =
            Pace { ping_every: ping, reconnect_nonce: first_wait, reconnect_interval: wait };
        self
    }
}
