//! Single objects by id, people with their roster.
//!
//! What this is not: a listing. The one invariant: the batch is bounded, and so is what a call costs.

use rollcall_sdk::{Advice, Content, Fault, Host, Kind};

use crate::api::Api;
use crate::singles::read_each;
use crate::steps::built;
use crate::{departments, people};

/// The most ids of one call.
const MOST_IDS: usize = 50;

pub(crate) fn fetch<H: Host>(
    api: &Api<'_, H>,
    kind: Kind,
    ids: &[String],
) -> Result<Content<H::Response>, Fault> {
    if ids.len() > MOST_IDS {
        return Err(Fault::Invalid(Advice {
            code: "batch".to_owned(),
            message: format!("{} ids are asked for at once; {MOST_IDS} is the most", ids.len()),
            remedy: "report this: the host must ask in smaller parts".to_owned(),
        }));
    }
    let items = match kind {
        Kind::Department => {
            // The platform numbers its departments: anything else is the id of none.
            let possible: Vec<String> =
                ids.iter().filter(|id| departments::is_id(id)).cloned().collect();
            read_each(api, departments::answer, &possible)?
        }
        Kind::Employee => people::in_full(api, ids)?,
        Kind::CheckIn | Kind::AttendanceDay | Kind::Leave => return Err(Fault::Unsupported),
    };
    Ok(built(items))
}
