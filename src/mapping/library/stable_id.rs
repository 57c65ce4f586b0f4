//! `stable_id`: an id for what the platform gives none.

use std::ops::ControlFlow;

use super::{Body, Env, Function, Outcome, list, mismatch, take};
use crate::mapping::value::Value;
use crate::model::hash::ContentHash;

pub(super) const FUNCTION: Function = Function {
    name: "stable_id",
    usage: "stable_id(parts) -> text",
    about: "32 hexadecimal digits that the same parts always give, for objects to which the platform gives no id; write it as `id(\"check_in\", stable_id([..]))`. Parts keep their borders and places; a number counts as its digits. `()` when every part is missing.",
    examples: [
        (r#"stable_id(["e1", 1767229200]) == stable_id(["e1", "1767229200"])"#, "true"),
        (r#"stable_id(["ab", "c"]) == stable_id(["a", "bc"])"#, "false"),
    ],
    least: 1,
    most: 1,
    body: Body::Plain(run),
};

fn run<'a>(_env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    let Some(parts) = list("stable_id", take(args, 0))? else {
        return Ok(Value::Unit);
    };
    // The first byte keeps a missing part apart from an empty one.
    let mut bytes: Vec<Vec<u8>> = Vec::with_capacity(parts.len());
    let mut told = false;
    let failure = parts.each(|part| {
        let mut one = vec![1];
        match part {
            Value::Unit | Value::Clear => one = vec![0],
            Value::Text(text) => one.extend_from_slice(text.as_bytes()),
            Value::Int(number) => one.extend_from_slice(number.to_string().as_bytes()),
            Value::Bool(flag) => one.extend_from_slice(if flag { b"true" } else { b"false" }),
            other => {
                let wanted = "text, a whole number or true/false";
                return ControlFlow::Break(mismatch("stable_id", "each part", wanted, &other));
            }
        }
        told |= one != [0];
        bytes.push(one);
        ControlFlow::Continue(())
    });
    match failure {
        Some(failure) => Err(failure),
        None if !told => Ok(Value::Unit),
        None => {
            let hash = ContentHash::of_parts(bytes.iter().map(Vec::as_slice));
            Ok(Value::text(hash.to_string()))
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::mapping::testing::evaluate;

    #[test]
    fn an_id_never_changes_from_one_release_to_the_next() {
        let id = evaluate(r#"stable_id(["e1", 1767229200, (), "上班打卡"])"#);
        assert_eq!(id, Ok("8c8c5d1f5980d9c4286e81ef0d31fd1c".into()));
    }

    #[test]
    fn missing_and_empty_parts_are_two_things() {
        for (a, b) in [(r#"["e1", ()]"#, r#"["e1", ""]"#), (r#"["e1", ()]"#, r#"[(), "e1"]"#)] {
            assert_ne!(evaluate(&format!("stable_id({a})")), evaluate(&format!("stable_id({b})")));
        }
        assert_eq!(evaluate("stable_id([(), ()])"), Ok(serde_json::Value::Null));
        assert!(evaluate("stable_id([1.5])").is_err());
    }
}
