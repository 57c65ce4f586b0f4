//! One request as an endpoint sees it: its parameters, leniently typed as the platform's, and the world it asks.
//!
//! Not transport or authority, which are settled before. The invariant: a parameter of the wrong type is refused, a
//! number written as a text is a number.

use serde_json::{Map, Value};

use super::access::Access;
use super::endpoint::Endpoint;
use super::refusal::Refusal;
use super::settings::Settings;
use crate::calendar::{midnight, parse_date};
use crate::faults::Fault;
use crate::ids::{DeptNo, Ids, PersonNo};
use crate::json::Json;
use crate::site::Site;
use crate::world::{Person, World};

/// A request's parameters, from wherever they came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params(Map<String, Value>);

/// A request to one endpoint, with authority settled.
pub(crate) struct Call<'a> {
    pub site: &'a Site,
    pub settings: &'a Settings,
    pub world: &'a World,
    pub access: &'a Access,
    pub endpoint: Endpoint,
    pub params: Params,
    /// The world's time, read once.
    pub now: i64,
}

/// Which part of a listing is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page {
    pub from: u64,
    pub size: usize,
}

impl Params {
    pub(crate) fn query(text: &str) -> Self {
        let pairs = form_urlencoded::parse(text.as_bytes()).into_owned();
        Self(pairs.map(|(name, value)| (name, Value::String(value))).collect())
    }

    /// # Errors
    /// 40035 when the body is no JSON object.
    pub(crate) fn json(body: &[u8]) -> Result<Self, Refusal> {
        if body.is_empty() {
            return Ok(Self::default());
        }
        serde_json::from_slice(body).map(Self).map_err(|_| Refusal::BAD_PARAMETER)
    }

    /// A body that is a form or JSON, as the old generation takes either.
    ///
    /// # Errors
    /// 40035 when it is neither.
    pub(crate) fn body(body: &[u8], content_type: Option<&str>) -> Result<Self, Refusal> {
        let form = content_type.is_some_and(|kind| kind.contains("x-www-form-urlencoded"));
        match std::str::from_utf8(body) {
            Ok(text) if form => Ok(Self::query(text)),
            _ => Self::json(body),
        }
    }

    /// A text or a number as a text; absent, `null` and empty are none.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        match self.0.get(name)? {
            Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// # Errors
    /// 40035 when it is there and no integer.
    pub(crate) fn integer(&self, name: &str) -> Result<Option<i64>, Refusal> {
        let parsed = self.text(name).map(|text| text.parse());
        parsed.transpose().map_err(|_| Refusal::BAD_PARAMETER)
    }

    /// Absent is false.
    pub(crate) fn flag(&self, name: &str) -> bool {
        match self.0.get(name) {
            Some(Value::Bool(value)) => *value,
            Some(Value::String(text)) => text == "true",
            _ => false,
        }
    }

    /// A JSON array of texts, or in a form its JSON text, or texts with commas between them.
    pub(crate) fn texts(&self, name: &str) -> Vec<String> {
        let array = |items: &[Value]| {
            items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
        };
        match self.0.get(name) {
            Some(Value::Array(items)) => array(items),
            Some(Value::String(text)) => serde_json::from_str::<Vec<Value>>(text).map_or_else(
                |_| text.split(',').filter(|id| !id.is_empty()).map(str::to_owned).collect(),
                |items| array(&items),
            ),
            _ => Vec::new(),
        }
    }
}

