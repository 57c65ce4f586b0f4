//! The function library of mappings: one file per function, listed by [`functions`].
//!
//! Not here: how a call gets here; the interpreter and the compiled path both call the same bodies. Three rules hold:
//! a function is pure; unless its page says otherwise it gives `()` when its first argument is `()`, so that what a
//! source does not tell stays missing; and `clear()` as first argument gives `clear()`, so that what is erased stays
//! erased on its way through `lower(or_null(..))`.

mod attribute;
mod blank_to_missing;
mod brackets;
mod clear;
mod closures;
mod contains;
mod date;
mod date_number;
mod department_path;
mod earliest;
mod ends_with;
mod env;
mod epoch_milliseconds;
mod epoch_seconds;
mod family_name;
mod first;
mod given_name;
mod half_width;
mod id;
mod id_card;
mod id_card_birth_date;
mod id_card_gender;
mod inside_brackets;
mod instant;
mod instant_on;
mod join;
mod largest;
mod last;
mod latest;
mod len;
mod local_time;
mod lookup;
mod lower;
mod masked_id_card;
mod masked_mail;
mod masked_name;
mod masked_phone;
mod max;
mod min;
mod minutes_between;
mod national_phone;
mod null_to_clear;
mod or_default;
mod or_null;
mod outside_brackets;
mod phone;
mod pick;
mod pinyin;
mod pinyin_name;
mod put_first;
mod replace;
mod shortened;
mod skip;
mod split;
mod stable_id;
mod starts_with;
mod sum;
mod surnames;
mod time;
mod to_int;
mod to_number;
mod to_text;
mod trimmed;
mod upper;
mod work_date;

pub(crate) use closures::Closure;
pub(crate) use env::Env;

use super::value::{List, Text, Value};

/// A part of the function library.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct Function {
    /// The name in scripts; it can be written `name(x, ..)` or `x.name(..)`.
    pub name: &'static str,
    /// One line: the call and what it gives.
    pub usage: &'static str,
    /// What it does, in a sentence or two.
    pub about: &'static str,
    /// Two calls and their values as JSON; they run as tests.
    pub examples: [(&'static str, &'static str); 2],
    #[serde(skip)]
    pub(crate) least: usize,
    #[serde(skip)]
    pub(crate) most: usize,
    #[serde(skip)]
    pub(crate) body: Body,
}

/// How a function is carried out.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Body {
    /// From values to a value.
    Plain(Plain),
    /// Over a list, with a function of the script for each element.
    Closure(Closure),
    /// The value at a path, JSON's `null` there as `clear()`.
    Told,
}

/// Most arguments of a function.
pub(crate) const MOST_ARGUMENTS: usize = 4;

/// The body of a plain function. It gets between `least` and `most` arguments and may take them.
pub(crate) type Plain = for<'a> fn(&'a Env, &mut [Value<'a>]) -> Outcome<'a>;

/// What a function gives.
pub(crate) type Outcome<'a> = Result<Value<'a>, Failure>;

/// Why a function failed. Never holds a record's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The record is left out on purpose.
    Skip,
    /// A stable code and what happened and what to do about it.
    Fault { code: &'static str, message: String },
}

impl Failure {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self::Fault { code, message: message.into() }
    }
}

