//! What the tests of this folder share: one small set of surroundings.

use std::sync::Arc;

use rhai::Dynamic;
use serde_json::{Value, json};

use super::engine::{self, LIMITS};
use super::explain::{End, explain};
use super::interpret::Room;
use super::library::Env;
use super::projection::Projection;
use super::script::{Role, Script};
use super::tape::Tape;
use super::{Source, paths};
use crate::model::draft::Content;
use crate::model::entity::Entity;
use crate::model::ids::ConnectionId;
use crate::port::mapper::Reject;

/// Tables that examples look up.
pub(crate) const TABLES: &str = "gender:\n  1: male\n  2: female\n  3: other\nemployment_type:\n  1: full_time\n  2: intern\n  _: other\n";

/// The connection of tests.
pub(crate) fn connection() -> ConnectionId {
    ConnectionId::parse("feishu").unwrap()
}

/// The surroundings of tests.
pub(crate) fn env() -> Arc<Env> {
    Arc::new(Env {
        connection: connection(),
        zone_name: "Asia/Shanghai".to_owned(),
        zone: jiff::tz::TimeZone::get("Asia/Shanghai").unwrap(),
        region: phonenumber::country::Id::CN,
        tables: Arc::new(super::yaml::tables(TABLES).unwrap()),
    })
}

/// The value of an expression as JSON, `()` and `clear()` as null.
pub(crate) fn evaluate(expression: &str) -> Result<Value, Box<Reject>> {
    evaluate_on(&format!("#{{ custom: {expression} }}"), &json!({}))
}

/// The kind of an expression's value, as in messages.
pub(crate) fn evaluate_kind(expression: &str) -> &'static str {
    let value = evaluate_raw(&format!("#{{ custom: {expression} }}"), &json!({})).unwrap();
    super::value::Value::of(&value).kind()
}

/// The kind of the value that a script puts under `custom`.
pub(crate) fn kind_on(script: &str, record: &Value) -> &'static str {
    let value = evaluate_raw(script, record).unwrap();
    super::value::Value::of(&value).kind()
}

/// The kind of an expression's value, `None` when it has none.
pub(crate) fn kind_of(expression: &str) -> Option<&'static str> {
    let env = env();
    let engine = engine::build(&env, LIMITS);
    let text = format!("#{{ custom: {expression} }}");
    let source = Arc::new(Source { name: "test.rhai".to_owned(), text });
    let script = Script::compile(&engine, &source, Entity::Employee, Role::Base, &env.tables);
    let (mut tape, projection) = (Tape::default(), Projection::new());
    let doc = tape.parse("{}", &projection).ok()?;
    let value = Room::new("Asia/Shanghai").evaluate(&engine, &script.ok()??.ast, &doc).ok()?;
    Some(super::value::Value::of(value.cast::<rhai::Map>().get("custom")?).kind())
}

/// The value that a script puts under `custom`.
pub(crate) fn evaluate_on(script: &str, record: &Value) -> Result<Value, Box<Reject>> {
    evaluate_raw(script, record).map(json)
}

fn evaluate_raw(script: &str, record: &Value) -> Result<Dynamic, Box<Reject>> {
    let env = env();
    let engine = engine::build(&env, LIMITS);
    let source = Arc::new(Source { name: "test.rhai".to_owned(), text: script.to_owned() });
    let script = Script::compile(&engine, &source, Entity::Employee, Role::Base, &env.tables)
        .unwrap_or_else(|faults| panic!("{script}: {faults:#?}"))
        .unwrap();
    let mut projection = Projection::new();
    paths::add(&mut projection, &script.ast);
    let (mut tape, record) = (Tape::default(), record.to_string());
    let doc = tape.parse(&record, &projection).unwrap();
    match Room::new("Asia/Shanghai").evaluate(&engine, &script.ast, &doc) {
        Ok(value) => Ok(value.cast::<rhai::Map>().remove("custom").unwrap()),
        Err(error) => match explain(&script, &error) {
            End::Rejected(reject) => Err(reject),
            End::Skipped => panic!("the record is left out"),
        },
    }
}

fn json(value: Dynamic) -> Value {
    match super::value::Value::from_dynamic(value).into_content() {
        Ok(content) => content.as_ref().map_or(Value::Null, show),
        Err(kind) => panic!("the value is {kind}"),
    }
}

fn show(content: &Content<'_>) -> Value {
    match content {
        Content::Null => Value::Null,
        Content::Bool(flag) => json!(flag),
        Content::Int(number) => json!(number),
        Content::Float(number) => json!(number),
        Content::Text(text) => json!(text),
        Content::List(items) => items.iter().map(show).collect(),
        Content::Map(entries) => {
            entries.iter().map(|(key, value)| (key.to_string(), show(value))).collect()
        }
    }
}
