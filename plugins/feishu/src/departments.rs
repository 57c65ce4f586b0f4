//! The department tree: in one recursive listing where the platform allows it, else subtree by subtree; below the
//! departments that are granted by name where the app does not see everyone (Feishu fact sheet, sections 2.2 and 2.6).
//!
//! What this is not: a check that the tree is closed, which is the host's. The one invariant: every department that the
//! app may see is on some page; under a partial range it may be on two.

use rollcall_sdk::codes::Class;
use rollcall_sdk::json;
use rollcall_sdk::{Advice, Content, Evidence, Fault, Host, Page};

use crate::api::{Api, Call, encode};
use crate::codes::{OUTSIDE_RANGE, refuses_recursion};
use crate::failure::Failure;
use crate::paging::{self, MOST_IDS, PAGE_SIZE, Shape, Step, next_token, records};
use crate::range::{self, ALL_MEMBERS, Fingerprint};
use crate::settings::DepartmentIdType;

/// The department above all others; it is not a record.
pub(crate) const ROOT: &str = "0";
/// The platform has 25 levels at most.
const MOST_LEVELS: u8 = 32;

/// One page of the tree.
pub(crate) fn list<H: Host>(
    api: &Api<'_, H>,
    cursor: Option<&str>,
) -> Result<Page<H::Response>, Fault> {
    let mut walk = Walk { api, steps: Vec::new(), evidence: None };
    let step = match cursor {
        None => Step::Below { of: ROOT.to_owned(), depth: 0, token: None },
        Some(cursor) => {
            walk.steps = paging::decode(cursor)?;
            walk.steps.pop().ok_or(Fault::StaleCursor)?
        }
    };
    let content = walk.take(step)?;
    Ok(Page { content, next: paging::encode(&walk.steps)?, evidence: walk.evidence })
}

/// Departments by id, 50 at most; those that do not exist are left out.
pub(crate) fn by_id<H: Host>(
    api: &Api<'_, H>,
    ids: &[String],
) -> Result<Content<H::Response>, Failure> {
    let mut query = vec![
        ("user_id_type", api.settings.user_id_type.name()),
        ("department_id_type", api.settings.department_id_type.name()),
    ];
    query.extend(ids.iter().map(|id| ("department_ids", id.as_str())));
    let response = api.send(&Call::get("contact/v3/departments/batch", &query))?;
    records(response, &shape(api))
}

/// Whether a listing goes down all levels.
#[derive(Clone, Copy)]
pub(crate) enum Depth {
    All,
    One,
}

/// One page of what is below a department.
pub(crate) fn below<H: Host>(
    api: &Api<'_, H>,
    of: &str,
    depth: Depth,
    token: Option<&str>,
) -> Result<H::Response, Failure> {
    let mut query = vec![
        ("user_id_type", api.settings.user_id_type.name()),
        ("department_id_type", api.settings.department_id_type.name()),
        ("fetch_child", if matches!(depth, Depth::All) { "true" } else { "false" }),
        ("page_size", PAGE_SIZE),
    ];
    query.extend(token.map(|token| ("page_token", token)));
    let path = format!("contact/v3/departments/{}/children", encode(of));
    api.send(&Call::get_at("contact/v3/departments/:department_id/children", &path, &query))
}

pub(crate) fn shape<H: Host>(api: &Api<'_, H>) -> Shape {
    let id_type = api.settings.department_id_type;
    let scope = match id_type {
        DepartmentIdType::Open => "contact:contact.base:readonly",
        DepartmentIdType::Chosen => "contact:department.base:readonly",
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
    fn take(&mut self, step: Step) -> Result<Content<H::Response>, Fault> {
        let content = match step {
            Step::Below { of, depth, token } => self.below(&of, depth, token.as_deref()),
            Step::Children { of, depth, token } => self.children(&of, depth, token.as_deref()),
            Step::Named { ids } => by_id(self.api, &ids),
            Step::Granted { token, so_far } => self.granted(token.as_deref(), so_far),
            Step::Members { .. } => return Err(Fault::StaleCursor),
        };
        content.map_err(Fault::from)
    }

    /// Everything below; where that is refused, first what is directly below.
    fn below(
        &mut self,
        of: &str,
        depth: u8,
        token: Option<&str>,
    ) -> Result<Content<H::Response>, Failure> {
        let whole = of == ROOT && token.is_none();
        let response = match below(self.api, of, Depth::All, token) {
            Ok(response) => response,
            Err(failure) if token.is_none() && refuses_recursion(failure.code) => {
                return self.children(of, depth, None);
            }
            Err(failure) if whole && failure.code == OUTSIDE_RANGE => {
                return self.granted(None, Fingerprint::default());
            }
            Err(failure) => return Err(failure),
        };
        if let Some(next) = next_token(&response, token)? {
            self.steps.push(Step::Below { of: of.to_owned(), depth, token: Some(next) });
        }
        if whole {
            self.sees_everyone();
        }
        records(response, &shape(self.api))
    }

    /// What is directly below, and later what is below each of these.
    fn children(
        &mut self,
        of: &str,
        depth: u8,
        token: Option<&str>,
    ) -> Result<Content<H::Response>, Failure> {
        if depth >= MOST_LEVELS {
            return Err(too_deep());
        }
        let response = below(self.api, of, Depth::One, token)?;
        if let Some(next) = next_token(&response, token)? {
            self.steps.push(Step::Children { of: of.to_owned(), depth, token: Some(next) });
        }
        if of == ROOT && token.is_none() {
            self.sees_everyone();
        }
        let ids = self.ids(&response)?;
        // Taken from the end: the first child's subtree comes next, the siblings' next page last.
        for of in ids.into_iter().rev() {
            self.steps.push(Step::Below { of, depth: depth + 1, token: None });
        }
        records(response, &shape(self.api))
    }

    /// The departments that are granted by name, and later what is below each of these.
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
        for of in page.departments.iter().rev() {
            self.steps.push(Step::Below { of: of.clone(), depth: 1, token: None });
        }
        let mut chunks = page.departments.chunks(MOST_IDS);
        let Some(first) = chunks.next() else { return Ok(Content::Empty) };
        self.steps.extend(chunks.map(|ids| Step::Named { ids: ids.to_vec() }));
        by_id(self.api, first)
    }

    fn ids(&self, response: &H::Response) -> Result<Vec<String>, Failure> {
        let shape = shape(self.api);
        let mut ids = Vec::new();
        for index in 0..json::length(response, shape.items)? {
            ids.extend(json::text(response, &format!("{}/{index}/{}", shape.items, shape.id))?);
        }
        Ok(ids)
    }

    fn sees_everyone(&mut self) {
        self.evidence = Some(Evidence { scope: Some(ALL_MEMBERS.to_owned()), total: None });
    }
}

fn too_deep() -> Failure {
    let message = format!("the department tree has more than {MOST_LEVELS} levels");
    let advice = Advice::new("tree", message, "look for a loop in the departments");
    Failure::of(Class::Invalid, advice)
}
