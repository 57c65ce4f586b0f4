//! Feishu's open API as far as a directory and attendance sync needs it: what each request is answered.
//!
//! Not transport: a request comes in as parts and an answer goes out as bytes. The invariant: checks run in the
//! platform's order (path, method, budget, token, scope, parameters), so that each failure shows its own code.

mod access;
mod approvals;
mod attendance;
mod auth;
mod budget;
mod call;
mod catalog;
mod departments;
mod endpoint;
mod events;
mod flows;
mod ids;
mod push;
mod refusal;
mod rules;
mod scribe;
mod settings;
mod stream;
mod tasks;
mod users;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use access::Access;
pub use access::DEFAULT_SCOPES;
pub use auth::TokenErrors;
use call::{Call, Query};
pub use endpoint::Endpoint;
use endpoint::Route;
use refusal::Refusal;
pub(crate) use settings::Settings;

use crate::builder;
use crate::exchange::{self, Answer, Incoming, WrongTypes};
use crate::faults::Fault;
use crate::grants::Grants;
use crate::json::Json;
use crate::lines::Talk;
use crate::platform::{Facts, Front};
use crate::push::{CallbackKeys, Push};
use crate::site::Site;
use crate::world::{Change, World};

pub(crate) const FACTS: Facts = Facts {
    name: "feishu",
    app: ("cli_simulator0001", "simulator-secret-0001"),
    scopes: DEFAULT_SCOPES,
    endpoints: Endpoint::SHARED,
    open,
};

const WRONG_TYPES: WrongTypes = WrongTypes {
    swaps: &[
        ("\"status\":{", "\"status\":7,\"was_status\":{"),
        ("\"department_ids\":[", "\"department_ids\":\"none\",\"was_department_ids\":["),
        ("\"name\":\"", "\"name\":[],\"was_name\":\""),
        ("\"check_time\":\"", "\"check_time\":{},\"was_check_time\":\""),
        ("\"records\":[", "\"records\":\"none\",\"was_records\":["),
        ("\"tenant_access_token\":\"", "\"tenant_access_token\":5,\"was_token\":\""),
    ],
    otherwise: r#"{"code":"0","msg":[],"data":"none"}"#,
};

/// An event that was not acknowledged is pushed again after these times.
const REPEATS: [Duration; 4] = [
    Duration::from_secs(15),
    Duration::from_mins(5),
    Duration::from_hours(1),
    Duration::from_hours(6),
];

/// Feishu, in front of a world.
#[derive(Debug)]
struct Feishu {
    site: Arc<Site>,
    settings: Settings,
    access: RwLock<Arc<Access>>,
}

fn open(site: Arc<Site>, settings: &builder::Settings, grants: &Grants) -> Arc<dyn Front> {
    let access = RwLock::new(Arc::new(Access::new(site.ids, grants)));
    Arc::new(Feishu { site, settings: settings.feishu.clone(), access })
}

impl Front for Feishu {
    fn answer(&self, incoming: Incoming<'_>) -> Answer {
        let route = Route::of(incoming.path);
        let endpoint = route.map_or(Endpoint::Unknown, |route| route.endpoint);
        let log_id = self.site.count(endpoint.into());
        let mut limit = None;
        let mut answer = exchange::answer(&self.site, endpoint.into(), WRONG_TYPES, || {
            self.respond(route, incoming, &mut limit)
                .map(|body| Answer::json(200, body))
                .map_err(|refusal| Answer::json(refusal.status, refusal.body(&log_id)))
        });
        if let Some((limit, reset)) = limit {
            answer.headers.push(("x-ogw-ratelimit-limit", limit.to_string()));
            answer.headers.push(("x-ogw-ratelimit-reset", reset.to_string()));
        }
        answer.headers.push(("x-request-id", log_id.clone()));
        answer.headers.push(("x-tt-logid", log_id));
        answer
    }

    fn regrant(&self, grants: &Grants) {
        let access = Arc::new(Access::new(self.site.ids, grants));
        *self.access.write().unwrap_or_else(PoisonError::into_inner) = access;
    }

    fn event(&self, world: &World, change: &Change) -> Option<String> {
        let access = self.access();
        events::concerns(world, &access, &change.what)
            .then(|| events::envelope(self, world, &access, change))
    }

    fn repeats(&self) -> &'static [Duration] {
        &REPEATS
    }

    fn push(&self, keys: CallbackKeys) -> Option<Box<dyn Push>> {
        Some(Box::new(push::Sender { site: Arc::clone(&self.site), keys }))
    }

    fn connect(&self, incoming: Incoming<'_>) -> Option<Result<Box<dyn Talk>, Answer>> {
        Some(self.stream(incoming))
    }
}

impl Feishu {
    fn access(&self) -> Arc<Access> {
        Arc::clone(&self.access.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn respond(
        &self,
        route: Option<Route<'_>>,
        incoming: Incoming<'_>,
        limit: &mut Option<(u32, u64)>,
    ) -> Result<Vec<u8>, Refusal> {
        let site = &*self.site;
        let route = route.ok_or(Refusal::NO_SUCH_PATH)?;
        if incoming.verb != Some(route.verb) {
            return Err(Refusal::WRONG_METHOD);
        }
        site.admit(route.endpoint, budget::documented(route.endpoint)).map_err(|exceeded| {
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
        if route.endpoint == Endpoint::StreamEndpoint {
            return Ok(self.stream_endpoint(incoming));
        }
        auth::check(self, route.endpoint, incoming.header("authorization"))?;
        let access = self.access();
        access.check_scope(route.endpoint)?;
        let world = site.world();
        let call = Call {
            site,
            settings: &self.settings,
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
            Endpoint::TenantToken
            | Endpoint::AppToken
            | Endpoint::StreamEndpoint
            | Endpoint::Stream
            | Endpoint::Unknown => Err(Refusal::NO_SUCH_PATH),
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
        let spoilt: serde_json::Value = serde_json::from_slice(&WRONG_TYPES.spoil(body)).unwrap();
        let item = &spoilt["data"]["items"][0];
        assert!(
            item["name"].is_array()
                && item["status"].is_number()
                && item["department_ids"].is_string()
        );
        let other: serde_json::Value = serde_json::from_slice(&WRONG_TYPES.spoil(b"{}")).unwrap();
        assert!(other["data"].is_string());
    }
}
