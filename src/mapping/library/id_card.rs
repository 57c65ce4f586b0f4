//! `id_card`: the number of a Chinese identity card, checked.
//!
//! The invariant, for its sisters too: the number is in no failure, because there is none.

use jiff::civil::Date;

use super::{Body, Env, Failure, Function, Outcome, mismatch, take};
use crate::mapping::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "id_card",
    usage: "id_card(number) -> text",
    about: "The number of a Chinese identity card with its 18 characters, if region, day of birth and check digit hold; one of 15 digits is brought to 18. Blanks, full-width digits and a small x are put right. What is no such number gives `()`: the field is left alone.",
    examples: [
        (r#"id_card("11010519491231002x")"#, r#""11010519491231002X""#),
        (r#"id_card("110105491231002")"#, r#""11010519491231002X""#),
    ],
    least: 1,
    most: 1,
    body: Body::Plain(run),
};

fn run<'a>(_env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    let card = read("id_card", take(args, 0))?;
    Ok(card.map_or(Value::Unit, |card| Value::text(card.number)))
}

/// A number that holds.
pub(super) struct Card {
    /// 18 characters.
    pub(super) number: String,
    pub(super) born: Date,
    pub(super) male: bool,
}

/// Reads an argument; `None` when it is missing or no number of a card.
pub(super) fn read(name: &str, value: Value<'_>) -> Result<Option<Card>, Failure> {
    Ok(match value {
        Value::Unit => None,
        Value::Text(text) => card(&text),
        Value::Int(number) => card(&number.to_string()),
        other => return Err(mismatch(name, "the number", "text", &other)),
    })
}

fn card(text: &str) -> Option<Card> {
    let mut number: String = text
        .chars()
        .filter(|letter| !letter.is_whitespace())
        .take(19)
        .map(|letter| match letter {
            'x' | 'Ｘ' | 'ｘ' => 'X',
            '０'..='９' => char::from_u32(u32::from(letter) - 0xFEE0).unwrap_or(letter),
            other => other,
        })
        .collect();
    if number.len() == 15 && number.bytes().all(|byte| byte.is_ascii_digit()) {
        // The old numbers leave out the century and the check digit.
        number.insert_str(6, "19");
        number.push(check_digit(&number)?);
    }
    let sound = number.len() == 18
        && check_digit(number.get(..17)?)? == number.chars().last()?
        // The first two digits are the province, from 11 to 82, and 91 for foreigners born abroad.
        && matches!(number.get(..2)?.parse::<u32>().ok()?, 11..=82 | 91);
    if !sound {
        return None;
    }
    let part = |from: usize, to: usize| number.get(from..to)?.parse::<i16>().ok();
    let born = Date::new(
        part(6, 10)?,
        i8::try_from(part(10, 12)?).ok()?,
        i8::try_from(part(12, 14)?).ok()?,
    )
    .ok()
    .filter(|born| (1850..2150).contains(&born.year()))?;
    let male = part(16, 17)? % 2 == 1;
    Some(Card { number, born, male })
}

/// ISO 7064, MOD 11-2, over 17 digits.
fn check_digit(digits: &str) -> Option<char> {
    let mut sum = 0;
    for digit in digits.chars() {
        sum = (sum + digit.to_digit(10)?) * 2 % 11;
    }
    let check = (12 - sum) % 11;
    if digits.len() != 17 {
        return None;
    }
    if check == 10 { Some('X') } else { char::from_digit(check, 10) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_wrong_digit_or_a_swap_is_found() {
        let good = "11010519491231002X";
        assert!(card(good).is_some());
        for at in 0..17 {
            for digit in '0'..='9' {
                let mut letters: Vec<char> = good.chars().collect();
                if letters[at] != digit {
                    letters[at] = digit;
                    assert!(card(&String::from_iter(&letters)).is_none(), "{at} {digit}");
                }
            }
            let mut letters: Vec<char> = good.chars().collect();
            letters.swap(at, at + 1);
            if letters[at] != letters[at + 1] {
                assert!(card(&String::from_iter(&letters)).is_none(), "{at} swapped");
            }
        }
    }

    #[test]
    fn what_is_no_card_is_missing() {
        for text in [
            "",
            "1101051949123100",
            "11010519490231002X",
            "110105194912310021",
            "一二三四五六七八九十一二三四五六七八",
            "110105194912310029X",
            "00010519491231002X",
        ] {
            assert!(card(text).is_none(), "{text}");
        }
        assert!(card("１１０１０５ 19491231 002ｘ").is_some());
    }
}
