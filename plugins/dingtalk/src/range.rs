//! The app's address-book range: what it is granted by name, and a fingerprint of that.
//!
//! What this is not: reading what is granted. The one invariant: the fingerprint depends on the ids alone, not on the
//! order in which the platform lists them.

use rollcall_sdk::Host;
use rollcall_sdk::json;

use crate::api::{Api, Call};
use crate::departments::ROOT;
use crate::failure::Failure;
use crate::lenient;

/// The fingerprint of a range that has everyone.
pub(crate) const ALL_MEMBERS: &str = "all-members";

/// What the app is granted.
pub(crate) struct Range {
    pub(crate) departments: Vec<String>,
    pub(crate) people: Vec<String>,
}

/// Reads the range; it comes whole.
pub(crate) fn read<H: Host>(api: &Api<'_, H>) -> Result<Range, Failure> {
    let response = api.send(&Call::get("auth/scopes"))?;
    Ok(Range {
        departments: lenient::integers(&response, "/auth_org_scopes/authed_dept")?,
        people: json::texts(&response, "/auth_org_scopes/authed_user")?,
    })
}

impl Range {
    /// Whether the root is granted, and so everyone.
    pub(crate) fn has_everyone(&self) -> bool {
        self.departments.iter().any(|id| id == ROOT)
    }

    pub(crate) fn fingerprint(&self) -> String {
        if self.has_everyone() {
            return ALL_MEMBERS.to_owned();
        }
        let departments = self.departments.iter().map(|id| hash("d", id));
        let people = self.people.iter().map(|id| hash("p", id));
        let sum = departments.chain(people).fold(0u64, u64::wrapping_add);
        format!("partial:{}:{sum:016x}", self.departments.len() + self.people.len())
    }
}

/// 64-bit FNV-1a, mixed once more: sums of the bare hashes of similar ids are too often the same.
fn hash(kind: &str, id: &str) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = kind.bytes().chain(id.bytes()).fold(0xcbf2_9ce4_8422_2325, step);
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}
