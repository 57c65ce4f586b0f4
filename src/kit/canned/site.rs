//! What a request is answered: credentials first, then the first description that fits.
//!
//! The one invariant: a request that nothing describes is answered 404, never with something that looks like success.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use crate::model::entity::Entity;

use super::super::stage::{Often, Row, Trouble, Unplayable};
use super::exchange::{Asked, Reply, canned, reply};
use super::fill::{Values, filled, put};
use super::kept::Kept;
use super::pages::{self, Bend, Part};
use super::script::{Attendance, Auth, Listing, Objects, Paging, Script};
use super::world::{One, World, instants};

/// A platform.
pub(super) struct Site {
    script: Arc<Script>,
    world: World,
    requests: AtomicU64,
    tokens: AtomicU64,
    trouble: Mutex<Option<(Trouble, Often)>>,
    kept: Kept,
}

impl Site {
    pub(super) fn new(script: Arc<Script>, world: World) -> Self {
        Self {
            script,
            world,
            requests: AtomicU64::new(0),
            tokens: AtomicU64::new(0),
            trouble: Mutex::default(),
            kept: Kept::default(),
        }
    }

    pub(super) fn script(&self) -> &Script {
        &self.script
    }

    pub(super) fn world(&self) -> &World {
        &self.world
    }

    pub(super) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// What a target has written so far.
    pub(super) fn rows(&self) -> BTreeMap<(Entity, String), Row> {
        self.kept.rows()
    }

    pub(super) fn calm(&self) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub(super) fn play(&self, trouble: Trouble, often: Often) -> Result<(), Unplayable> {
        let bend = match trouble {
            Trouble::ExpiredToken => {
                let desk = self.script.auth.as_ref().and_then(|auth| auth.token.as_ref());
                if desk.is_none() {
                    return Err(Unplayable(
                        "its credentials are for ever, no token is handed out".to_owned(),
                    ));
                }
                self.tokens.fetch_add(1, Ordering::Relaxed);
                return Ok(());
            }
            Trouble::CutListing => Bend::Cut,
            Trouble::RepeatedPage => Bend::Repeated,
            Trouble::EmptyPage => Bend::Empty,
            _ => Bend::Straight,
        };
        let listings = &self.script.listings;
        let bends = listings.iter().any(|listing| pages::bends(&listing.page, bend));
        if bend != Bend::Straight && !bends {
            let why =
                "pages are numbered there, or there is only one: no token leads anywhere else";
            return Err(Unplayable(why.to_owned()));
        }
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some((trouble, often));
        Ok(())
    }

    /// Whether a trouble strikes here; one that strikes once is over then.
    fn strikes(&self, here: Trouble) -> bool {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        match *trouble {
            Some((found, often)) if found == here => {
                if often == Often::Once {
                    *trouble = None;
                }
                true
            }
            _ => false,
        }
    }

    pub(super) fn answer(&self, asked: &Asked) -> Reply {
        self.requests.fetch_add(1, Ordering::Relaxed);
        if let Some(auth) = &self.script.auth {
            if let Some(reply) = self.token(auth, asked) {
                return reply;
            }
            if !self.authorised(auth, asked) {
                return auth
                    .refused
                    .as_ref()
                    .map_or_else(|| reply(401, &json!({"error": "unauthorized"})), canned);
            }
        }
        self.struck().unwrap_or_else(|| self.described(asked))
    }

    /// The token desk's answer, if that is what is asked.
    fn token(&self, auth: &Auth, asked: &Asked) -> Option<Reply> {
        let desk = auth.token.as_ref()?;
        asked.fits(&desk.request)?;
        let wanted = desk.body_contains.as_ref().map(|text| self.with_secrets(text));
        let body = String::from_utf8_lossy(&asked.body);
        if wanted.is_some_and(|wanted| !body.contains(&wanted)) {
            return Some(reply(401, &json!({"error": "invalid_client"})));
        }
        let values = Values::from([("token", json!(self.current_token()))]);
        Some(reply(200, &filled(&desk.answer, &values)))
    }

    fn current_token(&self) -> String {
        format!("kit-token-{}", self.tokens.load(Ordering::Relaxed))
    }

    fn with_secrets(&self, text: &str) -> String {
        let secrets = self.script.secrets.iter();
        secrets.fold(text.replace("{token}", &self.current_token()), |text, (name, value)| {
            text.replace(&format!("{{secret:{name}}}"), value)
        })
    }

    fn authorised(&self, auth: &Auth, asked: &Asked) -> bool {
        let wanted = self.with_secrets(&auth.header.value);
        asked
            .headers
            .iter()
            .any(|(name, value)| name.eq_ignore_ascii_case(&auth.header.name) && *value == wanted)
    }

