//! The simulator on stage, for the plugins whose platform it knows.
//!
//! The one invariant: the same scene is the same world, so that two runs can be compared.

use simulator::{Fault, FaultRule, Platform, Simulator};

use crate::host::manifest::Manifest;
use crate::model::entity::Entity;
use crate::model::record::Record;

use super::stage::{Access, Often, Scene, Shelf, Stage, Texts, Trouble, Truth, Unplayable};

/// A platform that the simulator knows, and the plugin that speaks to it.
#[derive(Clone, Debug)]
pub(super) struct Role {
    platform: Platform,
    manifest: Manifest,
}

/// What the connectors of the platforms call the id of their app.
const APP_IDS: [&str; 4] = ["app_id", "app_key", "client_id", "corp_id"];

/// What they call its secret.
const APP_SECRETS: [&str; 2] = ["app_secret", "client_secret"];
/// The secret of WeCom's contacts sync here; it opens nothing but a simulator.
const CONTACTS_SECRET: &str = "kit-contacts-0001";

/// Days with punches.
const DAYS: u32 = 5;

impl Role {
    pub(super) fn of(manifest: &Manifest) -> Option<Self> {
        let platform = manifest.name.as_str().parse().ok()?;
        Some(Self { platform, manifest: manifest.clone() })
    }

    pub(super) fn name(&self) -> &'static str {
        self.platform.name()
    }

    /// The settings whose hosts the plugin asks for.
    fn addresses(&self) -> impl Iterator<Item = &str> {
        let named = self.manifest.hosts.iter().filter_map(|host| host.strip_prefix("{setting:"));
        named.filter_map(|rest| rest.strip_suffix('}'))
    }

    pub(super) async fn open(&self, scene: Scene) -> Result<Box<dyn Stage>, Unplayable> {
        match scene.texts {
            Texts::Plain => {}
            Texts::Odd => {
                let why = "the simulator's people have ordinary names and ids";
                return Err(Unplayable(why.to_owned()));
            }
        }
        let builder = Simulator::builder().platform(self.platform).people(scene.people).days(DAYS);
        // An app that is told everything: a younger one has findings that are no fault of the component.
        let builder = builder.contacts_secret(CONTACTS_SECRET).older_app();
        let started = builder.start("127.0.0.1:0").await;
        let simulator = started.map_err(|error| Unplayable(error.to_string()))?;
        Ok(Box::new(Playing { role: self.clone(), simulator }))
    }
}

struct Playing {
    role: Role,
    simulator: Simulator,
}

impl Stage for Playing {
    fn access(&self) -> Access {
        let address = self.simulator.url();
        let mut access = Access::default();
        for setting in self.role.addresses() {
            access.settings.insert(setting.to_owned(), address.clone());
        }
        let manifest = &self.role.manifest;
        for id in APP_IDS.into_iter().filter(|name| manifest.setting(name).is_some()) {
            access.settings.insert(id.to_owned(), self.simulator.app_id().to_owned());
        }
        for (name, text) in APP_SECRETS
            .map(|name| (name, self.simulator.app_secret()))
            .into_iter()
            .chain([("contacts_secret", CONTACTS_SECRET)])
        {
            if manifest.asks_secret(name) {
                access.secrets.insert(name.to_owned(), text.to_owned());
            }
        }
        access.grants.push(address.trim_start_matches("http://").to_owned());
        access
    }

    fn now_ms(&self) -> i64 {
        self.simulator.now() * 1000
    }

    fn truth(&self) -> Truth {
        let truth = self.simulator.truth();
        // This platform lists the root among its departments; the others begin below it.
        let root = u64::from(self.role.platform == Platform::WeCom);
        Truth { departments: Some(truth.departments + root), people: Some(truth.people) }
    }

    fn requests(&self) -> u64 {
        self.simulator.requests().total
    }

    fn play(&self, trouble: Trouble, often: Often) -> Result<(), Unplayable> {
        let fault = match trouble {
            Trouble::Throttled => Fault::RateLimited,
            Trouble::ServerError => Fault::ServerError,
            Trouble::WebPage => Fault::Html,
            Trouble::CutBody => Fault::TruncatedBody,
            Trouble::Reset => Fault::Reset,
            Trouble::Drip => Fault::Drip,
            Trouble::WrongTypes => Fault::WrongTypes,
            Trouble::CutListing => Fault::TruncatedList,
            Trouble::RepeatedPage => Fault::RepeatedToken,
            Trouble::EmptyPage => {
                let why = "the simulator leaves no page empty before the last";
                return Err(Unplayable(why.to_owned()));
            }
            Trouble::ExpiredToken => {
                self.simulator.expire_tokens();
                return Ok(());
            }
        };
        let rule = match often {
            Often::Once => FaultRule::times(fault, 1),
            Often::Always => FaultRule::rate(fault, 1.0),
        };
        self.simulator.set_faults([rule]);
        Ok(())
    }

    fn calm(&self) {
        self.simulator.set_faults([]);
    }

    fn altered(&self, _: Entity, _: &Record) -> Option<String> {
        None
    }

    fn shelf(&self) -> Option<Shelf> {
        None
    }
}
