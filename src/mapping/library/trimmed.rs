//! `trimmed`: text without white space at its ends.

use super::{Body, Env, Function, Outcome, lying, take, text, trim};
use crate::mapping::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "trimmed",
    usage: "trimmed(text) -> text",
    about: "The text without white space at its ends.",
    examples: [(r#"trimmed("  Li ")"#, r#""Li""#), (r#"trimmed("")"#, r#""""#)],
    least: 1,
    most: 1,
    body: Body::Plain(run),
};

fn run<'a>(_env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    if let Some(text) = lying(args, 0) {
        return Ok(Value::word(trim(text)));
    }
    let Some(text) = text("trimmed", "its text", take(args, 0))? else {
        return Ok(Value::Unit);
    };
    let rest = text.trim_start();
    let start = text.len() - rest.len();
    let end = start + rest.trim_end().len();
    Ok(Value::Text(text.cut(start..end)))
}
