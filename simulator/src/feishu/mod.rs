//! Feishu's open API as far as a directory and attendance sync needs it: what each request is answered.
//!
//! Not transport: a request comes in as parts and an answer goes out as bytes. The invariant: checks run in the
//! platform's order (path, method, budget, token, scope, parameters), so that each failure shows its own code.

pub(crate) mod access;
mod approvals;
mod attendance;
mod auth;
mod call;
mod catalog;
mod departments;
pub(crate) mod events;
mod flows;
mod refusal;
mod rules;
mod scribe;
mod tasks;
mod users;

use std::borrow::Cow;

pub use auth::TokenErrors;
use call::{Call, Query};
pub(crate) use refusal::Refusal;

use crate::endpoint::{Endpoint, Route, Verb};
use crate::faults::Fault;
use crate::json::Json;
use crate::site::Site;

/// A request, taken apart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Incoming<'a> {
    pub verb: Option<Verb>,
    pub path: &'a str,
    pub query: &'a str,
    pub authorization: Option<&'a str>,
    pub body: &'a [u8],
}

/// An answer, and how it is to be delivered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
    pub content: Content,
    pub log_id: String,
    /// Limit and seconds to wait, as headers.
    pub limit: Option<(u32, u64)>,
    pub delivery: Delivery,
}

/// What the body claims to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Json,
    Html,
}

/// How the bytes reach the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    Whole,
    Reset,
    Slow,
    Drip,
}

const HTML: &str = "<!DOCTYPE html>\n<html><head><title>Service notice</title></head>\
    <body><h1>Please try again later</h1></body></html>\n";

/// Answers one request; this is the whole platform.
pub(crate) fn answer(site: &Site, incoming: Incoming<'_>) -> Answer {
    let route = Route::of(incoming.path);
    let endpoint = route.map_or(Endpoint::Unknown, |route| route.endpoint);
    let log_id = site.count(endpoint);
    let mut out = Answer {
        status: 200,
        body: Vec::new(),
        content: Content::Json,
        log_id,
        limit: None,
        delivery: delivery(site, endpoint),
    };
    if out.delivery == Delivery::Reset {
        return out;
    }
    if site.strikes(Fault::Html, endpoint) {
        out.body = HTML.as_bytes().to_vec();
        out.content = Content::Html;
        return out;
    }
    match respond(site, route, incoming, &mut out.limit) {
        Ok(body) => {
            out.body = body;
            spoil(site, endpoint, &mut out.body);
        }
        Err(refusal) => {
            out.status = refusal.status;
            out.body = refusal.body(&out.log_id);
        }
    }
    out
}

fn delivery(site: &Site, endpoint: Endpoint) -> Delivery {
    let faults = [
        (Fault::Reset, Delivery::Reset),
        (Fault::Slow, Delivery::Slow),
        (Fault::Drip, Delivery::Drip),
    ];
    let struck = faults.into_iter().find(|(fault, _)| site.strikes(*fault, endpoint));
    struck.map_or(Delivery::Whole, |(_, delivery)| delivery)
}

/// Faults of the finished JSON.
fn spoil(site: &Site, endpoint: Endpoint, body: &mut Vec<u8>) {
    if site.strikes(Fault::WrongTypes, endpoint) {
        *body = wrong_types(body);
    }
    if site.strikes(Fault::TruncatedBody, endpoint) {
        body.truncate(body.len() * 2 / 3);
    }
}

/// Objects become numbers, lists become texts, and so on, for the members that a reader relies on.
fn wrong_types(body: &[u8]) -> Vec<u8> {
    const SWAPS: [(&str, &str); 6] = [
        ("\"status\":{", "\"status\":7,\"was_status\":{"),
        ("\"department_ids\":[", "\"department_ids\":\"none\",\"was_department_ids\":["),
        ("\"name\":\"", "\"name\":[],\"was_name\":\""),
        ("\"check_time\":\"", "\"check_time\":{},\"was_check_time\":\""),
        ("\"records\":[", "\"records\":\"none\",\"was_records\":["),
        ("\"tenant_access_token\":\"", "\"tenant_access_token\":5,\"was_token\":\""),
    ];
    let text = String::from_utf8_lossy(body);
    let spoilt =
        SWAPS.iter().fold(text.clone(), |text, (from, to)| Cow::Owned(text.replace(from, to)));
    if spoilt == text {
        return br#"{"code":"0","msg":[],"data":"none"}"#.to_vec();
    }
    spoilt.into_owned().into_bytes()
}

