//! The description: what `kit.yaml` may hold.
//!
//! The one invariant: a key that is not known is refused, with its place.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::model::entity::Entity;

/// A platform, as far as a component meets it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Script {
    /// The connection's settings. `{url}` is where the kit answers; `file:NAME` is the text of a file beside this one.
    #[serde(default)]
    pub(super) settings: BTreeMap<String, String>,
    /// Its secrets; invented, of course.
    #[serde(default)]
    pub(super) secrets: BTreeMap<String, String>,
    /// What requests must carry.
    pub(super) auth: Option<Auth>,
    /// How the platform asks to slow down; HTTP 429 with `Retry-After: 1` unless told.
    pub(super) throttled: Option<Canned>,
    /// How it fails; HTTP 503 unless told.
    pub(super) failing: Option<Canned>,
    #[serde(default)]
    pub(super) listings: Vec<Listing>,
    #[serde(default)]
    pub(super) objects: Vec<Objects>,
    #[serde(default)]
    pub(super) attendance: Vec<Attendance>,
    /// What a target writes.
    #[serde(default)]
    pub(super) stores: Vec<Store>,
}

/// What requests must carry, and where it comes from.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Auth {
    /// The header; `{secret:NAME}` is a secret from above, `{token}` the token now in force.
    pub(super) header: Header,
    /// Where tokens are handed out.
    pub(super) token: Option<TokenDesk>,
    /// How a request without it is refused; HTTP 401 unless told.
    pub(super) refused: Option<Canned>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    pub(super) name: String,
    pub(super) value: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenDesk {
    pub(super) request: Route,
    /// What must be in the body for a token to be handed out, such as `client_secret={secret:client_secret}`.
    #[serde(default)]
    pub(super) body_contains: Option<String>,
    /// The answer; `{token}` is the token.
    pub(super) answer: Value,
}

/// A fixed answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Canned {
    pub(super) status: u16,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) json: Value,
}

/// A method and a path, which may hold `{department}`, `{id}` or `{key}` as one of its parts.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Route {
    pub(super) get: Option<String>,
    pub(super) post: Option<String>,
    pub(super) put: Option<String>,
    pub(super) patch: Option<String>,
    pub(super) delete: Option<String>,
}

impl Route {
    /// The method and the path; none unless there is exactly one.
    pub(super) fn named(&self) -> Option<(&'static str, &str)> {
        let Self { get, post, put, patch, delete } = self;
        let all =
            [("GET", get), ("POST", post), ("PUT", put), ("PATCH", patch), ("DELETE", delete)];
        let mut named =
            all.into_iter().filter_map(|(method, path)| Some((method, path.as_deref()?)));
        let first = named.next()?;
        named.next().is_none().then_some(first)
    }
}

/// Where a request carries a value.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(super) struct Place {
    /// In this query parameter; several are joined by `,`, or the parameter is repeated.
    pub(super) query: Option<String>,
    /// At this pointer of a JSON body.
    pub(super) body: Option<String>,
}

/// A listing.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Listing {
    pub(super) kind: Entity,
    pub(super) request: Route,
    /// Where the request names the department, unless it does in its path.
    pub(super) within: Option<Place>,
    /// Where the array stands in the answer.
    pub(super) items: String,
    /// One object of it; `{id}`, `{name}`, `{parent}`, `{department}`, `{person}`, `{at}` are filled in.
    pub(super) item: Value,
    #[serde(default)]
    pub(super) page: Paging,
    /// Where the answer counts the objects of the whole listing.
    pub(super) total: Option<String>,
    /// The rest of the answer.
    #[serde(default)]
    pub(super) answer: Value,
}

/// How a listing is paged.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Paging {
    /// Everything at once.
    #[default]
    None,
    /// The answer names a cursor at `next`, and says at `more` whether there is one.
    Cursor { param: Place, next: String, more: Option<String>, size: u32 },
    /// Pages are numbered.
    Page {
        param: Place,
        #[serde(default = "one")]
        first: u32,
        pages: Option<String>,
        more: Option<String>,
        size: u32,
    },
    /// The request says how many to leave out.
    Offset { param: Place, more: Option<String>, size: u32 },
    /// The answer names the next address, in the header `Link` or at `next`.
    Link { param: String, next: Option<String>, size: u32 },
}

