//! `split`: the parts of a text.

use super::{Body, Env, Failure, Function, Outcome, needed, take, text};
use crate::mapping::value::{List, Value};

pub(super) const FUNCTION: Function = Function {
    name: "split",
    usage: "split(text, separator) -> list",
    about: "The parts of a text between the separators.",
    examples: [(r#"split("a/b", "/")"#, r#"["a", "b"]"#), (r#"split("", "/")"#, r#"[""]"#)],
    least: 2,
    most: 2,
    body: Body::Plain(run),
};

fn run<'a>(_env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    let Some(text) = text("split", "its text", take(args, 0))? else {
        return Ok(Value::Unit);
    };
    let separator = needed("split", "the separator", take(args, 1))?;
    if separator.is_empty() {
        return Err(Failure::new(
            "mapping::separator",
            "`split` needs a separator of at least one character",
        ));
    }
    let parts = text.split(&*separator).map(Value::text).collect();
    Ok(Value::List(List::Owned(parts)))
}
