//! A record in the EHR's own terms: what a mapping made of a source object, checked against the schema.
//!
//! Not here: how a source object is read (mapping) or how a draft is stored (target). The invariant: a [`Draft`] that
//! exists fits the schema, and two drafts with the same content have the same text and the same hash.

use std::borrow::Cow;

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::model::entity::Entity;
use crate::model::hash::ContentHash;
use crate::model::ids::ExternalId;
use crate::model::plan::{Change, Verb};
use crate::model::schema::{self, Need};

/// A valid draft. Two drafts with the same content have the same text and the same hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    external_id: ExternalId,
    json: Bytes,
    hash: ContentHash,
}

/// How a draft breaks the schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("field `{field}` {problem}")]
pub struct Violation {
    /// A stable code, such as `schema::required`.
    pub code: &'static str,
    /// The field's name.
    pub field: String,
    /// What is wrong and what would be right, without the value itself.
    pub problem: String,
}

/// The value of a field before it is checked. A field without one is left alone: it is not set at all.
#[derive(Clone, Debug, PartialEq)]
pub enum Content<'a> {
    /// Erase on purpose.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// Text.
    Text(Cow<'a, str>),
    /// A list.
    List(Vec<Content<'a>>),
    /// An object; of two entries with the same key the first counts.
    Map(Vec<(Cow<'a, str>, Content<'a>)>),
}

impl Content<'_> {
    /// The same content, borrowing nothing.
    pub fn into_owned(self) -> Content<'static> {
        match self {
            Self::Null => Content::Null,
            Self::Bool(flag) => Content::Bool(flag),
            Self::Int(number) => Content::Int(number),
            Self::Float(number) => Content::Float(number),
            Self::Text(text) => Content::Text(Cow::Owned(text.into_owned())),
            Self::List(items) => Content::List(items.into_iter().map(Self::into_owned).collect()),
            Self::Map(entries) => {
                let owned = entries
                    .into_iter()
                    .map(|(key, value)| (Cow::Owned(key.into_owned()), value.into_owned()));
                Content::Map(owned.collect())
            }
        }
    }

    /// What kind of value it is, in words that fit "is ..".
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "true or false",
            Self::Int(_) => "a whole number",
            Self::Float(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "an object",
        }
    }
}

impl<'a> From<&'a Value> for Content<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(flag) => Self::Bool(*flag),
            Value::Number(number) => match number.as_i64() {
                Some(number) => Self::Int(number),
                None => Self::Float(number.as_f64().unwrap_or(f64::NAN)),
            },
            Value::String(text) => Self::Text(Cow::Borrowed(text)),
            Value::Array(items) => Self::List(items.iter().map(Self::from).collect()),
            Value::Object(map) => Self::Map(
                map.iter()
                    .map(|(key, value)| (Cow::Borrowed(key.as_str()), value.into()))
                    .collect(),
            ),
        }
    }
}

/// The fields of a draft while it is put together, each at its place in the schema.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    entity: Entity,
    values: Vec<Option<Content<'a>>>,
    unknown: Vec<String>,
}

impl<'a> Fields<'a> {
    /// No field set yet.
    pub fn new(entity: Entity) -> Self {
        let values = vec![const { None }; schema::fields(entity).len()];
        Self { entity, values, unknown: Vec::new() }
    }

    /// The kind of record.
    pub fn entity(&self) -> Entity {
        self.entity
    }

    /// Sets a field by name; a name the schema does not have becomes a violation later.
    pub fn set(&mut self, name: &str, value: Content<'a>) {
        match schema::position(self.entity, name) {
            Some(at) => self.set_at(at, value),
            None => self.unknown.push(name.to_owned()),
        }
    }

    /// Sets the field at a position of [`schema::fields`]. Positions beyond the end are ignored.
    #[inline]
    pub fn set_at(&mut self, at: usize, value: Content<'a>) {
        if let Some(slot) = self.values.get_mut(at) {
            *slot = Some(value);
        }
    }

    /// Leaves a field alone again, whatever it was set to.
    pub fn unset(&mut self, name: &str) {
        match schema::position(self.entity, name) {
            Some(at) => self.unset_at(at),
            None => self.unknown.retain(|unknown| unknown != name),
        }
    }

