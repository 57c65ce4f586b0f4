//! What went wrong with one record, in words that say what to do, without a single value of the record.
//!
//! Not here: faults of the files themselves; see `fault`. The invariant: nothing of rhai's own messages that may hold a
//! value (a thrown value, an index, the operands of an overflow) gets out.

use rhai::{AST, ASTNode, EvalAltResult, Expr, Position, Stmt};

use super::engine::{LIMITS, Raised, Stop};
use super::library::Failure;
use super::script::{Script, key};
use crate::port::mapper::Reject;

/// How an evaluation ended without a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The script leaves the record out.
    Skipped,
    /// The record is parked.
    Rejected(Box<Reject>),
}

/// A cause with its code, before it is known where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cause {
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

/// Explains an error of the interpreter.
pub(crate) fn explain(script: &Script, error: &EvalAltResult) -> End {
    let (inner, outer) = unwrap(error);
    let at = match inner.position() {
        none if none.is_none() => outer,
        inner => inner,
    };
    match cause(script, inner, at) {
        Ok(cause) => End::Rejected(Box::new(reject(script, outer, at, cause))),
        Err(Skip) => End::Skipped,
    }
}

/// Where an evaluation ended: the innermost place that is known.
pub(super) fn position(error: &EvalAltResult) -> Position {
    let (inner, outer) = unwrap(error);
    let at = inner.position();
    if at.is_none() { outer } else { at }
}

/// A cause at its place: `outer` lies in the field's own expression, `at` where it really happened.
pub(crate) fn reject(script: &Script, outer: Position, at: Position, cause: Cause) -> Reject {
    Reject {
        code: cause.code.to_owned(),
        field: script.property_at(outer).map(|property| property.name.clone()),
        message: cause.message,
        place: script.place(at),
    }
}

/// The innermost error, and the outermost place: a function's error belongs to the field that calls it.
fn unwrap(error: &EvalAltResult) -> (&EvalAltResult, Position) {
    let mut outer = Position::NONE;
    let mut error = error;
    while let EvalAltResult::ErrorInFunctionCall(_, _, inner, at) = error {
        if outer.is_none() {
            outer = *at;
        }
        error = inner;
    }
    if outer.is_none() {
        outer = error.position();
    }
    (error, outer)
}

struct Skip;

fn cause(script: &Script, error: &EvalAltResult, at: Position) -> Result<Cause, Skip> {
    use EvalAltResult as E;
    Ok(match error {
        E::ErrorTerminated(token, _) => match token.clone().try_cast::<Stop>() {
            Some(Stop::Skip) => return Err(Skip),
            Some(Stop::Time) => stopped(Stop::Time),
            Some(Stop::Operations | Stop::Tree) | None => stopped(Stop::Operations),
        },
        E::ErrorRuntime(value, _) => match value.clone().try_cast::<Raised>() {
            Some(Raised(Failure::Fault { code, message })) => Cause { code, message },
            Some(Raised(Failure::Skip)) => return Err(Skip),
            None => thrown(&script.ast, at),
        },
        E::ErrorTooManyOperations(_) => stopped(Stop::Operations),
        E::ErrorStackOverflow(_) => Cause {
            code: "mapping::calls",
            message: format!(
                "functions call each other more than {} deep; look for one that calls itself",
                LIMITS.calls
            ),
        },
        E::ErrorTooManyVariables(_) => Cause {
            code: "mapping::variables",
            message: format!(
                "there are more than {} variables; look for a `let` in a loop",
                LIMITS.variables
            ),
        },
        E::ErrorDataTooLarge(what, _) => too_large(what),
        E::ErrorArithmetic(..) => Cause {
            code: "mapping::arithmetic",
            message: "the calculation has no result of 64 bits (overflow, or a division by zero)"
                .to_owned(),
        },
        E::ErrorArrayBounds(count, ..) => Cause {
            code: "mapping::index",
            message: format!(
                "the list has {count} elements, not the one asked for; use `first(list)`, or ask `len(list)` before"
            ),
        },
        E::ErrorStringBounds(count, ..) => Cause {
            code: "mapping::index",
            message: format!("the text has {count} characters, not the one asked for"),
        },
        E::ErrorFunctionNotFound(signature, _) => no_function(signature),
        E::ErrorMismatchDataType(wanted, got, _) | E::ErrorMismatchOutputType(wanted, got, _) => {
            Cause {
                code: "mapping::type",
                message: format!(
                    "{} is needed here, got {}{}",
                    type_word(wanted),
                    type_word(got),
                    hint(got)
                ),
            }
        }
        E::ErrorDotExpr(..) | E::ErrorPropertyNotFound(..) | E::ErrorIndexingType(..) => {
            no_property(&script.ast, error, at)
        }
        E::ErrorDataRace(..) => Cause {
            code: "mapping::captured",
            message:
                "a value is used inside its own function; give it a second name with `let` before"
                    .to_owned(),
        },
        E::ErrorFor(_) => Cause { code: "mapping::type", message: "`for` needs a list".to_owned() },
        _ => Cause {
            code: "mapping::failed",
            message: "this cannot be carried out on the record; look at the types on this line"
                .to_owned(),
        },
    })
}

/// The cause of an evaluation that used too much.
pub(crate) fn stopped(stop: Stop) -> Cause {
    match stop {
        Stop::Time => Cause {
            code: "mapping::time",
            message: format!(
                "the script ran for more than {} seconds on one record; look for a loop",
                LIMITS.time.as_secs()
            ),
        },
        Stop::Operations | Stop::Skip | Stop::Tree => Cause {
            code: "mapping::operations",
            message: format!(
                "the script took more than {} steps for one record; look for a loop that does not end",
                LIMITS.operations
            ),
        },
    }
}

