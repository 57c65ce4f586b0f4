//! Single objects by id, each read on its own: the platform has no call for several.
//!
//! What this is not: a listing. The one invariant: an object is left out only when the platform says of it alone that
//! it does not exist, or is not for this app.

use rollcall_sdk::{Advice, Content, Fault, Host, Item, Kind, Level, Response as _};

use crate::api::Api;
use crate::codes::{gone_department, gone_person, outside_range};
use crate::failure::Failure;
use crate::{departments, people};

/// The most ids of one call.
const MOST_IDS: usize = 50;

pub(crate) fn fetch<H: Host>(
    api: &Api<'_, H>,
    kind: Kind,
    ids: &[String],
) -> Result<Content<H::Response>, Fault> {
    let read = match kind {
        Kind::Department => departments::answer::<H>,
        Kind::Employee => people::answer::<H>,
        Kind::CheckIn | Kind::AttendanceDay | Kind::Leave => return Err(Fault::Unsupported),
    };
    if ids.len() > MOST_IDS {
        return Err(Fault::Invalid(Advice {
            code: "batch".to_owned(),
            message: format!("{} ids are asked for at once; {MOST_IDS} is the most", ids.len()),
            remedy: "report this: the host must ask in smaller parts".to_owned(),
        }));
    }
    let (mut items, mut outside) = (Vec::new(), 0_u32);
    // The platform numbers its departments: anything else is the id of none.
    let possible = |id: &&String| kind != Kind::Department || departments::is_id(id);
    for id in ids.iter().filter(possible) {
        match read(api, id) {
            Ok(response) => {
                // Copied out of its answer: a page cannot be made of several answers.
                let payload = response.pointer("/result").filter(|raw| raw.starts_with('{'));
                let payload = payload.ok_or_else(shapeless)?;
                items.push(Item { id: id.clone(), payload });
            }
            Err(failure) if gone_person(failure.code) || gone_department(failure.code) => {}
            Err(failure) if outside_range(failure.code) => outside += 1,
            Err(failure) => return Err(failure.into()),
        }
    }
    if outside > 0 {
        let line = format!("{outside} of {} ids are outside the address-book range", ids.len());
        api.host.log(Level::Warn, &line);
    }
    Ok(if items.is_empty() { Content::Empty } else { Content::Built(items) })
}

fn shapeless() -> Failure {
    let path = "/result".to_owned();
    rollcall_sdk::json::WrongType { path, expected: "an object" }.into()
}
