//! What operators and functions of the library give, by what they are called with.
//!
//! A function's page says what it gives (`-> text`); the rules that all share are those of `library`: `()` in, `()` out,
//! `clear()` in, `clear()` out. Not here: closures' bodies (`infer`). The invariant: what has no rule may give what its
//! page says, or `()`.

use rhai::{Expr, FnCallExpr, Position};

use super::infer::Infer;
use super::kinds::{Kinds, Shape, Ty};
use super::path::Path;
use crate::mapping::compiled::lambda_of;
use crate::mapping::library::{self, Body, Closure, Function};
use crate::mapping::tables::Cell;
use crate::model::draft::Content;
use crate::model::entity::Entity;

/// Functions that give `()` only when their first argument is `()`.
const ALWAYS: &[&str] = &[
    "contains",
    "ends_with",
    "half_width",
    "join",
    "len",
    "lower",
    "or_null",
    "put_first",
    "replace",
    "shortened",
    "split",
    "starts_with",
    "sum",
    "to_text",
    "trimmed",
    "upper",
];

impl Infer<'_> {
    pub(super) fn call(&mut self, call: &FnCallExpr, at: Position) -> Ty {
        let name = call.name.as_str();
        if call.is_qualified() {
            self.args(call);
            return Ty::unknown(at);
        }
        if call.is_operator_call() {
            let args = self.args(call);
            return operator(name, &args, at);
        }
        if library::function(name).is_some() {
            let mut args = self.args(call).into_iter();
            let first = args.next();
            return self.library(
                name,
                first,
                args.collect(),
                call.args.get(1..).unwrap_or(&[]),
                at,
            );
        }
        let args = self.args(call);
        self.own(name, args, at)
    }

    /// A function of the library: its first argument, the others, and how these are written.
    pub(super) fn library(
        &mut self,
        name: &str,
        first: Option<Ty>,
        rest: Vec<Ty>,
        written: &[Expr],
        at: Position,
    ) -> Ty {
        let Some(function) = library::function(name) else { return Ty::unknown(at) };
        let first = first.unwrap_or_default();
        match function.body {
            Body::Closure(closure) => match written.first() {
                Some(lambda) => self.over(closure, &first, lambda, at),
                None => Ty::unknown(at),
            },
            // What the record has as null is erased.
            Body::Told => first.or_kinds(Kinds::CLEAR, at),
            Body::Plain(_) => self.plain(function, first, rest, at),
        }
    }

    fn over(&mut self, closure: Closure, list: &Ty, lambda: &Expr, at: Position) -> Ty {
        let item = Self::element(list, at);
        let body = match lambda_of(lambda) {
            Some((name, captured)) => self.lambda(&name, captured, item.clone(), at),
            None => Ty::unknown(at),
        };
        let ty = match closure {
            Closure::All | Closure::Some => Ty::of(Kinds::BOOL, at),
            Closure::Map => Ty::list(body, at),
            Closure::Filter => Ty { path: list.path.clone(), ..Ty::list(item, at) },
            Closure::Find => Ty { path: item.path.clone(), ..item.or_unit(at) },
        };
        passed(ty, list, list.may_be(Kinds::UNIT), at)
    }

    fn plain(&mut self, function: &Function, first: Ty, rest: Vec<Ty>, at: Position) -> Ty {
        match function.name {
            "skip" => return Ty::never(),
            "clear" => return Ty::literal(Content::Null, at),
            "lookup" => return self.lookup(&first, rest, at),
            "id" => return passed(id(&first, rest.first(), at), &first, false, at),
            "or_default" => {
                let other = rest.into_iter().next().unwrap_or_default();
                return first.without(Kinds::UNIT).or(other);
            }
            "max" | "min" => {
                let missing = first.may_be(Kinds::UNIT);
                return passed(Ty::of(Kinds::NUMBER, at), &first, missing, at);
            }
            "first" | "last" => {
                let item = Self::element(&first, at);
                let path = item.path.clone();
                let ty = Ty { path, ..item.or_unit(at) };
                return passed(ty, &first, true, at);
            }
            "put_first" => return put_first(&first, rest, at),
            "pick" | "largest" => {
                if let Some(path) = self.picked(function.name, &first, &rest, at) {
                    return passed(Ty::source(path, at), &first, true, at);
                }
            }
            _ => {}
        }
        let missing = !ALWAYS.contains(&function.name) || first.may_be(Kinds::UNIT);
        passed(result(function, at), &first, missing, at)
    }

    /// `pick(list, "key", value, "path")` and `largest(list, "key", "path")` read both properties of the elements.
    fn picked(&mut self, name: &str, list: &Ty, rest: &[Ty], at: Position) -> Option<Path> {
        let item = Self::element(list, at).path?;
        let key = item.key(rest.first()?.text()?)?;
        let path = rest.get(if name == "pick" { 2 } else { 1 })?;
        self.read(&key, place(rest.first()?, at));
        let mut end = item;
        for name in path.text()?.split('.') {
            end = end.key(name)?;
            self.read(&end, place(path, at));
        }
        Some(end)
    }

    fn lookup(&self, table: &Ty, rest: Vec<Ty>, at: Position) -> Ty {
        let mut rest = rest.into_iter();
        let value = rest.next().unwrap_or_default();
        let default = rest.next();
        let Some(table) = table.text().and_then(|name| self.tables.table(name)) else {
            return Ty::unknown(at);
        };
        let mut sum = Ty::never();
        for (row, cell) in table.rows() {
            // The row `_` is for values without a default of their own.
            if row == "_" && default.is_some() {
                continue;
            }
            sum = sum.or(Ty::literal(content(cell), at));
        }
        if let Some(default) = default {
            sum = sum.or(default);
        }
        let missing = value.may_be(Kinds::UNIT);
        passed(sum, &value, missing, at)
    }
}

