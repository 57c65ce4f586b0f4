//! How a record's draft came about, field by field: the line and the layer that set it, what of the record was read, and
//! which row of a table was used.
//!
//! Not here: the draft itself (`mapper`). Only what somebody asks for is traced, in the interpreter. The invariant: a trace
//! names what *can* make a difference to the field; a branch that was not taken is told with what it reads.

use std::collections::BTreeSet;

use rhai::{AST, ASTNode, Expr, Stmt};
use serde_json::{Map, Value};

use super::explain::{self, End};
use super::interpret::Room;
use super::mapper::{ConnectionMapper, Mapping};
use super::paths;
use super::projection::{Projection, ROOT};
use super::script::{Script, key, literal};
use super::tape::{Doc, Tape};
use super::value::Value as Mapped;
use crate::model::draft::Fields;
use crate::model::entity::Entity;
use crate::model::record::Record;
use crate::model::sources::LayerKind;
use crate::port::mapper::{Excepted, Place, Read, RowUsed, Traced, Without};

/// Fields by the script that counts for each, the last one that sets it; exceptions that are about the record come last.
pub(super) fn fields(
    mapper: &ConnectionMapper,
    entity: Entity,
    mapping: &Mapping,
    record: &Record,
) -> Vec<Traced> {
    let raw: Value = serde_json::from_slice(&record.payload).unwrap_or_default();
    let text = std::str::from_utf8(&record.payload).unwrap_or_default();
    let mut whole = Projection::new();
    whole.whole(ROOT);
    let mut tape = Tape::default();
    let Ok(doc) = tape.parse(text, &whole) else { return Vec::new() };
    let mut at = Traces {
        subject: Subject { mapper, entity, mapping, record, doc: &doc },
        raw: &raw,
        room: Room::new(&mapper.env.zone_name),
        traced: Vec::new(),
    };
    for (script, layer) in mapping.scripts.iter().zip(&mapping.layers) {
        at.script(script, *layer, |_| None);
    }
    let Ok((_, about)) = at.subject.fill(&mut at.room, None) else { return at.traced };
    for nth in about {
        let Some(exception) = mapping.exceptions.get(nth) else { continue };
        let without = at.subject.without(&mut at.room, nth);
        at.script(&exception.script, LayerKind::Exception, |field| {
            Some(Excepted {
                until: exception.until.to_string(),
                reason: exception.reason.clone(),
                without: match &without {
                    Ok(draft) => {
                        draft.get(field).cloned().map_or(Without::LeftAlone, Without::Value)
                    }
                    Err(End::Skipped) => Without::LeftOut,
                    Err(End::Rejected(reject)) => {
                        Without::Parked(format!("{}: {}", reject.code, reject.message))
                    }
                },
            })
        });
    }
    at.traced
}

/// The record that is traced, and the mapping that it goes through.
struct Subject<'a> {
    mapper: &'a ConnectionMapper,
    entity: Entity,
    mapping: &'a Mapping,
    record: &'a Record,
    doc: &'a Doc<'a>,
}

impl Subject<'_> {
    /// The fields that all scripts set, and the exceptions that are about the record; all of them but one.
    fn fill(
        &self,
        room: &mut Room,
        but: Option<usize>,
    ) -> Result<(Fields<'static>, Vec<usize>), End> {
        let mut fields = Fields::new(self.entity);
        for script in &self.mapping.scripts {
            self.mapper.fill(script, self.doc, room, &mut fields)?;
        }
        let own = self.mapper.own_id(self.entity, self.record);
        let mut about = Vec::new();
        for (nth, exception) in self.mapping.exceptions.iter().enumerate() {
            if but != Some(nth) && exception.is_about(&fields, own.as_str()) {
                self.mapper.fill(&exception.script, self.doc, room, &mut fields)?;
                about.push(nth);
            }
        }
        Ok((fields, about))
    }

    /// The draft if an exception were not there.
    fn without(&self, room: &mut Room, exception: usize) -> Result<Map<String, Value>, End> {
        let (fields, _) = self.fill(room, Some(exception))?;
        let draft = self.mapper.finish(self.mapping, self.entity, self.record, fields)?;
        Ok(serde_json::from_slice(draft.json()).unwrap_or_default())
    }
}

/// Traces while they are made.
struct Traces<'a> {
    subject: Subject<'a>,
    raw: &'a Value,
    room: Room,
    traced: Vec<Traced>,
}

impl Traces<'_> {
    /// The fields of a script, in place of those that scripts before set.
    fn script(
        &mut self,
        script: &Script,
        layer: LayerKind,
        exception: impl Fn(&str) -> Option<Excepted>,
    ) {
        let Subject { mapper, doc, .. } = self.subject;
        for (name, expr) in literal(&script.ast).into_iter().flatten() {
            let parts = parts(script, expr);
            let one = Traced {
                field: name.name.to_string(),
                place: script.place(name.pos),
                layer: Some(layer),
                exception: exception(&name.name),
                reads: reads(script, &parts, self.raw),
                rows: rows(mapper, script, &parts, doc, &mut self.room),
            };
            self.traced.retain(|before| before.field != one.field);
            self.traced.push(one);
        }
    }
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
