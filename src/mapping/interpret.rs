//! Running a script in the interpreter.
//!
//! Not here: what becomes of its value (`mapper`). The invariant: one evaluation sees one record, and nothing of it is
//! left for the next.

use rhai::{AST, Dynamic, Engine, EvalAltResult, Scope};

use super::engine::begin;
use super::projection::ROOT;
use super::script::{RECORD, Script, ZONE};
use super::tape::Doc;
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
