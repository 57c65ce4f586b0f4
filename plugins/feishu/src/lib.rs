//! The Feishu / Lark connector: departments, people, punches and attendance days of one tenant, and events about them.
//!
//! What this is not: mapping, retries, rate limits or storage; those are the host's. Records stay in the host as the
//! platform wrote them; this crate reads page tokens and codes, and says in an administrator's words what is wrong.
//!
//! | module | knows |
//! |---|---|
//! | `api` | addresses, the token and the one repetition with a new one |
//! | `codes`, `failure` | what each error code means and what to do about it |
//! | `cursor`, `paging`, `range` | cursors, page tokens, the app's contact range |
//! | `departments`, `people`, `fetch` | the directory |
//! | `attendance`, `day` | punches and daily results by person and window |
//! | `callback`, `events` | deliveries of events, and what events point at |
//! | `probe` | what is missing before a first run |
//!
//! The one invariant: an answer that is not understood is a fault, never an empty page.

mod api;
mod attendance;
mod callback;
mod codes;
mod cursor;
mod day;
mod departments;
mod events;
mod failure;
mod fetch;
mod paging;
mod people;
mod probe;
mod range;
mod settings;

use rollcall_sdk::{
    Answer, Attendance, Batch, Callback, Content, Delivery, Directory, Fault, Finding, Hint, Host,
    Kind, Page, Plugin, Refused, Walk, Window,
};

use crate::api::Api;

/// The connector.
#[derive(Clone, Copy, Debug)]
pub struct Feishu;

rollcall_sdk::export!(Feishu: plugin, directory, attendance, callback);

impl<H: Host> Plugin<H> for Feishu {
    fn probe(host: &H) -> Result<Vec<Finding>, Fault> {
        probe::probe(&Api::new(host)?)
    }
}

impl<H: Host> Directory<H> for Feishu {
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

impl<H: Host> Attendance<H> for Feishu {
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

impl<H: Host> Callback<H> for Feishu {
    fn receive(host: &H, delivery: &Delivery) -> Result<Answer, Refused> {
        callback::receive(host, delivery)
    }

    fn hints(host: &H, event: &[u8]) -> Result<Vec<Hint>, Fault> {
        events::hints(host, event)
    }
}
