//! Pages: of the directory, and of attendance.
//!
//! The one invariant: an answer without the described array is a fault, unless the description says that it may be absent.

use rollcall_sdk::{
    Batch, Content, Evidence, Fault, Host, Kind, Page, Response, Slice, Walk, Window, json,
};

use crate::answer::{Failure, no_json};
use crate::api::{Api, Call};
use crate::paging::{Position, natural};
use crate::spec::{Listed, Paging, Request, Sheet, Spec};
use crate::template::{Value, Values};

/// Where objects stand in an answer.
pub(crate) struct Shape<'s> {
    pub(crate) place: &'s str,
    pub(crate) items: &'s str,
    pub(crate) id: &'s [String],
    pub(crate) may_be_absent: bool,
}

/// What the description walks.
pub(crate) fn walks(spec: &Spec) -> Vec<Walk> {
    let walk = |(kind, listing): (&Listed, &crate::spec::Listing)| {
        if listing.per_department {
            Walk::PerDepartment(kind.kind())
        } else {
            Walk::Whole(kind.kind())
        }
    };
    spec.listings.iter().map(walk).collect()
}

/// What attendance the description has.
pub(crate) fn batches(spec: &Spec) -> Vec<Batch> {
    let batch = |(sheet, it): (&Sheet, &crate::spec::Attendance)| Batch {
        kind: sheet.kind(),
        people: it.people,
        days: it.days,
    };
    spec.attendance.iter().map(batch).collect()
}

/// One page of the directory.
pub(crate) fn directory<H: Host>(
    api: &Api<'_, H>,
    kind: Kind,
    within: Option<&str>,
    cursor: Option<&str>,
) -> Result<Page<H::Response>, Fault> {
    let listed = Listed::of(kind).ok_or(Fault::Unsupported)?;
    let listing = api.spec.listings.get(&listed).ok_or(Fault::Unsupported)?;
    let mut values = Values::new();
    if listing.per_department {
        let Some(department) = within.or(listing.root.as_deref()) else {
            return Ok(Page { content: Content::Empty, next: None, evidence: None });
        };
        values.insert("department", Value::Text(department.to_owned()));
    } else if within.is_some() {
        return Err(Fault::Unsupported);
    }
    let place = format!("listings.{}", listed.name());
    let shape = Shape {
        place: &place,
        items: &listing.items,
        id: listing.id.all(),
        may_be_absent: listing.may_be_absent,
    };
    let step = Step {
        request: &listing.request,
        paging: &listing.page,
        total: listing.total.as_deref(),
        shape,
    };
    let whole = if listing.per_department { Extent::Part } else { Extent::Whole };
    Ok(page(api, &step, values, (whole, cursor))?)
}

/// One page of attendance.
pub(crate) fn attendance<H: Host>(
    api: &Api<'_, H>,
    kind: Kind,
    (people, window): (&[String], Window),
    cursor: Option<&str>,
) -> Result<Page<H::Response>, Fault> {
    let sheet = Sheet::of(kind).ok_or(Fault::Unsupported)?;
    let it = api.spec.attendance.get(&sheet).ok_or(Fault::Unsupported)?;
    if people.is_empty() || window.start >= window.end {
        // Nobody is nobody: what an API makes of an empty list of people is its own secret.
        return Ok(Page { content: Content::Empty, next: None, evidence: None });
    }
    let values = Values::from([
        ("people", Value::List(people.to_vec())),
        ("start", Value::Instant(window.start)),
        ("end", Value::Instant(window.end)),
        ("last", Value::Instant(window.end - 1)),
    ]);
    let place = format!("attendance.{}", sheet.name());
    let shape =
        Shape { place: &place, items: &it.items, id: it.id.all(), may_be_absent: it.may_be_absent };
    let step = Step { request: &it.request, paging: &it.page, total: it.total.as_deref(), shape };
    Ok(page(api, &step, values, (Extent::Part, cursor))?)
}

/// Whether a total speaks for everything of the kind.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    Whole,
    Part,
}

struct Step<'s> {
    request: &'s Request,
    paging: &'s Paging,
    total: Option<&'s str>,
    shape: Shape<'s>,
}

