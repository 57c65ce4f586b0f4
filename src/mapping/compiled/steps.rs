//! Reading rhai's chains `a.b?.c[d].e(f)` and closures.
//!
//! rhai nests a chain to the right and keeps closures as function pointers, with their captured variables curried on.

use rhai::{ASTFlags, Expr, FnCallExpr, FnPtr, Position, Stmt};

/// A function given to a call: its name, and how many variables it captures.
pub(super) fn lambda_of(expr: &Expr) -> Option<(String, usize)> {
    match expr {
        Expr::DynamicConstant(value, _) => {
            let function = value.read_lock::<FnPtr>()?;
            Some((function.fn_name().to_owned(), 0))
        }
        Expr::Stmt(block) => match block.statements() {
            [Stmt::Noop(_), Stmt::Expr(curry)] | [Stmt::Expr(curry)] => lambda_of(curry),
            _ => None,
        },
        Expr::FnCall(call, _) if call.name == "curry" => {
            let (name, _) = lambda_of(call.args.first()?)?;
            Some((name, call.args.len() - 1))
        }
        _ => None,
    }
}

/// A step as rhai has it.
pub(super) enum Raw<'e> {
    Property(&'e str),
    Index(&'e Expr),
    Method(&'e FnCallExpr, Position),
}

/// The base of a chain, and its steps with whether each is optional.
pub(super) fn steps_of(expr: &Expr) -> (&Expr, Vec<(bool, Raw<'_>)>) {
    let mut steps = Vec::new();
    let (mut dotted, chain, mut flags) = match expr {
        Expr::Dot(chain, flags, _) => (true, chain, *flags),
        Expr::Index(chain, flags, _) => (false, chain, *flags),
        other => return (other, steps),
    };
    let mut rest = &chain.rhs;
    loop {
        let (here, next) = match rest {
            Expr::Dot(step, flags_of_next, _) if dotted || !flags.intersects(ASTFlags::BREAK) => {
                (&step.lhs, Some((true, &step.rhs, *flags_of_next)))
            }
            Expr::Index(step, flags_of_next, _) if dotted || !flags.intersects(ASTFlags::BREAK) => {
                (&step.lhs, Some((false, &step.rhs, *flags_of_next)))
            }
            last => (last, None),
        };
        let optional = flags.intersects(ASTFlags::NEGATED);
        let step = match here {
            index if !dotted => Raw::Index(index),
            Expr::Property(name, _) => Raw::Property(&name.2),
            Expr::MethodCall(call, at) => Raw::Method(call, *at),
            other => Raw::Index(other),
        };
        steps.push((optional, step));
        match next {
            Some((next_dotted, next_rest, next_flags)) => {
                (dotted, rest, flags) = (next_dotted, next_rest, next_flags);
            }
            None => return (&chain.lhs, steps),
        }
    }
}
