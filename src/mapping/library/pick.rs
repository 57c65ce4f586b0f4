//! `pick`: the element of a list with a given property.

use std::ops::ControlFlow;

use super::{Body, Env, Function, Outcome, list, needed, take};
use crate::mapping::tape::Doc;
use crate::mapping::value::{List, Text, Value};

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
    if let [
        Value::List(List::Tape(doc, at)),
        Value::Text(Text::Plain(key)),
        wanted,
        Value::Text(Text::Plain(path)),
    ] = args
    {
        return Ok(on_tape(doc, *at, (key, wanted), path));
    }
    let Some(items) = list("pick", take(args, 0))? else {
        return Ok(Value::Unit);
    };
    let key = needed("pick", "the key", take(args, 1))?;
    let wanted = take(args, 2);
    let path = needed("pick", "the path", take(args, 3))?;
    if let List::Tape(doc, at) = items {
        return Ok(on_tape(doc, at, (&key, &wanted), &path));
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

/// The same of a list in the record.
fn on_tape<'a>(
    doc: &'a Doc<'a>,
    list: u32,
    (key, wanted): (&str, &Value<'_>),
    path: &str,
) -> Value<'a> {
    let is_it = |item: &u32| match (doc.property(*item, key), wanted) {
        (None, _) => false,
        (Some(found), Value::Text(wanted)) => doc.text(doc.node(found)) == Some(wanted),
        (Some(found), wanted) => {
            let found = Value::on_tape(doc, found);
            !found.is_unit() && found.same(wanted)
        }
    };
    let hit = doc.elements(list).find(is_it);
    let found =
        hit.and_then(|item| path.split('.').try_fold(item, |at, key| doc.property(at, key)));
    found.map_or(Value::Unit, |at| Value::on_tape(doc, at))
}
