//! The published JSON Schema and the check of drafts give the same verdict.

use std::collections::BTreeMap;

use proptest::prelude::*;
use regex::Regex;
use rollcall::model::draft::Draft;
use rollcall::model::entity::Entity;
use rollcall::model::schema::{self, FieldType, Need, json_schema};
use serde_json::{Map, Value, json};

thread_local! {
    static EMPLOYEE: Option<Published> = Published::of(Entity::Employee).ok();
}

/// Whether the published schema of employees accepts an object.
fn published_accepts(object: Map<String, Value>) -> Option<bool> {
    EMPLOYEE.with(|schema| schema.as_ref().map(|schema| schema.accepts(&Value::Object(object))))
}

/// Keywords that need no reading before they are used, or that say nothing about values.
const IGNORED: [&str; 7] =
    ["$schema", "title", "description", "type", "required", "enum", "format"];
const LIMITS: [&str; 6] =
    ["minLength", "maxLength", "maxItems", "maxProperties", "minimum", "maximum"];

/// The schema of one entity as another program reads it: exactly the keywords that it uses, formats asserted.
struct Published {
    schema: Value,
    patterns: BTreeMap<String, Regex>,
}

impl Published {
    fn of(entity: Entity) -> Result<Self, String> {
        let mut published = Self { schema: json_schema(entity), patterns: BTreeMap::new() };
        let schema = published.schema.clone();
        published.read(&schema)?;
        Ok(published)
    }

    /// Compiles the patterns; a keyword that [`Published::fits`] does not know is an error.
    fn read(&mut self, schema: &Value) -> Result<(), String> {
        for (keyword, value) in schema.as_object().ok_or("a schema is an object")? {
            match (keyword.as_str(), value) {
                ("pattern", Value::String(pattern)) => {
                    let regex = Regex::new(pattern).map_err(|error| error.to_string())?;
                    self.patterns.insert(pattern.clone(), regex);
                }
                ("properties", Value::Object(fields)) => {
                    fields.values().try_for_each(|field| self.read(field))?;
                }
                ("items" | "propertyNames", inner) => self.read(inner)?,
                ("additionalProperties", inner) => {
                    if *inner != Value::Bool(false) {
                        self.read(inner)?;
                    }
                }
                (keyword, _) if IGNORED.contains(&keyword) || LIMITS.contains(&keyword) => {}
                (other, _) => return Err(format!("unknown keyword {other}")),
            }
        }
        Ok(())
    }

    fn accepts(&self, value: &Value) -> bool {
        self.fits(&self.schema, value)
    }

    fn fits(&self, schema: &Value, value: &Value) -> bool {
        has_type(&schema["type"], value)
            && schema["enum"].as_array().is_none_or(|words| words.contains(value))
            && match value {
                Value::String(text) => self.fits_text(schema, text),
                Value::Number(number) => {
                    let number = number.as_f64().unwrap_or(f64::NAN);
                    schema["minimum"].as_f64().is_none_or(|least| number >= least)
                        && schema["maximum"].as_f64().is_none_or(|most| number <= most)
                }
                Value::Array(items) => {
                    at_most(&schema["maxItems"], items.len())
                        && items.iter().all(|item| {
                            schema.get("items").is_none_or(|inner| self.fits(inner, item))
                        })
                }
                Value::Object(object) => self.fits_object(schema, object),
                Value::Null | Value::Bool(_) => true,
            }
    }

    fn fits_text(&self, schema: &Value, text: &str) -> bool {
        at_most(&schema["maxLength"], text.chars().count())
            && schema["minLength"].as_u64().is_none_or(|least| text.chars().count() as u64 >= least)
            && schema["pattern"]
                .as_str()
                .is_none_or(|pattern| self.patterns[pattern].is_match(text))
            && match schema["format"].as_str() {
                Some("date") => text.parse::<jiff::civil::Date>().is_ok(),
                Some("date-time") => text.parse::<jiff::Timestamp>().is_ok(),
                _ => true,
            }
    }

