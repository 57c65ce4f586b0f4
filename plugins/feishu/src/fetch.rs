//! Single objects by id, where one bad id must not hide the others.
//!
//! What this is not: a listing. The one invariant: an object is left out only when the platform says of it alone that
//! it does not exist.

use rollcall_sdk::codes::Class;
use rollcall_sdk::{Advice, Content, Fault, Host, Item, Kind, Response as _};

use crate::api::{Api, Call, encode};
use crate::failure::Failure;
use crate::paging::MOST_IDS;
use crate::{departments, people};

/// What is read one at a time.
#[derive(Clone, Copy)]
enum Object {
    Department,
    Person,
}

pub(crate) fn fetch<H: Host>(
    api: &Api<'_, H>,
    kind: Kind,
    ids: &[String],
) -> Result<Content<H::Response>, Fault> {
    let object = match kind {
        Kind::Department => Object::Department,
        Kind::Employee => Object::Person,
        Kind::CheckIn | Kind::AttendanceDay | Kind::Leave => return Err(Fault::Unsupported),
    };
    if ids.is_empty() {
        return Ok(Content::Empty);
    }
    if ids.len() > MOST_IDS {
        return Err(Fault::Invalid(Advice {
            code: "batch".to_owned(),
            message: format!("{} ids are asked for at once; {MOST_IDS} is the most", ids.len()),
            remedy: "report this: the host must ask in smaller parts".to_owned(),
        }));
    }
    let together = match object {
        Object::Department => departments::by_id(api, ids),
        Object::Person => people::by_id(api, ids),
    };
    match together {
        Err(failure) if about_one_id(&failure) => one_by_one(api, object, ids),
        other => Ok(other?),
    }
}

/// The platform refuses the whole call for the sake of one id in it.
fn about_one_id(failure: &Failure) -> bool {
    failure.class == Class::NotFound || is_unknown_id(failure)
}

fn is_unknown_id(failure: &Failure) -> bool {
    matches!(failure.code, 41_012 | 99_992_351..=99_992_360 | 99_992_362..=99_992_363)
}

/// Each on its own. These few are copied out of their answers: a page cannot be made of several answers.
fn one_by_one<H: Host>(
    api: &Api<'_, H>,
    object: Object,
    ids: &[String],
) -> Result<Content<H::Response>, Fault> {
    let mut items = Vec::new();
    let mut unknown = None;
    for id in ids {
        match one(api, object, id) {
            Ok(payload) => items.extend(payload.map(|payload| Item { id: id.clone(), payload })),
            Err(failure) if failure.class == Class::NotFound => {}
            Err(failure) if is_unknown_id(&failure) => unknown = Some(failure),
            Err(failure) => return Err(failure.into()),
        }
    }
    match unknown {
        // Not a single id is known: more likely the wrong type of id than that many objects gone.
        Some(failure) if items.is_empty() && ids.len() > 1 => Err(failure.into()),
        _ if items.is_empty() => Ok(Content::Empty),
        _ => Ok(Content::Built(items)),
    }
}

/// The object's JSON text, as the platform wrote it.
fn one<H: Host>(api: &Api<'_, H>, object: Object, id: &str) -> Result<Option<String>, Failure> {
    let (endpoint, folder, at) = match object {
        Object::Department => {
            ("contact/v3/departments/:department_id", "contact/v3/departments", "/data/department")
        }
        Object::Person => ("contact/v3/users/:user_id", "contact/v3/users", "/data/user"),
    };
    let query = [
        ("user_id_type", api.settings.user_id_type.name()),
        ("department_id_type", api.settings.department_id_type.name()),
    ];
    let response =
        api.send(&Call::get_at(endpoint, &format!("{folder}/{}", encode(id)), &query))?;
    Ok(response.pointer(at).filter(|text| text != "null"))
}
