//! One source object in the index: 66 bytes, fixed layout.

use crate::model::hash::ContentHash;
use crate::model::ids::RunId;
use crate::port::store::StoreError;
use crate::port::target::Held;

use super::damaged;
use super::frame::FrameId;

const LAYOUT: u8 = 1;
const LEN: usize = 66;
const PARKED: u8 = 1 << 4;
const ABSENT: u8 = 1 << 5;
const REPLAYED: u8 = 1 << 6;

/// Where a record stands in the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Never written, or not known to be.
    Unknown,
    /// Written with this content.
    Present(ContentHash),
    /// Written once, ended since.
    Retired,
}

impl Standing {
    /// Where a record stands that the target holds so.
    pub fn of(held: Option<&Held>) -> Self {
        match held {
            None => Self::Unknown,
            Some(held) if held.retired => Self::Retired,
            Some(held) => Self::Present(held.hash),
        }
    }
}

/// What is known of one source object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// A small number of its own within the kind: its bit in a run's set of objects seen.
    pub slot: u32,
    /// Hash of the raw payload.
    pub raw: ContentHash,
    /// Where the raw payload lies.
    pub frame: FrameId,
    /// Where it should stand, decided in `run`.
    pub wanted: Standing,
    /// Where it stood before `run`.
    pub applied: Standing,
    /// The run that decided `wanted`.
    pub run: RunId,
    /// Whether the last attempt to map or write it failed.
    pub parked: bool,
    /// Whether it ended because a complete listing no longer showed it: nothing brings it back but a listing that does.
    pub absent: bool,
    /// Whether a replay decided `wanted`: then a record that is absent may stand, until what is kept is mapped again.
    pub replayed: bool,
}

impl Entry {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(LEN);
        let (wanted, wanted_hash) = split(self.wanted);
        let (applied, applied_hash) = split(self.applied);
        out.push(LAYOUT);
        let parked = if self.parked { PARKED } else { 0 };
        let absent = if self.absent { ABSENT } else { 0 };
        let replayed = if self.replayed { REPLAYED } else { 0 };
        out.push(wanted | applied << 2 | parked | absent | replayed);
        out.extend_from_slice(&self.slot.to_le_bytes());
        out.extend_from_slice(&self.run.0.to_le_bytes());
        out.extend_from_slice(&self.frame.0.to_le_bytes());
        out.extend_from_slice(&self.raw.0);
        out.extend_from_slice(&wanted_hash);
        out.extend_from_slice(&applied_hash);
        out
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        if bytes.len() != LEN || bytes[0] != LAYOUT {
            return Err(damaged(format!("an entry of {} bytes", bytes.len())));
        }
        let flags = bytes[1];
        Ok(Self {
            slot: u32::from_le_bytes(cut(bytes, 2)),
            run: RunId(u32::from_le_bytes(cut(bytes, 6))),
            frame: FrameId(u64::from_le_bytes(cut(bytes, 10))),
            raw: ContentHash(cut(bytes, 18)),
            wanted: join(flags & 3, cut(bytes, 34))?,
            applied: join(flags >> 2 & 3, cut(bytes, 50))?,
            parked: flags & PARKED != 0,
            absent: flags & ABSENT != 0,
            replayed: flags & REPLAYED != 0,
        })
    }
}

fn cut<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[at..at + N]);
    out
}

fn split(standing: Standing) -> (u8, [u8; 16]) {
    match standing {
        Standing::Unknown => (0, [0; 16]),
        Standing::Present(hash) => (1, hash.0),
        Standing::Retired => (2, [0; 16]),
    }
}

fn join(tag: u8, hash: [u8; 16]) -> Result<Standing, StoreError> {
    match tag {
        0 => Ok(Standing::Unknown),
        1 => Ok(Standing::Present(ContentHash(hash))),
        2 => Ok(Standing::Retired),
        other => Err(damaged(format!("an entry with standing {other}"))),
    }
}