    /// Leaves the field at a position of [`schema::fields`] alone again.
    #[inline]
    pub fn unset_at(&mut self, at: usize) {
        if let Some(slot) = self.values.get_mut(at) {
            *slot = None;
        }
    }

    /// The field's value.
    pub fn value(&self, name: &str) -> Option<&Content<'a>> {
        self.values.get(schema::position(self.entity, name)?)?.as_ref()
    }

    /// Whether the field has a value.
    pub fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }
}

impl Draft {
    /// Checks fields against the schema and writes them canonically.
    ///
    /// # Errors
    /// Every [`Violation`], in schema order, fields that the schema does not have last.
    pub fn try_new(fields: &Fields<'_>) -> Result<Self, Vec<Violation>> {
        let mut violations = Vec::new();
        let mut json = String::with_capacity(1024);
        json.push('{');
        let table = schema::fields(fields.entity);
        for (field, value) in table.iter().zip(&fields.values) {
            let Some(value) = value else {
                if field.need == Need::Required {
                    violations.push(Violation {
                        code: "schema::required",
                        field: field.name.to_owned(),
                        problem: "is required and missing; let the mapping set it".to_owned(),
                    });
                }
                continue;
            };
            if json.len() > 1 {
                json.push(',');
            }
            json.push('"');
            json.push_str(field.name);
            json.push_str("\":");
            if let Err(problem) = schema::write_value(field, value, &mut json) {
                violations.push(Violation {
                    code: problem.code,
                    field: field.name.to_owned(),
                    problem: problem.text,
                });
            }
        }
        json.push('}');
        violations.extend(fields.unknown.iter().map(|name| unknown(fields.entity, name)));
        if !violations.is_empty() {
            return Err(violations);
        }
        Self::finish(fields, &json).map_err(|violation| vec![violation])
    }

    /// Checks a JSON object, such as one that a client sent or a target holds.
    ///
    /// # Errors
    /// As [`Draft::try_new`].
    pub fn from_json(entity: Entity, object: &Map<String, Value>) -> Result<Self, Vec<Violation>> {
        let mut fields = Fields::new(entity);
        for (name, value) in object {
            fields.set(name, value.into());
        }
        Self::try_new(&fields)
    }

    fn finish(fields: &Fields<'_>, json: &str) -> Result<Self, Violation> {
        let external_id = match fields.values.first() {
            Some(Some(Content::Text(text))) => ExternalId::parse(text),
            _ => None,
        };
        match external_id {
            Some(external_id) if external_id.is_of(fields.entity) => {
                Ok(Self::written(external_id, json))
            }
            _ => Err(Violation {
                code: "schema::id",
                field: "external_id".to_owned(),
                problem: format!(
                    "names another kind of record; use `id(\"{}\", ..)` to make one",
                    fields.entity
                ),
            }),
        }
    }

    /// A draft whose canonical text was written and checked already.
    pub(super) fn written(external_id: ExternalId, json: &str) -> Self {
        let hash = ContentHash::of(json.as_bytes());
        Self { external_id, json: Bytes::copy_from_slice(json.as_bytes()), hash }
    }

    /// The join key.
    pub fn external_id(&self) -> &ExternalId {
        &self.external_id
    }

    /// The canonical JSON object: fields in schema order, absent ones left out, `null` for those erased on purpose.
    pub fn json(&self) -> &Bytes {
        &self.json
    }

    /// The hash of [`Draft::json`].
    pub fn hash(&self) -> ContentHash {
        self.hash
    }

    /// The change that writes it.
    pub fn into_change(self, verb: Verb) -> Change {
        let Self { external_id, json, hash } = self;
        Change { verb, external_id, json, hash }
    }
}

