//! `masked_id_card`: the number of an identity card without what it tells.

use super::masked_phone::starred;
use super::{Body, Env, Function, Outcome, take, text};
use crate::mapping::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "masked_id_card",
    usage: "masked_id_card(number) -> text",
    about: "The number with all but its first and last character as stars: region, day of birth and gender are gone.",
    examples: [
        (r#"masked_id_card("11010519491231002X")"#, r#""1****************X""#),
        (r#"masked_id_card("")"#, r#""""#),
    ],
    least: 1,
    most: 1,
    body: Body::Plain(run),
};

fn run<'a>(_env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    let Some(text) = text("masked_id_card", "the number", take(args, 0))? else {
        return Ok(Value::Unit);
    };
    let text = text.trim();
    let letters = text.chars().count();
    // Two characters would be all there is.
    let range = if letters > 2 { 1..letters - 1 } else { 0..letters };
    Ok(Value::text(starred(text, range)))
}
