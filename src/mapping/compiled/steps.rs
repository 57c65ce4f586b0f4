//! Reading rhai's chains `a.b?.c[d].e(f)` and closures.
//!
//! rhai nests a chain to the right and keeps closures as function pointers, with their captured variables curried on.

use rhai::{AST, ASTFlags, ASTNode, Expr, FnCallExpr, FnPtr, Module, Position, Stmt};

/// A function given to a call: its name, and how many variables it captures.
pub(in crate::mapping) fn lambda_of(expr: &Expr) -> Option<(String, usize)> {
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
pub(in crate::mapping) enum Raw<'e> {
    Property(&'e str, Position),
    Index(&'e Expr),
    Method(&'e FnCallExpr, Position),
}

/// The base of a chain, and its steps with whether each is optional.
pub(in crate::mapping) fn steps_of(expr: &Expr) -> (&Expr, Vec<(bool, Raw<'_>)>) {
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
            Expr::Property(name, at) => Raw::Property(&name.2, *at),
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

/// The parameters and the statements of a function of a script.
pub(in crate::mapping) fn function_of(
    ast: &AST,
    name: &str,
    parameters: usize,
) -> Option<(Vec<String>, Vec<Stmt>)> {
    let definition = ast.shared_lib().get_script_fn(name, parameters)?;
    let names = definition.params.iter().map(ToString::to_string).collect();
    // rhai shows a body only while it walks a tree: walk one that has nothing else.
    let mut alone = Module::new();
    alone.set_script_fn(definition.clone());
    let mut statements = Vec::new();
    AST::new([], alone).walk(&mut |path| {
        if let [ASTNode::Stmt(stmt)] = path {
            statements.push((*stmt).clone());
        }
        true
    });
    Some((names, statements))
}