fn page<H: Host>(
    api: &Api<'_, H>,
    step: &Step<'_>,
    mut values: Values,
    (extent, cursor): (Extent, Option<&str>),
) -> Result<Page<H::Response>, Failure> {
    let position = cursor.map_or(Ok(Position::START), Position::decode)?;
    position.fill(step.paging, &mut values);
    let link = position.link();
    let call = Call { place: step.shape.place, request: step.request, values: &values, link };
    let response = api.send(&call)?;
    let count = count(&response, &step.shape)?;
    let total = step.total.map(|at| natural(&response, at)).transpose()?.flatten();
    let next = position.next(step.paging, &response, count, total)?;
    let seen = position.seen + count;
    if extent == Extent::Part && next.is_none() && total.is_some_and(|total| total != seen) {
        // It changed while it was read, or was cut short: either way this part has to be read again.
        return Err(Fault::StaleCursor.into());
    }
    let evidence = match extent {
        Extent::Whole => total.map(|total| Evidence { scope: None, total: Some(total) }),
        Extent::Part => None,
    };
    let next = next.map(|next| next.encode());
    Ok(Page { content: content(response, &step.shape, count), next, evidence })
}

/// How many objects an answer holds.
pub(crate) fn count(response: &impl Response, shape: &Shape<'_>) -> Result<u64, Failure> {
    let count = match response.count(shape.items) {
        Some(count) => u64::from(count),
        None => without_array(response, shape)?,
    };
    if count > 0 && response.count(shape.items).is_some() {
        check_id(response, shape, &format!("{}/0", shape.items))?;
    }
    Ok(count)
}

/// No array: one object, or none, or not what was described.
fn without_array(response: &impl Response, shape: &Shape<'_>) -> Result<u64, Failure> {
    match response.pointer(shape.items) {
        Some(raw) if raw.starts_with('{') => {
            check_id(response, shape, shape.items)?;
            Ok(1)
        }
        Some(raw) if raw == "null" && shape.may_be_absent => Ok(0),
        None if response.pointer("").is_none() => Err(no_json(shape.place, response)),
        None if shape.may_be_absent => Ok(0),
        Some(_) | None => Err(Failure::invalid(
            "shape",
            format!("`{}.items`: the answer has no array at `{}`", shape.place, shape.items),
            "correct the pointer; or, if the API leaves empty lists out, add `may_be_absent: true`",
        )),
    }
}

/// Where the first object has its id, the others have theirs; the host looks at each.
fn check_id(response: &impl Response, shape: &Shape<'_>, object: &str) -> Result<(), Failure> {
    for pointer in shape.id {
        let at = format!("{object}{pointer}");
        let raw = response.pointer(&at).unwrap_or_default();
        if !raw.starts_with(['"', '-']) && !raw.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(Failure::invalid(
                "shape",
                format!("`{}.id`: there is no text or number at `{at}`", shape.place),
                "correct the pointer; it is relative to one object",
            ));
        }
    }
    Ok(())
}

/// The objects, left where they are.
pub(crate) fn content<R: Response>(response: R, shape: &Shape<'_>, count: u64) -> Content<R> {
    if count == 0 {
        return Content::Empty;
    }
    Content::Sliced(Slice { response, items: shape.items.to_owned(), id: shape.id.to_vec() })
}

/// The first id of a kind: what a listing within a department is tried with.
pub(crate) fn first_id<H: Host>(api: &Api<'_, H>, kind: Listed) -> Result<Option<String>, Fault> {
    let page = directory(api, kind.kind(), None, None)?;
    let Content::Sliced(slice) = page.content else { return Ok(None) };
    let object = match slice.response.count(&slice.items) {
        Some(_) => format!("{}/0", slice.items),
        None => slice.items,
    };
    let mut parts = Vec::new();
    for pointer in &slice.id {
        let at = format!("{object}{pointer}");
        let text = match json::text(&slice.response, &at) {
            Ok(text) => text,
            Err(_) => slice.response.pointer(&at),
        };
        parts.extend(text);
    }
    Ok((parts.len() == slice.id.len()).then(|| parts.join(":")))
}
