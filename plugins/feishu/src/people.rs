//! People: by department, and those that hang off none (Feishu fact sheet, sections 2.2 and 2.6).
//!
//! What this is not: the walk over the departments, which is the host's. The one invariant: a person who is in several
//! departments is listed in each; only the host, who sees all, counts people.

use rollcall_sdk::codes::Class;
use rollcall_sdk::json;
use rollcall_sdk::{Content, Evidence, Fault, Host, Level, Page};

use crate::api::{Api, Call};
use crate::codes::OUTSIDE_RANGE;
use crate::departments::ROOT;
use crate::failure::Failure;
use crate::paging::{self, MOST_IDS, PAGE_SIZE, Shape, Step, next_token, records};
use crate::range::{self, ALL_MEMBERS, Fingerprint};
use crate::settings::UserIdType;

/// One page of the people directly in a department, or of those in none.
pub(crate) fn list<H: Host>(
    api: &Api<'_, H>,
    within: Option<&str>,
    cursor: Option<&str>,
) -> Result<Page<H::Response>, Fault> {
    let of = within.unwrap_or(ROOT);
    let mut walk = Walk { api, steps: Vec::new(), evidence: None };
    let step = match cursor {
        None => Step::Members { of: of.to_owned(), token: None },
        Some(cursor) => {
            walk.steps = paging::decode(cursor)?;
            walk.steps.pop().ok_or(Fault::StaleCursor)?
        }
    };
    let content = match step {
        Step::Members { of: at, token } if at == of => walk.members(of, token.as_deref()),
        Step::Granted { token, so_far } if within.is_none() => {
            walk.granted(token.as_deref(), so_far)
        }
        Step::Named { ids } if within.is_none() => by_id(api, &ids),
        _ => return Err(Fault::StaleCursor),
    }?;
    Ok(Page { content, next: paging::encode(&walk.steps)?, evidence: walk.evidence })
}

/// People by id, 50 at most; those that do not exist are left out.
pub(crate) fn by_id<H: Host>(
    api: &Api<'_, H>,
    ids: &[String],
) -> Result<Content<H::Response>, Failure> {
    records(answer_by_id(api, ids)?, &shape(api))
}

/// The answer that holds people by id.
pub(crate) fn answer_by_id<H: Host>(
    api: &Api<'_, H>,
    ids: &[String],
) -> Result<H::Response, Failure> {
    let mut query = vec![
        ("user_id_type", api.settings.user_id_type.name()),
        ("department_id_type", api.settings.department_id_type.name()),
    ];
    query.extend(ids.iter().map(|id| ("user_ids", id.as_str())));
    api.send(&Call::get("contact/v3/users/batch", &query))
}

/// One answer with people directly in a department.
pub(crate) fn directly_in<H: Host>(
    api: &Api<'_, H>,
    of: &str,
    token: Option<&str>,
) -> Result<H::Response, Failure> {
    let mut query = vec![
        ("department_id", of),
        ("user_id_type", api.settings.user_id_type.name()),
        ("department_id_type", api.settings.department_id_type.name()),
        ("page_size", PAGE_SIZE),
    ];
    query.extend(token.map(|token| ("page_token", token)));
    api.send(&Call::get("contact/v3/users/find_by_department", &query))
}

pub(crate) fn shape<H: Host>(api: &Api<'_, H>) -> Shape {
    let id_type = api.settings.user_id_type;
    let scope = match id_type {
        UserIdType::User => "contact:user.employee_id:readonly",
        UserIdType::Open | UserIdType::Union => "contact:contact.base:readonly",
    };
    Shape { items: "/data/items", id: id_type.name(), scope }
}

/// A listing under way.
struct Walk<'a, 'h, H: Host> {
    api: &'a Api<'h, H>,
    steps: Vec<Step>,
    evidence: Option<Evidence>,
}

impl<H: Host> Walk<'_, '_, H> {
    /// People directly in a department; those granted by name when the root is out of range.
    fn members(&mut self, of: &str, token: Option<&str>) -> Result<Content<H::Response>, Failure> {
        let first_of_root = of == ROOT && token.is_none();
        let response = match directly_in(self.api, of, token) {
            Err(failure) if first_of_root && failure.code == OUTSIDE_RANGE => {
                return self.granted(None, Fingerprint::default());
            }
            other => other?,
        };
        if let Some(next) = next_token(&response, token)? {
            self.steps.push(Step::Members { of: of.to_owned(), token: Some(next) });
        }
        if first_of_root {
            let total = head_count(self.api)?;
            self.evidence = Some(Evidence { scope: Some(ALL_MEMBERS.to_owned()), total });
        }
        records(response, &shape(self.api))
    }

    /// People that are granted by name, one by one.
    fn granted(
        &mut self,
        token: Option<&str>,
        so_far: Fingerprint,
    ) -> Result<Content<H::Response>, Failure> {
        let page = range::granted(self.api, token)?;
        let so_far = so_far.with(&page);
        match page.next {
            Some(next) => self.steps.push(Step::Granted { token: Some(next), so_far }),
            None => self.evidence = Some(Evidence { scope: Some(so_far.text()), total: None }),
        }
        let mut chunks = page.people.chunks(MOST_IDS);
        let Some(first) = chunks.next() else { return Ok(Content::Empty) };
        self.steps.extend(chunks.map(|ids| Step::Named { ids: ids.to_vec() }));
        by_id(self.api, first)
    }
}

/// How many people the platform counts in the whole tenant, where it tells.
fn head_count<H: Host>(api: &Api<'_, H>) -> Result<Option<u64>, Failure> {
    let query = [
        ("user_id_type", api.settings.user_id_type.name()),
        ("department_id_type", api.settings.department_id_type.name()),
    ];
    let call = Call::get_at(
        "contact/v3/departments/:department_id",
        &format!("contact/v3/departments/{ROOT}"),
        &query,
    );
    match api.send(&call) {
        Ok(response) => {
            let count = json::integer(&response, "/data/department/member_count")?;
            Ok(count.and_then(|count| u64::try_from(count).ok()))
        }
        Err(failure) if matches!(failure.class, Class::RateLimited | Class::Unavailable) => {
            Err(failure)
        }
        Err(failure) => {
            let line = format!("the root's head count is not readable: code {}", failure.code);
            api.host.log(Level::Warn, &line);
            Ok(None)
        }
    }
}