    fn fits_object(&self, schema: &Value, object: &Map<String, Value>) -> bool {
        let needed = schema["required"].as_array().into_iter().flatten();
        let mut needed = needed.filter_map(Value::as_str);
        at_most(&schema["maxProperties"], object.len())
            && needed.all(|name| object.contains_key(name))
            && object.iter().all(|(name, value)| {
                let known = schema["properties"].get(name);
                let rule = known.or_else(|| schema.get("additionalProperties"));
                schema.get("propertyNames").is_none_or(|names| self.fits(names, &json!(name)))
                    && rule.is_none_or(|rule| *rule != Value::Bool(false) && self.fits(rule, value))
            })
    }
}

fn at_most(limit: &Value, found: usize) -> bool {
    limit.as_u64().is_none_or(|limit| found as u64 <= limit)
}

fn has_type(types: &Value, value: &Value) -> bool {
    let is = |name: &Value| match name.as_str() {
        Some("null") => value.is_null(),
        Some("boolean") => value.is_boolean(),
        Some("string") => value.is_string(),
        Some("number") => value.is_number(),
        Some("integer") => {
            value.is_i64() || value.as_f64().is_some_and(|number| number.fract() == 0.0)
        }
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => false,
    };
    match types {
        Value::Null => true,
        Value::Array(types) => types.iter().any(is),
        one => is(one),
    }
}

fn accepts(entity: Entity, object: &Map<String, Value>) -> bool {
    Draft::from_json(entity, object).is_ok()
}

/// A value that fits a field.
fn fitting(entity: Entity, field: &schema::Field) -> Value {
    match field.ty {
        FieldType::Id if field.name == "external_id" => json!(format!("feishu:{entity}:1")),
        FieldType::Id => json!("feishu:employee:e1"),
        FieldType::Ids => json!(["feishu:department:d1"]),
        FieldType::Text(_) => json!("text"),
        FieldType::Integer | FieldType::Minutes => json!(5),
        FieldType::Decimal => json!(1.5),
        FieldType::Bool => json!(true),
        FieldType::Date => json!("2026-02-28"),
        FieldType::Instant => json!("2026-11-20T09:02:03+08:00"),
        FieldType::Zone => json!("Asia/Shanghai"),
        FieldType::Mobile => json!("+8613800138000"),
        FieldType::Email => json!("li@example.com"),
        FieldType::Enum(words) => json!(words[0]),
        FieldType::Custom => json!({ "a": "x", "b": 1, "c": true, "d": 1.5 }),
    }
}

fn object(entity: Entity, need: Option<Need>) -> Map<String, Value> {
    schema::fields(entity)
        .iter()
        .filter(|field| need.is_none_or(|need| field.need == need))
        .map(|field| (field.name.to_owned(), fitting(entity, field)))
        .collect()
}