const FUNCTIONS: &[Function] = &[
    closures::ALL,
    attribute::FUNCTION,
    blank_to_missing::FUNCTION,
    clear::FUNCTION,
    contains::FUNCTION,
    date::FUNCTION,
    date_number::FUNCTION,
    department_path::FUNCTION,
    earliest::FUNCTION,
    ends_with::FUNCTION,
    epoch_milliseconds::FUNCTION,
    epoch_seconds::FUNCTION,
    family_name::FUNCTION,
    closures::FILTER,
    closures::FIND,
    first::FUNCTION,
    given_name::FUNCTION,
    half_width::FUNCTION,
    id::FUNCTION,
    id_card::FUNCTION,
    id_card_birth_date::FUNCTION,
    id_card_gender::FUNCTION,
    inside_brackets::FUNCTION,
    instant::FUNCTION,
    instant_on::FUNCTION,
    join::FUNCTION,
    largest::FUNCTION,
    last::FUNCTION,
    latest::FUNCTION,
    len::FUNCTION,
    local_time::FUNCTION,
    lookup::FUNCTION,
    lower::FUNCTION,
    closures::MAP,
    masked_id_card::FUNCTION,
    masked_mail::FUNCTION,
    masked_name::FUNCTION,
    masked_phone::FUNCTION,
    max::FUNCTION,
    min::FUNCTION,
    minutes_between::FUNCTION,
    national_phone::FUNCTION,
    null_to_clear::FUNCTION,
    or_default::FUNCTION,
    or_null::FUNCTION,
    outside_brackets::FUNCTION,
    phone::FUNCTION,
    pick::FUNCTION,
    pinyin::FUNCTION,
    pinyin_name::FUNCTION,
    put_first::FUNCTION,
    replace::FUNCTION,
    shortened::FUNCTION,
    skip::FUNCTION,
    closures::SOME,
    split::FUNCTION,
    stable_id::FUNCTION,
    starts_with::FUNCTION,
    sum::FUNCTION,
    to_int::FUNCTION,
    to_number::FUNCTION,
    to_text::FUNCTION,
    trimmed::FUNCTION,
    upper::FUNCTION,
    work_date::FUNCTION,
];

/// Every function that a mapping may call, by name.
pub fn functions() -> std::slice::Iter<'static, Function> {
    FUNCTIONS.iter()
}

/// The function of a name.
pub(crate) fn function(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

/// Stands for the library in digests: raise it when a function gives other values than before.
pub(crate) const VERSION: &str = "library 2";

/// Calls a plain function.
#[inline]
pub(crate) fn invoke<'a>(body: Plain, env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    if let Some(Value::Clear) = args.first() {
        return Ok(Value::Clear);
    }
    body(env, args)
}

/// Takes an argument out of its place.
#[inline]
fn take<'a>(args: &mut [Value<'a>], at: usize) -> Value<'a> {
    args.get_mut(at).map(std::mem::take).unwrap_or_default()
}

/// The text in an argument, where it stands in the record or the script and need not be moved.
#[inline]
fn lying<'a>(args: &[Value<'a>], at: usize) -> Option<&'a str> {
    match args.get(at) {
        Some(Value::Text(Text::Plain(text))) => Some(text),
        _ => None,
    }
}

/// A text without white space at its ends.
#[inline]
fn trim(text: &str) -> &str {
    match text.as_bytes() {
        // Most texts have nothing to trim.
        [first, .., last] if first.is_ascii_graphic() && last.is_ascii_graphic() => text,
        _ => text.trim(),
    }
}

/// Whether there is nothing but white space in a text.
#[inline]
fn is_blank(text: &str) -> bool {
    // Most texts start with a letter or digit.
    !text.bytes().next().is_some_and(|byte| byte.is_ascii_graphic()) && text.trim().is_empty()
}

/// The failure of a call with an argument of the wrong kind.
fn mismatch(name: &str, argument: &str, wanted: &str, got: &Value<'_>) -> Failure {
    Failure::new(
        "mapping::type",
        format!("`{name}` needs {wanted} as {argument}, got {}", got.kind()),
    )
}

/// The text in an argument, `None` when it is `()`.
#[inline]
fn text<'a>(name: &str, argument: &str, value: Value<'a>) -> Result<Option<Text<'a>>, Failure> {
    match value {
        Value::Text(text) => Ok(Some(text)),
        Value::Unit => Ok(None),
        other => Err(mismatch(name, argument, "text", &other)),
    }
}

/// The text in an argument that must be there.
#[inline]
fn needed<'a>(name: &str, argument: &str, value: Value<'a>) -> Result<Text<'a>, Failure> {
    text(name, argument, value)?.ok_or_else(|| mismatch(name, argument, "text", &Value::Unit))
}

