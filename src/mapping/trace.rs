//! How a record's draft came about, field by field: the line and the layer that set it, what of the record was read, and
//! which row of a table was used.
//!
//! Not here: the draft itself (`mapper`). Only what somebody asks for is traced, in the interpreter. The invariant: a trace
//! names what *can* make a difference to the field; a branch that was not taken is told with what it reads.

use std::collections::BTreeSet;

use rhai::{AST, ASTNode, Expr, Stmt};
use serde_json::Value;

use super::explain;
use super::interpret::Room;
use super::mapper::{ConnectionMapper, Mapping};
use super::paths;
use super::projection::{Projection, ROOT};
use super::script::{Script, key, literal};
use super::tape::{Doc, Tape};
use super::value::Value as Mapped;
use crate::model::record::Record;
use crate::port::mapper::{Place, Read, RowUsed, Traced};

/// Fields by the script that counts for each, the last one that sets it.
pub(super) fn fields(mapper: &ConnectionMapper, mapping: &Mapping, record: &Record) -> Vec<Traced> {
    let raw: Value = serde_json::from_slice(&record.payload).unwrap_or_default();
    let text = std::str::from_utf8(&record.payload).unwrap_or_default();
    let mut whole = Projection::new();
    whole.whole(ROOT);
    let mut tape = Tape::default();
    let Ok(doc) = tape.parse(text, &whole) else { return Vec::new() };
    let mut room = Room::new(&mapper.env.zone_name);
    let mut traced: Vec<Traced> = Vec::new();
    for script in &mapping.scripts {
        for (name, expr) in literal(&script.ast).into_iter().flatten() {
            let parts = parts(script, expr);
            let one = Traced {
                field: name.name.to_string(),
                place: script.place(name.pos),
                reads: reads(script, &parts, &raw),
                rows: rows(mapper, script, &parts, &doc, &mut room),
            };
            traced.retain(|before| before.field != one.field);
            traced.push(one);
        }
    }
    traced
}

/// Where a script says that the record is left out.
pub(super) fn skipped_at(
    mapper: &ConnectionMapper,
    mapping: &Mapping,
    record: &Record,
) -> Option<Place> {
    let text = std::str::from_utf8(&record.payload).ok()?;
    let mut tape = Tape::default();
    let doc = tape.parse(text, &mapping.projection).ok()?;
    let mut room = Room::new(&mapper.env.zone_name);
    for script in &mapping.scripts {
        match room.evaluate(&mapper.engine, &script.ast, &doc) {
            Ok(value) if value.is_unit() => {
                return script.place(script.ast.statements().last()?.position());
            }
            Ok(_) => {}
            Err(error) => return script.place(explain::position(&error)),
        }
    }
    None
}

/// An expression, and those of the variables that it is made of.
fn parts<'a>(script: &'a Script, expr: &'a Expr) -> Vec<&'a Expr> {
    let mut parts = vec![expr];
    let mut known = BTreeSet::new();
    let mut at = 0;
    while let Some(part) = parts.get(at).copied() {
        at += 1;
        let mut names = BTreeSet::new();
        part.walk(&mut Vec::new(), &mut |path: &[ASTNode<'_>]| {
            if let Some(ASTNode::Expr(Expr::Variable(variable, ..))) = path.last() {
                names.insert(variable.1.to_string());
            }
            true
        });
        for statement in script.ast.statements() {
            if let Stmt::Var(variable, ..) = statement
                && names.contains(variable.0.as_str())
                && known.insert(key(variable.0.pos))
            {
                parts.push(&variable.1);
            }
        }
    }
    parts
}

/// The script up to its value, with another value.
fn with_value(script: &Script, value: &Expr) -> AST {
    let statements = script.ast.statements();
    let mut body = statements[..statements.len().saturating_sub(1)].to_vec();
    body.push(Stmt::Expr(Box::new(value.clone())));
    let mut ast = AST::new(body, script.ast.shared_lib().clone());
    ast.set_source(script.source.name.as_str());
    ast
}

fn reads(script: &Script, parts: &[&Expr], raw: &Value) -> Vec<Read> {
    let mut projection = Projection::new();
    for part in parts {
        let value = vec![Stmt::Expr(Box::new((*part).clone()))];
        paths::add(&mut projection, &AST::new(value, script.ast.shared_lib().clone()));
    }
    let mut reads = Vec::new();
    leaves(&projection, ROOT, "record", Some(raw), &mut reads);
    reads
}

/// The deepest paths that are read, and what stands there.
fn leaves(
    projection: &Projection,
    part: usize,
    path: &str,
    value: Option<&Value>,
    reads: &mut Vec<Read>,
) {
    let node = &projection.parts[part];
    if node.children.is_empty() || node.whole {
        // The record as a whole would be told as often as it is read.
        let value = if part == ROOT { None } else { value.cloned() };
        if part != ROOT || node.whole {
            reads.push(Read { path: path.to_owned(), value });
        }
    }
    for (name, child) in &node.children {
        let below = value.and_then(|value| value.get(&**name));
        leaves(projection, *child, &format!("{path}.{name}"), below, reads);
    }
}

fn rows(
    mapper: &ConnectionMapper,
    script: &Script,
    parts: &[&Expr],
    doc: &Doc<'_>,
    room: &mut Room,
) -> Vec<RowUsed> {
    let mut calls: Vec<Expr> = Vec::new();
    for part in parts {
        part.walk(&mut Vec::new(), &mut |path: &[ASTNode<'_>]| {
            if let Some(ASTNode::Expr(expr @ Expr::FnCall(call, _))) = path.last()
                && call.name == "lookup"
                && call.args.len() >= 2
            {
                calls.push((*expr).clone());
            }
            true
        });
    }
    let mut value = |expr: &Expr| -> Option<Value> {
        let found = room.evaluate(&mapper.engine, &with_value(script, expr), doc).ok()?;
        plain(found)
    };
    let mut rows = Vec::new();
    for expr in &calls {
        let Expr::FnCall(call, _) = expr else { continue };
        let (table, key) = (value(&call.args[0]), value(&call.args[1]));
        if let (Some(Value::String(table)), Some(key)) = (table, key.filter(|key| !key.is_null())) {
            rows.push(RowUsed { table, key, word: value(expr) });
        }
    }
    rows
}

/// A scalar of the interpreter as JSON.
fn plain(value: rhai::Dynamic) -> Option<Value> {
    match Mapped::from_dynamic(value) {
        Mapped::Unit | Mapped::Clear => Some(Value::Null),
        Mapped::Bool(flag) => Some(flag.into()),
        Mapped::Int(number) => Some(number.into()),
        Mapped::Text(text) => Some(text.to_string().into()),
        _ => None,
    }
}
