//! Trees within a script that the interpreter runs.
//!
//! A loop or a `return` keeps a script from becoming one tree, but not what stands in it: every expression that can be a
//! tree is put in the place of the one that was written, and the interpreter carries out the statements around it. Not
//! here: what an expression becomes (`build`), and what is done when a tree fails. The invariant: a grafted script
//! gives the value of the script that was written, or none; nothing in the script can catch a tree that failed.

use std::sync::Arc;

use rhai::{
    AST, ASTFlags, ASTNode, CustomExpr, Dynamic, Engine, EvalAltResult, EvalContext, Expr,
    FnCallExpr, Module, Position, Scope, Stmt, StmtBlock,
};

use super::build::Builder;
use super::chains::is_told;
use super::eval::{Halt, Run};
use super::node::{Body, Node};
use super::weight::Weight;
use crate::mapping::engine::{LIMITS, Stop, spend};
use crate::mapping::library::Env;
use crate::mapping::script::{RECORD, Script};
use crate::mapping::tape::Held;
use crate::mapping::value::Value;

/// What the interpreter knows trees by; no script can write it.
const TREE: &str = "\u{0}tree";
/// The variable that holds what trees need; no script can name it.
const LENT: &str = "\u{0}lent";
/// Most variables that a grafted script defines: with those of a tree far below the interpreter's limit.
const VARIABLES: usize = 40;

/// A script for the interpreter, with trees in it.
#[derive(Debug)]
pub(crate) struct Grafted {
    pub(crate) ast: AST,
    /// Whether anything outside the trees asks for the record.
    pub(crate) reads_record: bool,
}

/// The trees of a script, by number.
#[derive(Debug, Default)]
pub(crate) struct Trees {
    pub(super) leaves: Box<[Leaf]>,
    pub(super) bodies: Box<[Body]>,
}

/// One tree, and the variables around it that it reads.
#[derive(Debug)]
pub(super) struct Leaf {
    pub(super) node: Node,
    pub(super) frame: usize,
    pub(super) outer: Box<[Outer]>,
}

/// What trees need while a script runs.
#[derive(Clone)]
struct Lent {
    held: Arc<Held>,
    trees: Arc<Trees>,
}

/// Lends a record and the trees to a script that is about to run.
pub(in crate::mapping) fn lend(scope: &mut Scope<'_>, held: &Arc<Held>, trees: &Arc<Trees>) {
    let lent = Lent { held: Arc::clone(held), trees: Arc::clone(trees) };
    scope.push_dynamic(LENT, Dynamic::from(lent));
}

/// Teaches the engine what a tree is.
pub(in crate::mapping) fn register(engine: &mut Engine, env: &Arc<Env>) {
    let env = Arc::clone(env);
    // It is refused only by an engine without a parser.
    drop(engine.register_custom_syntax_handler(TREE, false, move |context, _, number| {
        evaluate(context, number, &env).map_err(|halt| {
            let stop = match halt {
                Halt::Skip => Stop::Skip,
                Halt::Fail => Stop::Tree,
            };
            Box::new(EvalAltResult::ErrorTerminated(Dynamic::from(stop), Position::NONE))
        })
    }));
}

fn evaluate(
    context: &EvalContext<'_, '_, '_, '_, '_, '_>,
    number: &Dynamic,
    env: &Env,
) -> Result<Dynamic, Halt> {
    let scope = context.scope();
    let lent = scope.get(LENT).and_then(Dynamic::read_lock::<Lent>).ok_or(Halt::Fail)?;
    let number = number.as_int().ok().and_then(|number| usize::try_from(number).ok());
    let leaf = number.and_then(|number| lent.trees.leaves.get(number)).ok_or(Halt::Fail)?;
    let doc = lent.held.doc();
    let mut run = Run::new(&doc, env, &lent.trees.bodies, leaf.frame);
    run.load(&leaf.outer, scope)?;
    let value = run.eval(&leaf.node).map(Value::into_dynamic);
    run.account()?;
    value
}

