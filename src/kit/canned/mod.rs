//! A platform played from a description: `kit.yaml`, which an author writes beside a component.
//!
//! | module | knows |
//! |---|---|
//! | `script` | the description: requests, pages, credentials, troubles in the platform's own dialect |
//! | `yaml` | its YAML |
//! | `world` | a made-up company of any size, and its punches |
//! | `fill` | placeholders in the description |
//! | `pages` | which part of a listing is asked for, and how the answer says where it goes on |
//! | `site` | what a request is answered |
//! | `server` | HTTP, and the troubles that are its own |
//!
//! What this is not: a simulator; it knows nothing of any platform. The one invariant: the same description and scene give
//! the same answers.

mod exchange;
mod fill;
mod kept;
mod pages;
mod script;
mod server;
mod site;
mod world;
mod yaml;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::model::entity::Entity;
use crate::model::record::Record;

use super::KitError;
use super::stage::{Access, Often, Scene, Shelf, Stage, Trouble, Truth, Unplayable};
use script::Script;
use server::Server;
use site::Site;
use world::World;

/// A description that was read and checked.
pub(super) struct Canned {
    file: PathBuf,
    script: Arc<Script>,
}

impl Canned {
    /// The description that stands beside a component: `mine/kit.yaml` or `mine.kit.yaml` for `mine.wasm`.
    pub(super) fn beside(component: &Path) -> Result<Option<Self>, KitError> {
        let places =
            [component.with_extension("").join("kit.yaml"), component.with_extension("kit.yaml")];
        places.into_iter().find(|path| path.is_file()).map(|path| Self::load(&path)).transpose()
    }

    /// Reads a description, and the files that its settings name.
    pub(super) fn load(path: &Path) -> Result<Self, KitError> {
        let unread = |path: &Path| {
            let path = path.to_owned();
            move |source| KitError::Read { path, source }
        };
        let text = std::fs::read_to_string(path).map_err(unread(path))?;
        let wrong = |reason| KitError::Script { path: path.to_owned(), reason };
        let mut script = yaml::script(&text).map_err(wrong)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        for value in script.settings.values_mut() {
            if let Some(name) = value.strip_prefix("file:") {
                let named = folder.join(name.trim());
                *value = std::fs::read_to_string(&named).map_err(unread(&named))?;
            }
        }
        script.check().map_err(wrong)?;
        Ok(Self { file: path.to_owned(), script: Arc::new(script) })
    }

    pub(super) fn name(&self) -> String {
        format!("what {} describes", self.file.display())
    }

    pub(super) async fn open(&self, scene: Scene) -> Result<Box<dyn Stage>, Unplayable> {
        let world = World::new(scene.people, scene.texts);
        let site = Arc::new(Site::new(Arc::clone(&self.script), world));
        let server = Server::start(Arc::clone(&site)).await;
        let server =
            server.map_err(|error| Unplayable(format!("no server starts here: {error}")))?;
        Ok(Box::new(Playing { site, server }))
    }
}

struct Playing {
    site: Arc<Site>,
    server: Server,
}

impl Stage for Playing {
    fn access(&self) -> Access {
        let address = self.server.address().to_string();
        let url = format!("http://{address}");
        let script = self.site.script();
        let settings = script.settings.iter();
        Access {
            settings: settings.map(|(k, v)| (k.clone(), v.replace("{url}", &url))).collect(),
            secrets: script.secrets.clone(),
            grants: vec![address],
        }
    }

    fn now_ms(&self) -> i64 {
        world::NOW * 1000
    }

    fn truth(&self) -> Truth {
        let world = self.site.world();
        let listed = |kind| self.site.script().listings.iter().any(|it| it.kind == kind);
        Truth {
            departments: listed(Entity::Department).then(|| u64::from(world.departments())),
            people: listed(Entity::Employee).then(|| u64::from(world.people())),
        }
    }

    fn requests(&self) -> u64 {
        self.site.requests()
    }

    fn play(&self, trouble: Trouble, often: Often) -> Result<(), Unplayable> {
        self.site.play(trouble, often)
    }

    fn calm(&self) {
        self.site.calm();
    }

    fn altered(&self, kind: Entity, record: &Record) -> Option<String> {
        let id = record.id.as_str();
        let Some(expected) = self.site.item(kind, id) else {
            return Some(format!("the {kind} id {id:?} is none of the platform's"));
        };
        let found: Option<serde_json::Value> = serde_json::from_slice(&record.payload).ok();
        (found.as_ref() != Some(&expected))
            .then(|| format!("the {kind} {id:?} is not as it was sent"))
    }

    fn shelf(&self) -> Option<Shelf> {
        let stores = &self.site.script().stores;
        let sample =
            |store: &script::Store| (store.kind, store.sample.clone().into_iter().collect());
        let samples = stores.iter().map(sample).collect();
        (!stores.is_empty()).then(|| Shelf { samples, rows: self.site.rows() })
    }
}
