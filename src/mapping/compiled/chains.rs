//! Building chains `a.b?.c[d].e(f)`: from rhai's nested steps to a flat list of them.
//!
//! Not here: how rhai nests them (`steps`), and following them (`follow`). The invariant: a path below the record is read
//! as a whole where its properties end, and nowhere above.

use rhai::{Expr, FnCallExpr, Position};

use super::build::{Builder, Built, unsupported};
use super::frame::Known;
use super::node::{Arg, Chain, Kind, Node, Step};
use super::steps::{Raw, steps_of};
use crate::mapping::library;
use crate::mapping::projection::ROOT;

/// What a path gives where the record says `null`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// `()`.
    Value,
    /// `clear()`.
    Told,
}

/// Whether a call is of `null_to_clear`.
pub(super) fn is_told(call: &FnCallExpr) -> bool {
    library::function(&call.name)
        .is_some_and(|function| matches!(function.body, library::Body::Told))
}

/// Lets the last step tell `null`; `false` when it is no property.
fn tell(steps: &mut [Step]) -> bool {
    let Some(last) = steps.last_mut() else { return false };
    last.kind = match std::mem::replace(&mut last.kind, Kind::Property("".into())) {
        Kind::Slot(slot) => Kind::ToldSlot(slot),
        Kind::Property(name) => Kind::Told(name),
        other => {
            last.kind = other;
            return false;
        }
    };
    true
}

impl Builder<'_> {
    pub(super) fn path(&mut self, expr: &Expr, ending: Ending) -> Built<Node> {
        let (base, raw) = steps_of(expr);
        let mut early = Vec::new();
        let mut steps = Vec::new();
        let mut part = None;
        if let Expr::Variable(name, ..) = base {
            if self.is_record(&name.1) {
                part = Some(ROOT);
            } else if let Some(Known::Part(alias)) = self.frame.known(&name.1) {
                part = Some(alias);
                steps.push(Step { optional: false, kind: Kind::Slot(self.slot(alias)) });
            }
        }
        let on_record = part.is_some();
        for (optional, step) in raw {
            let kind = match (step, part) {
                (Raw::Property(name, _), Some(above)) => {
                    let below = self.projection.below(above, name);
                    part = Some(below);
                    Kind::Slot(self.slot(below))
                }
                (Raw::Property(name, _), None) => Kind::Property(name.into()),
                (Raw::Index(index), _) => {
                    self.close(&mut part);
                    Kind::Index(self.arg(index, &mut early)?)
                }
                (Raw::Method(call, at), _) if call.args.is_empty() && is_told(call) => {
                    self.close(&mut part);
                    if optional || !tell(&mut steps) {
                        return unsupported("`null_to_clear` of what is no path", at);
                    }
                    continue;
                }
                (Raw::Method(call, at), _) => {
                    self.close(&mut part);
                    self.method(call, at, &mut early)?
                }
            };
            steps.push(Step { optional, kind });
        }
        self.close(&mut part);
        if ending == Ending::Told && !tell(&mut steps) {
            return unsupported("`null_to_clear` of what is no path", expr.position());
        }
        if on_record
            && let [Step { optional: false, kind: Kind::Slot(_) }] = &steps[..]
            && let Some(Step { kind: Kind::Slot(slot), .. }) = steps.pop()
        {
            return Ok(Node::Slot(slot));
        }
        let base = if on_record { Node::Record } else { self.expression(base)? };
        Ok(Node::Chain(Box::new(Chain { base, early: early.into(), steps: steps.into() })))
    }

    /// The path of properties ends here: what stands there is read as a whole.
    fn close(&mut self, part: &mut Option<usize>) {
        if let Some(part) = part.take() {
            self.projection.whole(part);
        }
    }

    fn method(&mut self, call: &FnCallExpr, at: Position, early: &mut Vec<Node>) -> Built<Kind> {
        let Some(function) = library::function(&call.name) else {
            return unsupported("this call", at);
        };
        match (function.body, &call.args[..]) {
            (library::Body::Plain(body), args) => Ok(Kind::Call(body, self.args(args, early)?)),
            (library::Body::Closure(closure), [lambda]) => {
                Ok(Kind::Over(self.over(closure, lambda)?))
            }
            _ => unsupported("this call", at),
        }
    }

    fn args(&mut self, args: &[Expr], early: &mut Vec<Node>) -> Built<Box<[Arg]>> {
        args.iter().map(|arg| self.arg(arg, early)).collect()
    }

    fn arg(&mut self, expr: &Expr, early: &mut Vec<Node>) -> Built<Arg> {
        let node = self.expression(expr)?;
        if matches!(node, Node::Literal(_) | Node::Zone | Node::Local(_) | Node::Slot(_)) {
            return Ok(Arg::Inert(node));
        }
        early.push(node);
        Ok(Arg::Early(early.len() - 1))
    }
}
