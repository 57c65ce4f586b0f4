//! Which platforms there are, and what each brings: its calls, its defaults, and the front that answers.
//!
//! The one shared place that names platforms; everything else goes through [`Facts`] and [`Front`]. The invariant: the
//! same seed makes the same people, staff numbers, mobiles and punches on every platform.
//!
//! # One more platform
//! A folder of its own with an `Endpoint` (see [`crate::endpoint`]), a `FACTS`, and a type that is a [`Front`]; then a
//! variant and a line of [`Platform::facts`] here. Settings of its own alone live in its folder too, with the methods
//! of [`crate::Builder`] that set them.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use crate::builder::Settings;
use crate::dingtalk;
use crate::endpoint::Endpoint;
use crate::exchange::{Answer, Incoming};
use crate::feishu;
use crate::grants::Grants;
use crate::lines::Talk;
use crate::push::{CallbackKeys, Push};
use crate::site::Site;
use crate::wecom;
use crate::world::{Change, World};

/// A platform that the simulator can be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Platform {
    /// Feishu.
    #[default]
    Feishu,
    /// DingTalk, both generations of its API.
    DingTalk,
    /// WeCom.
    WeCom,
}

/// What is known of a platform before it runs.
pub(crate) struct Facts {
    /// The name on the command line.
    pub name: &'static str,
    /// Id and secret of the app unless others are set; they open nothing but a simulator.
    pub app: (&'static str, &'static str),
    /// Granted unless others are set.
    pub scopes: &'static [&'static str],
    pub endpoints: &'static [Endpoint],
    pub open: fn(Arc<Site>, &Settings, &Grants) -> Arc<dyn Front>,
}

/// What a platform shows to its callers.
pub(crate) trait Front: fmt::Debug + Send + Sync {
    /// Answers one request; this is the whole platform.
    fn answer(&self, incoming: Incoming<'_>) -> Answer;

    /// What the app may do and see from now on.
    fn regrant(&self, grants: &Grants);

    /// A change as the platform's event, in the plain; `None` when the app may not hear of it.
    fn event(&self, world: &World, change: &Change) -> Option<String>;

    /// After which times an event that was not acknowledged is pushed again.
    fn repeats(&self) -> &'static [Duration] {
        &[]
    }

    /// How events are pushed to an address with these keys; `None` where they are not, or not without a key.
    fn push(&self, _: CallbackKeys) -> Option<Box<dyn Push>> {
        None
    }

    /// Opens a long connection for a request that asks for a WebSocket; `None` where the platform has none.
    fn connect(&self, _: Incoming<'_>) -> Option<Result<Box<dyn Talk>, Answer>> {
        None
    }
}

impl Platform {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Feishu, Self::DingTalk, Self::WeCom];

    pub(crate) const fn facts(self) -> &'static Facts {
        match self {
            Self::Feishu => &feishu::FACTS,
            Self::DingTalk => &dingtalk::FACTS,
            Self::WeCom => &wecom::FACTS,
        }
    }

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        self.facts().name
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that no platform has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is no platform the simulator knows; write one of {known}")]
pub struct UnknownPlatform {
    name: String,
    known: String,
}

impl FromStr for Platform {
    type Err = UnknownPlatform;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|platform| platform.name() == name).ok_or_else(|| {
            UnknownPlatform { name: name.to_owned(), known: Self::ALL.map(Self::name).join(", ") }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_platform_is_found_by_its_name_and_another_name_is_told_which_there_are() {
        for platform in Platform::ALL {
            assert_eq!(platform.name().parse(), Ok(platform));
        }
        let error = "pigeon".parse::<Platform>().unwrap_err().to_string();
        assert!(error.contains("pigeon") && error.contains("feishu"), "{error}");
    }
}
