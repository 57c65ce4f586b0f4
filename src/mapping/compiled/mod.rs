//! Scripts as expression trees over the tape: the fast path.
//!
//! A tree covers what mappings are made of: paths, `?.`, `??`, literals, operators, `if`, `switch`, calls of the
//! library, closures over lists, `let`, functions of the script. Fields that use more stay with the interpreter, and
//! when a tree fails for any reason the whole record goes to the interpreter, which alone tells what is wrong. The
//! invariant: a tree gives the value that the interpreter gives, or none.

mod build;
mod eval;
mod follow;
mod labels;
mod node;
mod operators;
mod steps;
mod watch;
mod weight;

#[cfg(test)]
mod tests;

pub(crate) use build::Unsupported;
pub(crate) use eval::Halt;
pub(in crate::mapping) use labels::labels;
pub(in crate::mapping) use node::Literal;
pub(in crate::mapping) use steps::{Raw, function_of, lambda_of, steps_of};
pub(in crate::mapping) use watch::{Branch, Cover, Look, Mark, Watch};

use rhai::{AST, Engine, Expr, Stmt};

use self::build::Builder;
use self::eval::Run;
use self::node::{Body, Node, Statement};
use self::weight::Weight;
use super::library::Env;
use super::paths;
use super::projection::Projection;
use super::script::{Script, literal};
use super::tape::Doc;
use super::value::{Object, Value};
use crate::model::entity::Entity;
use crate::model::schema;

/// A compiled script.
#[derive(Debug)]
pub(crate) struct Program {
    frame: usize,
    prelude: Box<[Statement]>,
    tail: Tail,
    bodies: Box<[Body]>,
    /// What the interpreter has to evaluate beside the tree.
    pub(crate) rest: Option<AST>,
    /// The fields that are left to it, and why.
    pub(crate) reasons: Vec<(String, Unsupported)>,
    /// What a watched tree tells of.
    pub(in crate::mapping) marks: Vec<Mark>,
}

/// Where a value goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// The field at a position of the schema.
    Field(usize),
    /// A name that is only known now, or that the schema does not have.
    Name(Box<str>),
}

/// What a script ends with.
#[derive(Debug)]
enum Tail {
    /// A map literal.
    Fields(Box<[(Target, Node)]>),
    /// Any other expression.
    Value(Node),
}

impl Program {
    /// Compiles a script, and adds what it reads to the projection. [`Unsupported`] when nothing of it can be compiled.
    pub(crate) fn compile(
        engine: &Engine,
        script: &Script,
        entity: Entity,
        projection: &mut Projection,
    ) -> Result<Self, Unsupported> {
        Self::build(Builder::new(engine, script, projection), script, entity)
    }

    /// Compiles a script to a tree that tells which branches it reaches; for [`Program::watch`].
    pub(in crate::mapping) fn watched(
        engine: &Engine,
        script: &Script,
        entity: Entity,
        projection: &mut Projection,
    ) -> Result<Self, Unsupported> {
        Self::build(Builder::new(engine, script, projection).watched(), script, entity)
    }

    fn build(
        mut builder: Builder<'_>,
        script: &Script,
        entity: Entity,
    ) -> Result<Self, Unsupported> {
        let [before @ .., last] = script.ast.statements() else {
            return Err(Unsupported { what: "no statement", at: rhai::Position::NONE });
        };
        let prelude = builder.statements(before)?;
        let mut reasons = Vec::new();
        let tail = match literal(&script.ast) {
            Some(entries) => {
                let mut fields = Vec::new();
                for (name, value) in entries {
                    match builder.expression(value) {
                        Ok(node) => {
                            let name = name.name.as_str();
                            let target = schema::position(entity, name)
                                .map_or_else(|| Target::Name(name.into()), Target::Field);
                            fields.push((target, node));
                        }
                        Err(reason) => reasons.push((name.name.to_string(), reason)),
                    }
                }
                Tail::Fields(fields.into())
            }
            None => match builder.statements(std::slice::from_ref(last))?.pop() {
                Some(Statement::Value(value)) => Tail::Value(value),
                _ => return Err(Unsupported { what: "this ending", at: last.position() }),
            },
        };
        let rest = rest(script, &reasons);
        if let Some(rest) = &rest {
            paths::add(builder.projection(), rest);
        }
        let (frame, bodies, marks) = builder.finish();
        Ok(Self { frame, prelude: prelude.into(), tail, bodies, rest, reasons, marks })
    }

    /// Evaluates the script on a record; shows each field and its value. `false`: the record is left out.
    pub(crate) fn run<'a>(
        &'a self,
        doc: &'a Doc<'a>,
        env: &'a Env,
        show: impl FnMut(&Target, Value<'a>) -> Result<(), Halt>,
    ) -> Result<bool, Halt> {
        self.drive(&mut Run::new(doc, env, &self.bodies, self.frame), show)
    }

    /// The same for a watched tree, and what it told, however it ended.
    pub(in crate::mapping) fn watch<'a>(
        &'a self,
        doc: &'a Doc<'a>,
        env: &'a Env,
        show: impl FnMut(&Target, Value<'a>) -> Result<(), Halt>,
    ) -> (Result<bool, Halt>, Watch) {
        let mut run = Run::new(doc, env, &self.bodies, self.frame);
        let outcome = self.drive(&mut run, show);
        (outcome, run.watch)
    }

    fn drive<'a>(
        &'a self,
        run: &mut Run<'a>,
        mut show: impl FnMut(&Target, Value<'a>) -> Result<(), Halt>,
    ) -> Result<bool, Halt> {
        let mut weight = Weight::default();
        run.statements(&self.prelude)?;
        match &self.tail {
            Tail::Fields(fields) => {
                for (target, node) in fields {
                    let value = run.eval(node)?;
                    weight.add(&value);
                    show(target, value)?;
                }
            }
            Tail::Value(node) => match run.eval(node)? {
                Value::Unit => return Ok(false),
                Value::Object(Object::Owned(entries)) => {
                    for (name, value) in entries {
                        show(&Target::Name((*name).into()), value)?;
                    }
                }
                _ => return Err(Halt::Fail),
            },
        }
        if weight.fits() { Ok(true) } else { Err(Halt::Fail) }
    }
}

/// The script with only those fields that the tree does not cover.
fn rest(script: &Script, reasons: &[(String, Unsupported)]) -> Option<AST> {
    if reasons.is_empty() {
        return None;
    }
    let mut statements = script.ast.statements().to_vec();
    let Some(Stmt::Expr(value)) = statements.last_mut() else {
        return None;
    };
    let Expr::Map(entries, _) = &mut **value else {
        return None;
    };
    let kept = |name: &str| reasons.iter().any(|(field, _)| field == name);
    entries.0.retain(|(name, _)| kept(&name.name));
    entries.1.retain(|name, _| kept(name));
    let mut ast = AST::new(statements, script.ast.shared_lib().clone());
    ast.set_source(script.source.name.as_str());
    Some(ast)
}
