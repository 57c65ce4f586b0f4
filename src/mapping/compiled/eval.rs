//! Running an expression tree over a record on its tape.
//!
//! Not here: what a tree means when it fails; the interpreter is asked then. The invariant: every node counts as a
//! step, a list that is built is weighed, and the limits are tighter than the interpreter's: what it would refuse
//! fails here too.

use std::time::Instant;

use super::node::{Body, Literal, Node, Over, Statement};
use super::operators::binary;
use super::watch::Watch;
use super::weight::Weight;
use crate::mapping::engine::LIMITS;
use crate::mapping::library::{Closure, Env, Failure, MOST_ARGUMENTS, Plain, invoke};
use crate::mapping::projection::ROOT;
use crate::mapping::tape::Doc;
use crate::mapping::value::{List, Object, Text, Value};

/// Steps for one record: the interpreter takes several operations for each.
const STEPS: u64 = LIMITS.operations / OPERATIONS;
/// Most operations that the interpreter takes for a step.
const OPERATIONS: u64 = 16;
/// Calls within calls.
const DEPTH: usize = LIMITS.calls / 3;
/// Bytes that most texts with variables in them fit into.
const TEXT: usize = 64;
/// Steps between two looks at the clock.
const STRIDE: u64 = 1024;

/// How an evaluation ends without a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Halt {
    /// `skip()`.
    Skip,
    /// Something failed, or only the interpreter knows.
    Fail,
}

pub(super) type Evaluated<'a> = Result<Value<'a>, Halt>;

/// One evaluation.
pub(super) struct Run<'a> {
    pub(super) doc: &'a Doc<'a>,
    env: &'a Env,
    bodies: &'a [Body],
    stack: Vec<Value<'a>>,
    base: usize,
    steps: u64,
    depth: usize,
    since: Option<Instant>,
    pub(super) watch: Watch,
}

impl<'a> Run<'a> {
    #[inline]
    pub(super) fn new(doc: &'a Doc<'a>, env: &'a Env, bodies: &'a [Body], frame: usize) -> Self {
        let stack = vec![Value::Unit; frame];
        Self {
            doc,
            env,
            bodies,
            stack,
            base: 0,
            steps: 0,
            depth: 0,
            since: None,
            watch: Watch::default(),
        }
    }

