//! One request as an endpoint sees it: its parameters, its listing's page, and the world it asks.
//!
//! Not transport or authority, which are settled before. The invariant: parameters are checked here once, with the
//! code that the platform gives for each.

use serde::de::DeserializeOwned;

use super::access::Access;
use super::ids::{DeptIdType, UserIdType};
use super::refusal::Refusal;
use super::{Endpoint, Settings};
use crate::dice::mix;
use crate::faults::Fault;
use crate::ids::Ids;
use crate::json::Json;
use crate::site::Site;
use crate::world::World;

/// The parameters behind the question mark, decoded, in order.
#[derive(Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn parse(text: &str) -> Self {
        Self(form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    pub(crate) fn one(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A repeated parameter.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Absent is false.
    pub(crate) fn flag(&self, name: &str, refusal: &Refusal) -> Result<bool, Refusal> {
        match self.one(name) {
            None | Some("" | "false" | "False") => Ok(false),
            Some("true" | "True") => Ok(true),
            Some(_) => Err(refusal.clone()),
        }
    }
}

/// A request to one endpoint, with authority settled.
pub(crate) struct Call<'a> {
    pub site: &'a Site,
    pub settings: &'a Settings,
    pub world: &'a World,
    pub access: &'a Access,
    pub endpoint: Endpoint,
    /// Decoded from the path; empty where the path names none.
    pub id: String,
    pub query: Query,
    pub body: &'a [u8],
    /// The world's time, read once.
    pub now: i64,
}

/// Which part of a listing is asked for; `after` counts the entries before it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page {
    pub size: usize,
    /// The number of the first entry that may appear.
    pub from: u32,
    listing: u64,
}

/// The most entries a page may have.
const PAGE_MOST: usize = 50;

impl Call<'_> {
    pub(crate) fn ids(&self) -> Ids {
        self.site.ids
    }

    /// Whether a fault that an endpoint must act out itself strikes now.
    pub(crate) fn strikes(&self, fault: Fault) -> bool {
        self.site.strikes(fault, self.endpoint)
    }

    pub(crate) fn user_id_type(&self) -> Result<UserIdType, Refusal> {
        let found = match self.query.one("user_id_type") {
            None | Some("open_id") => UserIdType::Open,
            Some("union_id") => UserIdType::Union,
            Some("user_id") => UserIdType::User,
            Some(_) => return Err(Refusal::FIELD_INVALID),
        };
        self.access.check_user_ids(found)?;
        Ok(found)
    }

    pub(crate) fn dept_id_type(&self) -> Result<DeptIdType, Refusal> {
        match self.query.one("department_id_type") {
            None | Some("open_department_id") => Ok(DeptIdType::Open),
            Some("department_id") => Ok(DeptIdType::Custom),
            Some(_) => Err(Refusal::FIELD_INVALID),
        }
    }

    /// A JSON body, or the refusal that this family of endpoints gives for a bad one.
    pub(crate) fn json<T: DeserializeOwned>(&self, refusal: &Refusal) -> Result<T, Refusal> {
        serde_json::from_slice(self.body).map_err(|_| refusal.clone())
    }

    /// The page asked for; `scope` tells listings of one endpoint apart, as tokens of one are worthless in another.
    pub(crate) fn page(&self, default: usize, scope: u64) -> Result<Page, Refusal> {
        let size = match self.query.one("page_size").map(str::parse::<usize>) {
            None => default,
            Some(Ok(size @ 1..=PAGE_MOST)) => size,
            Some(Ok(0) | Err(_)) => return Err(Refusal::PAGE_SIZE),
            Some(Ok(_)) => return Err(Refusal::PAGE_TOO_LARGE),
        };
        let listing = mix(self.site.seed ^ mix(scope ^ ((self.endpoint as u64) << 40)));
        let from = match self.query.one("page_token") {
            None | Some("") => 0,
            Some(token) => parse_token(token, listing).ok_or(Refusal::PAGE_TOKEN)?,
        };
        Ok(Page { size, from, listing })
    }

    /// Writes `has_more`, `page_token` and `items`; `found` holds one entry more than the page when there are more.
    pub(crate) fn write_page<T>(
        &self,
        json: &mut Json,
        page: &Page,
        mut found: Vec<(u32, T)>,
        mut write: impl FnMut(&mut Json, T),
    ) {
        found.truncate(self.write_paging(json, page, &found));
        if !found.is_empty() {
            json.key("items")
                .array(|json| found.into_iter().for_each(|(_, item)| write(json, item)));
        }
    }

    /// Writes `has_more` and `page_token` and says how many of the entries found belong to the page.
    pub(crate) fn write_paging<T>(
        &self,
        json: &mut Json,
        page: &Page,
        found: &[(u32, T)],
    ) -> usize {
        let here = found.len().min(page.size);
        let more = found.len() > page.size && !self.strikes(Fault::TruncatedList);
        json.key("has_more").bool(more);
        if let (true, Some((last, _))) = (more, found[..here].last()) {
            let next = if self.strikes(Fault::RepeatedToken) { page.from } else { last + 1 };
            json.key("page_token").text(&write_token(next, page.listing));
        }
        here
    }
}

/// Opaque to clients, with the characters that must be escaped in an address.
fn write_token(from: u32, listing: u64) -> String {
    let front = mix(u64::from(from) ^ listing);
    format!("AQD/{front:016x}+{:016x}=", mix(front ^ listing.rotate_left(23)))
}

fn parse_token(token: &str, listing: u64) -> Option<u32> {
    let (front, _) = token.strip_prefix("AQD/")?.split_once('+')?;
    let front = u64::from_str_radix(front, 16).ok()?;
    let from = u32::try_from(crate::dice::unmix(front) ^ listing).ok()?;
    (write_token(from, listing) == token).then_some(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_token_serves_its_own_listing_only() {
        let token = write_token(50, 9);
        assert!(['/', '+', '='].iter().all(|c| token.contains(*c)), "{token}");
        assert_eq!(parse_token(&token, 9), Some(50));
        assert_eq!(parse_token(&token, 8), None);
        assert_eq!(parse_token(&token.replace('+', " "), 9), None);
        assert_eq!(parse_token("", 9), None);
    }

    #[test]
    fn queries_are_decoded_and_may_repeat() {
        let query = Query::parse("user_ids=a&user_ids=b%2Fc&x=1%2B1");
        assert_eq!(query.all("user_ids").collect::<Vec<_>>(), ["a", "b/c"]);
        assert_eq!(query.one("x"), Some("1+1"));
        assert_eq!(query.flag("none", &Refusal::BAD_PARAMETER), Ok(false));
        assert_eq!(query.flag("x", &Refusal::BAD_PARAMETER), Err(Refusal::BAD_PARAMETER));
    }
}
