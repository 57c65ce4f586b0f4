//! `sum`: the sum of numbers.

use std::ops::ControlFlow;

use super::{Body, Env, Failure, Function, Outcome, list, mismatch, take};
use crate::mapping::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "sum",
    usage: "sum(list) -> whole number",
    about: "The sum of the whole numbers of a list; missing ones do not count. Of an empty list 0.",
    examples: [("sum([1, 2, ()])", "3"), ("[].sum()", "0")],
    least: 1,
    most: 1,
    body: Body::Plain(run),
};

fn run<'a>(_env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    let Some(items) = list("sum", take(args, 0))? else {
        return Ok(Value::Unit);
    };
    let mut sum = 0_i64;
    let failure = items.each(|item| {
        let next = match item {
            Value::Unit => Some(sum),
            Value::Int(number) => sum.checked_add(number),
            other => {
                let failure = mismatch("sum", "each element", "a whole number", &other);
                return ControlFlow::<Failure>::Break(failure);
            }
        };
        match next {
            Some(next) => sum = next,
            None => {
                return ControlFlow::Break(Failure::new(
                    "mapping::arithmetic",
                    "`sum` is larger than 64 bits hold",
                ));
            }
        }
        ControlFlow::Continue(())
    });
    match failure {
        Some(failure) => Err(failure),
        None => Ok(Value::Int(sum)),
    }
}
