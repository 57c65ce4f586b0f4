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

use rollcall_sdk::testing::{Reply, Scripted};
use rollcall_sdk::{Content, Directory, Fault, Kind, Page};
use rollcall_wecom::WeCom;
use serde_json::{Value, json};

const MANIFEST: &str = include_str!("../../manifest.json");
const TOKEN: &str = "/cgi-bin/gettoken";
const TREE: &str = "/cgi-bin/department/list";
const TREE_IDS: &str = "/cgi-bin/department/simplelist";
const DEPARTMENT: &str = "/cgi-bin/department/get";
const MEMBERS: &str = "/cgi-bin/user/list";
const MEMBER_IDS: &str = "/cgi-bin/user/simplelist";
const PERSON: &str = "/cgi-bin/user/get";
const PEOPLE_IDS: &str = "/cgi-bin/user/list_id";
const AGENT: &str = "/cgi-bin/agent/get";

/// A connection that is set up but has no token yet.
fn bare() -> Scripted {
    Scripted::new(MANIFEST)
        .unwrap()
        .with_setting("corp_id", "wwexample0001")
        .with_secret("app_secret")
}

/// A connection that asks for its token first, then for what the test expects.
fn connection() -> Scripted {
    bare().answers("GET", TOKEN, token("t-app", 7200))
}

/// A connection that also has contacts sync, whose token comes first.
fn counted() -> Scripted {
    bare().with_secret("contacts_secret").answers("GET", TOKEN, token("t-contacts", 7200))
}

fn token(token: &str, expires_in: i64) -> Reply {
    ok(json!({"access_token": token, "expires_in": expires_in}))
}

/// A success with these members.
fn ok(mut members: Value) -> Reply {
    members["errcode"] = json!(0);
    members["errmsg"] = json!("ok");
    Reply::json(&members)
}

fn refusal(code: i64) -> Reply {
    Reply::json(
        &json!({"errcode": code, "errmsg": "refused, hint: [1782090000_7_ab], from ip: 203.0.113.7"}),
    )
}

fn department(id: u64, parent: u64) -> Value {
    json!({"id": id, "name": "Radiology", "parentid": parent, "order": 100})
}

fn tree(departments: &[(u64, u64)]) -> Reply {
    let departments: Vec<Value> = departments.iter().map(|(id, up)| department(*id, *up)).collect();
    ok(json!({"department": departments}))
}

fn tree_ids(departments: &[(u64, u64)]) -> Reply {
    let ids: Vec<Value> =
        departments.iter().map(|(id, up)| json!({"id": id, "parentid": up, "order": 1})).collect();
    ok(json!({"department_id": ids}))
}

fn person(id: &str) -> Value {
    json!({"userid": id, "name": "Example", "department": [7], "status": 1})
}

fn members(ids: &[&str]) -> Reply {
    let people: Vec<Value> = ids.iter().map(|id| person(id)).collect();
    ok(json!({"userlist": people}))
}

fn departments(host: &Scripted, cursor: Option<&str>) -> Result<Page<Reply>, Fault> {
    <WeCom as Directory<_>>::enumerate(host, Kind::Department, None, cursor)
}

fn people(
    host: &Scripted,
    within: Option<&str>,
    cursor: Option<&str>,
) -> Result<Page<Reply>, Fault> {
    <WeCom as Directory<_>>::enumerate(host, Kind::Employee, within, cursor)
}

/// The ids that the host would find in a page.
fn ids(content: &Content<Reply>) -> Vec<String> {
    use rollcall_sdk::Response as _;
    match content {
        Content::Empty => Vec::new(),
        Content::Built(items) => items.iter().map(|item| item.id.clone()).collect(),
        Content::Sliced(slice) => (0..slice.response.count(&slice.items).unwrap())
            .map(|index| {
                let text = |id: &String| {
                    let value = slice.response.pointer(&format!("{}/{index}{id}", slice.items));
                    value.unwrap().trim_matches('"').to_owned()
                };
                slice.id.iter().map(text).collect::<Vec<_>>().join(":")
            })
            .collect(),
    }
}

/// The payloads of a page that the connector built.
fn payloads(content: &Content<Reply>) -> Vec<Value> {
    let Content::Built(items) = content else { panic!("not built: {content:?}") };
    items.iter().map(|item| serde_json::from_str(&item.payload).unwrap()).collect()
}

/// Lists to the end: the ids of each page.
fn all(mut page: impl FnMut(Option<&str>) -> Result<Page<Reply>, Fault>) -> Vec<Vec<String>> {
    let (mut pages, mut cursor) = (Vec::new(), None);
    loop {
        let next = page(cursor.as_deref()).unwrap();
        pages.push(ids(&next.content));
        cursor = next.next;
        if cursor.is_none() {
            return pages;
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

/// The body of the request with one before last-but-`back`.
fn body(host: &Scripted, back: usize) -> Value {
    let bodies: Vec<Vec<u8>> =
        host.requests().into_iter().map(|request| request.body).filter(|b| !b.is_empty()).collect();
    serde_json::from_slice(&bodies[bodies.len() - 1 - back]).unwrap()
}