fn put_first(list: &Ty, rest: Vec<Ty>, at: Position) -> Ty {
    let front = rest.into_iter().next().unwrap_or_default().without(Kinds::UNIT);
    let item = Infer::element(list, at);
    let ty = Ty { path: list.path.clone(), ..Ty::list(item.or(front), at) };
    passed(ty, list, list.may_be(Kinds::UNIT), at)
}

fn place(ty: &Ty, otherwise: Position) -> Position {
    ty.parts.first().map(|part| part.at).filter(|at| !at.is_none()).unwrap_or(otherwise)
}

fn content(cell: &Cell) -> Content<'static> {
    match cell {
        Cell::Null => Content::Null,
        Cell::Bool(flag) => Content::Bool(*flag),
        Cell::Int(number) => Content::Int(*number),
        Cell::Float(number) => Content::Float(*number),
        Cell::Text(text) => Content::Text(text.clone().into()),
    }
}

fn id(kind: &Ty, source: Option<&Ty>, at: Position) -> Ty {
    let ty = Ty::shaped(Kinds::TEXT, Shape::Id(kind.text().and_then(Entity::parse)), at);
    match source {
        // A blank id gives nothing.
        Some(source) => passed(ty, source, true, at),
        None => ty.or_unit(at),
    }
}

/// A result with what the first argument hands through: `()` if it may be `missing`, `clear()` if that may come in.
fn passed(ty: Ty, first: &Ty, missing: bool, at: Position) -> Ty {
    let ty = if missing { ty.or_unit(at) } else { ty };
    if first.may_be(Kinds::CLEAR) { ty.or_kinds(Kinds::CLEAR, at) } else { ty }
}

/// What a function's page says that it gives.
fn result(function: &Function, at: Position) -> Ty {
    let shape = match function.name {
        "date" | "work_date" | "id_card_birth_date" => Shape::Date,
        "instant" | "instant_on" | "earliest" | "latest" => Shape::Instant,
        "phone" => Shape::Mobile,
        _ => Shape::Any,
    };
    let item = match function.name {
        "split" => Some(Ty::of(Kinds::TEXT, at).into()),
        _ => None,
    };
    Ty { item, ..Ty::shaped(told(function.usage), shape, at) }
}

/// The kinds behind the arrow of a usage such as `or_null(text) -> text or null`.
fn told(usage: &str) -> Kinds {
    let Some((_, words)) = usage.rsplit_once("-> ") else { return Kinds::ANY };
    if words.trim() == "true or false" {
        return Kinds::BOOL;
    }
    words.split(" or ").fold(Kinds::NONE, |sum, word| {
        sum.and(match word.trim() {
            "text" => Kinds::TEXT,
            "null" => Kinds::CLEAR,
            "whole number" => Kinds::INT,
            "number" => Kinds::NUMBER,
            "list" => Kinds::LIST,
            "object" => Kinds::OBJECT,
            "true or false" => Kinds::BOOL,
            _ => Kinds::ANY,
        })
    })
}

fn operator(name: &str, args: &[Ty], at: Position) -> Ty {
    match (name, args) {
        ("!", [value]) => match value.truth() {
            Some(truth) => Ty::literal(Content::Bool(!truth), at),
            None => Ty::of(Kinds::BOOL, at),
        },
        ("-", [value]) => match value.constant() {
            Some(Content::Int(number)) => Ty::literal(Content::Int(number.saturating_neg()), at),
            _ if value.kinds().within(Kinds::NUMBER) => Ty::of(value.kinds(), at),
            _ => Ty::unknown(at),
        },
        ("==" | "!=", [a, b]) => match equal(a, b) {
            Some(equal) => Ty::literal(Content::Bool(equal == (name == "==")), at),
            None => Ty::of(Kinds::BOOL, at),
        },
        ("<" | "<=" | ">" | ">=" | "in", [_, _]) => Ty::of(Kinds::BOOL, at),
        ("+" | "-" | "*" | "/" | "%", [a, b]) => arithmetic(name, a.kinds(), b.kinds(), at),
        _ => Ty::unknown(at),
    }
}

fn arithmetic(name: &str, a: Kinds, b: Kinds, at: Position) -> Ty {
    if a.is_none() || b.is_none() {
        return Ty::never();
    }
    let both = a.and(b);
    let kinds = if both == Kinds::INT {
        Kinds::INT
    } else if both.within(Kinds::NUMBER) && (a == Kinds::FLOAT || b == Kinds::FLOAT) {
        Kinds::FLOAT
    } else if both.within(Kinds::NUMBER) {
        Kinds::NUMBER
    } else if name == "+" && both == Kinds::TEXT {
        Kinds::TEXT
    } else {
        Kinds::ANY
    };
    Ty::of(kinds, at)
}

/// Whether two values are equal, if it is always the same: values of different kinds never are.
fn equal(a: &Ty, b: &Ty) -> Option<bool> {
    let (x, y) = (a.kinds(), b.kinds());
    if x.is_none() || y.is_none() || x.and(y).meets(Kinds::CLEAR.and(Kinds::OTHER)) {
        return None;
    }
    if let (Some(a), Some(b)) = (a.constant(), b.constant())
        && std::mem::discriminant(a) == std::mem::discriminant(b)
        && !matches!(a, Content::Float(_))
    {
        return Some(a == b);
    }
    if x == Kinds::UNIT && y == Kinds::UNIT {
        return Some(true);
    }
    let numbers = x.meets(Kinds::NUMBER) && y.meets(Kinds::NUMBER);
    (!numbers && !x.meets(y)).then_some(false)
}