/// A variable around a tree, and its place in the tree's frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Outer {
    pub(super) name: Box<str>,
    pub(super) place: usize,
}

impl<'a> Run<'a> {
    /// Takes over the variables around a tree.
    pub(super) fn load(&mut self, outer: &[Outer], scope: &'a Scope<'_>) -> Result<(), Halt> {
        for Outer { name, place } in outer {
            let value = scope.get(name).ok_or(Halt::Fail)?;
            // What a function of the script changes lies behind a lock.
            let copy = value.is_shared().then(|| value.flatten_clone());
            let weight = Weight::of(copy.as_ref().unwrap_or(value)).ok_or(Halt::Fail)?;
            self.step(u64::try_from(weight.values / 8).unwrap_or(u64::MAX))?;
            self.set(*place, copy.map_or_else(|| Value::of(value), Value::from_dynamic));
        }
        Ok(())
    }

    /// Counts the steps of a tree on top of what the script around it has used.
    pub(super) fn account(&self) -> Result<(), Halt> {
        match spend(&LIMITS, self.operations()) {
            None => Ok(()),
            Some(_) => Err(Halt::Fail),
        }
    }
}

/// Puts trees into statements for the interpreter; `None` when that could make a difference.
pub(super) fn graft(
    builder: &mut Builder<'_>,
    script: &Script,
    mut statements: Vec<Stmt>,
) -> Option<Grafted> {
    if variables(&statements) > VARIABLES {
        return None;
    }
    for stmt in &mut statements {
        Grafter { builder }.statement(stmt);
    }
    // A function of the script sees the record only where it is handed to it.
    let reads_record = finds(
        &AST::new(statements.clone(), Module::new()),
        |node| matches!(node, ASTNode::Expr(Expr::Variable(name, ..)) if name.1 == RECORD),
    );
    let ast = part(script, statements);
    let tells_null = finds(&ast, |node| match node {
        ASTNode::Expr(Expr::FnCall(call, _) | Expr::MethodCall(call, _))
        | ASTNode::Stmt(Stmt::FnCall(call, _)) => is_told(call),
        _ => false,
    });
    // What a tree gives no longer tells the record's `null` from what is missing.
    (!tells_null).then_some(Grafted { ast, reads_record })
}

/// Some statements of a script, with its functions.
pub(super) fn part(script: &Script, statements: Vec<Stmt>) -> AST {
    let mut ast = AST::new(statements, script.ast.shared_lib().clone());
    ast.set_source(script.source.name.as_str());
    ast
}