/// Texts at the edge of every type.
const TEXTS: &[&str] = &[
    "",
    " ",
    "x",
    "x\u{0}",
    "\u{0}",
    "active",
    "in",
    "day",
    "am",
    "annual",
    "present",
    "gcj02",
    "gps",
    "normal",
    "shift",
    "ACTIVE",
    "2026-02-28",
    "2026-02-29",
    "2024-02-29",
    "2026-2-3",
    "2026-02-30",
    "0000-01-01",
    "2026-13-01",
    "2026-00-10",
    "20260228",
    "2026-11-20T09:02:03+08:00",
    "2026-11-20T09:02:03Z",
    "2026-11-20T09:02:03.5+08:00",
    "2026-11-20T24:00:00+08:00",
    "2026-11-20T09:02:60+08:00",
    "2026-11-20T09:02+08:00",
    "2026-11-20 09:02:03+08:00",
    "2026-11-31T09:02:03+08:00",
    "2026-11-20T09:02:03+14:00",
    "2026-11-20T09:02:03+15:00",
    "2026-11-20T09:02:03-00:00",
    "2026-11-20T09:02:03+00:00",
    "2026-11-20T09:02:03-05:30",
    "2026-11-20T09:02:03-00:30",
    "2026-11-20T09:60:03+08:00",
    "2026-11-20T09:02:03+08:60",
    "Asia/Shanghai",
    "UTC",
    "America/Argentina/Buenos_Aires",
    "Asia Shanghai",
    "+08:00",
    "/Asia",
    "Asia/",
    "+8613800138000",
    "+861380",
    "+123456",
    "+1234567",
    "8613800138000",
    "+0123456789",
    "+123456789012345",
    "+1234567890123456",
    "+86 138",
    "li@example.com",
    "li@localhost",
    "@example.com",
    "li@",
    "li@example.com.",
    "li@@example.com",
    "l i@example.com",
    "li@exa mple.com",
    "李@例子.中国",
    "li\u{1}@example.com",
    "li@.example.com",
    "feishu:employee:e1",
    "feishu:department:d1",
    "feishu:check_in:1",
    "feishu:attendance_day:1",
    "feishu:leave:1",
    "feishu:robot:1",
    "feishu:employee:",
    "feishu:employee: x",
    "feishu:employee:a b",
    "feishu:employee:a:b",
    "Feishu:employee:1",
    "-f:employee:1",
    "feishu:employee:a\u{85}b",
    "feishu:employee:\u{a0}x",
    "feishu:employee:x\u{7f}",
    ":employee:1",
    "feishu:employee",
];

/// Values at the edge of every type.
fn edges() -> Vec<Value> {
    let mut values = vec![
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(10_080),
        json!(10_081),
        json!(1.5),
        json!(5.0),
        json!([]),
        json!({}),
        json!([1]),
        json!([null]),
        json!({ "a": null }),
        json!({ "a": [] }),
        json!({ "": 1 }),
        json!({ "a\nb": 1 }),
        json!({ "a": "x\u{0}" }),
        json!({ "k".repeat(64): 1 }),
        json!({ "k".repeat(65): 1 }),
        json!({ "a": "x".repeat(1000) }),
        json!({ "a": "李".repeat(1001) }),
        json!(["feishu:department:d1", "feishu:department:d1"]),
        json!(["nothing"]),
        json!(vec!["feishu:employee:e"; 501]),
    ];
    let custom: Map<String, Value> = (0..101).map(|n| (format!("k{n}"), json!(n))).collect();
    values.push(Value::Object(custom));
    values.extend(TEXTS.iter().map(|text| json!(text)));
    for count in [63, 64, 65, 128, 129, 250, 251, 256, 257] {
        values.push(json!("李".repeat(count)));
        values.push(json!("x".repeat(count)));
    }
    for count in [199, 200, 201, 300] {
        values.push(json!(format!("feishu:employee:{}", "x".repeat(count))));
        values.push(json!(format!("feishu:employee:{}", "李".repeat(count))));
    }
    for count in [62, 63] {
        values.push(json!(format!("{}:employee:1", "c".repeat(count + 1))));
    }
    for count in [242, 243] {
        values.push(json!(format!("{}@example.com", "a".repeat(count))));
    }
    values
}

fn has_shape_of_unknown_zone(value: &Value) -> bool {
    let known = ["Asia/Shanghai", "UTC", "America/Argentina/Buenos_Aires"];
    let shaped = |letter: char| letter.is_ascii_alphanumeric() || "_+-/".contains(letter);
    value.as_str().is_some_and(|text| {
        !known.contains(&text)
            && text.starts_with(|letter: char| letter.is_ascii_alphabetic())
            && text.chars().all(shaped)
    })
}

