//! `inside_brackets`: one half of a name that carries a second one.

use super::brackets::split;
use super::{Body, Env, Function, Outcome, take, text};
use crate::mapping::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "inside_brackets",
    usage: "inside_brackets(text) -> text",
    about: "What stands in the brackets that end a text, of any width: the real name in 花名(真名), or the 花名 where a company writes it the other way round. `()` when there are none.",
    examples: [
        (r#"inside_brackets("逍遥(张三)")"#, r#""张三""#),
        (r#"inside_brackets("张三")"#, "null"),
    ],
    least: 1,
    most: 1,
    body: Body::Plain(run),
};

fn run<'a>(_env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    let Some(text) = text("inside_brackets", "its text", take(args, 0))? else {
        return Ok(Value::Unit);
    };
    Ok(split(&text).map_or(Value::Unit, |(_, inside)| Value::text(inside)))
}
