//! The schema as JSON Schema, for other programs and for editors.
//!
//! Not here: the checks themselves; a test holds both to the same verdicts.

use serde_json::{Map, Value, json};

use super::check::{CUSTOM_ENTRIES, CUSTOM_KEY_CHARS, CUSTOM_TEXT_CHARS, IDS, WEEK_MINUTES};
use super::shapes::{EMAIL_CHARS, ID_CHARS};
use super::{Field, FieldType, Need, fields};
use crate::model::entity::Entity;

const ID: &str = r"^[a-z0-9][a-z0-9_-]{0,62}:(department|employee|check_in|attendance_day|leave):[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]{0,199}$";
const DATE: &str = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$";
const INSTANT: &str = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\+(0[0-9]|1[0-4]):[0-5][0-9]|-(0[1-9]|1[0-4]):[0-5][0-9]|-00:(0[1-9]|[1-5][0-9]))$";
const ZONE: &str = r"^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$";
const MOBILE: &str = r"^\+[1-9][0-9]{6,14}$";
const EMAIL: &str = r"^[^@\s\u0000-\u001f\u007f-\u009f]+@[^@.\s\u0000-\u001f\u007f-\u009f]+(\.[^@.\s\u0000-\u001f\u007f-\u009f]+)+$";

/// The JSON Schema (draft 2020-12) of an entity: a closed object with a description for every field.
pub fn json_schema(entity: Entity) -> Value {
    let mut properties = Map::new();
    let mut needed = Vec::new();
    for field in fields(entity) {
        properties.insert(field.name.to_owned(), property(entity, field));
        if field.need == Need::Required {
            needed.push(field.name);
        }
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": entity.name(),
        "description": "An absent field is left alone in the target, null erases it.",
        "type": "object",
        "properties": properties,
        "required": needed,
        "additionalProperties": false,
    })
}

fn property(entity: Entity, field: &Field) -> Value {
    let mut schema = match field.ty {
        FieldType::Id if field.name == "external_id" => own_id(entity),
        FieldType::Id => id(),
        FieldType::Ids => json!({ "type": "array", "items": id(), "maxItems": IDS }),
        FieldType::Text(limit) => match field.need {
            Need::Required => {
                json!({ "type": "string", "maxLength": limit, "pattern": r"^[^\u0000]*[^\s\u0000][^\u0000]*$" })
            }
            Need::Optional => {
                json!({ "type": "string", "maxLength": limit, "pattern": r"^[^\u0000]*$" })
            }
        },
        FieldType::Integer => json!({ "type": "integer" }),
        FieldType::Minutes => json!({ "type": "integer", "minimum": 0, "maximum": WEEK_MINUTES }),
        FieldType::Decimal => json!({ "type": "number" }),
        FieldType::Bool => json!({ "type": "boolean" }),
        FieldType::Date => json!({ "type": "string", "format": "date", "pattern": DATE }),
        FieldType::Instant => {
            json!({ "type": "string", "format": "date-time", "pattern": INSTANT })
        }
        FieldType::Zone => json!({ "type": "string", "pattern": ZONE }),
        FieldType::Mobile => json!({ "type": "string", "pattern": MOBILE }),
        FieldType::Email => {
            json!({ "type": "string", "maxLength": EMAIL_CHARS, "pattern": EMAIL })
        }
        FieldType::Enum(words) => json!({ "type": "string", "enum": words }),
        FieldType::Custom => custom(),
    };
    if field.need == Need::Optional {
        allow_null(&mut schema);
    }
    schema["description"] = json!(field.about);
    schema
}

fn id() -> Value {
    json!({ "type": "string", "maxLength": ID_CHARS, "pattern": ID })
}

fn own_id(entity: Entity) -> Value {
    let kinds = "(department|employee|check_in|attendance_day|leave)";
    json!({ "type": "string", "maxLength": ID_CHARS, "pattern": ID.replace(kinds, entity.name()) })
}

fn custom() -> Value {
    json!({
        "type": "object",
        "maxProperties": CUSTOM_ENTRIES,
        "propertyNames": {
            "minLength": 1,
            "maxLength": CUSTOM_KEY_CHARS,
            "pattern": r"^[^\u0000-\u001f\u007f-\u009f]*$",
        },
        "additionalProperties": {
            "type": ["string", "number", "boolean"],
            "maxLength": CUSTOM_TEXT_CHARS,
            "pattern": r"^[^\u0000]*$",
        },
    })
}

fn allow_null(schema: &mut Value) {
    let ty = schema["type"].clone();
    schema["type"] = json!([ty, "null"]);
    if let Some(words) = schema.get_mut("enum").and_then(Value::as_array_mut) {
        words.push(Value::Null);
    }
}