fn unknown(entity: Entity, name: &str) -> Violation {
    let names = schema::fields(entity).iter().map(|field| field.name);
    let problem = match schema::nearest(name, names) {
        Some(near) => format!("is no field of {entity}; did you mean `{near}`?"),
        None => format!(
            "is no field of {entity}; `rollcall schema {entity}` lists them, and the tenant's own go under `custom`"
        ),
    };
    Violation { code: "schema::unknown_field", field: name.to_owned(), problem }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn draft(value: Value) -> Result<Draft, Vec<Violation>> {
        let Value::Object(object) = value else { panic!("an object") };
        Draft::from_json(Entity::Employee, &object)
    }

    fn with(field: &str, value: Value) -> Value {
        let mut object = json!({
            "external_id": "feishu:employee:e1", "display_name": "Li", "department_external_ids": [], "status": "active",
        });
        object[field] = value;
        object
    }

    fn text(draft: &Draft) -> &str {
        std::str::from_utf8(draft.json()).unwrap()
    }

    #[test]
    fn fields_stand_in_schema_order_whatever_order_they_came_in() {
        let mut fields = Fields::new(Entity::Employee);
        fields.set("status", Content::Text("active".into()));
        fields.set("alias", Content::Null);
        fields.set("department_external_ids", Content::List(Vec::new()));
        fields.set("display_name", Content::Text("Li".into()));
        fields.set("external_id", Content::Text("feishu:employee:e1".into()));
        let draft = Draft::try_new(&fields).unwrap();
        let json = r#"{"external_id":"feishu:employee:e1","display_name":"Li","alias":null,"department_external_ids":[],"status":"active"}"#;
        assert_eq!(text(&draft), json);
        assert_eq!(draft.hash(), ContentHash::of(json.as_bytes()));
        assert_eq!(draft.external_id().as_str(), "feishu:employee:e1");
    }

    #[test]
    fn equal_content_has_one_spelling() {
        let one = draft(with("custom", json!({ "b": 5.0, "a": "x" }))).unwrap();
        let other = draft(with("custom", json!({ "a": "x", "b": 5 }))).unwrap();
        assert_eq!(one, other);
        let ids = json!(["feishu:department:a", "feishu:department:b", "feishu:department:a"]);
        let draft = draft(with("department_external_ids", ids)).unwrap();
        assert!(text(&draft).contains(r#"["feishu:department:a","feishu:department:b"]"#));
    }

    #[test]
    fn the_text_is_json_whatever_stands_in_it() {
        let name = "\u{1}\u{1f}\"\\/\n\r\t\u{7f}\u{2028}李🙂";
        let draft = draft(with("display_name", json!(name))).unwrap();
        let back: Value = serde_json::from_slice(draft.json()).unwrap();
        assert_eq!(back["display_name"], json!(name));
    }

    #[test]
    fn every_violation_is_told_and_none_holds_the_value() {
        let violations = draft(json!({
            "external_id": "geheim", "display_name": null, "mobile": "geheim", "moblie": 1, "department_external_ids": [],
            "start_date": "2026-02-30",
        }))
        .unwrap_err();
        let told: Vec<(&str, &str)> =
            violations.iter().map(|violation| (violation.field.as_str(), violation.code)).collect();
        assert_eq!(
            told,
            [
                ("external_id", "schema::id"),
                ("display_name", "schema::required"),
                ("mobile", "schema::mobile"),
                ("status", "schema::required"),
                ("start_date", "schema::date"),
                ("moblie", "schema::unknown_field"),
            ]
        );
        let all: String = violations.iter().map(ToString::to_string).collect();
        assert!(!all.contains("geheim"), "{all}");
        assert!(all.contains("did you mean `mobile`?"), "{all}");
    }

    #[test]
    fn a_draft_cannot_pose_as_another_kind() {
        let violations =
            draft(with("external_id", json!("feishu:department:employee"))).unwrap_err();
        assert_eq!(violations[0].field, "external_id");
        assert!(draft(with("external_id", json!("feishu:employee:a:department:b"))).is_ok());
    }

    #[test]
    fn unset_leaves_a_field_alone_again() {
        let mut fields = Fields::new(Entity::Employee);
        fields.set("alias", Content::Null);
        fields.set("colour", Content::Null);
        assert!(fields.has("alias"));
        fields.unset("alias");
        fields.unset("colour");
        assert!(!fields.has("alias"));
        fields.set_at(usize::MAX, Content::Null);
        let violations = Draft::try_new(&fields).unwrap_err();
        assert!(violations.iter().all(|violation| violation.code == "schema::required"));
    }
}