fn finds(ast: &AST, wanted: impl Fn(&ASTNode<'_>) -> bool) -> bool {
    let mut found = false;
    ast.walk(&mut |path| {
        found |= path.last().is_some_and(&wanted);
        !found
    });
    found
}

/// How many variables statements define at most.
fn variables(statements: &[Stmt]) -> usize {
    count(statements, |stmt| match stmt {
        Stmt::Var(..) => 1,
        Stmt::For(..) | Stmt::TryCatch(..) => 2,
        _ => 0,
    })
}

/// Whether statements may end a script early.
pub(super) fn returns(statements: &[Stmt]) -> bool {
    let returning = |stmt: &Stmt| match stmt {
        Stmt::Return(_, flags, _) => usize::from(!flags.intersects(ASTFlags::BREAK)),
        _ => 0,
    };
    count(statements, returning) > 0
}

fn count(statements: &[Stmt], of: impl Fn(&Stmt) -> usize) -> usize {
    let mut found = 0;
    for stmt in statements {
        stmt.walk(&mut Vec::new(), &mut |path: &[ASTNode<'_>]| {
            if let Some(ASTNode::Stmt(stmt)) = path.last() {
                found += of(stmt);
            }
            true
        });
    }
    found
}

struct Grafter<'b, 's> {
    builder: &'b mut Builder<'s>,
}

impl Grafter<'_, '_> {
    fn block(&mut self, block: &mut StmtBlock) {
        for stmt in block.statements_mut() {
            self.statement(stmt);
        }
    }

    fn statement(&mut self, stmt: &mut Stmt) {
        if matches!(stmt, Stmt::If(..) | Stmt::Switch(..) | Stmt::FnCall(..) | Stmt::Block(_))
            && let Ok(number) = self.builder.leaf(|builder| builder.value(stmt))
        {
            *stmt = Stmt::Expr(Box::new(tree(number, stmt.position())));
            return;
        }
        match stmt {
            Stmt::If(parts, _)
            | Stmt::While(parts, _)
            | Stmt::Do(parts, ..)
            | Stmt::TryCatch(parts, _) => {
                self.expression(&mut parts.expr);
                self.block(&mut parts.body);
                self.block(&mut parts.branch);
            }
            Stmt::For(parts, _) => {
                self.expression(&mut parts.2.expr);
                self.block(&mut parts.2.body);
            }
            Stmt::Switch(parts, _) => {
                self.expression(&mut parts.0);
                for case in &mut parts.1.expressions {
                    self.expression(&mut case.lhs);
                    self.expression(&mut case.rhs);
                }
            }
            Stmt::Var(parts, ..) => self.expression(&mut parts.1),
            Stmt::Assignment(parts) => self.expression(&mut parts.1.rhs),
            Stmt::FnCall(call, _) => self.arguments(call),
            Stmt::Block(inner) => self.block(inner),
            Stmt::Expr(value) => self.expression(value),
            Stmt::BreakLoop(Some(value), ..) | Stmt::Return(Some(value), ..) => {
                self.expression(value);
            }
            _ => {}
        }
    }

    fn expression(&mut self, expr: &mut Expr) {
        if is_small(expr) {
            return;
        }
        if let Ok(number) = self.builder.leaf(|builder| builder.expression(expr)) {
            *expr = tree(number, expr.start_position());
            return;
        }
        match expr {
            Expr::InterpolatedString(parts, _) | Expr::Array(parts, _) => {
                parts.iter_mut().for_each(|part| self.expression(part));
            }
            Expr::Map(entries, _) => {
                entries.0.iter_mut().for_each(|(_, value)| self.expression(value));
            }
            Expr::And(parts, _) | Expr::Or(parts, _) | Expr::Coalesce(parts, _) => {
                parts.iter_mut().for_each(|part| self.expression(part));
            }
            Expr::Stmt(inner) => self.block(inner),
            Expr::FnCall(call, _) => self.arguments(call),
            Expr::Dot(step, ..) | Expr::Index(step, ..) => {
                self.expression(&mut step.lhs);
                self.steps(&mut step.rhs);
            }
            _ => {}
        }
    }

    /// The steps of a chain stay what they are, but for the arguments of methods.
    fn steps(&mut self, steps: &mut Expr) {
        match steps {
            Expr::MethodCall(call, _) => self.arguments(call),
            Expr::Dot(step, ..) => {
                self.steps(&mut step.lhs);
                self.steps(&mut step.rhs);
            }
            _ => {}
        }
    }

    fn arguments(&mut self, call: &mut FnCallExpr) {
        // The interpreter reads the arguments of `curry` from the tree itself.
        if call.name != "curry" {
            call.args.iter_mut().for_each(|arg| self.expression(arg));
        }
    }
}

/// Whether an expression is no more work for the interpreter than a tree is.
fn is_small(expr: &Expr) -> bool {
    match expr {
        Expr::FnCall(call, _) => call.is_operator_call() && call.args.iter().all(is_small),
        Expr::Variable(..) | Expr::Property(..) | Expr::ThisPtr(_) => true,
        other => other.is_constant(),
    }
}

fn tree(number: usize, at: Position) -> Expr {
    let state = rhai::INT::try_from(number).map_or(Dynamic::UNIT, Dynamic::from_int);
    let custom = CustomExpr {
        inputs: [].into_iter().collect(),
        tokens: [TREE.into()].into_iter().collect(),
        state,
        scope_may_be_changed: false,
        self_terminated: false,
    };
    Expr::Custom(Box::new(custom), at)
}
