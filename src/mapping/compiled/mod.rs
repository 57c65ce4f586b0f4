//! Scripts as expression trees over the tape: the fast path.
//!
//! A tree covers what mappings are made of: paths, `?.`, `??`, literals, operators, `if`, `switch`, calls of the
//! library, closures over lists, `let`, functions of the script. Fields and statements that use more stay with the
//! interpreter, with trees for what stands in them (`graft`), and when a tree fails for any reason the whole record
//! goes to the interpreter, which alone tells what is wrong. The invariant: a tree gives the value that the
//! interpreter gives, or none.

mod branches;
mod build;
mod chains;
mod eval;
mod follow;
mod frame;
mod graft;
mod labels;
mod node;
mod operators;
mod steps;
mod watch;
mod weight;

#[cfg(test)]
mod graft_tests;
#[cfg(test)]
mod tests;

pub(crate) use build::Unsupported;
pub(crate) use eval::Halt;
pub(crate) use graft::{Grafted, Trees};
pub(in crate::mapping) use graft::{lend, register};
pub(in crate::mapping) use labels::labels;
pub(in crate::mapping) use node::Literal;
pub(in crate::mapping) use steps::{Raw, function_of, lambda_of, steps_of};
pub(in crate::mapping) use watch::{Branch, Cover, Look, Mark, Watch};

use std::sync::Arc;

use rhai::{Engine, Expr, Scope, Stmt};

use self::build::{Builder, Finished};
use self::eval::Run;
use self::graft::{Outer, graft, part, returns};
use self::node::{Node, Statement};
use self::weight::Weight;
use super::library::Env;
use super::projection::Projection;
use super::script::{Script, literal};
use super::tape::Doc;
use super::value::{Object, Value};
use crate::model::entity::Entity;
use crate::model::schema;

/// A compiled script.
#[derive(Debug)]
pub(crate) struct Program {
    /// What the interpreter runs before the tree: all of the script, or its statements up to the fields.
    pub(crate) before: Option<Before>,
    frame: usize,
    /// The variables of the frame that the interpreter sets.
    outer: Box<[Outer]>,
    prelude: Box<[Statement]>,
    tail: Tail,
    pub(crate) trees: Arc<Trees>,
    /// The fields that the interpreter evaluates: a script of its own, or the end of the one before.
    pub(crate) rest: Option<Grafted>,
    /// The fields that are left to it, and why.
    pub(crate) reasons: Vec<(String, Unsupported)>,
    /// What a watched tree tells of.
    pub(in crate::mapping) marks: Vec<Mark>,
}

