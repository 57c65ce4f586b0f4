//! `or_null`: a blank text becomes null.

use super::{Body, Env, Function, Outcome, is_blank, lying, take, text};
use crate::mapping::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "or_null",
    usage: "or_null(text) -> text or null",
    about: "The text, or `clear()` when it is blank: the source knows that there is nothing, so the field is erased. A missing text stays missing.",
    examples: [(r#"or_null("Li")"#, r#""Li""#), (r#"or_null(" ")"#, "null")],
    least: 1,
    most: 1,
    body: Body::Plain(run),
};

fn run<'a>(_env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    if let Some(text) = lying(args, 0).filter(|text| !is_blank(text)) {
        return Ok(Value::word(text));
    }
    Ok(match text("or_null", "its text", take(args, 0))? {
        None => Value::Unit,
        Some(text) if is_blank(&text) => Value::Clear,
        Some(text) => Value::Text(text),
    })
}
