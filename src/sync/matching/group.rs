//! Records of different connections with the same value in the field that tells, as the state holds them. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::reject;
use crate::model::hash::ContentHash;
use crate::model::ids::ConnectionId;
use crate::port::mapper::Reject;
use crate::port::store::StoreError;

/// The records that are one person: at most one of each connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Group {
    members: BTreeMap<ConnectionId, Member>,
}

/// One connection's record of the person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Member {
    pub(super) source: String,
    /// A certified listing did not show it any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) ended: bool,
    /// The other value that it has now, while it waits for the rest of the group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) wants: Option<ContentHash>,
}

/// What one record has claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) key: ContentHash,
    /// Another connection owned the employee when it was judged.
    pub(super) linked: bool,
}

impl Group {
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        serde_json::from_slice(bytes).map_err(|cause| damaged(format!("a match: {cause}")))
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    pub(super) fn own(&mut self, connection: &ConnectionId) -> Option<&mut Member> {
        self.members.get_mut(connection)
    }

    pub(super) fn others<'a>(
        &'a self,
        connection: &'a ConnectionId,
    ) -> impl Iterator<Item = (&'a ConnectionId, &'a Member)> {
        self.members.iter().filter(move |(id, _)| *id != connection)
    }

    pub(super) fn is_alone(&self, connection: &ConnectionId) -> bool {
        self.others(connection).next().is_none()
    }

    /// Whether every other member that has not ended waits to go to the same key.
    pub(super) fn others_want(&self, connection: &ConnectionId, to: Option<ContentHash>) -> bool {
        self.others(connection).all(|(_, member)| member.ended || member.wants == to)
    }

    /// The first in the order of authority. One that has ended still owns: its word is that the employee has ended.
    pub(super) fn owner(&self, authority: &[ConnectionId]) -> Option<(ConnectionId, Member)> {
        let first = authority.iter().find_map(|id| self.members.get_key_value(id));
        first.map(|(id, member)| {
            (id.clone(), Member { ended: false, wants: None, ..member.clone() })
        })
    }

    /// Why a record cannot be the connection's member.
    pub(super) fn clash(
        &self,
        connection: &ConnectionId,
        source: &str,
        key: &str,
    ) -> Option<Reject> {
        let member = self.members.get(connection).filter(|member| member.source != source)?;
        if !member.ended {
            let message = format!(
                "another record of this platform has the same `{key}`; correct one of the two, or the mapping that sets it"
            );
            return Some(reject("twice", message));
        }
        let others = self.others(connection).any(|(_, other)| !other.ended);
        let message = format!(
            "its `{key}` was that of someone who has ended and to whom a record of another platform is still matched; end that record too, or give this person a value of their own"
        );
        others.then(|| reject("reused", message))
    }

    pub(super) fn join(&mut self, connection: &ConnectionId, source: &str) {
        let member = Member { source: source.to_owned(), ended: false, wants: None };
        self.members.insert(connection.clone(), member);
    }

    pub(super) fn leave(&mut self, connection: &ConnectionId, source: &str) {
        if self.members.get(connection).is_some_and(|member| member.source == source) {
            self.members.remove(connection);
        }
    }
}

impl Claim {
    pub(super) fn encode(self) -> Vec<u8> {
        [&self.key.0[..], &[u8::from(self.linked)]].concat()
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        let key = bytes.get(..16).and_then(|key| key.try_into().ok()).map(ContentHash);
        match (key, bytes.get(16..)) {
            (Some(key), Some([linked])) => Ok(Self { key, linked: *linked != 0 }),
            _ => Err(damaged(format!("a claim of {} bytes", bytes.len()))),
        }
    }
}

fn damaged(reason: String) -> StoreError {
    StoreError::Damaged { folder: "state".to_owned(), reason }
}
