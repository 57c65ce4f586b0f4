//! The records that a component under test has written to a canned system.
//!
//! The one invariant: a record keeps its id for as long as the system lives, whatever is written to it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use crate::model::entity::Entity;

use super::super::stage::Row;
use super::exchange::{Asked, Reply, reply};
use super::fill::{Values, filled, put};
use super::script::Store;

/// Records by kind and key.
#[derive(Default)]
pub(super) struct Kept(Mutex<BTreeMap<(Entity, String), Row>>);

impl Kept {
    /// Everything, as it stands.
    pub(super) fn rows(&self) -> BTreeMap<(Entity, String), Row> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The answer, if the request is one of this kind's.
    pub(super) fn answer(&self, store: &Store, asked: &Asked) -> Option<Reply> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let held = store.list.as_ref().filter(|held| asked.fits(&held.request).is_some());
        if let Some(held) = held {
            let mine = kept.iter().filter(|((kind, _), _)| *kind == store.kind);
            let shown = mine.map(|((_, key), it)| {
                let mut fields = it.fields.clone();
                fields.insert("id".to_owned(), json!(it.id));
                fields.insert("external_id".to_owned(), json!(key));
                fields.insert("retired".to_owned(), json!(it.retired));
                Value::Object(fields)
            });
            let mut answer = Value::Null;
            let shown: Vec<Value> = shown.collect();
            put(&mut answer, &held.items, Value::Array(shown));
            return Some(reply(200, &answer));
        }
        if let Some(key) = asked.fits(&store.retire).flatten() {
            let Some(it) = kept.get_mut(&(store.kind, key.clone())) else {
                return Some(reply(404, &json!({"error": "not found"})));
            };
            it.retired = true;
            return Some(acknowledged(store, &key, &it.id));
        }
        let key = asked.fits(&store.upsert).flatten()?;
        let Ok(Value::Object(fields)) = serde_json::from_slice(&asked.body) else {
            return Some(reply(400, &json!({"error": "the body is no object"})));
        };
        let unknown = fields.keys().find(|name| !store.sample.contains_key(*name));
        if let Some(name) = unknown {
            return Some(reply(422, &json!({"error": "unknown field", "field": name})));
        }
        let number = kept.len() + 1;
        let it = kept.entry((store.kind, key.clone())).or_default();
        if it.id.is_empty() {
            it.id = format!("t{number}");
        }
        it.retired = false;
        for (name, value) in fields {
            if value.is_null() {
                it.fields.remove(&name);
            } else {
                it.fields.insert(name, value);
            }
        }
        Some(acknowledged(store, &key, &it.id))
    }
}

fn acknowledged(store: &Store, key: &str, id: &str) -> Reply {
    let values = Values::from([("key", json!(key)), ("id", json!(id))]);
    reply(200, &filled(&store.answer, &values))
}
