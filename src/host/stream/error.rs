//! Why a long connection could not be made or was lost.
//!
//! The invariant: no text here holds a secret, the address of a connection or anything of a person.

use std::time::Duration;

use crate::host::net::client::NetError;
use crate::host::net::outgoing::RequestError;
use crate::host::net::upgrade::MESSAGE_BYTES;

/// What a platform says is cut to so many characters.
const SAID: usize = 200;

/// Why there is no long connection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum StreamError {
    #[error(
        "the platform wants the long connection at `{host}`, which this connection may not reach; add it to `grants.hosts` (or \
         with its port to `grants.private`, when it is inside your network)"
    )]
    NotGranted { host: String },
    #[error(
        "`{host}`, where the platform wants the long connection, has no public address; if it is inside your network, add it \
         with its port to `grants.private`"
    )]
    NotPublic { host: String },
    #[error("the secret `{name}` is not configured; add it to the connection's `secrets`")]
    NoSecret { name: String },
    #[error(
        "the long connection cannot be asked for: {reason}; check the settings of the connection"
    )]
    Request { reason: String },
    #[error("{doing}: {reason}; it is tried again, check the network if it stays")]
    Network { doing: &'static str, reason: String },
    #[error("the platform refused the long connection (code {code}: {said}); {remedy}")]
    Refused { code: i64, said: String, remedy: &'static str },
    #[error(
        "the platform cannot give a long connection now (code {code}: {said}); it is tried again"
    )]
    Busy { code: i64, said: String },
    #[error(
        "the platform's answer makes no sense ({reason}); it is tried again, report it if it stays"
    )]
    Answer { reason: &'static str },
    #[error("the platform closed the long connection{said}; it is made again")]
    Closed { said: String },
    #[error("nothing was heard on the long connection for {0:?}; it is made again")]
    Silent(Duration),
    #[error(
        "a message on the long connection is larger than {MESSAGE_BYTES} bytes; the connection is made again"
    )]
    TooLarge,
}

impl StreamError {
    /// Whether trying again at once is pointless: somebody has to change something first.
    pub(super) fn needs_people(&self) -> bool {
        match self {
            Self::NotGranted { .. }
            | Self::NotPublic { .. }
            | Self::NoSecret { .. }
            | Self::Request { .. }
            | Self::Refused { .. } => true,
            Self::Network { .. }
            | Self::Busy { .. }
            | Self::Answer { .. }
            | Self::Closed { .. }
            | Self::Silent(_)
            | Self::TooLarge => false,
        }
    }

    pub(super) fn of_request(error: RequestError) -> Self {
        match error {
            RequestError::NotGranted(host) => Self::NotGranted { host },
            RequestError::NoSecret(name) => Self::NoSecret { name },
            RequestError::Invalid(reason) => Self::Request { reason },
        }
    }

    pub(super) fn of_net(doing: &'static str, host: &str, error: NetError) -> Self {
        let reason = match error {
            NetError::NotPublic => return Self::NotPublic { host: host.to_owned() },
            NetError::Deadline => "no answer in time".to_owned(),
            NetError::TooLarge => "the answer is too large".to_owned(),
            NetError::Network(reason) => reason.to_owned(),
        };
        Self::Network { doing, reason }
    }
}

/// What a platform said, fit for one line.
pub(super) fn said(text: &str) -> String {
    let line: String = text.chars().take(SAID).collect();
    let line = line.replace(char::is_control, " ");
    if line.trim().is_empty() { "nothing said".to_owned() } else { line }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_platform_says_is_one_short_line() {
        assert_eq!(said("a\nb\u{7}"), "a b ");
        assert_eq!(said(" "), "nothing said");
        assert_eq!(said(&"x".repeat(5_000)).len(), 200);
    }

    #[test]
    fn a_host_that_is_not_granted_is_named_with_the_remedy() {
        let error = StreamError::of_request(RequestError::NotGranted("ws.example.com".into()));
        let text = error.to_string();
        assert!(text.contains("`ws.example.com`") && text.contains("`grants.hosts`"), "{text}");
        assert!(error.needs_people());
        let inside = StreamError::of_net("connecting", "ws.corp", NetError::NotPublic).to_string();
        assert!(inside.contains("`ws.corp`") && inside.contains("`grants.private`"), "{inside}");
    }
}
