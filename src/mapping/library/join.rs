//! `join`: texts in a row.

use std::ops::ControlFlow;

use super::{Body, Env, Failure, Function, Outcome, list, mismatch, needed, take};
use crate::mapping::value::Value;

/// Most bytes that the result may have; the limits of the engine are not asked before it is built.
const LIMIT_BYTES: usize = 64 * 1024;

pub(super) const FUNCTION: Function = Function {
    name: "join",
    usage: "join(list, separator) -> text",
    about: "The texts and numbers of a list in a row; missing and blank ones are left out.",
    examples: [
        (r#"join(["Shanghai", "", "CN"], ", ")"#, r#""Shanghai, CN""#),
        (r#"join([1, 2], "-")"#, r#""1-2""#),
    ],
    least: 2,
    most: 2,
    body: Body::Plain(run),
};

fn run<'a>(_env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    let Some(items) = list("join", take(args, 0))? else {
        return Ok(Value::Unit);
    };
    let separator = needed("join", "the separator", take(args, 1))?;
    let mut joined = String::new();
    let mut push = |text: &str| {
        if !text.trim().is_empty() {
            if !joined.is_empty() {
                joined.push_str(&separator);
            }
            joined.push_str(text);
        }
        joined.len() <= LIMIT_BYTES
    };
    let failure = items.each(|item| {
        let fits = match item {
            Value::Unit => true,
            Value::Text(text) => push(&text),
            Value::Int(number) => push(&number.to_string()),
            other => {
                let failure = mismatch("join", "each element", "text or a whole number", &other);
                return ControlFlow::Break(failure);
            }
        };
        if fits {
            return ControlFlow::Continue(());
        }
        ControlFlow::Break(Failure::new(
            "mapping::size",
            "`join` would make a text of more than 64 KiB",
        ))
    });
    match failure {
        Some(failure) => Err(failure),
        None => Ok(Value::text(joined)),
    }
}
