//! Keys of the state store: `<tenant> 0 <table> <connection> 0 <entity> <rest>`; numbers big-endian, so that key order is
//! the order of work. Beside those here, the inbox keeps the tables `i`, `j`, `k`, matching `l`, `n`, `w`, the rates `u`.

use crate::model::entity::Entity;
use crate::model::hash::ContentHash;
use crate::model::ids::{ConnectionId, RunId, TenantId};

/// Builds the keys of one connection. Ids are slugs: they hold no zero byte.
#[derive(Clone)]
pub(super) struct Keys {
    tenant: String,
    connection: String,
}

impl Keys {
    pub(super) fn new(tenant: &TenantId, connection: &ConnectionId) -> Self {
        Self { tenant: tenant.to_string(), connection: connection.to_string() }
    }

    fn table(&self, table: u8, rest: usize) -> Vec<u8> {
        let mut key = Vec::with_capacity(self.tenant.len() + self.connection.len() + 3 + rest);
        key.extend_from_slice(self.tenant.as_bytes());
        key.extend_from_slice(&[0, table]);
        key.extend_from_slice(self.connection.as_bytes());
        key.push(0);
        key
    }

    fn kind(&self, table: u8, entity: Entity, rest: &[u8]) -> Vec<u8> {
        let mut key = self.table(table, 1 + rest.len());
        key.push(entity_byte(entity));
        key.extend_from_slice(rest);
        key
    }

    pub(super) fn entry(&self, entity: Entity, source: &str) -> Vec<u8> {
        self.kind(b'e', entity, source.as_bytes())
    }

    pub(super) fn meta(&self, entity: Entity) -> Vec<u8> {
        self.kind(b'm', entity, &[])
    }

    pub(super) fn parked(&self, entity: Entity, source: &str) -> Vec<u8> {
        self.kind(b'p', entity, source.as_bytes())
    }

    /// The first slots of all runs, or that slot.
    pub(super) fn birth(&self, entity: Entity, slot: Option<u32>) -> Vec<u8> {
        let slot = slot.map(u32::to_be_bytes);
        self.kind(b'b', entity, slot.as_ref().map_or(&[], |slot| &slot[..]))
    }

    pub(super) fn cohorts(&self, entity: Entity) -> Vec<u8> {
        self.kind(b'g', entity, &[])
    }

    pub(super) fn member(&self, entity: Entity, person: &str) -> Vec<u8> {
        self.kind(b'h', entity, person.as_bytes())
    }

    pub(super) fn frame(&self, entity: Entity, frame: Option<u64>) -> Vec<u8> {
        match frame {
            Some(id) => self.kind(b'f', entity, &id.to_be_bytes()),
            None => self.kind(b'f', entity, &[]),
        }
    }

    /// The texts of all generations, or those with a digest.
    pub(super) fn sources(&self, digest: Option<ContentHash>) -> Vec<u8> {
        let mut key = self.table(b't', 16);
        key.extend(digest.iter().flat_map(|digest| digest.0));
        key
    }

    /// The generation in force, or the one that came into force with a run.
    pub(super) fn generation(&self, run: Option<RunId>) -> Vec<u8> {
        let mut key = self.table(b'y', 4);
        key.extend(run.iter().flat_map(|run| run.0.to_be_bytes()));
        key
    }

    /// What was archived last of a record.
    pub(super) fn archived(&self, entity: Entity, source: &str) -> Vec<u8> {
        self.kind(b'z', entity, source.as_bytes())
    }

    /// The edited mapping that is held.
    pub(super) fn proposal(&self) -> Vec<u8> {
        self.table(b'v', 0)
    }

    /// What was said of edited mappings.
    pub(super) fn verdicts(&self) -> Vec<u8> {
        self.table(b'x', 0)
    }

    /// All canaries, or the one with an id.
    pub(super) fn canary(&self, id: Option<ContentHash>) -> Vec<u8> {
        let mut key = self.table(b'c', 16);
        key.extend(id.iter().flat_map(|id| id.0));
        key
    }

    pub(super) fn run(&self, run: Option<RunId>) -> Vec<u8> {
        let mut key = self.table(b'r', 4);
        if let Some(run) = run {
            key.extend_from_slice(&run.0.to_be_bytes());
        }
        key
    }

    /// All plan sets of a run, or with `at` one of them.
    pub(super) fn plan(&self, run: RunId, at: Option<(u8, u32)>) -> Vec<u8> {
        let mut key = self.table(b'q', 9);
        key.extend_from_slice(&run.0.to_be_bytes());
        if let Some((phase, seq)) = at {
            key.push(phase);
            key.extend_from_slice(&seq.to_be_bytes());
        }
        key
    }
}

/// Stable for ever: part of stored keys.
pub(super) fn entity_byte(entity: Entity) -> u8 {
    match entity {
        Entity::Department => 1,
        Entity::Employee => 2,
        Entity::CheckIn => 3,
        Entity::AttendanceDay => 4,
        Entity::Leave => 5,
    }
}
