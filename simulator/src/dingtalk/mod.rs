//! DingTalk's open API as far as a directory and attendance sync needs it, both generations at one address.
//!
//! Not transport: a request comes in as parts and an answer goes out as bytes. The invariant: checks run in the
//! platform's order (address, path, method, budget, token, permission, month, parameters), so that each failure shows
//! its own code.

mod access;
mod attendance;
mod auth;
mod call;
mod departments;
mod endpoint;
mod events;
mod ids;
mod meter;
mod push;
mod refusal;
mod roster;
mod scribe;
mod settings;
mod stream;
mod users;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use access::Access;
pub use access::DEFAULT_SCOPES;
use call::{Call, Params};
pub use endpoint::Endpoint;
use endpoint::{Generation, Route, is_metered};
use meter::Meter;
use refusal::Refusal;
pub(crate) use settings::Settings;

use crate::builder;
use crate::calendar::local_text;
use crate::exchange::{self, Answer, Incoming, Verb, WrongTypes};
use crate::faults::Fault;
use crate::grants::Grants;
use crate::json::Json;
use crate::limits::Budget;
use crate::lines::Talk;
use crate::platform::{Facts, Front};
use crate::push::{CallbackKeys, Push};
use crate::site::Site;
use crate::world::{Change, World};

pub(crate) const FACTS: Facts = Facts {
    name: "dingtalk",
    app: ("dingsimulator0001", "simulator-secret-0002"),
    scopes: DEFAULT_SCOPES,
    endpoints: Endpoint::SHARED,
    open,
};

const WRONG_TYPES: WrongTypes = WrongTypes {
    swaps: &[
        ("\"result\":{", "\"result\":\"none\",\"was_result\":{"),
        ("\"result\":[", "\"result\":7,\"was_result\":["),
        ("\"recordresult\":[", "\"recordresult\":\"none\",\"was_recordresult\":["),
        ("\"access_token\":\"", "\"access_token\":5,\"was_token\":\""),
        ("\"accessToken\":\"", "\"accessToken\":5,\"was_token\":\""),
    ],
    otherwise: r#"{"errcode":"none","errmsg":[],"result":"none"}"#,
};

/// 20 calls a second of every endpoint, as the standard edition has.
const DOCUMENTED: Budget = [(1, 20), (60, u32::MAX)];
/// Calls from one address within twenty seconds that the platform lets pass.
const ADDRESS_CALLS: u32 = 10_000;
/// What a blocked address is answered: neither envelope.
const PUNISHED: &str =
    r#"{"status":1111,"wait":5,"source":"x5","punish":"deny","uuid":"simulator"}"#;

/// An event that was not acknowledged is pushed again after these times.
const REPEATS: [Duration; 2] = [Duration::from_secs(10), Duration::from_secs(30)];

/// DingTalk, in front of a world.
#[derive(Debug)]
struct DingTalk {
    site: Arc<Site>,
    settings: Settings,
    access: RwLock<Arc<Access>>,
    meter: Meter,
}

fn open(site: Arc<Site>, settings: &builder::Settings, grants: &Grants) -> Arc<dyn Front> {
    let access = RwLock::new(Arc::new(Access::new(site.ids, grants)));
    let settings = settings.dingtalk.clone();
    Arc::new(DingTalk { site, settings, access, meter: Meter::default() })
}

impl Front for DingTalk {
    fn answer(&self, incoming: Incoming<'_>) -> Answer {
        let route = Route::of(incoming.path);
        let endpoint = route.map_or(Endpoint::Unknown, |route| route.endpoint);
        let request_id = self.site.count(endpoint.into()).to_lowercase();
        if !self.meter.admit_address(self.site.clock.uptime(), self.address_calls()) {
            return Answer::json(200, PUNISHED.into());
        }
        let generation = Generation::of(incoming.path);
        exchange::answer(&self.site, endpoint.into(), WRONG_TYPES, || {
            self.respond(route, generation, incoming, &request_id)
                .map(|body| Answer::json(200, body))
                .map_err(|refusal| refusal.answer(generation, &request_id))
        })
    }

    fn regrant(&self, grants: &Grants) {
        let access = Arc::new(Access::new(self.site.ids, grants));
        *self.access.write().unwrap_or_else(PoisonError::into_inner) = access;
    }

    fn event(&self, world: &World, change: &Change) -> Option<String> {
        events::envelope(self, world, &self.access(), change)
    }

