//! `outside_brackets`: one half of a name that carries a second one.

use super::brackets::split;
use super::{Body, Env, Function, Outcome, take, text};
use crate::mapping::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "outside_brackets",
    usage: "outside_brackets(text) -> text",
    about: "What stands before the brackets that end a text, of any width: the 花名 in 花名(真名), or the real name where a company writes it the other way round. The whole text when there are none.",
    examples: [
        (r#"outside_brackets("逍遥（张三）")"#, r#""逍遥""#),
        (r#"outside_brackets("张三")"#, r#""张三""#),
    ],
    least: 1,
    most: 1,
    body: Body::Plain(run),
};

fn run<'a>(_env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    let Some(text) = text("outside_brackets", "its text", take(args, 0))? else {
        return Ok(Value::Unit);
    };
    let outside = split(&text).map(|(outside, _)| outside.to_owned());
    Ok(outside.map_or(Value::Text(text), Value::text))
}
