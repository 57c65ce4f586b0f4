//! `department_path`: the names of a department and those above it as one text.

use std::ops::ControlFlow;

use super::{Body, Env, Failure, Function, Outcome, list, mismatch, needed, take};
use crate::mapping::value::Value;

/// Most bytes that the result may have; the limits of the engine are not asked before it is built.
const LIMIT_BYTES: usize = 64 * 1024;

pub(super) const FUNCTION: Function = Function {
    name: "department_path",
    usage: "department_path(names [, separator]) -> text",
    about: "The names of departments from the top down as one text, with `/` between them unless another separator is given. The list holds names, or objects with a `name` (also Feishu's `department_name.name`). A separator within a name becomes its full-width form, so that the path can be split again; missing and blank names are left out.",
    examples: [
        (r#"department_path(["Acme", "R/D", ""])"#, r#""Acme/R／D""#),
        (
            r#"department_path([#{name: "Acme"}, #{department_name: #{name: "R&D"}}], " > ")"#,
            r#""Acme > R&D""#,
        ),
    ],
    least: 1,
    most: 2,
    body: Body::Plain(run),
};

fn run<'a>(_env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    let separator = match take(args, 1) {
        Value::Unit => None,
        value => Some(needed("department_path", "the separator", value)?),
    };
    let separator = separator.as_deref().unwrap_or("/");
    let Some(names) = list("department_path", take(args, 0))? else {
        return Ok(Value::Unit);
    };
    let mut path = String::new();
    let failure = names.each(|name| match name_of(name) {
        Ok(Some(name)) => {
            if !path.is_empty() {
                path.push_str(separator);
            }
            path.push_str(&apart(&name, separator.trim()));
            if path.len() > LIMIT_BYTES {
                let told = "`department_path` would make a text of more than 64 KiB";
                return ControlFlow::Break(Failure::new("mapping::size", told));
            }
            ControlFlow::Continue(())
        }
        Ok(None) => ControlFlow::Continue(()),
        Err(failure) => ControlFlow::Break(failure),
    });
    match failure {
        Some(failure) => Err(failure),
        None => Ok(Value::text(path)),
    }
}

fn name_of(value: Value<'_>) -> Result<Option<String>, Failure> {
    let name = match value {
        Value::Object(_) => {
            let own = value.path("name");
            if own.is_unit() { value.path("department_name.name") } else { own }
        }
        other => other,
    };
    match name {
        Value::Unit => Ok(None),
        Value::Text(text) if text.trim().is_empty() => Ok(None),
        Value::Text(text) => Ok(Some(text.trim().to_owned())),
        other => {
            Err(mismatch("department_path", "each name", "text or an object with a `name`", &other))
        }
    }
}

/// A name in which the separator cannot be mistaken.
fn apart(name: &str, separator: &str) -> String {
    let wide = |letter: char| match letter {
        '!'..='~' => char::from_u32(u32::from(letter) + 0xFEE0).unwrap_or(letter),
        other => other,
    };
    if separator.is_empty() {
        return name.to_owned();
    }
    name.replace(separator, &separator.chars().map(wide).collect::<String>())
}