    fn push(&self, keys: CallbackKeys) -> Option<Box<dyn Push>> {
        Some(Box::new(push::Sender::new(Arc::clone(&self.site), keys)?))
    }

    fn repeats(&self) -> &'static [Duration] {
        &REPEATS
    }

    fn connect(&self, incoming: Incoming<'_>) -> Option<Result<Box<dyn Talk>, Answer>> {
        Some(self.stream(incoming))
    }
}

impl DingTalk {
    fn access(&self) -> Arc<Access> {
        Arc::clone(&self.access.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn address_calls(&self) -> u32 {
        match self.site.config.rate_limits {
            crate::RateLimits::Documented => self.settings.address_calls.min(ADDRESS_CALLS),
            crate::RateLimits::Off | crate::RateLimits::Each { .. } => self.settings.address_calls,
        }
    }

    fn respond(
        &self,
        route: Option<Route>,
        generation: Generation,
        incoming: Incoming<'_>,
        request_id: &str,
    ) -> Result<Vec<u8>, Refusal> {
        let site = &*self.site;
        let Route { endpoint, verb } = route.ok_or(Refusal::NO_SUCH_PATH)?;
        if incoming.verb != Some(verb) {
            return Err(Refusal::WRONG_METHOD);
        }
        site.admit(endpoint, DOCUMENTED).map_err(|(limit, reset)| {
            Refusal::busy(limit, &local_text(site.clock.now().saturating_add_unsigned(reset)))
        })?;
        if site.strikes(Fault::ServerError, endpoint) {
            return Err(Refusal::SYSTEM);
        }
        if matches!(endpoint, Endpoint::GetToken | Endpoint::AccessToken) {
            return auth::issue(site, endpoint, incoming);
        }
        if endpoint == Endpoint::OpenConnection {
            return self.open_connection(incoming);
        }
        auth::check(site, endpoint, generation, incoming)?;
        let access = self.access();
        access.check_scope(endpoint)?;
        let now = site.clock.now();
        if is_metered(endpoint) && !self.meter.admit_metered(now, self.settings.monthly_calls) {
            return Err(Refusal::MONTH_USED_UP);
        }
        let params = match verb {
            Verb::Get => Params::query(incoming.query),
            Verb::Post => Params::body(incoming.body, incoming.header("content-type"))?,
        };
        let world = site.world();
        let settings = &self.settings;
        let call = Call { site, settings, world: &world, access: &access, endpoint, params, now };
        call.dispatch(generation, request_id)
    }
}

impl Call<'_> {
    /// The envelope of the generation with the endpoint's own members in it.
    fn dispatch(&self, generation: Generation, request_id: &str) -> Result<Vec<u8>, Refusal> {
        let mut json = Json::with_capacity(16 * 1_024);
        let mut outcome = Ok(());
        json.object(|json| {
            if generation != Generation::New {
                json.key("errcode").number(0);
                json.key("errmsg").text("ok");
            }
            outcome = self.fill(json);
            if generation == Generation::Gateway {
                json.key("request_id").text(request_id);
            }
        });
        outcome.map(|()| json.into_bytes())
    }

    fn fill(&self, json: &mut Json) -> Result<(), Refusal> {
        match self.endpoint {
            Endpoint::Scopes => self.scopes(json),
            Endpoint::UserCount => self.user_count(json),
            Endpoint::Children => self.children(json)?,
            Endpoint::ChildIds => self.child_ids(json)?,
            Endpoint::Department => self.one_department(json)?,
            Endpoint::DepartmentParents => self.department_parents(json)?,
            Endpoint::Users => self.users(json)?,
            Endpoint::UsersSimple => self.users_simple(json)?,
            Endpoint::UserIds => self.user_ids(json)?,
            Endpoint::User => self.one_user(json)?,
            Endpoint::UserByMobile => self.user_by_mobile(json)?,
            Endpoint::UserByUnion => self.user_by_union(json)?,
            Endpoint::LeaveRecords => self.leave_records(json)?,
            Endpoint::Results => self.results(json)?,
            Endpoint::Swipes => self.swipes(json)?,
            Endpoint::LeaveStatus => self.leave_status(json)?,
            Endpoint::OnJob => self.on_job(json)?,
            Endpoint::Roster => self.roster(json)?,
            Endpoint::GetToken
            | Endpoint::AccessToken
            | Endpoint::OpenConnection
            | Endpoint::Stream
            | Endpoint::Unknown => return Err(Refusal::NO_SUCH_PATH),
        }
        Ok(())
    }
}
