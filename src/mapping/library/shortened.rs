//! `shortened`: a text cut to a length.

use super::{Body, Env, Function, Outcome, mismatch, take, text};
use crate::mapping::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "shortened",
    usage: "shortened(text, characters) -> text",
    about: "The text, cut after so many characters; for notes that people write longer than the field.",
    examples: [(r#"shortened("abcdef", 3)"#, r#""abc""#), (r#"shortened("李伟", 5)"#, r#""李伟""#)],
    least: 2,
    most: 2,
    body: Body::Plain(run),
};

fn run<'a>(_env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    let Some(text) = text("shortened", "its text", take(args, 0))? else {
        return Ok(Value::Unit);
    };
    let limit = match take(args, 1) {
        Value::Int(number) => usize::try_from(number).unwrap_or(0),
        other => {
            return Err(mismatch(
                "shortened",
                "the number of characters",
                "a whole number",
                &other,
            ));
        }
    };
    let end = text.char_indices().nth(limit).map_or(text.len(), |(at, _)| at);
    Ok(Value::Text(text.cut(0..end)))
}