fn respond(
    site: &Site,
    route: Option<Route<'_>>,
    incoming: Incoming<'_>,
    limit: &mut Option<(u32, u64)>,
) -> Result<Vec<u8>, Refusal> {
    let route = route.ok_or(Refusal::NO_SUCH_PATH)?;
    if incoming.verb != Some(route.verb) {
        return Err(Refusal::WRONG_METHOD);
    }
    site.admit(route.endpoint).map_err(|exceeded| {
        *limit = Some(exceeded);
        Refusal::RATE_LIMITED
    })?;
    if site.strikes(Fault::ServerError, route.endpoint) {
        let attendance = incoming.path.starts_with("/open-apis/attendance/");
        return Err(if attendance { Refusal::ATTENDANCE_SYSTEM } else { Refusal::INTERNAL });
    }
    if matches!(route.endpoint, Endpoint::TenantToken | Endpoint::AppToken) {
        return auth::issue(site, route.endpoint, incoming.body);
    }
    auth::check(site, route.endpoint, incoming.authorization)?;
    let access = site.access();
    access.check_scope(route.endpoint)?;
    let world = site.world();
    let call = Call {
        site,
        world: &world,
        access: &access,
        endpoint: route.endpoint,
        id: route.id.map(decode).unwrap_or_default(),
        query: Query::parse(incoming.query),
        body: incoming.body,
        now: site.clock.now(),
    };
    call.dispatch()
}

/// Undoes percent-encoding; a plus sign in a path is itself.
fn decode(segment: &str) -> String {
    let escaped = segment.replace('+', "%2B");
    form_urlencoded::parse(escaped.as_bytes())
        .next()
        .map_or_else(String::new, |(key, _)| key.into_owned())
}

impl Call<'_> {
    /// The envelope with the endpoint's own data in it.
    fn dispatch(&self) -> Result<Vec<u8>, Refusal> {
        let mut json = Json::with_capacity(16 * 1_024);
        let mut outcome = Ok(());
        json.object(|json| {
            json.key("code").number(0);
            json.key("msg").text("success");
            json.key("data").object(|json| outcome = self.data(json));
        });
        outcome.map(|()| json.into_bytes())
    }

    fn data(&self, json: &mut Json) -> Result<(), Refusal> {
        match self.endpoint {
            Endpoint::Children => self.children(json),
            Endpoint::Department => self.one_department(json),
            Endpoint::DepartmentBatch => self.many_departments(json),
            Endpoint::DepartmentParents => self.department_parents(json),
            Endpoint::UsersByDepartment => self.users_by_department(json),
            Endpoint::User => self.one_user(json),
            Endpoint::UserBatch => self.many_users(json),
            Endpoint::UserIds => self.user_ids(json),
            Endpoint::Scopes => self.scopes(json),
            Endpoint::CustomAttrs => self.custom_attr_definitions(json),
            Endpoint::EmployeeTypes => self.employee_types(json),
            Endpoint::UserFlows => self.user_flows(json),
            Endpoint::UserFlow => self.one_flow(json),
            Endpoint::UserTasks => self.user_tasks(json),
            Endpoint::UserApprovals => self.user_approvals(json),
            Endpoint::Groups => self.groups(json),
            Endpoint::Group => self.one_group(json),
            Endpoint::Shifts => self.shifts(json),
            Endpoint::Shift => self.one_shift(json),
            Endpoint::TenantToken | Endpoint::AppToken | Endpoint::Unknown => {
                Err(Refusal::NO_SUCH_PATH)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_decoded_once() {
        assert_eq!(decode("ou_a%2Bb+c"), "ou_a+b+c");
        assert_eq!(decode(""), "");
    }

    #[test]
    fn wrong_types_are_still_json() {
        let body = br#"{"code":0,"data":{"items":[{"name":"a","status":{"x":true},"department_ids":["0"]}]}}"#;
        let spoilt: serde_json::Value = serde_json::from_slice(&wrong_types(body)).unwrap();
        let item = &spoilt["data"]["items"][0];
        assert!(
            item["name"].is_array()
                && item["status"].is_number()
                && item["department_ids"].is_string()
        );
        let other: serde_json::Value = serde_json::from_slice(&wrong_types(b"{}")).unwrap();
        assert!(other["data"].is_string());
    }
}
