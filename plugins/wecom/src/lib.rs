//! The WeCom connector: departments, people, punches and attendance days of one company.
//!
//! What this is not: mapping, retries, rate limits or storage; those are the host's. Records stay in the host as the
//! platform wrote them wherever a page is one answer; this crate reads cursors and codes, and says in an administrator's
//! words what is wrong.
//!
//! | module | knows |
//! |---|---|
//! | `api` | addresses, a token for each secret, the one repetition with a new one |
//! | `codes`, `failure` | what each error code means and what to do about it |
//! | `departments`, `people`, `fetch`, `single` | the directory |
//! | `skeleton`, `range` | what speaks for its completeness: the ids of the whole company, the app's visible range |
//! | `attendance`, `day` | punches and day reports by person and window |
//! | `callback`, `events` (`base64`, `xml`) | what the platform pushes |
//! | `probe` | what is missing before a first run |
//!
//! The one invariant: an answer that is not understood is a fault, never an empty page.

mod api;
mod attendance;
mod base64;
mod callback;
mod codes;
mod day;
mod departments;
mod events;
mod failure;
mod fetch;
mod object;
mod people;
mod probe;
mod range;
mod records;
mod settings;
mod single;
mod skeleton;
mod xml;

use rollcall_sdk::{
    Answer, Attendance, Batch, Callback, Content, Delivery, Directory, Fault, Finding, Hint, Host,
    Kind, Page, Plugin, Refused, Walk, Window,
};

use crate::api::Api;

/// The connector.
#[derive(Clone, Copy, Debug)]
pub struct WeCom;

rollcall_sdk::export!(WeCom: plugin, directory, attendance, callback);

impl<H: Host> Plugin<H> for WeCom {
    fn probe(host: &H) -> Result<Vec<Finding>, Fault> {
        probe::probe(&Api::new(host)?)
    }
}

impl<H: Host> Directory<H> for WeCom {
    fn walks() -> Vec<Walk> {
        vec![Walk::Whole(Kind::Department), Walk::PerDepartment(Kind::Employee)]
    }

    fn enumerate(
        host: &H,
        kind: Kind,
        within: Option<&str>,
        cursor: Option<&str>,
    ) -> Result<Page<H::Response>, Fault> {
        match (kind, within) {
            (Kind::Department, None) => departments::list(&Api::new(host)?, cursor),
            (Kind::Employee, within) => people::list(&Api::new(host)?, within, cursor),
            (Kind::Department | Kind::CheckIn | Kind::AttendanceDay | Kind::Leave, _) => {
                Err(Fault::Unsupported)
            }
        }
    }

    fn fetch(host: &H, kind: Kind, ids: &[String]) -> Result<Content<H::Response>, Fault> {
        fetch::fetch(&Api::new(host)?, kind, ids)
    }
}

impl<H: Host> Attendance<H> for WeCom {
    fn batches() -> Vec<Batch> {
        attendance::batches()
    }

    fn enumerate(
        host: &H,
        kind: Kind,
        people: &[String],
        window: Window,
        cursor: Option<&str>,
    ) -> Result<Page<H::Response>, Fault> {
        attendance::list(&Api::new(host)?, kind, people, window, cursor)
    }
}

impl<H: Host> Callback<H> for WeCom {
    fn receive(host: &H, delivery: &Delivery) -> Result<Answer, Refused> {
        callback::receive(host, delivery)
    }

    fn hints(_host: &H, event: &[u8]) -> Result<Vec<Hint>, Fault> {
        events::hints(event)
    }
}
