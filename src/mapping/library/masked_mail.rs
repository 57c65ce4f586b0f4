//! `masked_mail`: a mail address without its person.

use super::{Body, Env, Function, Outcome, take, text};
use crate::mapping::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "masked_mail",
    usage: "masked_mail(address) -> text",
    about: "The address with the first letter, three stars and the domain; text without an `@` becomes three stars.",
    examples: [
        (r#"masked_mail("li.wei@example.com")"#, r#""l***@example.com""#),
        (r#"masked_mail("li.wei")"#, r#""***""#),
    ],
    least: 1,
    most: 1,
    body: Body::Plain(run),
};

fn run<'a>(_env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    let Some(text) = text("masked_mail", "the address", take(args, 0))? else {
        return Ok(Value::Unit);
    };
    let text = text.trim();
    Ok(Value::text(match (text.chars().next(), text.rsplit_once('@')) {
        (None, _) => String::new(),
        (Some(first), Some((person, domain))) if !person.is_empty() => {
            format!("{first}***@{domain}")
        }
        (Some(_), _) => "***".to_owned(),
    }))
}
