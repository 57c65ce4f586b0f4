//! Which parts of the record a script reads, read off its syntax tree.
//!
//! The invariant: what is not in the projection cannot make a difference to the script's value.

use rhai::{AST, ASTNode, Expr};

use super::projection::{Projection, ROOT};
use super::script::RECORD;

/// Adds what a script reads: every chain `record.a.b` is a path; any other use of `record` reads all of it.
pub(crate) fn add(projection: &mut Projection, ast: &AST) {
    ast.walk(&mut |path| {
        let mut nodes = path.iter().rev();
        if let Some(ASTNode::Expr(variable)) = nodes.next()
            && is_record(variable)
        {
            match nodes.next() {
                Some(ASTNode::Expr(Expr::Dot(chain, ..)))
                    if std::ptr::eq(&raw const chain.lhs, std::ptr::from_ref::<Expr>(variable)) =>
                {
                    mark(projection, &chain.rhs);
                }
                _ => projection.whole(ROOT),
            }
        }
        true
    });
}

/// Whether an expression is the variable `record`.
pub(crate) fn is_record(expr: &Expr) -> bool {
    matches!(expr, Expr::Variable(name, ..) if name.1 == RECORD)
}

/// Marks the properties of a chain; what follows them reads the last one as a whole.
fn mark(projection: &mut Projection, chain: &Expr) {
    let mut part = ROOT;
    let mut rest = chain;
    loop {
        match rest {
            Expr::Property(name, _) => {
                part = projection.below(part, &name.2);
                break;
            }
            Expr::Dot(step, ..) => match &step.lhs {
                Expr::Property(name, _) => {
                    part = projection.below(part, &name.2);
                    rest = &step.rhs;
                }
                _ => break,
            },
            Expr::Index(step, ..) => {
                if let Expr::Property(name, _) = &step.lhs {
                    part = projection.below(part, &name.2);
                }
                break;
            }
            _ => break,
        }
    }
    projection.whole(part);
}