impl Call<'_> {
    pub(crate) fn ids(&self) -> Ids {
        self.site.ids
    }

    /// Whether a fault that an endpoint must act out itself strikes now.
    pub(crate) fn strikes(&self, fault: Fault) -> bool {
        self.site.strikes(fault, self.endpoint)
    }

    /// The department asked for, whatever the range; the root where none is named.
    pub(crate) fn any_dept(&self) -> Result<DeptNo, Refusal> {
        let id = self.params.integer("dept_id")?.unwrap_or(super::ids::ROOT);
        if id < 0 {
            return Err(Refusal::BAD_DEPT);
        }
        let no = self.ids().parse_dept_id(id).filter(|no| self.world.dept(*no).is_some());
        no.ok_or(Refusal::NO_SUCH_DEPT)
    }

    /// The same within the range.
    pub(crate) fn dept(&self) -> Result<DeptNo, Refusal> {
        let no = self.any_dept()?;
        let seen = self.access.sees_dept(self.world, no);
        if seen { Ok(no) } else { Err(Refusal::DEPT_OUT_OF_RANGE) }
    }

    /// Somebody who is employed; who has left is as unknown as who never was.
    pub(crate) fn member(&self, no: Option<PersonNo>) -> Result<(PersonNo, &Person), Refusal> {
        let found = no.and_then(|no| self.world.person(no).map(|person| (no, person)));
        let (no, person) =
            found.filter(|(_, person)| person.employed()).ok_or(Refusal::NO_SUCH_USER)?;
        if !self.access.sees_person(self.world, no, person) {
            return Err(Refusal::USER_OUT_OF_RANGE);
        }
        Ok((no, person))
    }

    /// `cursor` or `offset`, and `size`, of which there may be so many.
    pub(crate) fn page(&self, cursor: &str, size: &str, most: usize) -> Result<Page, Refusal> {
        let from = self.params.integer(cursor)?.unwrap_or(0);
        let from = u64::try_from(from).map_err(|_| Refusal::BAD_CURSOR)?;
        let size = match self.params.integer(size)?.map(usize::try_from) {
            Some(Ok(size)) if (1..=most).contains(&size) => size,
            _ => return Err(Refusal::BAD_SIZE),
        };
        Ok(Page { from, size })
    }

    /// Writes `has_more` and `next_cursor`; says how many of those found belong to the page. `next` counts from the
    /// last of them.
    pub(crate) fn write_paging(
        &self,
        json: &mut Json,
        page: Page,
        found: usize,
        next: u64,
    ) -> usize {
        let more = found > page.size && !self.strikes(Fault::TruncatedList);
        json.key("has_more").bool(more);
        if more {
            let next = if self.strikes(Fault::RepeatedToken) { page.from } else { next };
            json.key("next_cursor").number(next);
        }
        found.min(page.size)
    }
}

/// An instant of `2026-03-31 09:05:00` in Shanghai; a date alone is its midnight.
///
/// # Errors
/// 41100 for anything else.
pub(crate) fn instant(text: &str) -> Result<i64, Refusal> {
    let (date, time) = text.split_once(' ').unwrap_or((text, "00:00:00"));
    let day = parse_date(date).ok_or(Refusal::BAD_DATE)?;
    let parts: Vec<i64> = time.split(':').filter_map(|part| part.parse().ok()).collect();
    match parts[..] {
        [hour @ 0..24, minute @ 0..60, second @ 0..60] => {
            Ok(midnight(day) + hour * 3_600 + minute * 60 + second)
        }
        _ => Err(Refusal::BAD_DATE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_as_lenient_as_the_platform() {
        let form = b"dept_id=7&ids=%5B%22a%22%2C%22b%22%5D&list=a,b&flag=true";
        let params = Params::body(form, Some("application/x-www-form-urlencoded")).unwrap();
        assert_eq!(params.integer("dept_id"), Ok(Some(7)));
        assert_eq!(params.texts("ids"), ["a", "b"]);
        assert_eq!(params.texts("list"), ["a", "b"]);
        assert!(params.flag("flag"));
        let params = Params::body(br#"{"dept_id":"7","ids":["a"],"bad":"x"}"#, None).unwrap();
        assert_eq!(params.integer("dept_id"), Ok(Some(7)));
        assert_eq!(params.texts("ids"), ["a"]);
        assert_eq!(params.integer("bad"), Err(Refusal::BAD_PARAMETER));
        assert!(Params::body(b"[]", None).is_err());
    }

    #[test]
    fn instants_are_shanghais() {
        assert_eq!(instant("2026-01-01 08:00:00"), Ok(1_767_225_600));
        assert_eq!(instant("2026-01-01"), Ok(1_767_196_800));
        for text in ["", "2026-13-01", "2026-01-01 24:00:00", "2026-01-01 8"] {
            assert_eq!(instant(text), Err(Refusal::BAD_DATE), "{text}");
        }
    }
}
