//! `latest`: the latest point in time of a list.

use super::earliest::extreme;
use super::{Body, Env, Function, Outcome};
use crate::mapping::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "latest",
    usage: "latest(times [, zone]) -> text",
    about: "The latest of a list of times as `instant` writes it; unset ones do not count. `()` when none is left.",
    examples: [
        (r#"latest(["1767229200", "1767225600", ""])"#, r#""2026-01-01T09:00:00+08:00""#),
        ("latest([()])", "null"),
    ],
    least: 1,
    most: 2,
    body: Body::Plain(run),
};

fn run<'a>(env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    extreme("latest", env, args, |new, old| new > old)
}
