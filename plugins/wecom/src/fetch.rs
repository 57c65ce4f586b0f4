//! Single objects by id.
//!
//! What this is not: a listing. The one invariant: an object is left out only when the platform says of it alone that
//! it does not exist or may not be seen.

use rollcall_sdk::{Advice, Content, Fault, Host, Kind};

use crate::api::Api;
use crate::{departments, people};

/// The most ids that the host asks for at a time.
const MOST_IDS: usize = 50;

pub(crate) fn fetch<H: Host>(
    api: &Api<'_, H>,
    kind: Kind,
    ids: &[String],
) -> Result<Content<H::Response>, Fault> {
    if ids.is_empty() {
        return Ok(Content::Empty);
    }
    if ids.len() > MOST_IDS {
        let message = format!("{} ids are asked for at once; {MOST_IDS} is the most", ids.len());
        let remedy = "report this: the host must ask in smaller parts";
        return Err(Fault::Invalid(Advice::new("batch", message, remedy)));
    }
    match kind {
        Kind::Department => Ok(departments::by_id(api, ids)?),
        Kind::Employee => Ok(people::by_id(api, ids)?),
        Kind::CheckIn | Kind::AttendanceDay | Kind::Leave => Err(Fault::Unsupported),
    }
}
