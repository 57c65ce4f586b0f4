//! `given_name`: the given name of a Chinese name.

use super::{Body, Env, Function, Outcome, surnames, take, text};
use crate::mapping::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "given_name",
    usage: "given_name(name) -> text",
    about: "The given name of a Chinese name, what follows the surname. `()` for other names: where a surname stands in them is not known.",
    examples: [
        (r#"given_name("欧阳娜娜")"#, r#""娜娜""#),
        (r#"given_name("阿卜杜·热西提")"#, "null"),
    ],
    least: 1,
    most: 1,
    body: Body::Plain(run),
};

fn run<'a>(_env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    let Some(text) = text("given_name", "the name", take(args, 0))? else {
        return Ok(Value::Unit);
    };
    let given = surnames::split(&text).map(|(_, given)| given).filter(|given| !given.is_empty());
    Ok(given.map_or(Value::Unit, Value::text))
}
