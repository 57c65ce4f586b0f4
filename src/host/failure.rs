//! What ends a call that the guest did not end itself, and how an administrator reads it.
//!
//! The invariant: every text names the plugin, the export and what to do, and none holds data of a person or a secret.

use std::time::Duration;

use wasmtime::Trap;

use crate::model::fault::{Advice, Fault};

use super::bounded;
use super::context::{Bound, Shared};
use super::contract::since_v0_1::types;
use super::imports::Breach;
use super::json::JsonError;
use super::rates::Refused;

/// Why a call has no result.
#[derive(Debug)]
pub(super) enum Failure {
    /// The plugin answers with a fault.
    Fault(Fault),
    /// The call ran past its deadline, this long.
    Deadline(Duration),
    /// The instance met a bound and gave up.
    Bound(Bound),
    /// The guest or the boundary trapped.
    Trap(wasmtime::Error),
    /// The page breaks the contract.
    Page(PageError),
}

/// What is wrong with a page. Counts and pointers only.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum PageError {
    #[error("`{0}` is no JSON pointer")]
    Pointer(String),
    #[error("the response (status {status}) is {reason}{hint}")]
    Response { status: u16, reason: JsonError, hint: &'static str },
    #[error("`{pointer}` holds neither an array of objects nor an object")]
    Items { pointer: String },
    #[error("item {at} of `{pointer}` is no object")]
    Item { pointer: String, at: usize },
    #[error("item {at} has no text or number at `{pointer}`")]
    NoId { at: usize, pointer: String },
    #[error("the id of item {at} cannot be used: {reason}")]
    Id { at: usize, reason: crate::model::ids::IdError },
    #[error("the page gives no pointer to the ids of its items")]
    NoIdPointer,
    #[error("the payload of built item {at} is no JSON object")]
    Payload { at: usize },
    #[error("the page has {found} items, {limit} are allowed")]
    TooMany { found: usize, limit: usize },
    #[error("it lists {found} {what}, {limit} are allowed")]
    List { what: &'static str, found: usize, limit: usize },
    #[error("its {what} has {found} bytes, {limit} are allowed")]
    Opaque { what: &'static str, found: usize, limit: usize },
    #[error("its answer has the status {0}")]
    Status(u16),
    #[error("its answer has a content type that is none")]
    ContentType,
}

impl From<wasmtime::Error> for Failure {
    fn from(error: wasmtime::Error) -> Self {
        Self::Trap(error)
    }
}

impl From<types::Fault> for Failure {
    fn from(fault: types::Fault) -> Self {
        Self::Fault(fault.into())
    }
}

impl From<PageError> for Failure {
    fn from(error: PageError) -> Self {
        Self::Page(error)
    }
}

impl Failure {
    /// Whether the instance may serve further calls.
    pub(super) fn leaves_instance_usable(&self) -> bool {
        match self {
            Self::Fault(_) | Self::Page(_) => true,
            Self::Deadline(_) | Self::Bound(_) | Self::Trap(_) => false,
        }
    }

    /// The fault that the core sees.
    pub(super) fn into_fault(self, shared: &Shared, export: &str) -> Fault {
        let plugin = shared.plugin.name();
        let subject = format!("plugin `{plugin}` in `{export}`");
        let told = match self {
            Self::Fault(fault) => return bounded::fault(fault),
            Self::Page(error @ PageError::Response { .. }) => return unreadable(&subject, &error),
            Self::Page(error) => Told::page(&error),
            Self::Deadline(limit) => Told::deadline(limit),
            Self::Bound(bound) => Told::bound(bound, shared),
            Self::Trap(error) => match error.downcast_ref::<Refused>() {
                // No fault of the guest: the host ended the call for the platform's sake.
                Some(refused) => return refused.fault(),
                None => Told::trap(&error),
            },
        };
        Fault::Plugin(Advice {
            code: told.code.to_owned(),
            message: format!("{subject} {}", told.what),
            remedy: told.remedy.to_owned(),
        })
    }
}

/// A response that is no JSON: mostly a gateway's page or a broken transfer, so that repeating may help.
fn unreadable(subject: &str, error: &PageError) -> Fault {
    Fault::Unavailable(Advice {
        code: "http::unreadable".to_owned(),
        message: format!("{subject} got an answer that cannot be read: {error}"),
        remedy: "run again; if it stays, check that the address in the settings is the platform's API and that no proxy answers in its place".to_owned(),
    })
}

struct Told {
    code: &'static str,
    what: String,
    remedy: &'static str,
}

const REPORT: &str =
    "report it to the plugin's author; the call was stopped and nothing else is affected";

impl Told {
    fn deadline(limit: Duration) -> Self {
        Self {
            code: "plugin::deadline",
            what: format!("ran past {limit:?}"),
            remedy: "raise `limits.call` if the platform is that slow, else report it to the plugin's author",
        }
    }

    fn bound(bound: Bound, shared: &Shared) -> Self {
        let limits = &shared.limits;
        match bound {
            Bound::Memory => Self {
                code: "plugin::memory",
                what: format!("needs more than {} MiB of memory", limits.memory_bytes >> 20),
                remedy: "raise `limits.memory`, or report it to the plugin's author",
            },
            Bound::Table => Self {
                code: "plugin::table",
                what: format!("needs tables of more than {} elements", limits.table_elements),
                remedy: REPORT,
            },
        }
    }

    fn page(error: &PageError) -> Self {
        Self {
            code: "plugin::page",
            what: format!("returned what cannot be used: {error}"),
            remedy: REPORT,
        }
    }

    fn trap(error: &wasmtime::Error) -> Self {
        match error.downcast_ref::<Trap>() {
            Some(Trap::StackOverflow) => Self {
                code: "plugin::stack",
                what: "recursed without end".to_owned(),
                remedy: REPORT,
            },
            Some(trap) => {
                Self { code: "plugin::trap", what: format!("trapped: {trap}"), remedy: REPORT }
            }
            None => Self {
                code: "plugin::contract",
                what: match error.downcast_ref::<Breach>() {
                    Some(breach) => format!("broke the contract: {breach}"),
                    None => format!("broke the contract: {}", error.root_cause()),
                },
                remedy: REPORT,
            },
        }
    }
}
