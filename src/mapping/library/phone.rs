//! `phone`: a phone number in E.164.

use phonenumber::country;

use super::{Body, Env, Failure, Function, Outcome, mismatch, take, text};
use crate::mapping::value::{Text, Value};

pub(super) const FUNCTION: Function = Function {
    name: "phone",
    usage: "phone(number [, region]) -> text",
    about: "The number in E.164. A number without country code is read in `region`, by default the tenant's. What is no phone number gives `()`: the field is left alone and the person is not held up for it.",
    examples: [
        (r#"phone("+86 138-0013-8000")"#, r#""+8613800138000""#),
        (r#"phone("(415) 555-2671", "US")"#, r#""+14155552671""#),
    ],
    least: 1,
    most: 2,
    body: Body::Plain(run),
};

fn run<'a>(env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    let region = region("phone", env, take(args, 1))?;
    let number = international("phone", take(args, 0), region)?;
    Ok(number.map_or(Value::Unit, Value::Text))
}

/// The region in an argument, the tenant's when it is missing.
pub(super) fn region(name: &str, env: &Env, value: Value<'_>) -> Result<country::Id, Failure> {
    match value {
        Value::Unit => Ok(env.region),
        Value::Text(region) => region.trim().to_ascii_uppercase().parse().map_err(|_| {
            Failure::new(
                "mapping::region",
                format!(
                    "`{name}` does not know this region; use the two letters of a country, such as \"CN\""
                ),
            )
        }),
        other => Err(mismatch(name, "the region", "text", &other)),
    }
}

/// The number in an argument in E.164; `None` when it is missing or none.
pub(super) fn international<'a>(
    name: &str,
    value: Value<'a>,
    region: country::Id,
) -> Result<Option<Text<'a>>, Failure> {
    let number = match value {
        Value::Int(number) => number.to_string(),
        value => match text(name, "the number", value)? {
            Some(text) if text.strip_prefix("+86").is_some_and(is_chinese_mobile) => {
                return Ok(Some(text));
            }
            Some(text) => dialled(&text),
            None => return Ok(None),
        },
    };
    Ok(e164(&number, region).map(Text::Owned))
}

/// The characters that are dialled: digits, and a plus in front.
fn dialled(text: &str) -> String {
    let mut number = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '0'..='9' => number.push(letter),
            '\u{FF10}'..='\u{FF19}' => {
                number.push(char::from_digit(u32::from(letter) - 0xFF10, 10).unwrap_or('0'));
            }
            '+' | '\u{FF0B}' if number.is_empty() => number.push('+'),
            ' ' | '-' | '(' | ')' | '.' | '/' | '\u{A0}' | '\u{3000}' | '\u{2010}'..='\u{2015}' => {
            }
            _ => return String::new(),
        }
    }
    number
}

fn e164(number: &str, region: country::Id) -> Option<String> {
    let chinese = match number.strip_prefix("+86") {
        Some(rest) => Some(rest),
        None if region == country::Id::CN && !number.starts_with('+') => Some(number),
        None => None,
    };
    if let Some(rest) = chinese.filter(|rest| is_chinese_mobile(rest)) {
        return Some(["+86", rest].concat());
    }
    if number.is_empty() {
        return None;
    }
    let parsed = phonenumber::parse(Some(region), number).ok()?;
    // A number with its country code was reachable for the platform, even where the numbering plan is newer than ours.
    let known = number.starts_with('+') || parsed.is_valid();
    let text = parsed.format().mode(phonenumber::Mode::E164).to_string();
    (known && (8..=16).contains(&text.len())).then_some(text)
}

/// Eleven digits from 13 to 19.
pub(super) fn is_chinese_mobile(digits: &str) -> bool {
    let bytes = digits.as_bytes();
    bytes.len() == 11
        && bytes[0] == b'1'
        && (b'3'..=b'9').contains(&bytes[1])
        && bytes.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, region: country::Id) -> Option<String> {
        e164(&dialled(text), region)
    }

    #[test]
    fn chinese_mobiles_need_no_country_code_at_home() {
        for text in [
            "13800138000",
            "+8613800138000",
            "+86 138 0013 8000",
            "１３８００１３８０００",
            "138-0013-8000",
            "8613800138000",
        ] {
            assert_eq!(read(text, country::Id::CN).as_deref(), Some("+8613800138000"), "{text}");
        }
        assert_eq!(read("13800138000", country::Id::SG), None);
    }

    #[test]
    fn numbers_of_other_countries_keep_their_code() {
        assert_eq!(read("+65 8123 4567", country::Id::CN).as_deref(), Some("+6581234567"));
        assert_eq!(read("021-61234567", country::Id::CN).as_deref(), Some("+862161234567"));
    }

    #[test]
    fn what_is_no_number_is_missing() {
        for text in ["", "+", "n/a", "123", "+86", "++86138", "99999999999999999999"] {
            assert_eq!(read(text, country::Id::CN), None, "{text}");
        }
    }
}
