//! Chains `a.b?.c[d].e(f)`: which part of the record they lead to, and what they may give.
//!
//! The invariant: a step that depends on the record, such as `[n]` with a variable, leads to an unknown part.

use rhai::{Expr, Position};

use super::infer::Infer;
use super::kinds::{Kinds, Ty};
use super::path::Path;
use crate::mapping::compiled::{Raw, steps_of};
use crate::model::draft::Content;

impl Infer<'_> {
    pub(super) fn chain(&mut self, expr: &Expr) -> Ty {
        let at = expr.start_position();
        let (base, steps) = steps_of(expr);
        let mut ty = self.expr(base);
        let mut missing = false;
        for (optional, step) in steps {
            if optional {
                missing |= ty.may_be(Kinds::UNIT);
                ty = ty.without(Kinds::UNIT);
            }
            ty = match step {
                Raw::Property(name, place) => self.property(&ty, name, place, at),
                Raw::Index(index) => self.index(&ty, index, at),
                Raw::Method(call, place) => {
                    let args = self.args(call);
                    self.library(&call.name, Some(ty), args, &call.args, place)
                }
            };
        }
        if missing { ty.or_unit(at) } else { ty }
    }

    fn property(&mut self, of: &Ty, name: &str, place: Position, at: Position) -> Ty {
        match of.path.as_ref().and_then(|path| path.key(name)) {
            Some(path) => {
                self.read(&path, place);
                Ty::source(path, at)
            }
            None => Ty::unknown(at),
        }
    }

    fn index(&mut self, of: &Ty, index: &Expr, at: Position) -> Ty {
        let place = index.start_position();
        let index = self.expr(index);
        match (index.constant(), &of.item) {
            (Some(Content::Int(_)), Some(item)) if of.kinds() == Kinds::LIST => (**item).clone(),
            (Some(Content::Int(_)), _) if of.path.is_some() => {
                let path = of.path.as_ref().and_then(Path::item);
                // Anything that JSON holds, and of a text a letter: in one part, since neither is certain.
                Ty { path, ..Ty::of(Kinds::ANY.without(Kinds::CLEAR), at) }
            }
            (Some(Content::Text(name)), _) => {
                let name = name.to_string();
                self.property(of, &name, place, at)
            }
            _ => Ty::unknown(at),
        }
    }
}
