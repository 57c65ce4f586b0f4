//! Identifiers. Each is its own type, checked once where it enters.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::entity::Entity;

/// Why a text is no identifier.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Empty, or only white space.
    #[error("an id is blank; give it at least one character")]
    Blank,
    /// Longer than the limit, in characters.
    #[error("an id has {found} characters, {limit} are allowed; shorten it")]
    TooLong {
        /// Characters found.
        found: usize,
        /// Characters allowed.
        limit: usize,
    },
    /// A character that the kind of id does not allow.
    #[error("an id contains {found:?}; use {allowed}")]
    Character {
        /// The offending character.
        found: char,
        /// What is allowed, in words.
        allowed: &'static str,
    },
}

const SLUG: &str = "lower-case letters, digits, `-` and `_`, starting with a letter or digit";
const SLUG_LIMIT: usize = 63;

fn slug(raw: &str) -> Result<(), IdError> {
    let fits = |(at, byte): (usize, u8)| {
        byte.is_ascii_lowercase()
            || byte.is_ascii_digit()
            || (at > 0 && matches!(byte, b'-' | b'_'))
    };
    if (1..=SLUG_LIMIT).contains(&raw.len()) && raw.bytes().enumerate().all(fits) {
        return Ok(());
    }
    let found = raw.chars().count();
    if raw.trim().is_empty() {
        return Err(IdError::Blank);
    }
    if found > SLUG_LIMIT {
        return Err(IdError::TooLong { found, limit: SLUG_LIMIT });
    }
    let bad = raw.char_indices().find(|&(at, c)| {
        !(c.is_ascii_lowercase() || c.is_ascii_digit() || (at > 0 && matches!(c, '-' | '_')))
    });
    match bad {
        Some((_, found)) => Err(IdError::Character { found, allowed: SLUG }),
        None => Ok(()),
    }
}

macro_rules! slug_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Parses a slug: 1 to 63 lower-case letters, digits, `-`, `_`, starting with a letter or digit.
            ///
            /// # Errors
            /// [`IdError`] saying what is wrong with `raw`.
            pub fn parse(raw: &str) -> Result<Self, IdError> {
                slug(raw).map(|()| Self(raw.to_owned()))
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(raw: String) -> Result<Self, IdError> {
                Self::parse(&raw)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    };
}

slug_id! {
    /// One customer; the first part of every state key and a field of every log line.
    TenantId
}
slug_id! {
    /// One provider set up for one tenant, such as `feishu`; the first part of every external id.
    ConnectionId
}
slug_id! {
    /// The name of a plugin, as in its manifest.
    PluginName
}

/// A provider's own id of an object: 1 to 200 characters, no control characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SourceId(String);

impl SourceId {
    /// The most characters an id may have.
    pub const LIMIT: usize = 200;

    /// Checks a provider's id.
    ///
    /// # Errors
    /// [`IdError`] when it is blank, too long or holds a control character.
    pub fn parse(raw: &str) -> Result<Self, IdError> {
        Self::check(raw).map(|()| Self(raw.to_owned()))
    }

    /// The same without keeping the id.
    ///
    /// # Errors
    /// As [`SourceId::parse`].
    pub fn check(raw: &str) -> Result<(), IdError> {
        // Most ids are a few letters and digits.
        if (1..=Self::LIMIT).contains(&raw.len()) && raw.bytes().all(|byte| byte.is_ascii_graphic())
        {
            return Ok(());
        }
        if raw.trim().is_empty() {
            return Err(IdError::Blank);
        }
        let found = raw.chars().count();
        if found > Self::LIMIT {
            return Err(IdError::TooLong { found, limit: Self::LIMIT });
        }
        match raw.chars().find(|c| c.is_control()) {
            Some(found) => Err(IdError::Character { found, allowed: "no control characters" }),
            None => Ok(()),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for SourceId {
    type Error = IdError;
    fn try_from(raw: String) -> Result<Self, IdError> {
        Self::parse(&raw)
    }
}

impl From<SourceId> for String {
    fn from(id: SourceId) -> Self {
        id.0
    }
}

/// The key of a record in every target: `<connection>:<entity>:<source id>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExternalId(String);

impl ExternalId {
    /// Builds the key of a source object.
    pub fn of(connection: &ConnectionId, entity: Entity, source: &str) -> Self {
        Self([connection.as_str(), ":", entity.name(), ":", source].concat())
    }

    /// Reads a key back; `None` when the text has not the shape.
    pub fn parse(raw: &str) -> Option<Self> {
        let mut parts = raw.splitn(3, ':');
        slug(parts.next()?).ok()?;
        Entity::parse(parts.next()?)?;
        SourceId::check(parts.next()?).ok()?;
        Some(Self(raw.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the key of such a record.
    pub fn is_of(&self, entity: Entity) -> bool {
        let rest = self.0.bytes().position(|byte| byte == b':').and_then(|at| self.0.get(at + 1..));
        let rest = rest.and_then(|rest| rest.strip_prefix(entity.name()));
        rest.is_some_and(|rest| rest.starts_with(':'))
    }

    /// Whether the record is one of this connection.
    pub fn is_from(&self, connection: &ConnectionId) -> bool {
        self.0.strip_prefix(connection.as_str()).is_some_and(|rest| rest.starts_with(':'))
    }

    /// The provider's own id inside the key.
    pub fn source(&self) -> &str {
        self.0.splitn(3, ':').nth(2).unwrap_or_default()
    }
}

impl fmt::Display for ExternalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One run of the sync for one tenant; grows by one with each run of that tenant.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct RunId(pub u32);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
