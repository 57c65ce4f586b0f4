//! Closures that only read what they capture get a copy of it.
//!
//! rhai turns a captured variable into one that is shared behind a lock, and refuses `list.map(|x| len(list))` because
//! the list is locked while its own function runs. A variable that the script never assigns a second time needs no
//! sharing. The invariant: a script's value is the same, except that such calls work.

use std::collections::BTreeSet;

use rhai::{AST, ASTNode, Expr, Stmt, StmtBlock};

/// The syntax tree without needless sharing. Closures within closures keep theirs.
pub(crate) fn unshare(ast: &AST) -> AST {
    let assigned = assigned(ast);
    let mut statements = ast.statements().to_vec();
    for stmt in &mut statements {
        statement(stmt, &assigned);
    }
    AST::new(statements, ast.shared_lib().clone())
}

/// The variables that are assigned after their definition.
pub(crate) fn assigned(ast: &AST) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    ast.walk(&mut |path| {
        if let Some(ASTNode::Stmt(Stmt::Assignment(parts))) = path.last()
            && let Expr::Variable(name, ..) = &parts.1.lhs
        {
            names.insert(name.1.to_string());
        }
        true
    });
    names
}

fn block(block: &mut StmtBlock, assigned: &BTreeSet<String>) {
    block.statements_mut().iter_mut().for_each(|stmt| statement(stmt, assigned));
}

fn statement(stmt: &mut Stmt, assigned: &BTreeSet<String>) {
    match stmt {
        Stmt::Share(variables) => {
            let at = variables.first().map_or(rhai::Position::NONE, |(name, _)| name.pos);
            variables.retain(|(name, _)| assigned.contains(name.name.as_str()));
            if variables.is_empty() {
                *stmt = Stmt::Noop(at);
            }
        }
        Stmt::If(parts, _)
        | Stmt::While(parts, _)
        | Stmt::Do(parts, ..)
        | Stmt::TryCatch(parts, _) => {
            expression(&mut parts.expr, assigned);
            block(&mut parts.body, assigned);
            block(&mut parts.branch, assigned);
        }
        Stmt::For(parts, _) => {
            expression(&mut parts.2.expr, assigned);
            block(&mut parts.2.body, assigned);
        }
        Stmt::Switch(parts, _) => {
            expression(&mut parts.0, assigned);
            for case in &mut parts.1.expressions {
                expression(&mut case.lhs, assigned);
                expression(&mut case.rhs, assigned);
            }
        }
        Stmt::Var(parts, ..) => expression(&mut parts.1, assigned),
        Stmt::Assignment(parts) => expression(&mut parts.1.rhs, assigned),
        Stmt::FnCall(call, _) => call.args.iter_mut().for_each(|arg| expression(arg, assigned)),
        Stmt::Block(inner) => block(inner, assigned),
        Stmt::Expr(value) => expression(value, assigned),
        Stmt::BreakLoop(Some(value), ..) | Stmt::Return(Some(value), ..) => {
            expression(value, assigned);
        }
        _ => {}
    }
}

fn expression(expr: &mut Expr, assigned: &BTreeSet<String>) {
    match expr {
        Expr::InterpolatedString(parts, _) | Expr::Array(parts, _) => {
            parts.iter_mut().for_each(|part| expression(part, assigned));
        }
        Expr::Map(entries, _) => {
            entries.0.iter_mut().for_each(|(_, value)| expression(value, assigned));
        }
        Expr::And(parts, _) | Expr::Or(parts, _) | Expr::Coalesce(parts, _) => {
            parts.iter_mut().for_each(|part| expression(part, assigned));
        }
        Expr::Stmt(inner) => block(inner, assigned),
        Expr::FnCall(call, _) | Expr::MethodCall(call, _) => {
            call.args.iter_mut().for_each(|arg| expression(arg, assigned));
        }
        Expr::Dot(step, ..) | Expr::Index(step, ..) => {
            expression(&mut step.lhs, assigned);
            expression(&mut step.rhs, assigned);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::mapping::testing::evaluate_on;

    #[test]
    fn a_list_can_be_used_inside_its_own_function() {
        for (script, value) in [
            ("let a = [1, 2]; #{ custom: a.map(|x| x + len(a)) }", json!([3, 4])),
            ("#{ custom: record.ids.map(|id| record.prefix + id) }", json!(["p1", "p2"])),
            ("#{ custom: map(record.ids, |id| record.prefix + id) }", json!(["p1", "p2"])),
            (
                "let p = record.prefix; #{ custom: { let q = p; record.ids.filter(|id| q + id != \"p1\") } }",
                json!(["2"]),
            ),
        ] {
            let record = json!({ "prefix": "p", "ids": ["1", "2"] });
            assert_eq!(evaluate_on(script, &record), Ok(value), "{script}");
        }
    }

    #[test]
    fn a_function_still_changes_what_the_script_changes() {
        let script = "let n = 0; [1, 2, 3].map(|x| { n += x; n }); #{ custom: n }";
        assert_eq!(evaluate_on(script, &json!({})), Ok(json!(6)));
    }
}
