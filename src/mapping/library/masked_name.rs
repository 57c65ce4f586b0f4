//! `masked_name`: a person's name without the given name.

use super::{Body, Env, Function, Outcome, surnames, take, text};
use crate::mapping::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "masked_name",
    usage: "masked_name(name) -> text",
    about: "A Chinese name with its given name as stars; of any other name each word keeps its first letter.",
    examples: [
        (r#"masked_name("欧阳娜娜")"#, r#""欧阳**""#),
        (r#"masked_name("Ada Lovelace")"#, r#""A** L*******""#),
    ],
    least: 1,
    most: 1,
    body: Body::Plain(run),
};

fn run<'a>(_env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    let Some(text) = text("masked_name", "the name", take(args, 0))? else {
        return Ok(Value::Unit);
    };
    let text = text.trim();
    Ok(Value::text(match surnames::split(text) {
        Some((family, given)) => format!("{family}{}", "*".repeat(given.chars().count())),
        None => words(text),
    }))
}

fn words(text: &str) -> String {
    let mut first = true;
    let star = |letter: char| {
        let shown = if first || letter.is_whitespace() { letter } else { '*' };
        first = letter.is_whitespace();
        shown
    };
    text.chars().map(star).collect()
}
