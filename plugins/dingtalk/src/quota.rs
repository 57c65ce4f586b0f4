//! The month's metered calls, as far as this connector makes them.
//!
//! What this is not: the tenant's whole use, which other apps share; nor exact, since the host keeps the count in
//! memory and calls run side by side. The one invariant: the count is never larger than what was made.

use rollcall_sdk::{Host, Level};

use crate::api::Api;
use crate::window::month_of;

/// The longest that the host keeps a value; every call keeps it anew.
const KEEP_SECONDS: u32 = 24 * 3_600;

/// Counts one metered call, and warns when four fifths of the month are used.
pub(crate) fn count<H: Host>(api: &Api<'_, H>) {
    let used = used(api) + 1;
    api.host.remember(&key(api), &used.to_string(), KEEP_SECONDS);
    let most = api.settings.monthly_calls;
    if used == most - most / 5 {
        let line = format!(
            "{used} of the month's {most} metered calls are made by this connector alone: run attendance less often, \
             or raise the tenant's edition and `monthly_calls`"
        );
        api.host.log(Level::Warn, &line);
    }
}

/// How many metered calls this connector has made in this month, as far as the host remembers.
pub(crate) fn used<H: Host>(api: &Api<'_, H>) -> u64 {
    api.host.recall(&key(api)).and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn key<H: Host>(api: &Api<'_, H>) -> String {
    let month = month_of(api.host.now_ms() / 1_000, api.settings.utc_offset_seconds);
    format!("metered_calls {month} {}", api.settings.client_id)
}
