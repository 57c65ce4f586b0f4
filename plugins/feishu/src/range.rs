//! The app's contact range: what it is granted by name, and a fingerprint of that.
//!
//! What this is not: reading what is granted. The one invariant: the fingerprint depends on the ids alone, not on the
//! order in which the platform lists them.

use rollcall_sdk::Host;
use rollcall_sdk::json;

use crate::api::{Api, Call};
use crate::failure::Failure;
use crate::paging::{PAGE_SIZE, next_token};

/// The fingerprint of a range that has everyone.
pub(crate) const ALL_MEMBERS: &str = "all-members";

/// One page of the range.
pub(crate) struct Granted {
    pub(crate) departments: Vec<String>,
    pub(crate) people: Vec<String>,
    pub(crate) groups: Vec<String>,
    pub(crate) next: Option<String>,
}

/// Reads one page of the range; departments, people and groups share it.
pub(crate) fn granted<H: Host>(api: &Api<'_, H>, token: Option<&str>) -> Result<Granted, Failure> {
    let mut query = vec![
        ("user_id_type", api.settings.user_id_type.name()),
        ("department_id_type", api.settings.department_id_type.name()),
        ("page_size", PAGE_SIZE),
    ];
    query.extend(token.map(|token| ("page_token", token)));
    let response = api.send(&Call::get("contact/v3/scopes", &query))?;
    Ok(Granted {
        departments: json::texts(&response, "/data/department_ids")?,
        people: json::texts(&response, "/data/user_ids")?,
        groups: json::texts(&response, "/data/group_ids")?,
        next: next_token(&response, token)?,
    })
}

/// What a partial range looked like, however far it has been read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    pub(crate) ids: u32,
    pub(crate) sum: u64,
}

impl Fingerprint {
    /// This, and a page more.
    pub(crate) fn with(mut self, page: &Granted) -> Self {
        let kinds = [("d", &page.departments), ("p", &page.people), ("g", &page.groups)];
        for (kind, ids) in kinds {
            for id in ids {
                self.ids = self.ids.saturating_add(1);
                self.sum = self.sum.wrapping_add(hash(kind, id));
            }
        }
        self
    }

    pub(crate) fn text(self) -> String {
        format!("partial:{}:{:016x}", self.ids, self.sum)
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
