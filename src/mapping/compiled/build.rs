//! From rhai's syntax tree to an expression tree.
//!
//! Not here: running it (`eval`). The invariant: what is not known to mean the same is [`Unsupported`] and stays with
//! the interpreter.

use std::collections::{BTreeSet, HashMap};

use rhai::{AST, ASTFlags, Engine, Expr, FnCallExpr, Position, Stmt};

use super::chains::Ending;
use super::frame::{Frame, Known};
use super::graft::{Grafted, Leaf, Outer, Trees};
use super::labels::labels;
use super::node::{Body, Literal, Node, Operator, Over, Slot, Statement, Switch};
use super::steps::{function_of, lambda_of};
use super::watch::{Branch, Mark};
use crate::mapping::library::{self, Closure};
use crate::mapping::paths;
use crate::mapping::projection::{Projection, ROOT};
use crate::mapping::script::{RECORD, Script, ZONE};
use crate::mapping::unshare::assigned;

/// Why a part of a script stays with the interpreter, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unsupported {
    pub(crate) what: &'static str,
    pub(crate) at: Position,
}

pub(super) type Built<T> = Result<T, Unsupported>;

pub(super) fn unsupported<T>(what: &'static str, at: Position) -> Built<T> {
    Err(Unsupported { what, at })
}

/// What is known while a script is compiled.
pub(super) struct Builder<'s> {
    ast: &'s AST,
    labels: HashMap<u64, Literal>,
    pub(super) projection: &'s mut Projection,
    /// The script's functions by name and number of parameters.
    numbers: HashMap<(String, usize), usize>,
    /// Their bodies; a body that is being built, or could not be, fails.
    bodies: Vec<Body>,
    /// The variables that are assigned after their definition.
    assigned: BTreeSet<String>,
    /// Those that could not be built.
    failed: Vec<(usize, Unsupported)>,
    pub(super) frame: Frame,
    /// The branches and lookups that are told of; `None` for a tree that is not watched.
    marks: Option<Vec<Mark>>,
    /// The trees within what the interpreter runs.
    leaves: Vec<Leaf>,
}

/// What a script has besides its own tree.
pub(super) struct Finished {
    pub(super) trees: Trees,
    pub(super) marks: Vec<Mark>,
}

impl<'s> Builder<'s> {
    pub(super) fn new(engine: &Engine, script: &'s Script, projection: &'s mut Projection) -> Self {
        Self {
            ast: &script.ast,
            labels: labels(engine, &script.linked.text()),
            projection,
            numbers: HashMap::new(),
            bodies: Vec::new(),
            assigned: assigned(&script.ast),
            failed: Vec::new(),
            frame: Frame::default(),
            marks: None,
            leaves: Vec::new(),
        }
    }

    /// The same for a tree that is watched.
    pub(super) fn watched(self) -> Self {
        Self { marks: Some(Vec::new()), ..self }
    }

    /// A new place to tell of.
    fn place(&mut self, what: Branch, at: Position) -> Option<usize> {
        let marks = self.marks.as_mut()?;
        marks.push(Mark { what, at });
        Some(marks.len() - 1)
    }

    /// A branch, told of when it is reached.
    fn branch(&mut self, what: Branch, at: Position, node: Node) -> Node {
        match self.place(what, at) {
            Some(number) => Node::Mark(number, Box::new(node)),
            None => node,
        }
    }

    /// Whether the tree is watched.
    pub(super) fn is_watched(&self) -> bool {
        self.marks.is_some()
    }

    /// Starts a frame anew, among the variables of what the interpreter runs.
    pub(super) fn within(&mut self) {
        self.frame = Frame::within();
    }

    /// A tree within what the interpreter runs; its number.
    pub(super) fn leaf(&mut self, build: impl FnOnce(&mut Self) -> Built<Node>) -> Built<usize> {
        self.within();
        let node = build(self)?;
        let frame = std::mem::take(&mut self.frame);
        let outer = frame.outer.unwrap_or_default().into();
        self.leaves.push(Leaf { node, frame: frame.size, outer });
        Ok(self.leaves.len() - 1)
    }

    /// The size of the frame that was built, and the variables in it that the interpreter sets.
    pub(super) fn frame(&mut self) -> (usize, Box<[Outer]>) {
        let frame = std::mem::take(&mut self.frame);
        (frame.size, frame.outer.unwrap_or_default().into())
    }

