//! `pick`: the element of a list with a given property.

use std::ops::ControlFlow;

use super::{Body, Env, Function, Outcome, list, needed, take};
use crate::mapping::value::{List, Value};

pub(super) const FUNCTION: Function = Function {
    name: "pick",
    usage: "pick(list, key, value, path) -> value",
    about: "Of the first object in a list whose `key` equals `value`, what stands at `path` (such as \"value.text\"); `()` if there is none.",
    examples: [
        (r#"pick([#{id: "C-1", value: #{text: "CC-7"}}], "id", "C-1", "value.text")"#, r#""CC-7""#),
        (r#"[#{main: false, d: "a"}, #{main: true, d: "b"}].pick("main", true, "d")"#, r#""b""#),
    ],
    least: 4,
    most: 4,
    body: Body::Plain(run),
};

fn run<'a>(_env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    let Some(items) = list("pick", take(args, 0))? else {
        return Ok(Value::Unit);
    };
    let key = needed("pick", "the key", take(args, 1))?;
    let wanted = take(args, 2);
    let path = needed("pick", "the path", take(args, 3))?;
    if let List::Tape(doc, at) = items {
        let is_it = |item: &u32| {
            let found = doc.property(*item, &key).map(|at| Value::on_tape(doc, at));
            found.is_some_and(|found| !found.is_unit() && found.same(&wanted))
        };
        let hit = doc.elements(at).find(is_it);
        return Ok(hit.map_or(Value::Unit, |item| Value::on_tape(doc, item).path(&path)));
    }
    let mut nth = 0;
    let hit = items.each(|item| {
        if item.property(&key).is_some_and(|found| !found.is_unit() && found.same(&wanted)) {
            return ControlFlow::Break(nth);
        }
        nth += 1;
        ControlFlow::Continue(())
    });
    Ok(hit.and_then(|nth| items.at(nth)).map_or(Value::Unit, |item| item.path(&path)))
}