    /// Carries out statements; the value is that of the last.
    #[inline]
    pub(super) fn statements(&mut self, statements: &'a [Statement]) -> Evaluated<'a> {
        let mut last = Value::Unit;
        for statement in statements {
            match statement {
                Statement::Value(node) => last = self.eval(node)?,
                Statement::Set(place, node) => {
                    let value = self.eval(node)?;
                    self.set(*place, value);
                    last = Value::Unit;
                }
            }
        }
        Ok(last)
    }

    /// The steps so far, in operations of the interpreter.
    pub(super) fn operations(&self) -> u64 {
        self.steps.saturating_mul(OPERATIONS)
    }

    #[inline]
    pub(super) fn set(&mut self, place: usize, value: Value<'a>) {
        if let Some(variable) = self.stack.get_mut(self.base + place) {
            *variable = value;
        }
    }

    #[inline]
    pub(super) fn step(&mut self, steps: u64) -> Result<(), Halt> {
        let before = self.steps;
        self.steps += steps;
        if self.steps > STEPS {
            return Err(Halt::Fail);
        }
        if before / STRIDE != self.steps / STRIDE {
            let since = *self.since.get_or_insert_with(Instant::now);
            if since.elapsed() >= LIMITS.time {
                return Err(Halt::Fail);
            }
        }
        Ok(())
    }

    /// The value of an expression.
    pub(super) fn eval(&mut self, node: &'a Node) -> Evaluated<'a> {
        let mut value = Value::Unit;
        self.eval_into(node, &mut value)?;
        Ok(value)
    }

    /// The same, made where it is wanted: moving values around costs more than making most of them.
    pub(super) fn eval_into(&mut self, node: &'a Node, out: &mut Value<'a>) -> Result<(), Halt> {
        self.step(1)?;
        self.make(node, out)
    }

    /// The same, when the step to the expression itself is counted.
    pub(super) fn make(&mut self, node: &'a Node, out: &mut Value<'a>) -> Result<(), Halt> {
        match node {
            Node::Literal(Literal::Text(text)) => *out = Value::word(text),
            Node::Literal(literal) => *out = constant(literal),
            Node::Zone => *out = Value::word(&self.env.zone_name),
            Node::Record => *out = self.record(),
            Node::Slot(slot) => match self.own_slot(slot) {
                Some(at) => out.become_taped(self.doc, at),
                None => *out = Value::Unit,
            },
            Node::Local(place) => match self.stack.get(self.base + place) {
                Some(Value::Text(Text::Plain(text))) => *out = Value::word(text),
                other => *out = other.cloned().unwrap_or_default(),
            },
            Node::Chain(chain) => return self.chain(chain, out),
            Node::Call(body, args) => return self.call(*body, args, out),
            Node::Own(number, args) => *out = self.own(*number, args)?,
            Node::Over(parts) => {
                let list = self.eval(&parts.0)?;
                *out = self.over(&parts.1, list)?;
            }
            Node::Not(_) | Node::And(_) | Node::Or(_) => {
                *out = Value::Bool(self.truth_of(node)?);
            }
            Node::Binary(operator, sides) => {
                let (a, b) = (self.eval(&sides.0)?, self.eval(&sides.1)?);
                *out = binary(*operator, a, b, LIMITS.text_bytes).ok_or(Halt::Fail)?;
            }
            Node::Negate(value) => match self.eval(value)? {
                Value::Int(number) => {
                    *out = number.checked_neg().map(Value::Int).ok_or(Halt::Fail)?;
                }
                Value::Float(number) => *out = Value::Float(-number),
                _ => return Err(Halt::Fail),
            },
            Node::Coalesce(parts) => return self.coalesce(parts, out),
            Node::Block(statements) => *out = self.statements(statements)?,
            Node::If(parts) => {
                let branch = if self.truth(&parts.0)? { &parts.1 } else { &parts.2 };
                return self.eval_into(branch, out);
            }
            Node::Switch(switch) => return self.switch(switch, out),
            Node::List(items) => {
                let items: Result<Vec<_>, _> = items.iter().map(|item| self.eval(item)).collect();
                *out = self.weighed(Value::List(List::Owned(items?)))?;
            }
            Node::Object(entries) => *out = self.object(entries)?,
            Node::Text(parts) => *out = self.text(parts)?,
            Node::Fail => return Err(Halt::Fail),
            Node::Mark(number, inner) => {
                self.watch.reach(*number);
                return self.eval_into(inner, out);
            }
            Node::Lookup(number, body, args) => {
                let args: Result<Vec<_>, _> = args.iter().map(|arg| self.eval(arg)).collect();
                let mut args = args?;
                self.watch.look_up(*number, &self.env.tables, &args);
                return self.plain(*body, &mut args, out);
            }
        }
        Ok(())
    }

    #[inline]
    pub(super) fn record(&self) -> Value<'a> {
        Value::on_tape(self.doc, u32::try_from(ROOT).unwrap_or(0))
    }

    fn object(&mut self, entries: &'a [(Box<str>, Node)]) -> Evaluated<'a> {
        let mut built = Vec::with_capacity(entries.len());
        for (name, value) in entries {
            built.push((Text::Plain(name), self.eval(value)?));
        }
        self.weighed(Value::Object(Object::Owned(built)))
    }

    fn text(&mut self, parts: &'a [Node]) -> Evaluated<'a> {
        let mut text = String::with_capacity(TEXT);
        let mut value = Value::Unit;
        for part in parts {
            self.eval_into(part, &mut value)?;
            match &value {
                Value::Text(part) => text.push_str(part),
                Value::Unit => {}
                Value::Int(number) => text.push_str(&number.to_string()),
                Value::Bool(flag) => text.push_str(if *flag { "true" } else { "false" }),
                // Everything else is spelled by the interpreter.
                _ => return Err(Halt::Fail),
            }
            if text.len() > LIMITS.text_bytes {
                return Err(Halt::Fail);
            }
        }
        Ok(Value::Text(Text::Owned(text)))
    }

    #[inline]
    fn call(&mut self, body: Plain, args: &'a [Node], out: &mut Value<'a>) -> Result<(), Halt> {
        match args {
            [a] => {
                let mut values = [Value::Unit];
                self.eval_into(a, &mut values[0])?;
                self.plain(body, &mut values, out)
            }
            [a, b] => {
                let mut values = [Value::Unit, Value::Unit];
                self.eval_into(a, &mut values[0])?;
                self.eval_into(b, &mut values[1])?;
                self.plain(body, &mut values, out)
            }
            args => {
                let mut values = [const { Value::Unit }; MOST_ARGUMENTS];
                let Some(values) = values.get_mut(..args.len()) else { return Err(Halt::Fail) };
                for (value, arg) in values.iter_mut().zip(args) {
                    self.eval_into(arg, value)?;
                }
                self.plain(body, values, out)
            }
        }
    }

    #[inline]
    pub(super) fn plain(
        &mut self,
        body: Plain,
        args: &mut [Value<'a>],
        out: &mut Value<'a>,
    ) -> Result<(), Halt> {
        match invoke(body, self.env, args) {
            Ok(value) => *out = value,
            Err(Failure::Skip) => return Err(Halt::Skip),
            Err(Failure::Fault { .. }) => return Err(Halt::Fail),
        }
        self.weigh(out)
    }

    fn own(&mut self, number: usize, args: &'a [Node]) -> Evaluated<'a> {
        let body = self.bodies.get(number).ok_or(Halt::Fail)?;
        let mut values = Vec::with_capacity(body.frame.max(args.len()));
        for arg in args {
            values.push(self.eval(arg)?);
        }
        values.resize(body.frame.max(args.len()), Value::Unit);
        self.deeper()?;
        let (base, top) = (self.base, self.stack.len());
        self.base = top;
        self.stack.append(&mut values);
        let value = self.eval(&body.value);
        self.stack.truncate(top);
        self.base = base;
        self.depth -= 1;
        value
    }

    fn deeper(&mut self) -> Result<(), Halt> {
        self.depth += 1;
        if self.depth > DEPTH { Err(Halt::Fail) } else { Ok(()) }
    }

    pub(super) fn over(&mut self, over: &'a Over, list: Value<'a>) -> Evaluated<'a> {
        let list = match list {
            Value::List(list) => list,
            value @ (Value::Unit | Value::Clear) => return Ok(value),
            _ => return Err(Halt::Fail),
        };
        self.deeper()?;
        let value = match list {
            List::Tape(doc, at) => {
                self.over_items(over, doc.elements(at).map(|at| Value::on_tape(doc, at)))
            }
            List::Owned(items) => self.over_items(over, items.into_iter()),
            list @ List::Script(_) => {
                self.over_items(over, (0..list.len()).filter_map(|nth| list.at(nth)))
            }
        };
        self.depth -= 1;
        value
    }

    fn over_items(
        &mut self,
        over: &'a Over,
        items: impl Iterator<Item = Value<'a>>,
    ) -> Evaluated<'a> {
        let mut kept = Vec::with_capacity(items.size_hint().0);
        for item in items {
            if over.closure == Closure::Map {
                self.set(over.parameter, item);
                kept.push(self.eval(&over.body)?);
                continue;
            }
            self.set(over.parameter, item.clone());
            let Value::Bool(hit) = self.eval(&over.body)? else {
                return Err(Halt::Fail);
            };
            match (over.closure, hit) {
                (Closure::Some, true) => return Ok(Value::Bool(true)),
                (Closure::All, false) => return Ok(Value::Bool(false)),
                (Closure::Find, true) => return Ok(item),
                (Closure::Filter, true) => kept.push(item),
                _ => {}
            }
        }
        match over.closure {
            Closure::Map | Closure::Filter => self.weighed(Value::List(List::Owned(kept))),
            Closure::Some => Ok(Value::Bool(false)),
            Closure::All => Ok(Value::Bool(true)),
            Closure::Find => Ok(Value::Unit),
        }
    }

    /// A value that was just made, unless it is too large.
    #[inline]
    fn weighed(&mut self, value: Value<'a>) -> Evaluated<'a> {
        self.weigh(&value)?;
        Ok(value)
    }

    /// Refuses a value that was just made and is too large.
    #[inline]
    fn weigh(&mut self, value: &Value<'a>) -> Result<(), Halt> {
        let fits = match value {
            Value::Text(text) => text.len() <= LIMITS.text_bytes,
            Value::List(_) | Value::Object(_) => {
                let mut weight = Weight::default();
                weight.add(value);
                self.step(u64::try_from(weight.values / 8).unwrap_or(u64::MAX))?;
                weight.fits()
            }
            _ => true,
        };
        if fits { Ok(()) } else { Err(Halt::Fail) }
    }
}

#[inline]
pub(super) fn constant(literal: &Literal) -> Value<'_> {
    match literal {
        Literal::Unit => Value::Unit,
        Literal::Bool(flag) => Value::Bool(*flag),
        Literal::Int(number) => Value::Int(*number),
        Literal::Float(number) => Value::Float(*number),
        Literal::Text(text) => Value::word(text),
    }
}
