//! `family_name`: the surname of a Chinese name.

use super::{Body, Env, Function, Outcome, surnames, take, text};
use crate::mapping::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "family_name",
    usage: "family_name(name) -> text",
    about: "The surname of a Chinese name, compound ones whole. `()` for other names: where a surname stands in them is not known.",
    examples: [
        (r#"family_name("欧阳娜娜")"#, r#""欧阳""#),
        (r#"family_name("Ada Lovelace")"#, "null"),
    ],
    least: 1,
    most: 1,
    body: Body::Plain(run),
};

fn run<'a>(_env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    let Some(text) = text("family_name", "the name", take(args, 0))? else {
        return Ok(Value::Unit);
    };
    Ok(surnames::split(&text).map_or(Value::Unit, |(family, _)| Value::text(family)))
}
