//! Single objects by id: one request each, or one for all.
//!
//! The one invariant: an id that the API does not know is left out and spoils no other.

use rollcall_sdk::{Content, Fault, Host, Item, Kind, Response as _, json};

use crate::api::{Api, Call};
use crate::listing::{Shape, content, count};
use crate::spec::{Listed, Meaning, Objects};
use crate::template::{Part, Template, Value, Values};

pub(crate) fn fetch<H: Host>(
    api: &Api<'_, H>,
    kind: Kind,
    ids: &[String],
) -> Result<Content<H::Response>, Fault> {
    let listed = Listed::of(kind).ok_or(Fault::Unsupported)?;
    let objects = api.spec.objects.get(&listed).ok_or(Fault::Unsupported)?;
    if ids.is_empty() {
        return Ok(Content::Empty);
    }
    let place = format!("objects.{}", listed.name());
    let shape = Shape {
        place: &place,
        items: &objects.items,
        id: objects.id.all(),
        may_be_absent: objects.may_be_absent,
    };
    if asks_one(objects) {
        let mut items = Vec::new();
        for id in ids {
            items.extend(one(api, objects, &shape, id)?);
        }
        return Ok(if items.is_empty() { Content::Empty } else { Content::Built(items) });
    }
    let values = Values::from([("ids", Value::List(ids.to_vec()))]);
    let call = Call { place: &place, request: &objects.request, values: &values, link: None };
    let response = api.send(&call)?;
    let count = count(&response, &shape)?;
    Ok(content(response, &shape, count))
}

fn asks_one(objects: &Objects) -> bool {
    let in_text = |text: &str| {
        let parts = Template::parse(text).map(|it| it.parts).unwrap_or_default();
        parts.iter().any(|part| matches!(part, Part::Value { name, .. } if name == "id"))
    };
    let request = &objects.request;
    in_text(request.path())
        || request.query.values().any(|value| in_text(&value.0))
        || request
            .body
            .as_ref()
            .is_some_and(|body| serde_yaml::to_string(body).is_ok_and(|text| text.contains("{id}")))
}

fn one<H: Host>(
    api: &Api<'_, H>,
    objects: &Objects,
    shape: &Shape<'_>,
    id: &str,
) -> Result<Option<Item>, Fault> {
    let values = Values::from([("id", Value::Text(id.to_owned()))]);
    let call = Call { place: shape.place, request: &objects.request, values: &values, link: None };
    let response = match api.send(&call) {
        Ok(response) => response,
        Err(failure) if failure.meaning == Meaning::NotFound => return Ok(None),
        Err(failure) => return Err(failure.into()),
    };
    if count(&response, shape)? == 0 {
        return Ok(None);
    }
    let object = match response.count(shape.items) {
        Some(_) => format!("{}/0", shape.items),
        None => shape.items.to_owned(),
    };
    let mut parts = Vec::new();
    for pointer in shape.id {
        let at = format!("{object}{pointer}");
        parts.push(json::text(&response, &at).ok().flatten().or_else(|| response.pointer(&at)));
    }
    let id: Option<Vec<String>> = parts.into_iter().collect();
    let item = |(id, payload): (Vec<String>, String)| Item { id: id.join(":"), payload };
    Ok(id.zip(response.pointer(&object)).map(item))
}
