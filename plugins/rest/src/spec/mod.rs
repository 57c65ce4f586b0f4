//! The description of an API: what the YAML of the setting `spec` says.
//!
//! The one invariant: a [`Spec`] from [`load`] has passed every check; nobody judges it again.

mod check;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use rollcall_sdk::{Advice, Fault, Host, Kind};
use serde::Deserialize;
use serde_yaml::Value;

/// An API.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Spec {
    pub(crate) auth: Auth,
    /// Sent with every request.
    pub(crate) headers: BTreeMap<String, String>,
    /// The zone in which dates are written, such as `+08:00`.
    pub(crate) utc_offset: Option<String>,
    /// Where answers carry a code, and which of them is success.
    pub(crate) code: Option<Code>,
    pub(crate) errors: Vec<Rule>,
    pub(crate) listings: BTreeMap<Listed, Listing>,
    pub(crate) attendance: BTreeMap<Sheet, Attendance>,
    pub(crate) objects: BTreeMap<Listed, Objects>,
}

/// The kinds that are listed, and how they are spelt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Listed {
    Department,
    Employee,
}

/// The kinds that are asked for by person and time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Sheet {
    CheckIn,
    AttendanceDay,
    Leave,
}

/// How requests are authorised: at most one of these.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Auth {
    /// `Authorization: Bearer`, with this secret.
    pub(crate) bearer: Option<String>,
    /// `Authorization: Basic`, with this secret, which is the base64 already.
    pub(crate) basic: Option<String>,
    pub(crate) header: Option<Header>,
    pub(crate) oauth2: Option<OAuth2>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Header {
    pub(crate) name: String,
    /// Names the secret, such as `{secret:token}`.
    pub(crate) value: String,
}

/// Client credentials.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OAuth2 {
    /// Path of the token endpoint, below `auth_url` or `base_url`.
    pub(crate) path: String,
    pub(crate) client_id: String,
    #[serde(default = "client_secret")]
    pub(crate) client_secret: String,
    pub(crate) scope: Option<String>,
    #[serde(default = "access_token")]
    pub(crate) access_token: String,
    #[serde(default = "expires_in")]
    pub(crate) expires_in: String,
}

fn client_secret() -> String {
    "client_secret".to_owned()
}

fn access_token() -> String {
    "/access_token".to_owned()
}

fn expires_in() -> String {
    "/expires_in".to_owned()
}

/// A code in the body.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Code {
    pub(crate) at: String,
    pub(crate) ok: Vec<Scalar>,
}

/// A code as text, however it is written.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "Value")]
pub(crate) struct Scalar(pub(crate) String);

impl From<Value> for Scalar {
    fn from(value: Value) -> Self {
        Self(match value {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            Value::Bool(flag) => flag.to_string(),
            Value::Null | Value::Sequence(_) | Value::Mapping(_) | Value::Tagged(_) => {
                String::new()
            }
        })
    }
}

/// One line of the table of errors: all that it names must fit.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    pub(crate) status: Option<u16>,
    #[serde(default)]
    pub(crate) code: Vec<Scalar>,
    pub(crate) is: Meaning,
    pub(crate) message: Option<String>,
    pub(crate) remedy: Option<String>,
    /// The header that says how many seconds to wait.
    pub(crate) wait: Option<String>,
}

/// What an answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Meaning {
    /// The token is spent: another one helps.
    Token,
    Unauthorized,
    Forbidden,
    RateLimited,
    NotFound,
    Invalid,
    StaleCursor,
    Unavailable,
}

/// A request. Texts may hold placeholders.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    pub(crate) get: Option<String>,
    pub(crate) post: Option<String>,
    #[serde(default)]
    pub(crate) query: BTreeMap<String, Scalar>,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    /// Sent as JSON.
    pub(crate) body: Option<Value>,
}

impl Request {
    /// The path; a request that passed its check has one.
    pub(crate) fn path(&self) -> &str {
        self.get.as_deref().or(self.post.as_deref()).unwrap_or_default()
    }

    pub(crate) fn method(&self) -> &'static str {
        if self.post.is_some() { "POST" } else { "GET" }
    }
}

/// One pointer, or several whose texts are joined by `:`.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Pointers {
    One(String),
    Several(Vec<String>),
}

impl Pointers {
    pub(crate) fn all(&self) -> &[String] {
        match self {
            Self::One(pointer) => std::slice::from_ref(pointer),
            Self::Several(pointers) => pointers,
        }
    }
}

/// Where the objects of an answer stand.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listing {
    pub(crate) request: Request,
    #[serde(default)]
    pub(crate) page: Paging,
    pub(crate) items: String,
    pub(crate) id: Pointers,
    /// The API leaves an empty list out.
    #[serde(default)]
    pub(crate) may_be_absent: bool,
    /// How many objects there are, by the API's own count: in the whole listing, or in the department's.
    pub(crate) total: Option<String>,
    /// One listing within each department.
    #[serde(default)]
    pub(crate) per_department: bool,
    /// What `{department}` is for those that hang off none; without it there are none.
    pub(crate) root: Option<String>,
}

