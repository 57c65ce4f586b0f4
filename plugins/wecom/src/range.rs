//! The app's visible range: what it is granted by name, and a fingerprint of that.
//!
//! What this is not: reading what is granted. The one invariant: a fingerprint depends on the ids alone, not on the order
//! in which the platform lists them.

use rollcall_sdk::json;
use rollcall_sdk::{Host, Level};

use crate::api::{APP, Api, Call};
use crate::failure::Failure;
use crate::records;

/// What the app is granted, where the connection knows its own app.
pub(crate) struct Range {
    pub(crate) fingerprint: Fingerprint,
    pub(crate) departments: u32,
    /// Granted one by one, in ascending order.
    pub(crate) people: Vec<String>,
    pub(crate) tags: u32,
    /// The app is switched off.
    pub(crate) closed: bool,
}

/// Reads the visible range; none without `agent_id`.
pub(crate) fn read<H: Host>(api: &Api<'_, H>) -> Result<Option<Range>, Failure> {
    let Some(agent_id) = api.settings.agent_id.as_deref() else { return Ok(None) };
    let response = api.send(APP, &Call::get("agent/get", &[("agentid", agent_id)], "/agentid"))?;
    let (parties, users, tags) =
        ("/allow_partys/partyid", "/allow_userinfos/user", "/allow_tags/tagid");
    let mut range = Range {
        fingerprint: Fingerprint::default(),
        departments: json::length(&response, parties)?,
        people: Vec::new(),
        tags: json::length(&response, tags)?,
        closed: json::integer(&response, "/close")? == Some(1),
    };
    for index in 0..range.departments {
        let id = records::number(&response, &format!("{parties}/{index}"))?;
        range.fingerprint.add('d', &id.to_string());
    }
    for index in 0..range.tags {
        let id = records::number(&response, &format!("{tags}/{index}"))?;
        range.fingerprint.add('t', &id.to_string());
    }
    for index in 0..json::length(&response, users)? {
        let id = records::text(&response, &format!("{users}/{index}/userid"))?;
        range.fingerprint.add('p', &id);
        range.people.push(id);
    }
    range.people.sort_unstable();
    if range.tags > 0 {
        let line =
            format!("the visible range grants {} tags; who is in them is not read", range.tags);
        api.host.log(Level::Warn, &line);
    }
    Ok(Some(range))
}

/// A number and a sum that stand for a set of ids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    ids: u32,
    sum: u64,
}

impl Fingerprint {
    pub(crate) fn add(&mut self, kind: char, id: &str) {
        self.ids = self.ids.saturating_add(1);
        self.sum = self.sum.wrapping_add(hash(kind, id));
    }

    pub(crate) fn text(self, of: &str) -> String {
        format!("{of}:{}:{:016x}", self.ids, self.sum)
    }
}

/// 64-bit FNV-1a, mixed once more: sums of the bare hashes of similar ids are too often the same. Ids of people differ
/// by more than the case of their letters.
pub(crate) fn hash(kind: char, id: &str) -> u64 {
    let step = |hash: u64, byte: u8| {
        (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0000_01b3)
    };
    let mut buffer = [0; 4];
    let kind = kind.encode_utf8(&mut buffer).bytes();
    let hash = kind.chain(id.bytes()).fold(0xcbf2_9ce4_8422_2325, step);
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}