    /// What was built. What the interpreter reads of the record is added to the projection.
    pub(super) fn finish<'g>(self, grafted: impl Iterator<Item = &'g Grafted>) -> Finished {
        for grafted in grafted.filter(|grafted| grafted.reads_record) {
            paths::add(self.projection, &grafted.ast);
        }
        Finished {
            trees: Trees { leaves: self.leaves.into(), bodies: self.bodies.into() },
            marks: self.marks.unwrap_or_default(),
        }
    }

    /// `let name = record.property`, never assigned again: another name for the property.
    fn alias(&mut self, name: &str, value: &Expr) -> bool {
        let Expr::Dot(step, ..) = value else {
            return false;
        };
        let (Expr::Variable(base, ..), Expr::Property(property, _)) = (&step.lhs, &step.rhs) else {
            return false;
        };
        if !self.is_record(&base.1) || self.assigned.contains(name) {
            return false;
        }
        let part = self.projection.below(ROOT, &property.2);
        self.frame.names.push((name.to_owned(), Known::Part(part)));
        true
    }

    pub(super) fn is_record(&self, name: &str) -> bool {
        name == RECORD && !self.frame.inner && self.frame.known(name).is_none()
    }

    pub(super) fn slot(&self, part: usize) -> Slot {
        Slot { part, name: self.projection.name(part).into() }
    }

    /// Statements whose variables stay in sight afterwards.
    pub(super) fn statements(&mut self, block: &[Stmt]) -> Built<Vec<Statement>> {
        let mut built = Vec::new();
        for stmt in block.iter().filter(|stmt| !stmt.is_noop()) {
            built.push(self.statement(stmt)?);
        }
        Ok(built)
    }

    /// A block with a scope of its own.
    fn block(&mut self, block: &[Stmt]) -> Built<Node> {
        let known = self.frame.names.len();
        let mut statements = self.statements(block)?;
        self.frame.names.truncate(known);
        Ok(match statements.pop() {
            None => Node::Literal(Literal::Unit),
            Some(Statement::Value(value)) if statements.is_empty() => value,
            last => {
                statements.extend(last);
                Node::Block(statements.into())
            }
        })
    }

    fn statement(&mut self, stmt: &Stmt) -> Built<Statement> {
        Ok(match stmt {
            Stmt::Var(parts, ..) if self.alias(&parts.0.name, &parts.1) => {
                Statement::Value(Node::Literal(Literal::Unit))
            }
            Stmt::Var(parts, ..) => {
                let value = self.expression(&parts.1)?;
                Statement::Set(self.frame.variable(&parts.0.name, parts.0.pos)?, value)
            }
            Stmt::Assignment(parts) => {
                let at = parts.1.lhs.start_position();
                let Expr::Variable(name, ..) = &parts.1.lhs else {
                    return unsupported("an assignment", at);
                };
                let Some(Known::Local(place)) = self.frame.known(&name.1) else {
                    return unsupported("an assignment", at);
                };
                let value = self.expression(&parts.1.rhs)?;
                let value = match parts.0.get_op_assignment_info() {
                    None => value,
                    Some((_, _, _, operator, _, _)) => match Operator::parse(operator) {
                        Some(operator) => {
                            Node::Binary(operator, Box::new((Node::Local(place), value)))
                        }
                        None => return unsupported("this operator", at),
                    },
                };
                Statement::Set(place, value)
            }
            _ => Statement::Value(self.value(stmt)?),
        })
    }

    pub(super) fn value(&mut self, stmt: &Stmt) -> Built<Node> {
        match stmt {
            Stmt::Expr(value) => self.expression(value),
            Stmt::FnCall(call, at) => self.call(call, *at),
            Stmt::Block(inner) => self.block(inner.statements()),
            Stmt::If(parts, at) => {
                let condition = self.expression(&parts.expr)?;
                let then = self.block(parts.body.statements())?;
                let then = self.branch(Branch::Then, *at, then);
                let chained = matches!(parts.branch.statements(), [Stmt::If(..)]);
                let mut otherwise = self.block(parts.branch.statements())?;
                if !chained {
                    let begin = parts.branch.position();
                    let begin = if begin.is_none() { *at } else { begin };
                    otherwise = self.branch(Branch::Else, begin, otherwise);
                }
                Ok(Node::If(Box::new((condition, then, otherwise))))
            }
            Stmt::Switch(parts, at) => self.switch(&parts.0, &parts.1, *at),
            Stmt::Return(_, flags, _) if flags.intersects(ASTFlags::BREAK) => Ok(Node::Fail),
            Stmt::Noop(_) => Ok(Node::Literal(Literal::Unit)),
            Stmt::While(..) | Stmt::Do(..) | Stmt::For(..) => {
                unsupported("a loop", stmt.position())
            }
            Stmt::Return(..) => unsupported("`return`", stmt.position()),
            Stmt::TryCatch(..) => unsupported("`try`", stmt.position()),
            Stmt::Share(_) => unsupported("a function that changes a variable", stmt.position()),
            _ => unsupported("this statement", stmt.position()),
        }
    }

    fn switch(
        &mut self,
        value: &Expr,
        cases: &rhai::SwitchCasesCollection,
        at: Position,
    ) -> Built<Node> {
        let ranges: Vec<usize> = cases.ranges.iter().map(rhai::RangeCase::index).collect();
        let mut labels = Vec::new();
        for (hash, case) in &cases.cases {
            let blocks: Vec<usize> =
                case.blocks.iter().copied().filter(|block| !ranges.contains(block)).collect();
            match self.labels.get(hash) {
                _ if blocks.is_empty() => {}
                Some(label) => labels.push((label.clone(), blocks.into())),
                None => return unsupported("a case of this kind", at),
            }
        }
        let value = self.expression(value)?;
        let mut built = Vec::new();
        for case in &cases.expressions {
            let (condition, result) = (self.expression(&case.lhs)?, self.expression(&case.rhs)?);
            built.push((condition, self.branch(Branch::Arm, case.rhs.start_position(), result)));
        }
        let spans = cases.ranges.iter().filter_map(|range| {
            Some(match range {
                rhai::RangeCase::ExclusiveInt(range, case) => {
                    (range.start, range.end.checked_sub(1)?, *case)
                }
                rhai::RangeCase::InclusiveInt(range, case) => (*range.start(), *range.end(), *case),
            })
        });
        Ok(Node::Switch(Box::new(Switch {
            value,
            labels: labels.into(),
            ranges: spans.collect(),
            cases: built.into(),
            default: cases.def_case,
        })))
    }

    fn all<'e>(&mut self, exprs: impl IntoIterator<Item = &'e Expr>) -> Built<Box<[Node]>> {
        exprs.into_iter().map(|expr| self.expression(expr)).collect()
    }

    pub(super) fn expression(&mut self, expr: &Expr) -> Built<Node> {
        Ok(match expr {
            Expr::Unit(_) => Node::Literal(Literal::Unit),
            Expr::BoolConstant(flag, _) => Node::Literal(Literal::Bool(*flag)),
            Expr::IntegerConstant(number, _) => Node::Literal(Literal::Int(*number)),
            Expr::FloatConstant(number, _) => Node::Literal(Literal::Float(**number)),
            Expr::StringConstant(text, _) => Node::Literal(Literal::Text(text.as_str().into())),
            Expr::InterpolatedString(parts, _) => Node::Text(self.all(parts)?),
            Expr::Array(items, _) => Node::List(self.all(items)?),
            Expr::Map(entries, _) => {
                let mut built = Vec::new();
                for (name, value) in &entries.0 {
                    built.push((name.name.as_str().into(), self.expression(value)?));
                }
                Node::Object(built.into())
            }
            Expr::Variable(name, _, at) => self.read(&name.1, *at)?,
            Expr::Stmt(block) => self.block(block.statements())?,
            Expr::FnCall(call, at) => self.call(call, *at)?,
            Expr::Dot(..) | Expr::Index(..) => self.path(expr, Ending::Value)?,
            Expr::And(parts, _) => Node::And(self.all(parts.iter())?),
            Expr::Or(parts, _) => Node::Or(self.all(parts.iter())?),
            Expr::Coalesce(parts, _) => {
                let mut built = Vec::new();
                for (nth, part) in parts.iter().enumerate() {
                    let node = self.expression(part)?;
                    built.push(match nth {
                        0 => node,
                        _ => self.branch(Branch::Default, part.start_position(), node),
                    });
                }
                Node::Coalesce(built.into())
            }
            Expr::DynamicConstant(..) => {
                return unsupported("a function kept as a value", expr.position());
            }
            _ => return unsupported("this expression", expr.position()),
        })
    }

    fn read(&mut self, name: &str, at: Position) -> Built<Node> {
        match self.frame.known(name) {
            Some(Known::Local(place)) => return Ok(Node::Local(place)),
            Some(Known::Part(part)) => {
                self.projection.whole(part);
                return Ok(Node::Slot(self.slot(part)));
            }
            None => {}
        }
        match name {
            RECORD if !self.frame.inner => {
                self.projection.whole(ROOT);
                Ok(Node::Record)
            }
            ZONE if !self.frame.inner => Ok(Node::Zone),
            _ => match self.frame.outer(name, at)? {
                Some(place) => Ok(Node::Local(place)),
                None => unsupported("a function kept as a value", at),
            },
        }
    }

    fn call(&mut self, call: &FnCallExpr, at: Position) -> Built<Node> {
        let name = call.name.as_str();
        if call.is_operator_call() {
            return self.operator(call, at);
        }
        if let Some(function) = library::function(name) {
            return match (function.body, &call.args[..]) {
                (library::Body::Plain(body), args) => {
                    let args = self.all(args)?;
                    let lookup = (name == "lookup").then(|| self.place(Branch::Lookup, at));
                    Ok(match lookup.flatten() {
                        Some(number) => Node::Lookup(number, body, args),
                        None => Node::Call(body, args),
                    })
                }
                (library::Body::Closure(closure), [list, lambda]) => {
                    let list = self.expression(list)?;
                    Ok(Node::Over(Box::new((list, self.over(closure, lambda)?))))
                }
                (library::Body::Told, [path]) => self.path(path, Ending::Told),
                _ => unsupported("this call", at),
            };
        }
        let args = self.all(&call.args)?;
        Ok(Node::Own(self.own(name, args.len(), at)?, args))
    }

    fn operator(&mut self, call: &FnCallExpr, at: Position) -> Built<Node> {
        match (call.name.as_str(), &call.args[..]) {
            ("!", [value]) => Ok(Node::Not(Box::new(self.expression(value)?))),
            ("-", [value]) => Ok(Node::Negate(Box::new(self.expression(value)?))),
            (name, [a, b]) => match Operator::parse(name) {
                Some(operator) => {
                    let sides = (self.expression(a)?, self.expression(b)?);
                    Ok(Node::Binary(operator, Box::new(sides)))
                }
                None => unsupported("this operator", at),
            },
            _ => unsupported("this operator", at),
        }
    }

    /// The number of a function of the script; its body is built when it is met first.
    fn own(&mut self, name: &str, parameters: usize, at: Position) -> Built<usize> {
        let key = (name.to_owned(), parameters);
        if let Some(number) = self.numbers.get(&key) {
            return match self.failed.iter().find(|(failed, _)| failed == number) {
                Some((_, reason)) => Err(reason.clone()),
                None => Ok(*number),
            };
        }
        let number = self.bodies.len();
        self.numbers.insert(key, number);
        self.bodies.push(Body { frame: 0, value: Node::Fail });
        let (names, statements) = self.definition(name, parameters, at)?;
        let mut frame = Frame::of_function();
        std::mem::swap(&mut self.frame, &mut frame);
        let built = names
            .iter()
            .try_for_each(|name| self.frame.variable(name, at).map(drop))
            .and_then(|()| self.block(&statements));
        std::mem::swap(&mut self.frame, &mut frame);
        match built {
            Ok(value) => {
                self.bodies[number] = Body { frame: frame.size, value };
                Ok(number)
            }
            Err(reason) => {
                self.failed.push((number, reason.clone()));
                Err(reason)
            }
        }
    }

    /// The parameters and the statements of a function.
    fn definition(
        &self,
        name: &str,
        parameters: usize,
        at: Position,
    ) -> Built<(Vec<String>, Vec<Stmt>)> {
        function_of(self.ast, name, parameters).map_or_else(|| unsupported("this call", at), Ok)
    }

    /// `|x| ..` as an argument: its body sees the variables around it, which never change once it has captured them.
    pub(super) fn over(&mut self, closure: Closure, lambda: &Expr) -> Built<Over> {
        let at = lambda.position();
        let Some((name, captured)) = lambda_of(lambda) else {
            return unsupported("a function kept as a value", at);
        };
        let (names, statements) = self.definition(&name, captured + 1, at)?;
        let known = self.frame.names.len();
        let parameter = self.frame.variable(names.last().map_or("", String::as_str), at)?;
        let body = self.block(&statements)?;
        self.frame.names.truncate(known);
        Ok(Over { closure, parameter, body })
    }
}
