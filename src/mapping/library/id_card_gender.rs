//! `id_card_gender`: the gender in the number of an identity card.

use super::{Body, Env, Function, Outcome, id_card, take};
use crate::mapping::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "id_card_gender",
    usage: "id_card_gender(number) -> text",
    about: "\"male\" or \"female\" by the number of a Chinese identity card; `()` when it is none, see `id_card`.",
    examples: [
        (r#"id_card_gender("11010519491231002X")"#, r#""female""#),
        (r#"id_card_gender("11010519491231003")"#, "null"),
    ],
    least: 1,
    most: 1,
    body: Body::Plain(run),
};

fn run<'a>(_env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    let card = id_card::read("id_card_gender", take(args, 0))?;
    Ok(card.map_or(Value::Unit, |card| Value::word(if card.male { "male" } else { "female" })))
}
