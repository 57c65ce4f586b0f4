//! Running a script in the interpreter.
//!
//! Not here: what becomes of its value (`mapper`). The invariant: one evaluation sees one record, and nothing of it is
//! left for the next.

use std::sync::Arc;

use rhai::{AST, Dynamic, Engine, EvalAltResult, Scope};

use super::compiled::{Grafted, Halt, Program, Target, Trees, lend};
use super::engine::{Stop, begin};
use super::library::Env;
use super::projection::ROOT;
use super::script::{RECORD, Script, ZONE};
use super::tape::{Doc, Held};
use super::value::Value;

/// A scope that is used again for every record.
pub(crate) struct Room {
    scope: Scope<'static>,
    zone: Dynamic,
}

impl Room {
    /// A room for evaluations in a zone.
    pub(crate) fn new(zone: &str) -> Self {
        Self { scope: Scope::new(), zone: zone.to_owned().into() }
    }

    /// Evaluates a script on a record.
    pub(crate) fn evaluate(
        &mut self,
        engine: &Engine,
        ast: &AST,
        doc: &Doc<'_>,
    ) -> Result<Dynamic, Box<EvalAltResult>> {
        begin();
        self.scope.rewind(0);
        self.scope.push_dynamic(RECORD, record(doc));
        self.scope.push_dynamic(ZONE, self.zone.clone());
        let value = engine.eval_ast_with_scope::<Dynamic>(&mut self.scope, ast);
        self.scope.rewind(0);
        value.map(Dynamic::flatten)
    }
}

/// Takes a field and its value.
pub(crate) type Show<'s> = dyn FnMut(&Target, Value<'_>) -> Result<(), Halt> + 's;

impl Room {
    /// Evaluates a script in which the interpreter has a part; `false`: the record is left out.
    pub(crate) fn mixed(
        &mut self,
        (engine, env): (&Engine, &Env),
        program: &Program,
        held: &Arc<Held>,
        show: &mut Show<'_>,
    ) -> Result<bool, Halt> {
        if let Some(before) = &program.before {
            let value = self.run(engine, (&before.script, &program.trees), held)?;
            if program.is_given() {
                return given(value, show);
            }
        }
        let doc = held.doc();
        let goes_on =
            program.run_in(&doc, env, &self.scope, |target, value| show(target, value))?;
        let Some(rest) = program.rest.as_ref().filter(|_| goes_on) else { return Ok(goes_on) };
        let value = match &program.before {
            Some(_) => self.go_on(engine, rest)?,
            None => self.run(engine, (rest, &program.trees), held)?,
        };
        given(value, show)
    }

    /// Runs a script with trees in it on a record; its variables stay.
    fn run(
        &mut self,
        engine: &Engine,
        (grafted, trees): (&Grafted, &Arc<Trees>),
        held: &Arc<Held>,
    ) -> Result<Dynamic, Halt> {
        begin();
        self.clear();
        lend(&mut self.scope, held, trees);
        let record = if grafted.reads_record { record(&held.doc()) } else { Dynamic::UNIT };
        self.scope.push_dynamic(RECORD, record);
        self.scope.push_dynamic(ZONE, self.zone.clone());
        self.go_on(engine, grafted)
    }

    /// Runs more of the script, among the variables of what ran before.
    fn go_on(&mut self, engine: &Engine, more: &Grafted) -> Result<Dynamic, Halt> {
        match engine.eval_ast_with_scope::<Dynamic>(&mut self.scope, &more.ast) {
            Ok(value) => Ok(value.flatten()),
            Err(error) => match *error {
                EvalAltResult::ErrorTerminated(stop, _) if is_skip(&stop) => Err(Halt::Skip),
                _ => Err(Halt::Fail),
            },
        }
    }

    /// Forgets the record.
    pub(crate) fn clear(&mut self) {
        self.scope.rewind(0);
    }
}

/// Shows the fields that the interpreter gives; `false` when it gives none.
pub(crate) fn given(value: Dynamic, show: &mut Show<'_>) -> Result<bool, Halt> {
    if value.is_unit() {
        return Ok(false);
    }
    for (name, value) in value.try_cast::<rhai::Map>().ok_or(Halt::Fail)? {
        show(&Target::Name(name.as_str().into()), Value::from_dynamic(value))?;
    }
    Ok(true)
}

fn is_skip(stop: &Dynamic) -> bool {
    stop.read_lock::<Stop>().is_some_and(|stop| *stop == Stop::Skip)
}

/// What a script sees of a record.
fn record(doc: &Doc<'_>) -> Dynamic {
    // A script that never asks for the record finds an empty one.
    Value::on_tape(doc, u32::try_from(ROOT).unwrap_or(0)).into_dynamic()
}

/// The script's syntax tree without the fields that a layer on top sets anyway.
pub(crate) fn without(script: &Script, overridden: &[String]) -> Option<AST> {
    let mut statements = script.ast.statements().to_vec();
    let Some(rhai::Stmt::Expr(value)) = statements.last_mut() else {
        return None;
    };
    let rhai::Expr::Map(entries, _) = &mut **value else {
        return None;
    };
    entries.0.retain(|(name, _)| !overridden.iter().any(|field| field.as_str() == name.as_str()));
    entries.1.retain(|name, _| !overridden.iter().any(|field| field.as_str() == name.as_str()));
    let mut ast = AST::new(statements, script.ast.shared_lib().clone());
    ast.set_source(script.source.name.as_str());
    Some(ast)
}
