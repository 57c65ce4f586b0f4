//! `replace`: a part of a text replaced.

use super::{Body, Env, Failure, Function, Outcome, needed, take, text};
use crate::mapping::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "replace",
    usage: "replace(text, part, by) -> text",
    about: "The text with every `part` replaced.",
    examples: [
        (r#"replace("a-b-c", "-", "")"#, r#""abc""#),
        (r#""x".replace("y", "z")"#, r#""x""#),
    ],
    least: 3,
    most: 3,
    body: Body::Plain(run),
};

/// Most bytes that the result may have; the limits of the engine are not asked before it is built.
const LIMIT_BYTES: usize = 64 * 1024;

fn run<'a>(_env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    let Some(text) = text("replace", "its text", take(args, 0))? else {
        return Ok(Value::Unit);
    };
    let part = needed("replace", "the part", take(args, 1))?;
    let by = needed("replace", "the new part", take(args, 2))?;
    if part.is_empty() {
        return Err(Failure::new(
            "mapping::separator",
            "`replace` needs a part of at least one character",
        ));
    }
    let grown = text.matches(&*part).count().saturating_mul(by.len());
    if text.len().saturating_add(grown) > LIMIT_BYTES {
        return Err(Failure::new(
            "mapping::size",
            "`replace` would make a text of more than 64 KiB",
        ));
    }
    Ok(Value::text(text.replace(&*part, &by)))
}
