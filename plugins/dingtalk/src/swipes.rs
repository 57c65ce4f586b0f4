//! Punches as they were made, with those that did not count; a mapping tells them apart by `invalidRecordType`.
//!
//! What this is not: the day's judgement. The one invariant: the records stay in the host as the platform wrote them.

use rollcall_sdk::{Content, Host, Window};

use crate::api::{Api, Call, quoted};
use crate::failure::Failure;
use crate::steps::{Shape, listed};
use crate::window::clock_text;

const SWIPES: Shape = Shape { items: "/recordresult", id: "id" };

/// The punches of people in a window of seven days at most.
pub(crate) fn list<H: Host>(
    api: &Api<'_, H>,
    people: &[String],
    window: Window,
) -> Result<Content<H::Response>, Failure> {
    listed(api.send(&call(api, people, window))?, &SWIPES)
}

/// Both ends are inside for the platform, and it counts in milliseconds: the last second is asked for whole, a punch
/// right at the end comes once more with the next window.
pub(crate) fn call<H: Host>(api: &Api<'_, H>, people: &[String], window: Window) -> Call {
    let offset = api.settings.utc_offset_seconds;
    let body = format!(
        r#"{{"userIds":{},"checkDateFrom":"{}","checkDateTo":"{}","isI18n":false}}"#,
        quoted(people),
        clock_text(window.start, offset),
        clock_text(window.end, offset),
    );
    Call::post("attendance/listRecord", body)
}
