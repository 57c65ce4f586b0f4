//! What only DingTalk has to set: who the tenant is, the month's calls, and what one address may ask.
//!
//! Not what all platforms share, which is the builder's own. The invariant: unless set, nothing is used up.

use crate::builder::Builder;

/// DingTalk's own settings.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub corp_id: String,
    /// Metered calls of a calendar month.
    pub monthly_calls: u64,
    /// Calls from one address within twenty seconds before it is blocked.
    pub address_calls: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            corp_id: "dingcorpsimulator0001".to_owned(),
            monthly_calls: u64::MAX,
            address_calls: u32::MAX,
        }
    }
}

/// What only DingTalk reads.
impl Builder {
    /// The tenant's id; events carry it.
    pub fn corp_id(mut self, corp_id: impl Into<String>) -> Self {
        self.settings.dingtalk.corp_id = corp_id.into();
        self
    }

    /// Refuses metered calls of a calendar month beyond so many, with 90020; a standard tenant has 5,000.
    pub fn monthly_calls(mut self, calls: u64) -> Self {
        self.settings.dingtalk.monthly_calls = calls;
        self
    }

    /// Blocks everything for five minutes after so many calls within twenty seconds; the platform allows 10,000.
    pub fn address_calls(mut self, calls: u32) -> Self {
        self.settings.dingtalk.address_calls = calls;
        self
    }
}
