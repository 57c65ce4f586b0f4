//! What a change does to each field, for people to read. Pure.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::model::entity::Entity;
use crate::model::ids::ExternalId;
use crate::model::plan::{Change, Verb};
use crate::port::target::Held;

/// One field before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldDiff {
    /// The field.
    pub field: String,
    /// What the target holds; null when it holds nothing.
    pub before: Value,
    /// What it will hold; null when it is erased.
    pub after: Value,
}

/// A planned change, field by field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// The kind of record.
    pub entity: Entity,
    /// What is done.
    pub verb: Verb,
    /// The record.
    pub external_id: ExternalId,
    /// The fields that change; for a retirement none.
    pub fields: Vec<FieldDiff>,
}

/// Compares a change with what the target holds. A field that the draft leaves out is left alone, so it is no difference.
pub fn show(entity: Entity, change: &Change, held: Option<&Held>) -> Shown {
    let parse =
        |json: &[u8]| serde_json::from_slice::<Map<String, Value>>(json).unwrap_or_default();
    let before = held.map(|held| parse(&held.json)).unwrap_or_default();
    let differs = |(field, after): (String, Value)| {
        let before = before.get(&field).cloned().unwrap_or(Value::Null);
        (before != after).then_some(FieldDiff { field, before, after })
    };
    let fields = parse(&change.json).into_iter().filter_map(differs).collect();
    Shown { entity, verb: change.verb, external_id: change.external_id.clone(), fields }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::json;

    use super::*;
    use crate::model::hash::ContentHash;
    use crate::model::ids::ConnectionId;

    fn fields(before: Option<Value>, after: &Value) -> Vec<String> {
        let change = Change {
            verb: Verb::Update,
            external_id: ExternalId::of(&ConnectionId::parse("c").unwrap(), Entity::Employee, "1"),
            json: Bytes::from(after.to_string()),
            hash: ContentHash::of(b""),
        };
        let held = before.map(|json| Held {
            hash: ContentHash::of(b""),
            retired: false,
            json: Bytes::from(json.to_string()),
        });
        let shown = show(Entity::Employee, &change, held.as_ref());
        shown.fields.iter().map(|f| format!("{} {} {}", f.field, f.before, f.after)).collect()
    }

    #[test]
    fn only_fields_that_differ_are_shown() {
        let before = json!({"job_title": "Engineer", "alias": "fox", "status": "active"});
        let after = json!({"job_title": "Lead", "alias": null, "status": "active"});
        assert_eq!(
            fields(Some(before), &after),
            [r#"alias "fox" null"#, r#"job_title "Engineer" "Lead""#]
        );
    }

    #[test]
    fn erasing_what_is_not_there_is_no_difference() {
        assert_eq!(fields(Some(json!({})), &json!({"alias": null})), [""; 0]);
    }

    #[test]
    fn a_field_left_out_is_left_alone() {
        assert_eq!(fields(Some(json!({"alias": "fox"})), &json!({})), [""; 0]);
    }
}
