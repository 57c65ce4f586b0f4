//! `masked_phone`: a phone number that can be recognised and not dialled.

use super::{Body, Env, Function, Outcome, take, text};
use crate::mapping::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "masked_phone",
    usage: "masked_phone(number) -> text",
    about: "The number with the four digits before the last four as stars; a short one keeps its last two alone.",
    examples: [
        (r#"masked_phone("+8613800138000")"#, r#""+86138****8000""#),
        (r#"masked_phone("12345")"#, r#""***45""#),
    ],
    least: 1,
    most: 1,
    body: Body::Plain(run),
};

fn run<'a>(_env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    let Some(text) = text("masked_phone", "the number", take(args, 0))? else {
        return Ok(Value::Unit);
    };
    let letters = text.trim().chars().count();
    let (from, to) =
        if letters >= 11 { (letters - 8, letters - 4) } else { (0, letters.saturating_sub(2)) };
    Ok(Value::text(starred(text.trim(), from..to)))
}

/// The text with the characters of a range as stars.
pub(super) fn starred(text: &str, range: std::ops::Range<usize>) -> String {
    let star = |(at, letter)| if range.contains(&at) { '*' } else { letter };
    text.chars().enumerate().map(star).collect()
}