/// Attendance, and the most that a call takes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Attendance {
    pub(crate) people: u32,
    pub(crate) days: u32,
    pub(crate) request: Request,
    #[serde(default)]
    pub(crate) page: Paging,
    pub(crate) items: String,
    pub(crate) id: Pointers,
    #[serde(default)]
    pub(crate) may_be_absent: bool,
    pub(crate) total: Option<String>,
}

/// Single objects: `{id}` asks for one at a time, `{ids}` for all at once.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Objects {
    pub(crate) request: Request,
    #[serde(default)]
    pub(crate) items: String,
    pub(crate) id: Pointers,
    #[serde(default)]
    pub(crate) may_be_absent: bool,
}

/// How a listing goes on.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Paging {
    /// One page is all.
    #[default]
    None,
    /// `{cursor}`: what the answer before has at `next`.
    Cursor { next: String, more: Option<String> },
    /// `{page}`: counted up from `first`.
    Page {
        #[serde(default = "one")]
        first: u32,
        pages: Option<String>,
        more: Option<String>,
    },
    /// `{offset}`: how many objects came before.
    Offset { more: Option<String> },
    /// A whole address: in the header `Link`, or in the body at `next`.
    Link { next: Option<String> },
}

fn one() -> u32 {
    1
}

impl Listed {
    pub(crate) fn of(kind: Kind) -> Option<Self> {
        match kind {
            Kind::Department => Some(Self::Department),
            Kind::Employee => Some(Self::Employee),
            Kind::CheckIn | Kind::AttendanceDay | Kind::Leave => None,
        }
    }

    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::Department => Kind::Department,
            Self::Employee => Kind::Employee,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Department => "department",
            Self::Employee => "employee",
        }
    }
}

impl Sheet {
    pub(crate) fn of(kind: Kind) -> Option<Self> {
        match kind {
            Kind::CheckIn => Some(Self::CheckIn),
            Kind::AttendanceDay => Some(Self::AttendanceDay),
            Kind::Leave => Some(Self::Leave),
            Kind::Department | Kind::Employee => None,
        }
    }

    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::CheckIn => Kind::CheckIn,
            Self::AttendanceDay => Kind::AttendanceDay,
            Self::Leave => Kind::Leave,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::CheckIn => "check_in",
            Self::AttendanceDay => "attendance_day",
            Self::Leave => "leave",
        }
    }
}

/// What is wrong with a description, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// The key, such as `listings.employee.page`; a line and column when it is no YAML.
    pub(crate) place: String,
    /// What is wrong, and what to write instead.
    pub(crate) reason: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.reason)
    }
}

/// Reads a description and checks all of it.
pub(crate) fn parse(text: &str) -> Result<Spec, Vec<Wrong>> {
    let spec: Spec = serde_yaml::from_str(text).map_err(|error| vec![misread(&error)])?;
    let wrong = check::check(&spec);
    if wrong.is_empty() { Ok(spec) } else { Err(wrong) }
}

fn misread(error: &serde_yaml::Error) -> Wrong {
    let place = error.location().map_or_else(
        || "the description".to_owned(),
        |at| format!("line {}, column {}", at.line(), at.column()),
    );
    Wrong { place, reason: error.to_string() }
}

type Kept = (String, Result<Rc<Spec>, Vec<Wrong>>);

thread_local! {
    /// The last text and what it means: every page asks for the same one.
    static LAST: RefCell<Option<Kept>> = const { RefCell::new(None) };
}

/// The connection's description.
pub(crate) fn read(host: &impl Host) -> Result<Rc<Spec>, Vec<Wrong>> {
    let text = host.setting("spec").unwrap_or_default();
    LAST.with_borrow_mut(|last| match last {
        Some((known, spec)) if *known == text => spec.clone(),
        _ => {
            let spec = parse(&text).map(Rc::new);
            *last = Some((text, spec.clone()));
            spec
        }
    })
}

/// The same, or the fault that an administrator reads.
pub(crate) fn load(host: &impl Host) -> Result<Rc<Spec>, Fault> {
    read(host).map_err(|wrong| {
        let more = match wrong.len() {
            0 | 1 => String::new(),
            many => format!(" (and {} more)", many - 1),
        };
        let first = wrong.first().map(ToString::to_string).unwrap_or_default();
        Fault::Invalid(Advice {
            code: "setting:spec".to_owned(),
            message: format!("the description in `spec` cannot be used: {first}{more}"),
            remedy: "correct the description; the plugin's README lists every key".to_owned(),
        })
    })
}
