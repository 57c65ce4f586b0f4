//! `GET /healthz` and `GET /status`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;

use crate::inbox::Tally;
use crate::model::canary::Trial;
use crate::model::hash::ContentHash;
use crate::model::ids::{ConnectionId, TenantId};
use crate::model::link::{LinkState, LinkStatus};
use crate::sync::service::Status;

use super::Look;

/// The daemon at one moment.
#[derive(Clone, Debug, Serialize)]
pub struct Snapshot {
    /// rollcall's version.
    pub version: &'static str,
    /// The process.
    pub pid: u32,
    /// Counts reloads that took effect.
    pub generation: u64,
    /// Why the newest edit is not in force, if it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reload_error: Option<String>,
    /// Edited mappings that wait for a verdict, or were rejected and still stand in the files.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub held_mappings: Vec<HeldMapping>,
    /// Every connection.
    pub connections: Vec<Status>,
    /// The inboxes of connections that take callbacks.
    pub callbacks: Vec<Tally>,
    /// Every long connection that is wanted.
    pub long_connections: Vec<LongConnection>,
}

/// An edited mapping that is not in force.
#[derive(Clone, Debug, Serialize)]
pub struct HeldMapping {
    /// The customer.
    pub tenant: TenantId,
    /// The connection.
    pub connection: ConnectionId,
    /// The digest of its texts.
    pub digest: ContentHash,
    /// Whether somebody said no; the files differ from what is in force until they are edited again.
    pub rejected: bool,
    /// Why it was held.
    pub reasons: Vec<String>,
    /// The canary that it is tried on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canary: Option<Trial>,
    /// The canary of the edit before, which this one has ended.
    #[serde(rename = "canary_ended", skip_serializing_if = "Option::is_none")]
    pub ended: Option<Trial>,
}

/// A long connection and whose it is.
#[derive(Clone, Debug, Serialize)]
pub struct LongConnection {
    /// The customer.
    pub tenant: TenantId,
    /// The connection.
    pub connection: ConnectionId,
    /// How it is doing.
    #[serde(flatten)]
    pub status: LinkStatus,
}

impl Snapshot {
    /// Whether nothing asks for attention.
    pub fn healthy(&self) -> bool {
        self.reload_error.is_none()
            && self.connections.iter().all(|one| one.error.is_none())
            && self.long_connections.iter().all(|one| one.status.state != LinkState::Waiting)
    }
}

pub(super) async fn healthz(State(look): State<Look>) -> (StatusCode, &'static str) {
    if look().healthy() {
        (StatusCode::OK, "ok\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "degraded: see /status\n")
    }
}

pub(super) async fn status(State(look): State<Look>) -> Json<Snapshot> {
    Json(look())
}
