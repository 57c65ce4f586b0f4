//! WeCom's API as far as a directory and attendance sync needs it: what each request is answered.
//!
//! Not transport: a request comes in as parts and an answer goes out as bytes. The invariant: checks run in one order
//! (path, method, budget, token, address and right, parameters), so that each failure shows its own code.

mod access;
mod agent;
mod attendance;
mod auth;
mod budget;
mod call;
mod departments;
mod endpoint;
mod events;
mod ids;
mod punches;
mod push;
mod refusal;
mod reports;
mod settings;
mod users;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use access::Access;
use auth::Suspicion;
use call::{Call, Query};
pub use endpoint::Endpoint;
use refusal::Refusal;
pub(crate) use settings::Settings;

use crate::builder;
use crate::exchange::{self, Answer, Incoming, Verb, WrongTypes};
use crate::faults::Fault;
use crate::grants::Grants;
use crate::json::Json;
use crate::platform::{Facts, Front};
use crate::push::{CallbackKeys, Push};
use crate::site::Site;
use crate::world::{Change, World};

pub(crate) const FACTS: Facts = Facts {
    name: "wecom",
    app: ("wwsimulator0001", "simulator-app-0001"),
    scopes: access::SCOPES,
    endpoints: Endpoint::SHARED,
    open,
};

const WRONG_TYPES: WrongTypes = WrongTypes {
    swaps: &[
        ("\"userlist\":[", "\"userlist\":\"none\",\"was_userlist\":["),
        ("\"department\":[{", "\"department\":7,\"was_department\":[{"),
        ("\"department_id\":[", "\"department_id\":{},\"was_department_id\":["),
        ("\"dept_user\":[", "\"dept_user\":\"none\",\"was_dept_user\":["),
        ("\"checkindata\":[", "\"checkindata\":\"none\",\"was_checkindata\":["),
        ("\"datas\":[", "\"datas\":7,\"was_datas\":["),
        ("\"access_token\":\"", "\"access_token\":5,\"was_token\":\""),
    ],
    otherwise: r#"{"errcode":[],"errmsg":7}"#,
};

/// WeCom, in front of a world.
#[derive(Debug)]
struct WeCom {
    site: Arc<Site>,
    settings: Settings,
    access: RwLock<Arc<Access>>,
    suspicion: Mutex<Suspicion>,
}

fn open(site: Arc<Site>, settings: &builder::Settings, grants: &Grants) -> Arc<dyn Front> {
    let access = RwLock::new(Arc::new(Access::new(grants)));
    let settings = settings.wecom.clone();
    Arc::new(WeCom { site, settings, access, suspicion: Mutex::default() })
}

impl Front for WeCom {
    fn answer(&self, incoming: Incoming<'_>) -> Answer {
        let route = endpoint::route(incoming.path);
        let endpoint = route.map_or(Endpoint::Unknown, |(endpoint, _)| endpoint);
        let log_id = self.site.count(endpoint.into());
        exchange::answer(&self.site, endpoint.into(), WRONG_TYPES, || match route {
            None => Err(Answer::html(404, "<html><body>404</body></html>\n")),
            Some(route) => {
                let refuse = |refusal: Refusal| {
                    Answer::json(200, refusal.body(&log_id, &self.settings.address))
                };
                self.respond(route, incoming).map(|body| Answer::json(200, body)).map_err(refuse)
            }
        })
    }

    fn regrant(&self, grants: &Grants) {
        let access = Arc::new(Access::new(grants));
        *self.access.write().unwrap_or_else(PoisonError::into_inner) = access;
    }

    fn event(&self, _world: &World, change: &Change) -> Option<String> {
        events::event(&self.site.config.app_id, change)
    }

    /// Three tries in all; the platform tells no pause between them.
    fn repeats(&self) -> &'static [Duration] {
        const PAUSES: &[Duration] = &[Duration::from_secs(1); 2];
        PAUSES
    }

    fn push(&self, keys: CallbackKeys) -> Option<Box<dyn Push>> {
        Some(Box::new(push::Sender::new(Arc::clone(&self.site), keys)?))
    }
}

impl WeCom {
    fn access(&self) -> Arc<Access> {
        Arc::clone(&self.access.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn suspicion(&self) -> MutexGuard<'_, Suspicion> {
        self.suspicion.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn respond(
        &self,
        (endpoint, verb): (Endpoint, Verb),
        incoming: Incoming<'_>,
    ) -> Result<Vec<u8>, Refusal> {
        let site = &*self.site;
        if incoming.verb != Some(verb) {
            return Err(Refusal::BAD_PARAMETER);
        }
        site.admit(endpoint, budget::documented(endpoint)).map_err(|_| Refusal::FREQUENCY)?;
        if site.strikes(Fault::ServerError, endpoint) {
            return Err(Refusal::BUSY);
        }
        let query = Query::parse(incoming.query);
        if endpoint == Endpoint::Token {
            return self.issue(&query);
        }
        let secret = self.caller(endpoint, &query)?;
        let access = self.access();
        access.check(secret, endpoint, &self.settings)?;
        let world = site.world();
        let call = Call {
            site,
            settings: &self.settings,
            world: &world,
            access: &access,
            secret,
            endpoint,
            query,
            body: incoming.body,
            now: site.clock.now(),
        };
        call.dispatch()
    }
}

impl Call<'_> {
    /// The code, its words, and beside them the endpoint's own members.
    fn dispatch(&self) -> Result<Vec<u8>, Refusal> {
        let mut json = Json::with_capacity(16 * 1_024);
        let mut outcome = Ok(());
        json.object(|json| {
            json.key("errcode").number(0);
            json.key("errmsg").text("ok");
            outcome = self.members_of_answer(json);
        });
        outcome.map(|()| json.into_bytes())
    }

    fn members_of_answer(&self, json: &mut Json) -> Result<(), Refusal> {
        match self.endpoint {
            Endpoint::Departments => self.departments(json),
            Endpoint::DepartmentIds => self.department_ids(json),
            Endpoint::Department => self.one_department(json),
            Endpoint::Users => self.users(json),
            Endpoint::UserNames => self.user_names(json),
            Endpoint::User => self.one_user(json),
            Endpoint::UserIds => self.user_ids(json),
            Endpoint::UserByMobile => self.user_by_mobile(json),
            Endpoint::Agent => self.agent(json),
            Endpoint::CheckIns => self.check_ins(json),
            Endpoint::DayReports => self.day_reports(json),
            Endpoint::Rules => self.rules(json),
            Endpoint::DevicePunches => self.device_punches(json),
            Endpoint::CallbackAddresses => {
                agent::callback_addresses(json);
                Ok(())
            }
            Endpoint::Token | Endpoint::Unknown => Err(Refusal::BAD_PARAMETER),
        }
    }
}
