//! The platform that is played to a component: what a check asks of it, whoever plays it.
//!
//! The one invariant: a stage that cannot play a trouble says so; it never stays calm in silence.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value};

use crate::host::manifest::Manifest;
use crate::model::entity::Entity;
use crate::model::record::Record;

use super::canned::Canned;
use super::{KitError, simulated};

/// A way for the platform to be difficult.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Asks to slow down, in the platform's own way.
    Throttled,
    /// Fails with a status of 500 or so.
    ServerError,
    /// Answers with a web page and status 200.
    WebPage,
    /// Half a JSON document in a sound response.
    CutBody,
    /// The connection breaks.
    Reset,
    /// A body that takes for ever.
    Drip,
    /// Values of other types than documented.
    WrongTypes,
    /// A listing that ends early as if it were whole.
    CutListing,
    /// A page that names itself as its next.
    RepeatedPage,
    /// A page without items that is not the last.
    EmptyPage,
    /// Every token handed out so far is refused from now on.
    ExpiredToken,
}

/// How often a trouble strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Often {
    /// The next request that it can strike.
    Once,
    /// Every one.
    Always,
}

/// What the platform's texts are like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Texts {
    /// Like anybody's.
    Plain,
    /// Emoji, right-to-left, four-byte characters, escapes, quotes; also in ids.
    Odd,
}

/// What a check wants to see played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scene {
    pub(super) people: u32,
    pub(super) texts: Texts,
}

/// Why something cannot be played.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Unplayable(pub(super) String);

/// How a connection reaches the platform.
#[derive(Clone, Debug, Default)]
pub(super) struct Access {
    pub(super) settings: BTreeMap<String, String>,
    pub(super) secrets: BTreeMap<String, String>,
    pub(super) grants: Vec<String>,
}

/// What a whole and correct listing holds, as far as the platform has the kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Truth {
    pub(super) departments: Option<u64>,
    pub(super) people: Option<u64>,
}

/// What a platform lets be written, and what was written so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Shelf {
    /// For each kind the fields of a record; `{name}` is a text that may differ.
    pub(super) samples: BTreeMap<Entity, Map<String, Value>>,
    /// Records by kind and key.
    pub(super) rows: BTreeMap<(Entity, String), Row>,
}

/// A record that a target has written.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) fields: Map<String, Value>,
    pub(super) retired: bool,
}

/// A platform on this machine. It stops when it is dropped.
pub(super) trait Stage: Send + Sync {
    fn access(&self) -> Access;
    /// The time there, in Unix milliseconds.
    fn now_ms(&self) -> i64;
    fn truth(&self) -> Truth;
    /// Requests that arrived so far.
    fn requests(&self) -> u64;
    /// Is difficult from now on.
    fn play(&self, trouble: Trouble, often: Often) -> Result<(), Unplayable>;
    /// Ends all troubles.
    fn calm(&self);
    /// What of a record is not as the platform sent it; only a stage with odd texts can tell.
    fn altered(&self, kind: Entity, record: &Record) -> Option<String>;
    /// What a target has written, where it can write at all.
    fn shelf(&self) -> Option<Shelf>;
}

/// Who plays the platform.
pub(super) enum Cast {
    /// The simulator.
    Simulated(Box<simulated::Role>),
    /// A description.
    Canned(Canned),
    /// Nobody.
    Nobody,
}

const NOBODY: &str = "nobody can play its platform: there is no `kit.yaml` for it";

impl Cast {
    /// Finds who plays to a plugin.
    pub(super) fn find(
        manifest: &Manifest,
        component: &Path,
        script: Option<&Path>,
    ) -> Result<Self, KitError> {
        if let Some(script) = script {
            return Canned::load(script).map(Self::Canned);
        }
        if let Some(role) = simulated::Role::of(manifest) {
            return Ok(Self::Simulated(Box::new(role)));
        }
        Ok(Canned::beside(component)?.map_or(Self::Nobody, Self::Canned))
    }

    pub(super) fn name(&self) -> String {
        match self {
            Self::Simulated(role) => format!("the simulator as {}", role.name()),
            Self::Canned(canned) => canned.name(),
            Self::Nobody => "nobody".to_owned(),
        }
    }

    /// Opens a stage.
    pub(super) async fn open(&self, scene: Scene) -> Result<Box<dyn Stage>, Unplayable> {
        match self {
            Self::Simulated(role) => role.open(scene).await,
            Self::Canned(canned) => canned.open(scene).await,
            Self::Nobody => Err(Unplayable(NOBODY.to_owned())),
        }
    }
}
