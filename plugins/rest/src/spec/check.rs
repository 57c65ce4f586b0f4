//! Everything that can be wrong with a description before a request is sent, all of it at once.
//!
//! What this is not: YAML's own rules and unknown keys, which `serde` tells with line and column.

use serde_yaml::Value;

use super::{Auth, Code, Listing, Paging, Request, Spec, Wrong};
use crate::moment;
use crate::template::{Format, Part, Template};

/// The secrets that the manifest asks for.
const SECRETS: [&str; 4] = ["token", "basic", "client_secret", "extra"];

pub(super) fn check(spec: &Spec) -> Vec<Wrong> {
    let mut judge = Judge::default();
    judge.auth(&spec.auth);
    judge.headers("headers", &spec.headers, &[]);
    if let Some(offset) = &spec.utc_offset {
        let good = moment::offset(offset).is_some();
        judge
            .require(good, "utc_offset", || format!("`{offset}` is no offset; write it as +08:00"));
    }
    judge.code(spec.code.as_ref());
    for (index, rule) in spec.errors.iter().enumerate() {
        let idle = rule.status.is_none() && rule.code.is_empty();
        let place = format!("errors[{index}]");
        judge.require(!idle, &place, || "names neither `status` nor `code`; add one".to_owned());
        let coded = rule.code.is_empty() || spec.code.is_some();
        judge.require(coded, &place, || {
            "names a code, but `code.at` does not say where answers have one".to_owned()
        });
    }
    let empty = spec.listings.is_empty() && spec.attendance.is_empty();
    judge.require(!empty, "listings", || {
        "nothing is listed; describe `department` or `employee`".to_owned()
    });
    for (kind, listing) in &spec.listings {
        judge.listing(&format!("listings.{}", kind.name()), listing, spec);
    }
    for (sheet, it) in &spec.attendance {
        let place = format!("attendance.{}", sheet.name());
        let some = it.people > 0 && it.days > 0;
        judge.require(some, &place, || {
            "takes no people or no days; write how many one call takes, at least 1".to_owned()
        });
        judge.request(&place, &it.request, &["people", "start", "end", "last"], &it.page);
        judge.places(&place, &it.items, it.id.all(), it.total.as_deref());
        judge.needs(&place, &it.request, "people");
    }
    for (kind, it) in &spec.objects {
        let place = format!("objects.{}", kind.name());
        judge.request(&place, &it.request, &["id", "ids"], &Paging::None);
        judge.places(&place, &it.items, it.id.all(), None);
        let named = Judge::used(&it.request);
        let one = named.iter().any(|name| name == "id") != named.iter().any(|name| name == "ids");
        judge.require(one, &format!("{place}.request"), || {
            "must use either `{id}` or `{ids}`".to_owned()
        });
    }
    judge.wrong
}

#[derive(Default)]
struct Judge {
    wrong: Vec<Wrong>,
}

impl Judge {
    fn require(&mut self, holds: bool, place: &str, reason: impl FnOnce() -> String) {
        if !holds {
            self.wrong.push(Wrong { place: place.to_owned(), reason: reason() });
        }
    }

    fn auth(&mut self, auth: &Auth) {
        let Auth { bearer, basic, header, oauth2 } = auth;
        let ways = [bearer.is_some(), basic.is_some(), header.is_some(), oauth2.is_some()];
        let count = ways.into_iter().filter(|way| *way).count();
        self.require(count <= 1, "auth", || format!("names {count} ways; leave one"));
        for (place, secret) in [("auth.bearer", bearer), ("auth.basic", basic)] {
            if let Some(name) = secret {
                self.secret(place, name);
            }
        }
        if let Some(header) = header {
            self.text("auth.header.value", &header.value, &[]);
        }
        if let Some(oauth2) = oauth2 {
            self.path("auth.oauth2.path", &oauth2.path, &[]);
            self.secret("auth.oauth2.client_secret", &oauth2.client_secret);
            self.pointer("auth.oauth2.access_token", &oauth2.access_token);
            self.pointer("auth.oauth2.expires_in", &oauth2.expires_in);
        }
    }

