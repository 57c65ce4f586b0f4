//! `id`: the external id of another record of the same connection.

use super::{Body, Env, Failure, Function, Outcome, lying, mismatch, needed, take, trim};
use crate::mapping::value::{Text, Value};
use crate::model::entity::Entity;
use crate::model::ids::SourceId;
use crate::model::schema;

pub(super) const FUNCTION: Function = Function {
    name: "id",
    usage: "id(kind, source_id) -> text",
    about: "The external id `<connection>:<kind>:<source id>`, the key of a record in every target. A missing or blank source id gives `()`, a cleared one `clear()`.",
    examples: [
        (r#"id("employee", "e1")"#, r#""feishu:employee:e1""#),
        (r#"id("department", "")"#, "null"),
    ],
    least: 2,
    most: 2,
    body: Body::Plain(run),
};

fn run<'a>(env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    if let (Some(kind), Some(source)) = (lying(args, 0), lying(args, 1))
        && let (Some(entity), source) = (Entity::parse(kind), trim(source))
        && SourceId::check(source).is_ok()
    {
        return Ok(compose(env, entity, source));
    }
    let kind = needed("id", "its kind", take(args, 0))?;
    let Some(entity) = Entity::parse(&kind) else {
        let names = Entity::ALL.map(Entity::name);
        let hint = schema::nearest(&kind, names)
            .map_or_else(|| names.join(", "), |near| format!("did you mean \"{near}\"?"));
        return Err(Failure::new(
            "mapping::kind",
            format!("`id` does not know this kind of record; {hint}"),
        ));
    };
    let source = match take(args, 1) {
        value @ (Value::Unit | Value::Clear) => return Ok(value),
        Value::Text(text) => text,
        Value::Int(number) => Text::Owned(number.to_string()),
        other => return Err(mismatch("id", "the source id", "text or a whole number", &other)),
    };
    let source = trim(&source);
    if source.is_empty() {
        return Ok(Value::Unit);
    }
    if SourceId::check(source).is_err() {
        return Err(Failure::new(
            "mapping::id",
            format!(
                "`id` got a source id of more than {} characters or with control characters",
                SourceId::LIMIT
            ),
        ));
    }
    Ok(compose(env, entity, source))
}

fn compose<'a>(env: &Env, entity: Entity, source: &str) -> Value<'a> {
    Value::text([env.connection.as_str(), ":", entity.name(), ":", source].concat())
}
