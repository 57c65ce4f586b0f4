//! Objects read one after the other, each by a call of its own: the platform has none for several.
//!
//! What this is not: which objects, or what is done with them. The one invariant: an object is left out only when the
//! platform says of it alone that it does not exist, or is not for this app.

use rollcall_sdk::{Host, Item, Level, Response as _};

use crate::api::Api;
use crate::codes::{gone_department, gone_person, outside_range};
use crate::failure::{Failure, wrong};

/// Reads each of these; what `read` answers holds the object at `/result`.
pub(crate) fn read_each<'h, H: Host>(
    api: &Api<'h, H>,
    read: impl Fn(&Api<'h, H>, &str) -> Result<H::Response, Failure>,
    ids: &[String],
) -> Result<Vec<Item>, Failure> {
    let (mut items, mut outside) = (Vec::with_capacity(ids.len()), 0_u32);
    for id in ids {
        match read(api, id) {
            Ok(response) => {
                // Copied out of its answer: a page cannot be made of several answers.
                let payload = response.pointer("/result").filter(|raw| raw.starts_with('{'));
                let payload = payload.ok_or_else(|| wrong("/result", "an object"))?;
                items.push(Item { id: id.clone(), payload });
            }
            // Left since it was named: as good as not there.
            Err(failure) if gone_person(failure.code) || gone_department(failure.code) => {}
            Err(failure) if outside_range(failure.code) => outside += 1,
            Err(failure) => return Err(failure),
        }
    }
    if outside > 0 {
        let line = format!("{outside} of {} ids are outside the address-book range", ids.len());
        api.host.log(Level::Warn, &line);
    }
    Ok(items)
}