    fn secret(&mut self, place: &str, name: &str) {
        let known = SECRETS.contains(&name);
        self.require(known, place, || {
            format!("`{name}` is no secret of this plugin; it has {}", SECRETS.join(", "))
        });
    }

    fn code(&mut self, code: Option<&Code>) {
        let Some(code) = code else { return };
        self.pointer("code.at", &code.at);
        self.require(!code.ok.is_empty(), "code.ok", || {
            "lists no code; write those that mean success, such as [0]".to_owned()
        });
    }

    fn listing(&mut self, place: &str, listing: &Listing, spec: &Spec) {
        let own: &[&str] = if listing.per_department { &["department"] } else { &[] };
        self.request(place, &listing.request, own, &listing.page);
        self.places(place, &listing.items, listing.id.all(), listing.total.as_deref());
        if listing.per_department {
            self.needs(place, &listing.request, "department");
            let walked = spec.listings.contains_key(&super::Listed::Department);
            self.require(walked, &format!("{place}.per_department"), || {
                "needs `listings.department`, to know which departments there are".to_owned()
            });
        }
        let idle = listing.root.is_some() && !listing.per_department;
        self.require(!idle, &format!("{place}.root"), || {
            "means something only with `per_department: true`".to_owned()
        });
    }

    /// A request, its placeholders, and that its paging really moves it on.
    fn request(&mut self, place: &str, request: &Request, own: &[&str], paging: &Paging) {
        let at = format!("{place}.request");
        let both = request.get.is_some() == request.post.is_some();
        self.require(!both, &at, || "names one of `get` and `post`, with the path".to_owned());
        let idle = request.get.is_some() && request.body.is_some();
        self.require(!idle, &at, || {
            "sends a body with GET; use `post`, or put it into `query`".to_owned()
        });
        let moving = match paging {
            Paging::None | Paging::Link { .. } => None,
            Paging::Cursor { .. } => Some("cursor"),
            Paging::Page { .. } => Some("page"),
            Paging::Offset { .. } => Some("offset"),
        };
        let known: Vec<&str> = own.iter().copied().chain(moving).collect();
        self.path(&at, request.path(), own);
        for (name, value) in &request.query {
            self.text(&format!("{at}.query.{name}"), &value.0, &known);
        }
        self.headers(&format!("{at}.headers"), &request.headers, &known);
        if let Some(body) = &request.body {
            self.body(&format!("{at}.body"), body, &known);
        }
        if let Some(moving) = moving {
            self.needs(place, request, moving);
        }
        self.paging(&format!("{place}.page"), paging);
    }

    fn paging(&mut self, place: &str, paging: &Paging) {
        let (next, others) = match paging {
            Paging::None => (None, [None, None]),
            Paging::Cursor { next, more } => (Some(next), [more.as_ref(), None]),
            Paging::Page { pages, more, .. } => (None, [pages.as_ref(), more.as_ref()]),
            Paging::Offset { more } => (None, [more.as_ref(), None]),
            Paging::Link { next } => (next.as_ref(), [None, None]),
        };
        for pointer in next.into_iter().chain(others.into_iter().flatten()) {
            self.pointer(place, pointer);
        }
    }

    fn needs(&mut self, place: &str, request: &Request, name: &str) {
        let used = Self::used(request).iter().any(|found| found == name);
        self.require(used, &format!("{place}.request"), || {
            format!("does not use `{{{name}}}`, so every call would be the same")
        });
    }