    /// A trouble that is no matter of what was asked.
    fn struck(&self) -> Option<Reply> {
        let text = |status, body: &str| Reply::Whole {
            status,
            headers: vec![("content-type".to_owned(), "text/html; charset=utf-8".to_owned())],
            body: body.as_bytes().to_vec(),
        };
        if self.strikes(Trouble::Throttled) {
            let slow = || Reply::Whole {
                status: 429,
                headers: vec![("retry-after".to_owned(), "1".to_owned())],
                body: b"{}".to_vec(),
            };
            return Some(self.script.throttled.as_ref().map_or_else(slow, canned));
        }
        if self.strikes(Trouble::ServerError) {
            let failing = || text(503, "<html><body>Service Unavailable</body></html>");
            return Some(self.script.failing.as_ref().map_or_else(failing, canned));
        }
        if self.strikes(Trouble::WebPage) {
            return Some(text(200, "<!doctype html><html><body>Sign in</body></html>"));
        }
        if self.strikes(Trouble::Reset) {
            return Some(Reply::Broken);
        }
        self.strikes(Trouble::Drip).then_some(Reply::Drip)
    }

    fn described(&self, asked: &Asked) -> Reply {
        let script = &self.script;
        let listed = script.listings.iter().find_map(|it| Some((it, asked.fits(&it.request)?)));
        if let Some((listing, part)) = listed {
            return self.bent(self.listing(listing, part, asked), &listing.items);
        }
        let sheet = script.attendance.iter().find(|it| asked.fits(&it.request).is_some());
        if let Some(sheet) = sheet {
            return self.bent(self.attendance(sheet, asked), &sheet.items);
        }
        let single = script.objects.iter().find_map(|it| Some((it, asked.fits(&it.request)?)));
        if let Some((objects, id)) = single {
            return self.objects(objects, id, asked);
        }
        let stored = script.stores.iter().find_map(|it| self.kept.answer(it, asked));
        stored.unwrap_or_else(|| reply(404, &json!({"error": "nothing is described here"})))
    }

    /// Half a document, or one with other types.
    fn bent(&self, reply: Reply, items: &str) -> Reply {
        let Reply::Whole { status, headers, mut body } = reply else { return reply };
        if self.strikes(Trouble::CutBody) {
            body.truncate(body.len() / 2);
        } else if self.strikes(Trouble::WrongTypes)
            && let Ok(mut json) = serde_json::from_slice(&body)
        {
            put(&mut json, items, json!("many"));
            body = json.to_string().into_bytes();
        }
        Reply::Whole { status, headers, body }
    }

    fn listing(&self, listing: &Listing, in_path: Option<String>, asked: &Asked) -> Reply {
        let world = &self.world;
        let named = in_path.or_else(|| asked.text(listing.within.as_ref()?));
        let within = named.map(|id| world.find(&id));
        let department = match (listing.kind, within) {
            (_, None) => None,
            (Entity::Employee, Some(Some(One::Department(number)))) => Some(number),
            _ => return reply(404, &json!({"error": "no such department"})),
        };
        let rows = match (listing.kind, department) {
            (Entity::Department, _) => world.departments(),
            (_, Some(department)) => world.members(department),
            (_, None) => world.people(),
        };
        let row = |nth: u32| match (listing.kind, department) {
            (Entity::Department, _) => self.object(&listing.item, One::Department(nth)),
            (_, Some(department)) => self.object(&listing.item, world.member(department, nth)),
            (_, None) => self.object(&listing.item, One::Person(nth)),
        };
        let sheet = Sheet {
            paging: &listing.page,
            items: &listing.items,
            total: listing.total.as_ref(),
            answer: &listing.answer,
        };
        self.page(&sheet, asked, rows, row)
    }

    fn attendance(&self, it: &Attendance, asked: &Asked) -> Reply {
        let moment = |place| {
            let text = asked.text(place)?;
            let number: i64 = text.parse().ok()?;
            Some(if number > 100_000_000_000 { number.div_euclid(1000) } else { number })
        };
        let (Some(start), Some(end)) = (moment(&it.start), moment(&it.end)) else {
            return reply(400, &json!({"error": "start and end are Unix times"}));
        };
        let named = asked.values(&it.people);
        let mut people: Vec<One> = named
            .iter()
            .flat_map(|text| {
                self.world.find(text).map_or_else(
                    || text.split(',').filter_map(|id| self.world.find(id)).collect(),
                    |one| vec![one],
                )
            })
            .filter(|one| matches!(one, One::Person(_)))
            .collect();
        if named.is_empty() {
            // As platforms do: nobody in particular is everybody.
            people = (0..self.world.people().min(1_000)).map(One::Person).collect();
        }
        let each_day = if it.kind == Entity::CheckIn { 2 } else { 1 };
        let instants = instants(start, end, each_day);
        let rows = u32::try_from(people.len() * instants.len()).unwrap_or(u32::MAX);
        let row = |nth: u32| {
            let (person, at) = (nth as usize / instants.len(), nth as usize % instants.len());
            let (person, at) = (self.world.id(people[person]), instants[at]);
            let id = format!("{person}-{at}");
            filled(
                &it.item,
                &Values::from([("id", json!(id)), ("person", json!(person)), ("at", json!(at))]),
            )
        };
        let sheet = Sheet {
            paging: &it.page,
            items: &it.items,
            total: it.total.as_ref(),
            answer: &it.answer,
        };
        self.page(&sheet, asked, rows, row)
    }

