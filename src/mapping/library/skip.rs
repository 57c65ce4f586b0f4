//! `skip`: leave a record out.

use super::{Body, Env, Failure, Function, Outcome};
use crate::mapping::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "skip",
    usage: "skip()",
    about: "Leaves this record out of the sync: it is neither written nor parked.",
    examples: [
        (r#"if "robot" == "person" { skip() } else { "kept" }"#, r#""kept""#),
        (r#"["a"].map(|x| if x == "b" { skip() } else { x })"#, r#"["a"]"#),
    ],
    least: 0,
    most: 0,
    body: Body::Plain(run),
};

fn run<'a>(_env: &'a Env, _args: &mut [Value<'a>]) -> Outcome<'a> {
    Err(Failure::Skip)
}