    /// The placeholders of a request.
    fn used(request: &Request) -> Vec<String> {
        let mut texts = vec![request.path().to_owned()];
        texts.extend(request.query.values().map(|value| value.0.clone()));
        texts.extend(request.headers.values().cloned());
        if let Some(body) = &request.body {
            strings(body, &mut texts);
        }
        let parsed = texts.iter().filter_map(|text| Template::parse(text).ok());
        let names = parsed.flat_map(|template| template.parts);
        names
            .filter_map(|part| match part {
                Part::Value { name, .. } => Some(name),
                Part::Text(_) | Part::Secret(_) => None,
            })
            .collect()
    }

    fn headers(
        &mut self,
        place: &str,
        headers: &std::collections::BTreeMap<String, String>,
        known: &[&str],
    ) {
        for (name, value) in headers {
            self.text(&format!("{place}.{name}"), value, known);
        }
    }

    fn body(&mut self, place: &str, body: &Value, known: &[&str]) {
        match body {
            Value::String(text) => self.text(place, text, known),
            Value::Sequence(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.body(&format!("{place}[{index}]"), item, known);
                }
            }
            Value::Mapping(members) => {
                for (name, value) in members {
                    let Some(name) = name.as_str() else {
                        self.require(false, place, || {
                            "has a key that is no text; quote it".to_owned()
                        });
                        continue;
                    };
                    self.body(&format!("{place}.{name}"), value, known);
                }
            }
            Value::Tagged(_) => self.require(false, place, || {
                "has a YAML tag, which JSON cannot express; remove it".to_owned()
            }),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn path(&mut self, place: &str, path: &str, known: &[&str]) {
        let good =
            path.starts_with('/') && !path.starts_with("//") && !path.contains(['?', '#', ' ']);
        self.require(good, place, || {
            format!("`{path}` is no path; begin with `/`, and put parameters into `query`")
        });
        self.text(place, path, known);
    }

    /// A text whose placeholders are all known here.
    fn text(&mut self, place: &str, text: &str, known: &[&str]) {
        let template = match Template::parse(text) {
            Ok(template) => template,
            Err(reason) => return self.require(false, place, || reason),
        };
        for part in &template.parts {
            match part {
                Part::Text(_) => {}
                Part::Secret(name) => self.secret(place, name),
                Part::Value { name, format } => {
                    let known_here = known.contains(&name.as_str());
                    let list = || known.iter().map(|it| format!("`{{{it}}}`")).collect::<Vec<_>>();
                    self.require(known_here, place, || match known {
                        [] => format!("`{{{name}}}` stands for nothing here"),
                        _ => format!(
                            "`{{{name}}}` stands for nothing here; there is {}",
                            list().join(", ")
                        ),
                    });
                    let instant = matches!(name.as_str(), "start" | "end" | "last");
                    let list = matches!(name.as_str(), "people" | "ids");
                    let fits = match format {
                        Format::Plain => true,
                        Format::Repeat => list,
                        Format::Instant(_) => instant,
                    };
                    self.require(fits, place, || {
                        format!("`{{{name}}}` cannot be written that way")
                    });
                }
            }
        }
    }

    fn places(&mut self, place: &str, items: &str, id: &[String], total: Option<&str>) {
        self.pointer(&format!("{place}.items"), items);
        self.require(!id.is_empty(), &format!("{place}.id"), || {
            "names no pointer; write where an object's id stands, such as /id".to_owned()
        });
        for pointer in id {
            self.pointer(&format!("{place}.id"), pointer);
        }
        if let Some(total) = total {
            self.pointer(&format!("{place}.total"), total);
        }
    }

    fn pointer(&mut self, place: &str, pointer: &str) {
        let good = pointer.is_empty() || pointer.starts_with('/');
        self.require(good, place, || format!("`{pointer}` is no JSON pointer; write `/data/items`, or nothing for the whole answer"));
    }
}

fn strings(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) => texts.push(text.clone()),
        Value::Sequence(items) => items.iter().for_each(|item| strings(item, texts)),
        Value::Mapping(members) => members.values().for_each(|value| strings(value, texts)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Tagged(_) => {}
    }
}