fn one() -> u32 {
    1
}

/// Single objects, by the `{id}` of the path or by several ids in one request.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Objects {
    pub(super) kind: Entity,
    pub(super) request: Route,
    /// Where the request names the ids, unless it does in its path.
    pub(super) ids: Option<Place>,
    /// Where the object, or the array of them, stands.
    #[serde(default)]
    pub(super) items: String,
    /// The rest of the answer.
    #[serde(default)]
    pub(super) answer: Value,
    /// How an id is answered that does not exist; HTTP 404 unless told.
    pub(super) missing: Option<Canned>,
}

/// Attendance: two punches a day and person, or one day.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Attendance {
    pub(super) kind: Entity,
    pub(super) request: Route,
    pub(super) people: Place,
    /// First instant, inclusive, and last, exclusive; Unix seconds, milliseconds when larger than 100,000,000,000.
    pub(super) start: Place,
    pub(super) end: Place,
    /// Where the array stands in the answer.
    pub(super) items: String,
    /// One object of it; `{id}`, `{name}`, `{parent}`, `{department}`, `{person}`, `{at}` are filled in.
    pub(super) item: Value,
    #[serde(default)]
    pub(super) page: Paging,
    /// Where the answer counts the objects of the whole listing.
    pub(super) total: Option<String>,
    /// The rest of the answer.
    #[serde(default)]
    pub(super) answer: Value,
}

/// Where a target keeps a kind. The kit keeps what is written, by its key.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Store {
    pub(super) kind: Entity,
    /// Makes or changes the record with this `{key}` in the path.
    pub(super) upsert: Route,
    /// Marks it as ended.
    pub(super) retire: Route,
    /// The answer to both; `{key}` and `{id}` are filled in.
    #[serde(default)]
    pub(super) answer: Value,
    /// What the target holds: every record with its fields, `id`, `external_id` and `retired`.
    pub(super) list: Option<Held>,
    /// What fields the kit writes in its tests; `{name}` is a text that differs from record to record.
    pub(super) sample: BTreeMap<String, Value>,
}

/// The listing of a store: one page.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Held {
    pub(super) request: Route,
    #[serde(default)]
    pub(super) items: String,
}

impl Script {
    /// What serde cannot see: every route is one, and what is listed can be listed.
    pub(super) fn check(&self) -> Result<(), String> {
        let routes = self
            .listings
            .iter()
            .map(|it| &it.request)
            .chain(self.objects.iter().map(|it| &it.request))
            .chain(self.attendance.iter().map(|it| &it.request))
            .chain(self.stores.iter().flat_map(|it| [&it.upsert, &it.retire]))
            .chain(self.auth.iter().filter_map(|it| it.token.as_ref()).map(|it| &it.request));
        for route in routes {
            let good = route.named().is_some_and(|(_, path)| path.starts_with('/'));
            if !good {
                return Err(format!(
                    "a request names no path: {route:?}; write one of `get`, `post`, `put`, `patch`, `delete` with a path that begins with `/`"
                ));
            }
        }
        let sizes = self.listings.iter().map(|it| &it.page);
        for paging in sizes.chain(self.attendance.iter().map(|it| &it.page)) {
            if paging.size() == Some(0) {
                return Err("a page has size 0; write how many objects it holds".to_owned());
            }
        }
        let stray = self.listings.iter().find(|it| !it.kind.retires());
        if let Some(it) = stray {
            return Err(format!("`listings` has the kind `{}`; put it into `attendance`", it.kind));
        }
        Ok(())
    }
}

impl Paging {
    /// Objects of a page.
    pub(super) fn size(&self) -> Option<u32> {
        match self {
            Self::None => None,
            Self::Cursor { size, .. }
            | Self::Page { size, .. }
            | Self::Offset { size, .. }
            | Self::Link { size, .. } => Some(*size),
        }
    }
}
