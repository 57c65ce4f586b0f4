//! The department tree: in one listing where its size allows, else one by one (WeCom fact sheet, sections 2.1 and 2.3).
//!
//! What this is not: a check that the tree is closed, which is the host's. The one invariant: a department whose parent
//! the app may not see says so (`"top":true`), in a listing and on its own alike.

use std::collections::HashSet;

use rollcall_sdk::codes::Class;
use rollcall_sdk::{Content, Evidence, Fault, Host, Item, Page, Response};

use crate::api::{Api, Call, DETAILS};
use crate::codes::TOO_LARGE;
use crate::failure::Failure;
use crate::object;
use crate::range::{self, Fingerprint};
use crate::records::{self, MOST_RECORDS, sliced};
use crate::single::{self, Object};
use crate::skeleton::{self, Place};

/// Where `department/get` has its one department.
pub(crate) const ONE: &str = "/department";
const ITEMS: &str = "/department";
/// The company itself, above all departments.
pub(crate) const ROOT: u64 = 1;

/// One page of the tree.
pub(crate) fn list<H: Host>(
    api: &Api<'_, H>,
    cursor: Option<&str>,
) -> Result<Page<H::Response>, Fault> {
    Ok(match cursor {
        None => first(api)?,
        Some(cursor) => {
            let places = skeleton::departments(api, DETAILS)?;
            let ids = ids(&places);
            let after = single::place(cursor, &ids).ok_or(Fault::StaleCursor)?;
            one_by_one(api, &places, &ids, after)?
        }
    })
}

/// Departments by id; those that do not exist are left out.
pub(crate) fn by_id<H: Host>(
    api: &Api<'_, H>,
    ids: &[String],
) -> Result<Content<H::Response>, Failure> {
    let tops = tops(&skeleton::departments(api, DETAILS)?);
    let items = single::items(api, Object::Department, ids)?;
    Ok(single::content(marked(items, &tops)))
}

fn first<H: Host>(api: &Api<'_, H>) -> Result<Page<H::Response>, Failure> {
    let company = skeleton::all_departments(api)?;
    let granted = range::read(api)?;
    let (places, mut page) = match api.send(DETAILS, &Call::get("department/list", &[], ITEMS)) {
        Ok(response) if records::length(&response, ITEMS)? <= MOST_RECORDS => {
            let places = skeleton::places(&response, ITEMS)?;
            let content = whole(response, &places);
            (places, Page { content, next: None, evidence: None })
        }
        Err(failure) if !(failure.code == TOO_LARGE || failure.class == Class::TooLarge) => {
            return Err(failure);
        }
        Ok(_) | Err(_) => {
            let places = skeleton::departments(api, DETAILS)?;
            let page = one_by_one(api, &places, &ids(&places), 0)?;
            (places, page)
        }
    };
    let scope = granted.map_or_else(|| visible(&places), |range| range.fingerprint.text("range"));
    let total = company.map(|company| distinct(&company, &places));
    page.evidence = Some(Evidence { scope: Some(scope), total });
    Ok(page)
}

/// All departments of an answer: left where they are, unless some must be marked.
fn whole<R: Response>(response: R, places: &[Place]) -> Content<R> {
    let tops = tops(places);
    if places.is_empty() {
        return Content::Empty;
    }
    if tops.is_empty() {
        return sliced(response, ITEMS, &["/id"]);
    }
    let item = |(index, place): (usize, &Place)| Item {
        id: place.id.to_string(),
        payload: response.pointer(&format!("{ITEMS}/{index}")).unwrap_or_default(),
    };
    Content::Built(marked(places.iter().enumerate().map(item).collect(), &tops))
}

fn one_by_one<H: Host>(
    api: &Api<'_, H>,
    places: &[Place],
    ids: &[String],
    after: usize,
) -> Result<Page<H::Response>, Failure> {
    let mut page = single::page(api, Object::Department, ids, after)?;
    if let Content::Built(items) = page.content {
        page.content = Content::Built(marked(items, &tops(places)));
    }
    Ok(page)
}

/// The ids in the order in which they are read one by one.
fn ids(places: &[Place]) -> Vec<String> {
    let mut ids: Vec<String> = places.iter().map(|place| place.id.to_string()).collect();
    ids.sort_unstable();
    ids
}

/// The departments whose parent is one that is not visible, the company itself apart.
fn tops(places: &[Place]) -> HashSet<String> {
    let visible: HashSet<u64> = places.iter().map(|place| place.id).collect();
    let hidden = |place: &&Place| {
        place.id != ROOT && place.parent != ROOT && !visible.contains(&place.parent)
    };
    places.iter().filter(hidden).map(|place| place.id.to_string()).collect()
}

fn marked(items: Vec<Item>, tops: &HashSet<String>) -> Vec<Item> {
    let mark = |item: Item| {
        if tops.contains(&item.id) {
            Item { payload: object::with(&item.payload, r#""top":true"#), ..item }
        } else {
            item
        }
    };
    items.into_iter().map(mark).collect()
}

/// What the tree shows of the app's range where nothing else does: the departments that stand below none.
fn visible(places: &[Place]) -> String {
    let ids: HashSet<u64> = places.iter().map(|place| place.id).collect();
    let mut fingerprint = Fingerprint::default();
    for place in places.iter().filter(|place| !ids.contains(&place.parent)) {
        fingerprint.add('d', &place.id.to_string());
    }
    fingerprint.text("tops")
}

/// How many departments the listing should have: those of the company. Whether the company itself is one of them is
/// taken from the listing: the platform does not say.
fn distinct(company: &[Place], listed: &[Place]) -> u64 {
    let ids: HashSet<u64> = company.iter().map(|place| place.id).filter(|id| *id != ROOT).collect();
    ids.len() as u64 + u64::from(listed.iter().any(|place| place.id == ROOT))
}
