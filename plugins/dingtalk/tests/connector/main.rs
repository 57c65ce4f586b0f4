//! The connector over a scripted host: what it sends, what it makes of the answers, what it tells an administrator.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::needless_pass_by_value,
    reason = "helpers of tests fail the test, and take JSON where it stands"
)]

mod attendance;
mod callback;
mod departments;
mod faults;
mod fetch;
mod manifest;
mod people;
mod probe;
mod roster;
mod token;

use rollcall_dingtalk::DingTalk;
use rollcall_sdk::testing::{Reply, Scripted};
use rollcall_sdk::{Content, Directory, Fault, Kind, Page};
use serde_json::{Value, json};

const MANIFEST: &str = include_str!("../../manifest.json");
const TOKEN: &str = "/v1.0/oauth2/accessToken";
const SCOPES: &str = "/auth/scopes";
const CHILDREN: &str = "/topapi/v2/department/listsub";
const DEPARTMENT: &str = "/topapi/v2/department/get";
const MEMBERS: &str = "/topapi/v2/user/list";
const SIMPLE: &str = "/topapi/user/listsimple";
const USER: &str = "/topapi/v2/user/get";
const COUNT: &str = "/topapi/user/count";
const ROSTER: &str = "/v1.0/hrm/rosters/lists/query";

/// A connection that is set up but has no token yet.
fn bare() -> Scripted {
    Scripted::new(MANIFEST)
        .unwrap()
        .with_setting("client_id", "dingexample0001")
        .with_secret("client_secret")
}

/// A connection that asks for its token first, then for what the test expects.
fn connection() -> Scripted {
    bare().answers("POST", TOKEN, token("t1", 7200))
}

/// One that reads listings alone.
fn brief() -> Scripted {
    connection().with_setting("detail", "list")
}

fn token(token: &str, expire: i64) -> Reply {
    Reply::json(&json!({"accessToken": token, "expireIn": expire}))
}

fn ok(result: Value) -> Reply {
    Reply::json(&json!({"errcode": 0, "errmsg": "ok", "result": result, "request_id": "r1"}))
}

/// A refusal of an API itself.
fn refusal(code: i64) -> Reply {
    Reply::json(&json!({"errcode": code, "errmsg": "refused", "request_id": "r1"}))
}

/// A refusal of the gateway in front of it.
fn wrapped(code: i64, message: &str) -> Reply {
    Reply::json(&json!({
        "errcode": 88, "sub_code": code.to_string(), "sub_msg": message,
        "errmsg": format!("ding talk error[subcode={code},submsg={message}]"), "request_id": "r1"
    }))
}

fn range(departments: &[i64], people: &[&str]) -> Reply {
    Reply::json(&json!({
        "errcode": 0, "errmsg": "ok", "auth_user_field": ["name"],
        "auth_org_scopes": {"authed_dept": departments, "authed_user": people}
    }))
}

fn department(id: i64) -> Value {
    json!({"dept_id": id, "name": "Radiology", "parent_id": 1})
}

fn person(id: &str) -> Value {
    json!({"userid": id, "name": "Example"})
}

fn departments(host: &Scripted, cursor: Option<&str>) -> Result<Page<Reply>, Fault> {
    <DingTalk as Directory<_>>::enumerate(host, Kind::Department, None, cursor)
}

fn people(
    host: &Scripted,
    within: Option<&str>,
    cursor: Option<&str>,
) -> Result<Page<Reply>, Fault> {
    <DingTalk as Directory<_>>::enumerate(host, Kind::Employee, within, cursor)
}

/// The ids that the host would find in a page.
fn ids(content: &Content<Reply>) -> Vec<String> {
    use rollcall_sdk::Response as _;
    match content {
        Content::Empty => Vec::new(),
        Content::Built(items) => items.iter().map(|item| item.id.clone()).collect(),
        Content::Sliced(slice) => {
            let one = |at: String| {
                let parts = slice.id.iter().map(|id| slice.response.pointer(&format!("{at}{id}")));
                let parts: Vec<String> =
                    parts.map(|raw| raw.unwrap().trim_matches('"').to_owned()).collect();
                parts.join(":")
            };
            match slice.response.count(&slice.items) {
                Some(count) => {
                    (0..count).map(|index| one(format!("{}/{index}", slice.items))).collect()
                }
                None => vec![one(slice.items.clone())],
            }
        }
    }
}

/// Lists to the end: the ids of all pages, and every evidence.
fn all(
    mut page: impl FnMut(Option<&str>) -> Result<Page<Reply>, Fault>,
) -> (Vec<String>, Vec<rollcall_sdk::Evidence>) {
    let (mut found, mut evidence, mut cursor) = (Vec::new(), Vec::new(), None);
    for _ in 0..100 {
        let next = page(cursor.as_deref()).unwrap();
        found.extend(ids(&next.content));
        evidence.extend(next.evidence);
        cursor = next.next;
        if cursor.is_none() {
            return (found, evidence);
        }
    }
    panic!("the listing does not end");
}

/// The body of the last request but `back`.
fn body(host: &Scripted, back: usize) -> Value {
    let requests = host.requests();
    serde_json::from_slice(&requests[requests.len() - 1 - back].body).unwrap()
}
