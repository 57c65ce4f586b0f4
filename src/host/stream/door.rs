//! The way out to the platform: where a connection is asked for, and where it is opened.
//!
//! The invariant: what goes out goes through the same rules as the requests of a plugin; the secret is filled in here, after
//! its host was granted.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;
use url::Url;

use crate::host::context::Shared;
use crate::host::contract::since_v0_1::http::Request;
use crate::host::net::outgoing::Outgoing;
use crate::host::net::upgrade::{self, Wire, WireError};

use super::error::StreamError;
use super::protocol::Protocol;

/// Asking and opening take so long at the most, each.
const TIME: Duration = Duration::from_secs(15);
/// The answer to asking may have so many bytes.
const ANSWER_BYTES: usize = 64 << 10;

/// Reaches a platform.
#[async_trait]
pub(super) trait Door: Send + Sync {
    /// Sends a request; answers with status and body.
    async fn ask(&self, request: Request) -> Result<(u16, Vec<u8>), StreamError>;

    /// Opens a WebSocket.
    async fn open(&self, url: &Url, protocol: &dyn Protocol) -> Result<Wire, StreamError>;
}

#[async_trait]
impl Door for Arc<Shared> {
    async fn ask(&self, request: Request) -> Result<(u16, Vec<u8>), StreamError> {
        let outgoing = Outgoing::prepare(request, &self.reach, &|name| self.secret(name));
        let Outgoing { request, route, endpoint, cover } =
            outgoing.map_err(StreamError::of_request)?;
        let clients = &self.plugin.core.clients;
        let fetched = clients.fetch(route, request, ANSWER_BYTES, Instant::now() + TIME).await;
        let fetched = fetched.map_err(|error| {
            let host = &endpoint.to_string();
            StreamError::of_net("asking for a long connection failed", host, error)
        })?;
        let body = cover.apply(&fetched.body).unwrap_or_else(|| fetched.body.to_vec());
        Ok((fetched.status, body))
    }

    async fn open(&self, url: &Url, protocol: &dyn Protocol) -> Result<Wire, StreamError> {
        let opened = upgrade::open(&self.plugin.core.clients, &self.reach, url, TIME).await;
        opened.map_err(|error| match error {
            WireError::Address => StreamError::Answer { reason: "no `ws` or `wss` URL" },
            WireError::NotGranted(host) => StreamError::NotGranted { host },
            WireError::Refused(status, headers) => protocol.turned_away(status, &headers),
            WireError::Net(error) => {
                let host = url.host_str().unwrap_or_default();
                StreamError::of_net("opening the long connection failed", host, error)
            }
        })
    }
}