/// The part of a script that is left to the interpreter as a whole.
#[derive(Debug)]
pub(crate) struct Before {
    pub(crate) script: Grafted,
    pub(crate) reason: Unsupported,
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
    /// What the interpreter gives.
    Given,
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
        let (prelude, ending) = match builder
            .statements(before)
            .and_then(|prelude| Ok((prelude, Ending::build(&mut builder, script, last, entity)?)))
        {
            Ok(built) => built,
            Err(reason) if builder.is_watched() => return Err(reason),
            Err(reason) => return Self::grafted(builder, script, entity, reason),
        };
        let (frame, outer) = builder.frame();
        let rest = ending.rest(last).map(|fields| {
            let statements: Vec<Stmt> = before.iter().cloned().chain([fields]).collect();
            graft(&mut builder, script, statements.clone())
                .unwrap_or_else(|| Grafted { ast: part(script, statements), reads_record: true })
        });
        let Finished { trees, marks } = builder.finish(rest.iter());
        Ok(Self {
            before: None,
            frame,
            outer,
            prelude: prelude.into(),
            tail: ending.tail,
            trees: Arc::new(trees),
            rest,
            reasons: ending.reasons,
            marks,
        })
    }

    /// A script that the interpreter runs, up to its fields if it is sure to get there.
    fn grafted(
        mut builder: Builder<'_>,
        script: &Script,
        entity: Entity,
        reason: Unsupported,
    ) -> Result<Self, Unsupported> {
        let statements = script.ast.statements();
        let (before, last) = match statements {
            [before @ .., last] if literal(&script.ast).is_some() && !returns(before) => {
                (before, Some(last))
            }
            all => (all, None),
        };
        let Some(mut before) = graft(&mut builder, script, before.to_vec()) else {
            return Err(reason);
        };
        builder.within();
        let ending = match last {
            Some(last) => Ending::build(&mut builder, script, last, entity)?,
            None => Ending { tail: Tail::Given, reasons: Vec::new() },
        };
        let (frame, outer) = builder.frame();
        let rest = match last.and_then(|last| ending.rest(last)) {
            Some(fields) => match graft(&mut builder, script, vec![fields]) {
                Some(rest) => Some(rest),
                None => return Err(reason),
            },
            None => None,
        };
        before.reads_record |= rest.as_ref().is_some_and(|rest| rest.reads_record);
        let Finished { trees, marks } = builder.finish(rest.iter().chain([&before]));
        Ok(Self {
            before: Some(Before { script: before, reason }),
            frame,
            outer,
            prelude: Box::default(),
            tail: ending.tail,
            trees: Arc::new(trees),
            rest,
            reasons: ending.reasons,
            marks,
        })
    }

    /// Whether the interpreter has a part in it.
    pub(crate) fn is_mixed(&self) -> bool {
        self.before.is_some() || self.rest.is_some()
    }

    /// Whether the interpreter gives its value.
    pub(crate) fn is_given(&self) -> bool {
        matches!(self.tail, Tail::Given)
    }

    /// Evaluates the script on a record; shows each field and its value. `false`: the record is left out.
    pub(crate) fn run<'a>(
        &'a self,
        doc: &'a Doc<'a>,
        env: &'a Env,
        show: impl FnMut(&Target, Value<'a>) -> Result<(), Halt>,
    ) -> Result<bool, Halt> {
        self.drive(&mut Run::new(doc, env, &self.trees.bodies, self.frame), show)
    }

    /// The same among the variables that the interpreter has left.
    pub(crate) fn run_in<'a>(
        &'a self,
        doc: &'a Doc<'a>,
        env: &'a Env,
        scope: &'a Scope<'_>,
        show: impl FnMut(&Target, Value<'a>) -> Result<(), Halt>,
    ) -> Result<bool, Halt> {
        let mut run = Run::new(doc, env, &self.trees.bodies, self.frame);
        if self.before.is_none() {
            // The interpreter starts its own count.
            return self.drive(&mut run, show);
        }
        run.load(&self.outer, scope)?;
        let outcome = self.drive(&mut run, show);
        run.account()?;
        outcome
    }

    /// The same for a watched tree, and what it told, however it ended.
    pub(in crate::mapping) fn watch<'a>(
        &'a self,
        doc: &'a Doc<'a>,
        env: &'a Env,
        show: impl FnMut(&Target, Value<'a>) -> Result<(), Halt>,
    ) -> (Result<bool, Halt>, Watch) {
        let mut run = Run::new(doc, env, &self.trees.bodies, self.frame);
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
                    let mut value = Value::Unit;
                    run.eval_into(node, &mut value)?;
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
            // Nothing is left to evaluate.
            Tail::Given => {}
        }
        if weight.fits() { Ok(true) } else { Err(Halt::Fail) }
    }
}

/// What a script ends with, and what of it is not covered.
struct Ending {
    tail: Tail,
    reasons: Vec<(String, Unsupported)>,
}

impl Ending {
    fn build(
        builder: &mut Builder<'_>,
        script: &Script,
        last: &Stmt,
        entity: Entity,
    ) -> Result<Self, Unsupported> {
        let mut reasons = Vec::new();
        let Some(entries) = literal(&script.ast) else {
            return match builder.statements(std::slice::from_ref(last))?.pop() {
                Some(Statement::Value(value)) => Ok(Self { tail: Tail::Value(value), reasons }),
                _ => Err(Unsupported { what: "this ending", at: last.position() }),
            };
        };
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
        Ok(Self { tail: Tail::Fields(fields.into()), reasons })
    }

    /// The end of the script with only those fields that the tree does not cover.
    fn rest(&self, last: &Stmt) -> Option<Stmt> {
        if self.reasons.is_empty() {
            return None;
        }
        let mut last = last.clone();
        let Stmt::Expr(value) = &mut last else { return None };
        let Expr::Map(entries, _) = &mut **value else { return None };
        let kept = |name: &str| self.reasons.iter().any(|(field, _)| field == name);
        entries.0.retain(|(name, _)| kept(&name.name));
        entries.1.retain(|name, _| kept(name));
        Some(last)
    }
}