    fn page(
        &self,
        sheet: &Sheet<'_>,
        asked: &Asked,
        rows: u32,
        row: impl Fn(u32) -> Value,
    ) -> Reply {
        let Some(part) = pages::asked_for(sheet.paging, asked, rows) else {
            return reply(400, &json!({"error": "no such page"}));
        };
        // Numbered pages are cut by showing nothing behind the first.
        let numbered = matches!(sheet.paging, Paging::Page { .. } | Paging::Offset { .. });
        let behind_cut = numbered && part.from > 0 && self.strikes(Trouble::CutListing);
        let bend = if behind_cut { Bend::Cut } else { self.bend(sheet.paging, &part, rows) };
        let empty = behind_cut || bend == Bend::Empty;
        let shown = if empty { part.from..part.from } else { part.from..part.to };
        let mut answer = sheet.answer.clone();
        put(&mut answer, sheet.items, shown.map(row).collect());
        if let Some(total) = sheet.total {
            put(&mut answer, total, json!(rows));
        }
        let link = pages::write(sheet.paging, &mut answer, (&part, rows), (bend, asked));
        match (reply(200, &answer), link) {
            (Reply::Whole { status, mut headers, body }, Some(link)) => {
                headers.push(("link".to_owned(), link));
                Reply::Whole { status, headers, body }
            }
            (reply, _) => reply,
        }
    }

    /// A page is bent only where something follows it, and an empty one is not followed by another.
    fn bend(&self, paging: &Paging, part: &Part, rows: u32) -> Bend {
        if !part.has_more(rows) {
            return Bend::Straight;
        }
        let all = [
            (Trouble::CutListing, Bend::Cut),
            (Trouble::RepeatedPage, Bend::Repeated),
            (Trouble::EmptyPage, Bend::Empty),
        ];
        let fits = |bend| pages::bends(paging, bend) && !(bend == Bend::Empty && part.after_empty);
        let found = all.into_iter().find(|(trouble, bend)| fits(*bend) && self.strikes(*trouble));
        found.map_or(Bend::Straight, |(_, bend)| bend)
    }

    fn object(&self, item: &Value, one: One) -> Value {
        let world = &self.world;
        let above = world.department_of(one).map_or(Value::Null, |it| json!(world.id(it)));
        let values = Values::from([
            ("id", json!(world.id(one))),
            ("name", json!(world.name(one))),
            ("parent", above.clone()),
            ("department", above),
        ]);
        filled(item, &values)
    }

    /// An object as every listing of its kind shows it.
    pub(super) fn item(&self, kind: Entity, id: &str) -> Option<Value> {
        let one = self.world.find(id)?;
        let fits = match one {
            One::Department(_) => kind == Entity::Department,
            One::Person(_) => kind == Entity::Employee,
        };
        let listing = self.script.listings.iter().find(|it| it.kind == kind && fits)?;
        Some(self.object(&listing.item, one))
    }

    fn objects(&self, objects: &Objects, id: Option<String>, asked: &Asked) -> Reply {
        let mut answer = objects.answer.clone();
        if let Some(id) = id {
            let Some(item) = self.item(objects.kind, &id) else {
                let missing = || reply(404, &json!({"error": "not found"}));
                return objects.missing.as_ref().map_or_else(missing, canned);
            };
            put(&mut answer, &objects.items, item);
            return reply(200, &answer);
        }
        let named = objects.ids.as_ref().map(|place| asked.values(place)).unwrap_or_default();
        let ids = named.iter().flat_map(|text| match self.world.find(text) {
            Some(_) => vec![text.as_str()],
            None => text.split(',').collect(),
        });
        let found: Vec<Value> = ids.filter_map(|id| self.item(objects.kind, id)).collect();
        put(&mut answer, &objects.items, Value::Array(found));
        reply(200, &answer)
    }
}

/// A listing's shape.
struct Sheet<'s> {
    paging: &'s Paging,
    items: &'s str,
    total: Option<&'s String>,
    answer: &'s Value,
}
