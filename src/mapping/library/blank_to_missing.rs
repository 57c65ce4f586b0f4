//! `blank_to_missing`: a blank text becomes missing.

use super::{Body, Env, Function, Outcome, is_blank, lying, take, text};
use crate::mapping::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "blank_to_missing",
    usage: "blank_to_missing(text) -> text",
    about: "The text, or `()` when it is blank: the field is left alone.",
    examples: [
        (r#"blank_to_missing("Li")"#, r#""Li""#),
        (r#"blank_to_missing("") ?? "x""#, r#""x""#),
    ],
    least: 1,
    most: 1,
    body: Body::Plain(run),
};

fn run<'a>(_env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    if let Some(text) = lying(args, 0).filter(|text| !is_blank(text)) {
        return Ok(Value::word(text));
    }
    Ok(match text("blank_to_missing", "its text", take(args, 0))? {
        Some(text) if !is_blank(&text) => Value::Text(text),
        _ => Value::Unit,
    })
}
