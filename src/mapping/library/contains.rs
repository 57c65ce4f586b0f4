//! `contains`: whether something is in a text or a list.

use std::ops::ControlFlow;

use super::{Body, Env, Function, Outcome, mismatch, needed, take};
use crate::mapping::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "contains",
    usage: "contains(value, part) -> true or false",
    about: "Whether a text contains another, a list contains a value, or an object has a property. `part in value` says the same.",
    examples: [
        (r#"contains("night shift", "night")"#, "true"),
        (r#"["a", "b"].contains("c")"#, "false"),
    ],
    least: 2,
    most: 2,
    body: Body::Plain(run),
};

fn run<'a>(_env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    let part = take(args, 1);
    Ok(Value::Bool(match take(args, 0) {
        Value::Unit => return Ok(Value::Unit),
        Value::Text(text) => text.contains(&*needed("contains", "the part", part)?),
        Value::List(items) => {
            items
                .each(|item| {
                    if item.same(&part) {
                        ControlFlow::Break(())
                    } else {
                        ControlFlow::Continue(())
                    }
                })
                .is_some()
        }
        Value::Object(object) => {
            !object.property(&needed("contains", "the property", part)?).is_unit()
        }
        other => {
            return Err(mismatch("contains", "its value", "text, a list or an object", &other));
        }
    }))
}
