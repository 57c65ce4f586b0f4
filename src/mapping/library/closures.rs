//! `all`, `filter`, `find`, `map` and `some`: a function of the script over a list.
//!
//! Not here: how the script's function is called; the interpreter (`engine`) and the compiled path each do it their
//! way. The invariant: both see the elements in order and stop at the same one.

use super::{Body, Function};

/// What is done with what the script's function gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Closure {
    /// Whether it is true for every element.
    All,
    /// The elements for which it is true.
    Filter,
    /// The first element for which it is true.
    Find,
    /// What it gives for every element.
    Map,
    /// Whether it is true for any element.
    Some,
}

impl Closure {
    /// The name in scripts.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Filter => "filter",
            Self::Find => "find",
            Self::Map => "map",
            Self::Some => "some",
        }
    }
}

const fn over(
    closure: Closure,
    name: &'static str,
    usage: &'static str,
    about: &'static str,
    examples: [(&'static str, &'static str); 2],
) -> Function {
    Function { name, usage, about, examples, least: 2, most: 2, body: Body::Closure(closure) }
}

pub(super) const ALL: Function = over(
    Closure::All,
    "all",
    "all(list, |x| ..) -> true or false",
    "Whether the function gives true for every element; of an empty list true.",
    [("[1, 2].all(|x| x > 0)", "true"), ("all([1, 2], |x| x > 1)", "false")],
);

pub(super) const FILTER: Function = over(
    Closure::Filter,
    "filter",
    "filter(list, |x| ..) -> list",
    "The elements for which the function gives true.",
    [
        (r#"["0", "a"].filter(|x| x != "0")"#, r#"["a"]"#),
        ("filter([1, 2, 3], |x| x > 1)", "[2, 3]"),
    ],
);

pub(super) const FIND: Function = over(
    Closure::Find,
    "find",
    "find(list, |x| ..) -> value",
    "The first element for which the function gives true, `()` if there is none.",
    [("[1, 2, 3].find(|x| x > 1)", "2"), ("find([1], |x| x > 1)", "null")],
);

pub(super) const MAP: Function = over(
    Closure::Map,
    "map",
    "map(list, |x| ..) -> list",
    "What the function gives for every element.",
    [
        (
            r#"["a", "b"].map(|x| id("department", x))"#,
            r#"["feishu:department:a", "feishu:department:b"]"#,
        ),
        ("map([1, 2], |x| x * 2)", "[2, 4]"),
    ],
);

pub(super) const SOME: Function = over(
    Closure::Some,
    "some",
    "some(list, |x| ..) -> true or false",
    "Whether the function gives true for any element; of an empty list false.",
    [("[1, 2].some(|x| x == 2)", "true"), ("some([], |x| x == 2)", "false")],
);
