//! What goes wrong between rollcall and the outside, and what to do about it.

use std::fmt;
use std::time::Duration;

/// What a platform says of an error, and what an administrator does about it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Advice {
    /// The platform's own code, such as `99991672`.
    pub code: String,
    /// What happened; no token and no person's data.
    pub message: String,
    /// What to do.
    pub remedy: String,
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (code {}); {}", self.message, self.code, self.remedy)
    }
}

/// Why a provider or target call failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The credentials are wrong, expired or revoked.
    #[error("the platform refuses the credentials: {0}")]
    Unauthorized(Advice),
    /// A permission, a range or an allow-list entry is missing.
    #[error("the platform denies access: {0}")]
    Forbidden(Advice),
    /// Too many calls; `None` when the platform names no delay.
    #[error("the platform asks to slow down")]
    RateLimited(Option<Duration>),
    /// What was asked for does not exist.
    #[error("the platform does not know what was asked for")]
    NotFound,
    /// The platform refuses the request itself.
    #[error("the platform refuses the request: {0}")]
    Invalid(Advice),
    /// The cursor no longer holds.
    #[error("the listing changed while it was read; it has to start again")]
    StaleCursor,
    /// The platform is failing or unreachable.
    #[error("the platform is unavailable: {0}")]
    Unavailable(Advice),
    /// The plugin does not offer this.
    #[error("the plugin does not offer this")]
    Unsupported,
    /// The plugin broke a rule of the contract or one of its limits; `remedy` inside.
    #[error("the plugin failed: {0}")]
    Plugin(Advice),
}

/// What a caller does about a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// Try the same call again, after this long if the other side said so.
    Retry(Option<Duration>),
    /// Start the listing again.
    Restart,
    /// Give this piece of work up, go on with the rest.
    Park,
    /// Stop this connection until someone acts.
    Halt,
}

impl Fault {
    /// What to do about it.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::RateLimited(delay) => Disposition::Retry(*delay),
            Self::Unavailable(_) => Disposition::Retry(None),
            Self::StaleCursor => Disposition::Restart,
            Self::NotFound | Self::Unsupported => Disposition::Park,
            Self::Unauthorized(_) | Self::Forbidden(_) | Self::Invalid(_) | Self::Plugin(_) => {
                Disposition::Halt
            }
        }
    }

    /// The advice inside, if there is one.
    pub fn advice(&self) -> Option<&Advice> {
        match self {
            Self::Unauthorized(a)
            | Self::Forbidden(a)
            | Self::Invalid(a)
            | Self::Unavailable(a)
            | Self::Plugin(a) => Some(a),
            Self::RateLimited(_) | Self::NotFound | Self::StaleCursor | Self::Unsupported => None,
        }
    }
}