/// The cause of a value that grew too large.
fn too_large(what: &str) -> Cause {
    let (what, limit) = if what.contains("string") {
        ("a text", format!("{} bytes", LIMITS.text_bytes))
    } else if what.contains("map") {
        ("an object", format!("{} entries", LIMITS.entries))
    } else {
        ("a list", format!("{} elements", LIMITS.elements))
    };
    Cause {
        code: "mapping::size",
        message: format!("{what} grew beyond {limit}; look for a loop that adds to it"),
    }
}

/// `throw "words"`: the words are the script's own if they stand there as a literal.
fn thrown(ast: &AST, at: Position) -> Cause {
    let mut words = None;
    ast.walk(&mut |path| {
        if let Some(ASTNode::Stmt(Stmt::Return(Some(value), _, place))) = path.last()
            && *place == at
            && let Expr::StringConstant(text, _) = &**value
        {
            words = Some(text.to_string());
        }
        words.is_none()
    });
    Cause {
        code: "mapping::thrown",
        message: words.map_or_else(
            || "the script refuses this record".to_owned(),
            |words| format!("the script refuses this record: {words}"),
        ),
    }
}

/// `+ (i64, ())`: an operator or a function on types that it does not take.
fn no_function(signature: &str) -> Cause {
    let (name, types) = signature.split_once(" (").unwrap_or((signature, ""));
    let types: Vec<&str> =
        types.strip_suffix(')').unwrap_or(types).split(", ").filter(|ty| !ty.is_empty()).collect();
    let got: Vec<&str> = types.iter().map(|ty| type_word(ty)).collect();
    let missing = types.iter().find(|ty| **ty == "()").map_or("", |ty| hint(ty));
    Cause {
        code: "mapping::type",
        message: format!("`{name}` does not work on {}{missing}", got.join(" and ")),
    }
}

/// What to do about a value that is missing.
fn hint(ty: &str) -> &'static str {
    if ty == "()" { "; the source does not tell it: use `?.`, `??` or `== true`" } else { "" }
}

fn no_property(ast: &AST, error: &EvalAltResult, at: Position) -> Cause {
    let got = match error {
        EvalAltResult::ErrorDotExpr(text, _) | EvalAltResult::ErrorIndexingType(text, _) => {
            text.rsplit_once("type '").map_or("", |(_, rest)| rest.trim_end_matches('\''))
        }
        _ => "",
    };
    let of = match got {
        "" => "this".to_owned(),
        ty => type_word(ty).to_owned(),
    };
    let Some((path, name)) = chain_at(ast, at) else {
        return Cause {
            code: "mapping::property",
            message: format!("{of} has no such property{}", hint(got)),
        };
    };
    Cause { code: "mapping::property", message: property_message(&path, &name, &of) }
}

/// The message for a property of something that has none.
pub(crate) fn property_message(path: &str, name: &str, of: &str) -> String {
    if of == "nothing" {
        return format!(
            "`{path}` is missing, so it has no `{name}`; write `{path}?.{name}` if it may be missing"
        );
    }
    format!("`{path}` is {of}, which has no property `{name}`")
}

/// The chain that ends in the property at a position: what stands before it, and its name.
fn chain_at(ast: &AST, at: Position) -> Option<(String, String)> {
    let mut found = None;
    ast.walk(&mut |path| {
        if let Some(ASTNode::Expr(expr @ Expr::Dot(..))) = path.last()
            && !is_inner(path)
        {
            found = chain(expr, at);
        }
        found.is_none()
    });
    found
}

/// Whether the last node of a path is the right side of a chain that was looked at before.
fn is_inner(path: &[ASTNode<'_>]) -> bool {
    let mut nodes = path.iter().rev();
    match (nodes.next(), nodes.next()) {
        (
            Some(ASTNode::Expr(last)),
            Some(ASTNode::Expr(Expr::Dot(outer, ..) | Expr::Index(outer, ..))),
        ) => std::ptr::eq(std::ptr::from_ref::<Expr>(last), &raw const outer.rhs),
        _ => false,
    }
}

fn chain(expr: &Expr, at: Position) -> Option<(String, String)> {
    let Expr::Dot(step, ..) = expr else { return None };
    let mut path = start(&step.lhs);
    let mut rest = &step.rhs;
    loop {
        let (here, next) = match rest {
            Expr::Dot(step, ..) | Expr::Index(step, ..) => (&step.lhs, Some(&step.rhs)),
            last => (last, None),
        };
        let text = match here {
            Expr::Property(name, place) if key(*place) == key(at) => {
                return Some((path, name.2.to_string()));
            }
            Expr::Property(name, _) => format!(".{}", name.2),
            Expr::MethodCall(call, _) => format!(".{}(..)", call.name),
            _ => "[..]".to_owned(),
        };
        path.push_str(&text);
        rest = next?;
    }
}

fn start(expr: &Expr) -> String {
    match expr {
        Expr::Variable(name, ..) => name.1.to_string(),
        Expr::FnCall(call, _) => format!("{}(..)", call.name),
        _ => "(..)".to_owned(),
    }
}

/// A type of rhai in words.
pub(crate) fn type_word(ty: &str) -> &'static str {
    if ty.contains("String") || ty.contains("&str") || ty == "string" {
        return "text";
    }
    match ty {
        "()" => "nothing",
        "i64" => "a whole number",
        "f64" => "a number",
        "bool" => "true or false",
        "array" => "a list",
        "map" => "an object",
        "char" => "a letter",
        "Fn" => "a function",
        "clear" => "`clear()`",
        _ => "another type",
    }
}
