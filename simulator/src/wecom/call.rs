//! One request as an endpoint sees it: its parameters and the world it asks.
//!
//! Not transport or authority, which are settled before. The invariant: parameters are checked here once, with the
//! code that the platform gives for each.

use serde::de::DeserializeOwned;

use super::Endpoint;
use super::access::{Access, Secret};
use super::ids::parse_dept;
use super::refusal::Refusal;
use super::settings::Settings;
use crate::faults::Fault;
use crate::ids::DeptNo;
use crate::site::Site;
use crate::world::World;

/// The parameters behind the question mark, decoded.
#[derive(Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn parse(text: &str) -> Self {
        Self(form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    pub(crate) fn one(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// A request to one endpoint, with authority settled.
pub(crate) struct Call<'a> {
    pub site: &'a Site,
    pub settings: &'a Settings,
    pub world: &'a World,
    pub access: &'a Access,
    pub secret: Secret,
    pub endpoint: Endpoint,
    pub query: Query,
    pub body: &'a [u8],
    /// The world's time, read once.
    pub now: i64,
}

impl Call<'_> {
    /// Whether a fault that an endpoint must act out itself strikes now.
    pub(crate) fn strikes(&self, fault: Fault) -> bool {
        self.site.strikes(fault, self.endpoint)
    }

    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        serde_json::from_slice(self.body).map_err(|_| Refusal::BAD_PARAMETER)
    }

    /// Contacts sync sees the whole company, an app what it is granted.
    pub(crate) fn sees_dept(&self, dept: DeptNo) -> bool {
        self.secret == Secret::Contacts || self.access.sees_dept(self.world, dept)
    }

    /// A department that exists and may be seen.
    pub(crate) fn visible_dept(&self, id: &str) -> Result<DeptNo, Refusal> {
        let no = parse_dept(id).filter(|no| self.world.dept(*no).is_some());
        let no = no.ok_or(Refusal::NO_SUCH_DEPT)?;
        if self.sees_dept(no) { Ok(no) } else { Err(Refusal::NOT_VISIBLE) }
    }

    /// # Errors
    /// 45029 when an answer would have too many rows.
    pub(crate) fn check_rows(&self, rows: usize) -> Result<(), Refusal> {
        match self.settings.most_rows {
            Some(most) if rows > most => Err(Refusal::TOO_LARGE),
            _ => Ok(()),
        }
    }
}
