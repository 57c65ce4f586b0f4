//! A connector written in YAML: the requests, paging and places of a REST API, read from the setting `spec`.
//!
//! What this is not: mapping (that is Rhai's), or a programming language; an API that needs more than templates and
//! pointers gets a connector of its own. README.md beside this crate describes every key.
//!
//! | module | knows |
//! |---|---|
//! | `spec` | the description: its YAML, and everything that can be wrong with it before a request is sent |
//! | `template` | placeholders, and how a value is written in a path, a query, a header or JSON |
//! | `api`, `token` | requests, credentials, and the one repetition with a new token |
//! | `answer` | which fault an answer is |
//! | `paging` | where a listing goes on, and where it ends |
//! | `listing`, `objects` | pages of the directory and of attendance, and single objects |
//! | `moment` | instants as the API wants them written |
//! | `probe` | what is missing before a first run |
//!
//! The one invariant: an answer that does not look as described is a fault, never an empty page.

mod answer;
mod api;
mod listing;
mod moment;
mod objects;
mod paging;
mod probe;
mod spec;
mod template;
mod token;

use rollcall_sdk::{
    Attendance, Batch, Content, Directory, Fault, Finding, Host, Kind, Page, Plugin, Walk, Window,
};

use crate::api::Api;

/// The connector.
#[derive(Clone, Copy, Debug)]
pub struct Rest;

rollcall_sdk::export!(Rest: plugin, directory, attendance);

impl<H: Host> Plugin<H> for Rest {
    fn probe(host: &H) -> Result<Vec<Finding>, Fault> {
        probe::probe(host)
    }
}

impl<H: Host> Directory<H> for Rest {
    fn walks() -> Vec<Walk> {
        vec![Walk::Whole(Kind::Department), Walk::Whole(Kind::Employee)]
    }

    /// Those of the description. Without one that can be used all of them, so that the first listing says what is wrong.
    fn walks_for(host: &H) -> Vec<Walk> {
        match spec::load(host) {
            Ok(spec) => listing::walks(&spec),
            Err(_) => <Self as Directory<H>>::walks(),
        }
    }

    fn enumerate(
        host: &H,
        kind: Kind,
        within: Option<&str>,
        cursor: Option<&str>,
    ) -> Result<Page<H::Response>, Fault> {
        listing::directory(&Api::new(host)?, kind, within, cursor)
    }

    fn fetch(host: &H, kind: Kind, ids: &[String]) -> Result<Content<H::Response>, Fault> {
        objects::fetch(&Api::new(host)?, kind, ids)
    }
}

impl<H: Host> Attendance<H> for Rest {
    fn batches() -> Vec<Batch> {
        Vec::new()
    }

    fn batches_for(host: &H) -> Vec<Batch> {
        spec::load(host).map(|spec| listing::batches(&spec)).unwrap_or_default()
    }

    fn enumerate(
        host: &H,
        kind: Kind,
        people: &[String],
        window: Window,
        cursor: Option<&str>,
    ) -> Result<Page<H::Response>, Fault> {
        listing::attendance(&Api::new(host)?, kind, (people, window), cursor)
    }
}
