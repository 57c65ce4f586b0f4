//! `half_width`: full-width letters and digits as ordinary ones.

use super::{Body, Env, Function, Outcome, take, text};
use crate::mapping::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "half_width",
    usage: "half_width(text) -> text",
    about: "Full-width letters, digits, signs and spaces as the ordinary ones: １３８Ａ becomes 138A.",
    examples: [(r#"half_width("Ａ１２")"#, r#""A12""#), (r#"half_width("李")"#, r#""李""#)],
    least: 1,
    most: 1,
    body: Body::Plain(run),
};

fn run<'a>(_env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    let Some(text) = text("half_width", "its text", take(args, 0))? else {
        return Ok(Value::Unit);
    };
    if text.chars().all(|letter| narrow(letter) == letter) {
        return Ok(Value::Text(text));
    }
    Ok(Value::text(text.chars().map(narrow).collect::<String>()))
}

/// The full-width forms repeat ASCII at a fixed distance.
fn narrow(letter: char) -> char {
    match letter {
        '\u{3000}' => ' ',
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(letter) - 0xFEE0).unwrap_or(letter),
        other => other,
    }
}