/// The list in an argument, `None` when it is `()`.
#[inline]
fn list<'a>(name: &str, value: Value<'a>) -> Result<Option<List<'a>>, Failure> {
    match value {
        Value::List(list) => Ok(Some(list)),
        Value::Unit => Ok(None),
        other => Err(mismatch(name, "its list", "a list", &other)),
    }
}

#[cfg(test)]
mod tests {
    use super::{FUNCTIONS, function};
    use crate::mapping::testing;
    use crate::mapping::value::Value;

    #[test]
    fn every_example_gives_what_it_says() {
        for function in FUNCTIONS {
            for (call, json) in function.examples {
                let found = testing::evaluate(call);
                let wanted: serde_json::Value = serde_json::from_str(json).unwrap();
                assert_eq!(found, Ok(wanted), "{} in: {call}", function.name);
            }
        }
    }

    #[test]
    fn a_text_means_the_same_wherever_it_lies() {
        let env = testing::env();
        let texts = [
            "",
            " ",
            "\t\n",
            "e1",
            " e1",
            "E1 ",
            " ß É ",
            "\u{3000}李",
            "李 伟\u{3000}",
            "\u{1}",
            "a:b",
        ];
        let single = ["trimmed", "or_null", "blank_to_missing", "lower", "upper", "date", "phone"];
        let others = [
            ("or_default", None, Some("x")),
            ("date", None, Some("Asia/Shanghai")),
            ("id", Some("employee"), None),
            ("id", Some("persona"), None),
        ];
        for (name, before, after) in single.map(|name| (name, None, None)).into_iter().chain(others)
        {
            let Some(super::Body::Plain(body)) = function(name).map(|found| found.body) else {
                panic!("{name} is a plain function")
            };
            for text in texts {
                let call = |made: fn(&'static str) -> Value<'static>| {
                    let args = [before, Some(text), after].into_iter().flatten();
                    let mut args: Vec<Value<'_>> = args.map(made).collect();
                    super::invoke(body, &env, &mut args)
                        .map(|value| (value.kind(), value.into_dynamic().to_string()))
                };
                assert_eq!(call(Value::word), call(Value::text), "{name} of {text:?}");
            }
        }
    }

    #[test]
    fn every_example_calls_its_function() {
        for function in FUNCTIONS {
            for (call, _) in function.examples {
                assert!(call.contains(&format!("{}(", function.name)), "{call}");
            }
        }
    }

    #[test]
    fn functions_are_listed_by_name_and_once() {
        assert!(FUNCTIONS.iter().all(|function| function.most <= super::MOST_ARGUMENTS));
        assert!(FUNCTIONS.windows(2).all(|pair| pair[0].name < pair[1].name));
        assert!(function("phone").is_some());
        assert!(function("eval").is_none());
    }

    #[test]
    fn what_is_cleared_stays_cleared() {
        for call in [
            "lower(clear())",
            "phone(or_null(\"\"))",
            "id(\"employee\", or_null(\" \"))",
            "clear().trimmed()",
            "clear().map(|x| x)",
            "filter(clear(), |x| true)",
            "null_to_clear(clear())",
        ] {
            assert_eq!(testing::evaluate_kind(call), "`clear()`", "{call}");
        }
    }

    #[test]
    fn what_is_missing_stays_missing() {
        let own_rule = ["clear", "skip", "or_default", "max", "min", "to_text", "lookup", "id"];
        for function in FUNCTIONS.iter().filter(|f| !own_rule.contains(&f.name)) {
            let mut args = vec!["()".to_owned()];
            args.extend((1..function.least).map(|_| match function.body {
                super::Body::Closure(_) => "|x| x".to_owned(),
                super::Body::Plain(_) | super::Body::Told => "\"x\"".to_owned(),
            }));
            let call = format!("{}({})", function.name, args.join(", "));
            assert_eq!(testing::evaluate(&call), Ok(serde_json::Value::Null), "{call}");
        }
    }
}