#[test]
fn every_value_in_every_field_gets_the_same_verdict() {
    let values = edges();
    let mut verdicts = [0, 0];
    for entity in Entity::ALL {
        let published = Published::of(entity).unwrap();
        let whole = object(entity, None);
        assert!(
            accepts(entity, &whole) && published.accepts(&Value::Object(whole.clone())),
            "{entity}"
        );
        for field in schema::fields(entity) {
            for value in &values {
                // The schema knows a zone only by its shape.
                if field.ty == FieldType::Zone && has_shape_of_unknown_zone(value) {
                    continue;
                }
                let mut object = whole.clone();
                object.insert(field.name.to_owned(), value.clone());
                let verdict = accepts(entity, &object);
                assert_eq!(
                    verdict,
                    published.accepts(&Value::Object(object)),
                    "{entity}.{}: {value}",
                    field.name
                );
                verdicts[usize::from(verdict)] += 1;
            }
        }
    }
    assert!(verdicts[0] > 5_000 && verdicts[1] > 500, "{verdicts:?}");
}

#[test]
fn required_fields_and_unknown_ones_get_the_same_verdict() {
    for entity in Entity::ALL {
        let published = Published::of(entity).unwrap();
        let least = object(entity, Some(Need::Required));
        assert!(
            accepts(entity, &least) && published.accepts(&Value::Object(least.clone())),
            "{entity}"
        );
        for name in least.keys() {
            let mut object = least.clone();
            object.remove(name);
            assert!(
                !accepts(entity, &object) && !published.accepts(&Value::Object(object)),
                "{entity}.{name}"
            );
        }
        let mut object = least;
        object.insert("colour".to_owned(), json!(null));
        assert!(
            !accepts(entity, &object) && !published.accepts(&Value::Object(object)),
            "{entity}"
        );
    }
}

#[test]
fn a_zone_that_does_not_exist_is_the_one_thing_only_the_check_knows() {
    let mut object = object(Entity::CheckIn, None);
    object.insert("timezone".to_owned(), json!("Asia/Shanghia"));
    assert!(!accepts(Entity::CheckIn, &object));
    assert!(Published::of(Entity::CheckIn).unwrap().accepts(&Value::Object(object)));
}

#[test]
fn the_schema_is_closed_and_described() {
    for entity in Entity::ALL {
        let schema = json_schema(entity);
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        assert_eq!(schema["additionalProperties"], false);
        let properties = schema["properties"].as_object().unwrap();
        assert_eq!(properties.len(), schema::fields(entity).len());
        assert!(
            properties
                .values()
                .all(|field| field["description"].as_str().is_some_and(|text| !text.is_empty()))
        );
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e12..1e12).prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
        "[a-z:+@0-9T.-]{0,30}".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(".{0,4}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn random_values_get_the_same_verdict(value in any_json(), place in 0_usize..1000) {
        let entity = Entity::Employee;
        let fields = schema::fields(entity);
        let field = fields[place % fields.len()];
        // The schema knows a zone only by its shape.
        prop_assume!(field.ty != FieldType::Zone);
        let mut object = object(entity, None);
        object.insert(field.name.to_owned(), value);
        let verdict = accepts(entity, &object);
        prop_assert_eq!(Some(verdict), published_accepts(object));
    }

    #[test]
    fn a_draft_reads_back_as_itself(note in ".{0,250}", millionths in -180_000_000_i32..180_000_000) {
        let mut object = object(Entity::CheckIn, None);
        object.insert("note".to_owned(), json!(note));
        let degrees = f64::from(millionths) / 1e6;
        object.insert("longitude".to_owned(), json!(degrees));
        object.insert("custom".to_owned(), json!({ "n": degrees, "note": note }));
        if let Ok(draft) = Draft::from_json(Entity::CheckIn, &object) {
            let back: Map<String, Value> = serde_json::from_slice(draft.json()).unwrap();
            prop_assert_eq!(&back["note"], &object["note"]);
            prop_assert_eq!(Draft::from_json(Entity::CheckIn, &back), Ok(draft));
        }
    }
}
