//! `pinyin`: Chinese characters as they are read.

use super::{Body, Env, Function, Outcome, needed, surnames, take, text};
use crate::mapping::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "pinyin",
    usage: "pinyin(text [, separator]) -> text",
    about: "The text in pinyin without tones, in ASCII (ü is yu), syllables with a blank or another separator between them. Words in other letters stay as they are. A person's name is read by `pinyin_name`, which knows how surnames are read.",
    examples: [
        (r#"pinyin("研发中心 R2")"#, r#""yan fa zhong xin R2""#),
        (r#"pinyin("绿地", "")"#, r#""lyudi""#),
    ],
    least: 1,
    most: 2,
    body: Body::Plain(run),
};

fn run<'a>(_env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    let separator = match take(args, 1) {
        Value::Unit => None,
        value => Some(needed("pinyin", "the separator", value)?),
    };
    let Some(text) = text("pinyin", "its text", take(args, 0))? else {
        return Ok(Value::Unit);
    };
    Ok(Value::text(surnames::syllables(&text).join(separator.as_deref().unwrap_or(" "))))
}
