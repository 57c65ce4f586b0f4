//! The simulated platforms of a demo, and how a connection to each is configured.
//!
//! The invariant: each platform is a company of its own, with people who are on no other.

use simulator::{CallbackKeys, Churn, Platform, Simulator};
use tokio::sync::watch;

use super::super::exit::Failure;
use super::Args;
use crate::model::ids::ConnectionId;
use crate::sync::service::Status;

/// Beside the first platform the others have this share of its people, and at least so many.
const SHARE: u32 = 10;
const FEWEST: u32 = 20;
/// Opens nothing but the simulated WeCom.
const CONTACTS_SECRET: &str = "simulator-contacts-0002";
/// What the simulated WeCom signs and encrypts its callbacks with.
const CALLBACK_TOKEN: &str = "simulatorCallbackToken";
const CALLBACK_AES_KEY: &str = "simulatorCallbackKey0123456789ABCDEFGHIJKLM";
/// The number under which the simulated DingTalk knows the app.
const AGENT_ID: &str = "2345678901";
/// One person comes, and nothing else happens.
const ONE_HIRE: Churn =
    Churn { hires: 1, leavers: 0, moves: 0, titles: 0, late_punches: 0, reorganise: false };

/// One simulated platform.
pub(super) struct Company {
    pub(super) platform: Platform,
    pub(super) connection: ConnectionId,
    pub(super) people: u32,
    pub(super) simulator: Simulator,
}

/// Starts them all.
pub(super) async fn start(args: &Args) -> Result<Vec<Company>, Failure> {
    // Signed callbacks carry the platform's time, and a stale one is refused.
    let now = jiff::Timestamp::now().as_second();
    let mut companies: Vec<Company> = Vec::new();
    for &platform in &args.platforms {
        if companies.iter().any(|company| company.platform == platform) {
            return Err(Failure::user(format!("{platform} is named twice in --platforms")));
        }
        let first = companies.is_empty();
        let people = if first { args.people } else { (args.people / SHARE).max(FEWEST) };
        let mut builder = Simulator::builder()
            .platform(platform)
            .people(people)
            .seed(args.seed.wrapping_add(companies.len() as u64))
            .days(args.days)
            .now(now)
            .contacts_secret(CONTACTS_SECRET)
            .churn(ONE_HIRE);
        if let Some(folder) = args.punches.as_ref().filter(|_| first) {
            builder = builder.punches(folder);
        }
        let simulator = builder.start("127.0.0.1:0").await.map_err(|cause| {
            Failure::user(format!("the simulated {platform} did not start: {cause}"))
        })?;
        let connection = ConnectionId::parse(platform.name()).map_err(Failure::bug)?;
        companies.push(Company { platform, connection, people, simulator });
    }
    Ok(companies)
}

/// Each company with the status of its connection.
pub(super) fn pairs(
    companies: &[Company],
    statuses: Vec<watch::Receiver<Status>>,
) -> impl Iterator<Item = (&Company, watch::Receiver<Status>)> {
    statuses.into_iter().filter_map(|status| {
        let connection = status.borrow().connection.clone();
        let company = companies.iter().find(|company| company.connection == connection)?;
        Some((company, status))
    })
}

impl Company {
    /// As people write it.
    pub(super) fn name(&self) -> &'static str {
        match self.platform {
            Platform::Feishu => "Feishu",
            Platform::DingTalk => "DingTalk",
            Platform::WeCom => "WeCom",
        }
    }

    /// Secrets by the name of the file that holds them, and of the plugin's secret.
    pub(super) fn secrets(&self) -> Vec<(&'static str, String)> {
        let app = self.simulator.app_secret().to_owned();
        match self.platform {
            Platform::Feishu => vec![("app_secret", app)],
            Platform::DingTalk => vec![("client_secret", app)],
            Platform::WeCom => {
                vec![
                    ("app_secret", app),
                    ("contacts_secret", CONTACTS_SECRET.to_owned()),
                    ("callback_token", CALLBACK_TOKEN.to_owned()),
                    ("callback_aes_key", CALLBACK_AES_KEY.to_owned()),
                ]
            }
        }
    }

    /// Where WeCom pushes events to; the other platforms hold a long connection.
    pub(super) fn callback_keys(&self) -> Option<CallbackKeys> {
        (self.platform == Platform::WeCom).then(|| CallbackKeys {
            token: CALLBACK_TOKEN.to_owned(),
            key: Some(CALLBACK_AES_KEY.to_owned()),
        })
    }

    /// The plugin's settings and how events come.
    pub(super) fn settings(&self) -> String {
        let (url, app_id) = (self.simulator.url(), self.simulator.app_id());
        match self.platform {
            Platform::Feishu => {
                format!(
                    "    settings: {{ open_host: {url:?}, app_id: {app_id:?} }}\n    events: long_connection\n"
                )
            }
            Platform::DingTalk => format!(
                "    settings: {{ api_host: {url:?}, oapi_host: {url:?}, client_id: {app_id:?}, agent_id: {AGENT_ID:?} }}\n    events: long_connection\n"
            ),
            Platform::WeCom => {
                format!("    settings: {{ api_host: {url:?}, corp_id: {app_id:?} }}\n")
            }
        }
    }
}
