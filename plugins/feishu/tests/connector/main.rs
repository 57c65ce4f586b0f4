//! The connector over a scripted host: what it sends, what it makes of the answers, what it tells an administrator.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::needless_pass_by_value,
    reason = "helpers of tests fail the test, and take JSON where it stands"
)]

mod attendance;
mod callback;
mod codes;
mod departments;
mod faults;
mod fetch;
mod manifest;
mod people;
mod probe;
mod token;

use rollcall_feishu::Feishu;
use rollcall_sdk::testing::{Reply, Scripted};
use rollcall_sdk::{Content, Directory, Fault, Kind, Page};
use serde_json::{Value, json};

const MANIFEST: &str = include_str!("../../manifest.json");
const TOKEN: &str = "/open-apis/auth/v3/tenant_access_token/internal";
const ROOT_CHILDREN: &str = "/open-apis/contact/v3/departments/0/children";
const MEMBERS: &str = "/open-apis/contact/v3/users/find_by_department";
const ROOT: &str = "/open-apis/contact/v3/departments/0";
const SCOPES: &str = "/open-apis/contact/v3/scopes";
const DEPARTMENTS_BATCH: &str = "/open-apis/contact/v3/departments/batch";
const USERS_BATCH: &str = "/open-apis/contact/v3/users/batch";

/// A connection that is set up but has no token yet.
fn bare() -> Scripted {
    Scripted::new(MANIFEST)
        .unwrap()
        .with_setting("app_id", "cli_example0001")
        .with_secret("app_secret")
}

/// A connection that asks for its token first, then for what the test expects.
fn connection() -> Scripted {
    bare().answers("POST", TOKEN, token("t-1", 7200))
}

fn token(token: &str, expire: i64) -> Reply {
    Reply::json(&json!({"code": 0, "msg": "ok", "tenant_access_token": token, "expire": expire}))
}

fn ok(data: Value) -> Reply {
    Reply::json(&json!({"code": 0, "msg": "success", "data": data}))
}

fn refusal(code: i64) -> Reply {
    Reply::json(&json!({"code": code, "msg": "refused"})).with_status(400)
}

fn children_of(id: &str) -> String {
    format!("/open-apis/contact/v3/departments/{id}/children")
}

fn department(id: &str) -> Value {
    json!({"open_department_id": id, "name": "Radiology", "parent_department_id": "0"})
}

fn person(id: &str) -> Value {
    json!({"user_id": id, "name": "Example"})
}

fn departments(host: &Scripted, cursor: Option<&str>) -> Result<Page<Reply>, Fault> {
    <Feishu as Directory<_>>::enumerate(host, Kind::Department, None, cursor)
}

fn people(
    host: &Scripted,
    within: Option<&str>,
    cursor: Option<&str>,
) -> Result<Page<Reply>, Fault> {
    <Feishu as Directory<_>>::enumerate(host, Kind::Employee, within, cursor)
}

/// The ids that the host would find in a page.
fn ids(content: &Content<Reply>) -> Vec<String> {
    use rollcall_sdk::{Response as _, json};
    match content {
        Content::Empty => Vec::new(),
        Content::Built(items) => items.iter().map(|item| item.id.clone()).collect(),
        Content::Sliced(slice) => (0..slice.response.count(&slice.items).unwrap())
            .map(|index| {
                let text =
                    |id| json::text(&slice.response, &format!("{}/{index}{id}", slice.items));
                let parts = slice.id.iter().map(|id| text(id).unwrap().unwrap());
                parts.collect::<Vec<_>>().join(":")
            })
            .collect(),
    }
}

/// Lists to the end: the ids of each page, and every evidence.
fn all(
    mut page: impl FnMut(Option<&str>) -> Result<Page<Reply>, Fault>,
) -> (Vec<Vec<String>>, Vec<rollcall_sdk::Evidence>) {
    let (mut pages, mut evidence, mut cursor) = (Vec::new(), Vec::new(), None);
    loop {
        let next = page(cursor.as_deref()).unwrap();
        pages.push(ids(&next.content));
        evidence.extend(next.evidence);
        cursor = next.next;
        if cursor.is_none() {
            return (pages, evidence);
        }
        assert!(pages.len() < 100, "the listing does not end");
    }
}

/// The query of the request before last-but-`back`, as it was sent.
fn query(host: &Scripted, back: usize) -> String {
    let requests = host.requests();
    let url = &requests[requests.len() - 1 - back].url;
    url.split_once('?').map_or_else(String::new, |(_, query)| query.to_owned())
}

fn body(host: &Scripted, back: usize) -> Value {
    let requests = host.requests();
    serde_json::from_slice(&requests[requests.len() - 1 - back].body).unwrap()
}
