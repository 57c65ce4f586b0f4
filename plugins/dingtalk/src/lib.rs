//! The DingTalk connector: departments, people, punches and attendance days of one tenant.
//!
//! What this is not: mapping, retries, rate limits or storage; those are the host's. Records stay in the host as the
//! platform wrote them, but for what the platform has in parts only: attendance days, and people with their roster, are
//! joined here.
//!
//! | module | knows |
//! |---|---|
//! | `api` | addresses, the token and the one repetition with a new one |
//! | `codes`, `failure` | what each error code means and what to do about it |
//! | `cursor`, `steps`, `range` | cursors, what of a listing is left, the address-book range |
//! | `departments`, `people`, `fetch`, `singles` | the directory |
//! | `roster` | the fields of Smart HR that people's records get |
//! | `swipes`, `days`, `window` | punches and daily results by person and window |
//! | `callback`, `events` | what the platform pushes, and what it points at |
//! | `probe` | what is missing before a first run |
//!
//! The one invariant: an answer that is not understood is a fault, never an empty page.

mod api;
mod callback;
mod codes;
mod cursor;
mod days;
mod departments;
mod events;
mod failure;
mod fetch;
mod lenient;
mod people;
mod probe;
mod range;
mod roster;
mod scalar;
mod settings;
mod singles;
mod steps;
mod swipes;
mod window;

use rollcall_sdk::{
    Answer, Attendance, Batch, Callback, Content, Delivery, Directory, Fault, Finding, Hint, Host,
    Kind, Page, Plugin, Refused, Walk, Window,
};

use crate::api::Api;

/// The connector.
#[derive(Clone, Copy, Debug)]
pub struct DingTalk;

rollcall_sdk::export!(DingTalk: plugin, directory, attendance, callback);

impl<H: Host> Plugin<H> for DingTalk {
    fn probe(host: &H) -> Result<Vec<Finding>, Fault> {
        probe::probe(&Api::new(host)?)
    }
}

impl<H: Host> Directory<H> for DingTalk {
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

impl<H: Host> Attendance<H> for DingTalk {
    fn batches() -> Vec<Batch> {
        window::batches()
    }

    fn enumerate(
        host: &H,
        kind: Kind,
        people: &[String],
        window: Window,
        cursor: Option<&str>,
    ) -> Result<Page<H::Response>, Fault> {
        window::list(&Api::new(host)?, kind, people, window, cursor)
    }
}

impl<H: Host> Callback<H> for DingTalk {
    fn receive(host: &H, delivery: &Delivery) -> Result<Answer, Refused> {
        callback::receive(host, delivery)
    }

    fn hints(_host: &H, event: &[u8]) -> Result<Vec<Hint>, Fault> {
        events::hints(event)
    }
}
