//! `id_card_birth_date`: the day of birth in the number of an identity card.

use super::{Body, Env, Function, Outcome, id_card, take, time};
use crate::mapping::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "id_card_birth_date",
    usage: "id_card_birth_date(number) -> text",
    about: "The day of birth as `YYYY-MM-DD` in the number of a Chinese identity card; `()` when it is none, see `id_card`.",
    examples: [
        (r#"id_card_birth_date("11010519491231002X")"#, r#""1949-12-31""#),
        (r#"id_card_birth_date("110105194912310021")"#, "null"),
    ],
    least: 1,
    most: 1,
    body: Body::Plain(run),
};

fn run<'a>(_env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    let card = id_card::read("id_card_birth_date", take(args, 0))?;
    Ok(card.map_or(Value::Unit, |card| Value::text(time::show_day(card.born))))
}
