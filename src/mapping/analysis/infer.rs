//! Reading a script without running it: what each expression may give, what it reads of the record, what never runs.
//!
//! Not here: single operators and functions (`results`), chains (`chain`), and what a field takes (`fields`). The
//! invariant: whatever is not understood may give anything, so that nothing is said about it; and the work has a bound,
//! however functions call each other.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use rhai::{ASTFlags, Expr, FnCallExpr, FnPtr, Position, Stmt};

use super::kinds::{Kinds, Ty};
use super::path::Path;
use crate::mapping::compiled::{Literal, function_of};
use crate::mapping::script::{RECORD, Script, ZONE};
use crate::mapping::tables::Tables;
use crate::mapping::unshare::assigned;
use crate::model::draft::Content;

/// Most expressions that are looked at for one script; beyond them anything may be given.
pub(super) const BUDGET: usize = 50_000;
/// Calls within calls that are followed.
const DEPTH: usize = 6;

/// A part of the record that a script reads, and where it says so.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Read {
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) path: Path,
}

/// What never runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Dead {
    /// A condition that is always this.
    Condition(bool),
    /// What stands after `??`.
    Default,
    /// An arm of a `switch`.
    Arm,
}

/// A function of a script: its parameters and statements.
type Definition = Rc<(Vec<String>, Vec<Stmt>)>;

/// What is known while a script is read.
pub(super) struct Infer<'a> {
    pub(super) script: &'a Script,
    pub(super) tables: &'a Tables,
    labels: &'a HashMap<u64, Literal>,
    assigned: BTreeSet<String>,
    names: Vec<(String, Ty)>,
    functions: HashMap<(String, usize), Option<Definition>>,
    /// Within a function that is followed for one call: what holds for the call need not hold for others.
    inlined: usize,
    /// Whether a `return` was met in the function at hand.
    returned: bool,
    left: usize,
    pub(super) dead: BTreeSet<(usize, usize, Dead)>,
    pub(super) reads: BTreeSet<Read>,
}

impl<'a> Infer<'a> {
    pub(super) fn new(
        script: &'a Script,
        tables: &'a Tables,
        labels: &'a HashMap<u64, Literal>,
    ) -> Self {
        let record = Ty { path: Some(Path::default()), ..Ty::of(Kinds::OBJECT, Position::NONE) };
        Self {
            script,
            tables,
            labels,
            assigned: assigned(&script.ast),
            names: vec![
                (RECORD.to_owned(), record),
                (ZONE.to_owned(), Ty::of(Kinds::TEXT, Position::NONE)),
            ],
            functions: HashMap::new(),
            inlined: 0,
            returned: false,
            left: BUDGET,
            dead: BTreeSet::new(),
            reads: BTreeSet::new(),
        }
    }

    /// Reads the functions of the script for what holds in them whatever they are called with.
    pub(super) fn bodies(&mut self) {
        let functions: Vec<(String, usize)> = self
            .script
            .ast
            .iter_functions()
            .filter(|function| !function.name.starts_with("anon$"))
            .map(|function| (function.name.to_owned(), function.params.len()))
            .collect();
        for (name, count) in functions {
            let args = vec![Ty::unknown(Position::NONE); count];
            self.body(&name, args, Position::NONE);
        }
    }

    fn exhausted(&mut self) -> bool {
        self.left = self.left.saturating_sub(1);
        self.left == 0
    }

    pub(super) fn dead(&mut self, at: Position, what: Dead) {
        if self.inlined == 0
            && let (Some(line), Some(column)) = (at.line(), at.position())
        {
            self.dead.insert((line, column, what));
        }
    }

    pub(super) fn read(&mut self, path: &Path, at: Position) {
        if let (Some(line), Some(column)) = (at.line(), at.position()) {
            self.reads.insert(Read { line, column, path: path.clone() });
        }
    }

    /// Statements whose variables stay in sight; what the last one gives.
    pub(super) fn statements(&mut self, block: &[Stmt]) -> Ty {
        let mut last = Ty::of(Kinds::UNIT, Position::NONE);
        for stmt in block.iter().filter(|stmt| !stmt.is_noop()) {
            last = self.statement(stmt);
        }
        last
    }

    fn block(&mut self, block: &[Stmt], at: Position) -> Ty {
        let known = self.names.len();
        let mut ty = self.statements(block);
        self.names.truncate(known);
        for part in &mut ty.parts {
            if part.at.is_none() {
                part.at = at;
            }
        }
        ty
    }

    fn statement(&mut self, stmt: &Stmt) -> Ty {
        let at = stmt.position();
        match stmt {
            Stmt::Var(parts, ..) => {
                let ty = self.expr(&parts.1);
                let name = parts.0.name.as_str();
                let changes = self.assigned.contains(name);
                self.names.push((name.to_owned(), if changes { Ty::unknown(at) } else { ty }));
                Ty::of(Kinds::UNIT, at)
            }
            Stmt::Assignment(parts) => {
                self.expr(&parts.1.rhs);
                Ty::of(Kinds::UNIT, at)
            }
            Stmt::Expr(value) => self.expr(value),
            Stmt::FnCall(call, at) => self.call(call, *at),
            Stmt::Block(inner) => self.block(inner.statements(), inner.position()),
            Stmt::If(parts, at) => self.branches(parts, *at),
            Stmt::Switch(parts, at) => self.switch(&parts.0, &parts.1, *at),
            Stmt::Return(value, flags, _) => {
                if let Some(value) = value {
                    self.expr(value);
                }
                self.returned |= !flags.intersects(ASTFlags::BREAK);
                Ty::never()
            }
            Stmt::While(parts, _) | Stmt::Do(parts, ..) | Stmt::TryCatch(parts, _) => {
                self.expr(&parts.expr);
                self.block(parts.body.statements(), at);
                self.block(parts.branch.statements(), at);
                Ty::unknown(at)
            }
            Stmt::For(parts, _) => {
                let list = self.expr(&parts.2.expr);
                let known = self.names.len();
                let item = Self::element(&list, at);
                self.names.push((parts.0.name.to_string(), item));
                if let Some(counter) = &parts.1 {
                    self.names.push((counter.name.to_string(), Ty::of(Kinds::INT, at)));
                }
                self.block(parts.2.body.statements(), at);
                self.names.truncate(known);
                Ty::unknown(at)
            }
            Stmt::BreakLoop(..) => Ty::never(),
            _ => Ty::unknown(at),
        }
    }

    fn branches(&mut self, parts: &rhai::FlowControl, at: Position) -> Ty {
        let condition = self.expr(&parts.expr);
        let then = self.block(parts.body.statements(), at);
        let otherwise = self.block(parts.branch.statements(), at);
        match condition.truth() {
            Some(truth) => {
                self.dead(start(&parts.expr), Dead::Condition(truth));
                if truth { then } else { otherwise }
            }
            None => then.or(otherwise),
        }
    }

    fn switch(&mut self, value: &Expr, cases: &rhai::SwitchCasesCollection, at: Position) -> Ty {
        let value = self.expr(value);
        self.arms_twice(cases);
        self.arms_of_another_kind(cases, &value);
        let mut sum = Ty::never();
        for case in &cases.expressions {
            self.expr(&case.lhs);
            sum = sum.or(self.expr(&case.rhs));
        }
        if cases.def_case.is_none() { sum.or_unit(at) } else { sum }
    }

    /// Arms behind one with the same value and no condition.
    fn arms_twice(&mut self, cases: &rhai::SwitchCasesCollection) {
        for case in cases.cases.values() {
            let mut blocks: Vec<usize> = case.blocks.to_vec();
            blocks.sort_unstable();
            let arms = blocks.iter().filter_map(|block| cases.expressions.get(*block));
            let mut taken = false;
            let mut dead = Vec::new();
            for arm in arms {
                if taken {
                    dead.push(arm.rhs.start_position());
                }
                taken |= matches!(arm.lhs, Expr::BoolConstant(true, _));
            }
            for at in dead {
                self.dead(at, Dead::Arm);
            }
        }
    }

    /// Arms for a value that the switched one never has.
    fn arms_of_another_kind(&mut self, cases: &rhai::SwitchCasesCollection, value: &Ty) {
        let mut reachable = BTreeSet::new();
        let mut labelled = BTreeSet::new();
        for (hash, case) in &cases.cases {
            let kinds = match self.labels.get(hash) {
                Some(Literal::Unit) => Kinds::UNIT,
                Some(Literal::Bool(_)) => Kinds::BOOL,
                Some(Literal::Int(_)) => Kinds::INT,
                Some(Literal::Text(_)) => Kinds::TEXT,
                Some(Literal::Float(_)) | None => Kinds::ANY,
            };
            for block in &case.blocks {
                labelled.insert(*block);
                if value.may_be(kinds) || value.may_be(Kinds::OTHER) {
                    reachable.insert(*block);
                }
            }
        }
        let ranges: Vec<usize> = cases.ranges.iter().map(rhai::RangeCase::index).collect();
        for block in labelled.difference(&reachable) {
            if let Some(arm) = cases.expressions.get(*block).filter(|_| !ranges.contains(block))
                && !value.parts.is_empty()
            {
                self.dead(arm.rhs.start_position(), Dead::Arm);
            }
        }
    }

    pub(super) fn expr(&mut self, expr: &Expr) -> Ty {
        let at = expr.start_position();
        if self.exhausted() {
            return Ty::unknown(at);
        }
        match expr {
            Expr::Unit(at) => Ty::of(Kinds::UNIT, *at),
            Expr::BoolConstant(flag, at) => Ty::literal(Content::Bool(*flag), *at),
            Expr::IntegerConstant(number, at) => Ty::literal(Content::Int(*number), *at),
            Expr::FloatConstant(number, at) => Ty::literal(Content::Float(**number), *at),
            Expr::StringConstant(text, at) => {
                Ty::literal(Content::Text(text.to_string().into()), *at)
            }
            Expr::CharConstant(_, at) => Ty::of(Kinds::OTHER, *at),
            Expr::InterpolatedString(parts, at) => {
                parts.iter().for_each(|part| drop(self.expr(part)));
                Ty::of(Kinds::TEXT, *at)
            }
            Expr::Array(items, at) => {
                let items: Vec<Ty> = items.iter().map(|item| self.expr(item)).collect();
                Ty::list(items.into_iter().fold(Ty::never(), Ty::or), *at)
            }
            Expr::Map(entries, at) => {
                entries.0.iter().for_each(|(_, value)| drop(self.expr(value)));
                Ty::of(Kinds::OBJECT, *at)
            }
            Expr::Variable(name, _, at) => self.variable(&name.1, name.2.is_empty(), *at),
            Expr::Stmt(inner) => self.block(inner.statements(), at),
            Expr::FnCall(call, at) => self.call(call, *at),
            Expr::Dot(..) | Expr::Index(..) => self.chain(expr),
            Expr::And(parts, _) => self.junction(parts, false, at),
            Expr::Or(parts, _) => self.junction(parts, true, at),
            Expr::Coalesce(parts, _) => self.coalesce(parts, at),
            Expr::DynamicConstant(value, at) if value.read_lock::<FnPtr>().is_some() => {
                Ty::of(Kinds::OTHER, *at)
            }
            _ => Ty::unknown(at),
        }
    }

    fn variable(&mut self, name: &str, plain: bool, at: Position) -> Ty {
        let known = self.names.iter().rev().find(|(known, _)| plain && known == name);
        let Some((_, ty)) = known else { return Ty::unknown(at) };
        let mut ty = ty.clone();
        for part in ty.parts.iter_mut().filter(|part| part.at.is_none()) {
            part.at = at;
        }
        ty
    }

    /// `a && b`, `a || b`: `decides` is the value that ends the evaluation.
    fn junction(&mut self, parts: &[Expr], decides: bool, at: Position) -> Ty {
        let truths: Vec<Option<bool>> = parts.iter().map(|part| self.expr(part).truth()).collect();
        if truths.first() == Some(&Some(decides)) {
            return Ty::literal(Content::Bool(decides), at);
        }
        if truths.iter().all(|truth| *truth == Some(!decides)) {
            return Ty::literal(Content::Bool(!decides), at);
        }
        Ty::of(Kinds::BOOL, at)
    }

    fn coalesce(&mut self, parts: &[Expr], at: Position) -> Ty {
        let mut sum = Ty::never();
        let mut open = true;
        for (nth, part) in parts.iter().enumerate() {
            let ty = self.expr(part);
            if !open {
                self.dead(part.start_position(), Dead::Default);
                continue;
            }
            open = ty.may_be(Kinds::UNIT) || ty.parts.is_empty();
            let last = nth + 1 == parts.len();
            // Where a part of the record is missing, another one is not it.
            let ty = if last { ty } else { ty.without(Kinds::UNIT) };
            sum = sum.or(ty);
        }
        if sum.parts.is_empty() { Ty::unknown(at) } else { sum }
    }

    /// A function of the script, followed with the arguments of one call.
    pub(super) fn own(&mut self, name: &str, args: Vec<Ty>, at: Position) -> Ty {
        if self.inlined >= DEPTH {
            return Ty::unknown(at);
        }
        self.inlined += 1;
        let ty = self.body(name, args, at);
        self.inlined -= 1;
        ty
    }

    fn body(&mut self, name: &str, args: Vec<Ty>, at: Position) -> Ty {
        let Some(definition) = self.definition(name, args.len()) else {
            return Ty::unknown(at);
        };
        let parameters: Vec<(String, Ty)> = definition.0.iter().cloned().zip(args).collect();
        let mut parameters: Vec<(String, Ty)> = parameters
            .into_iter()
            .map(|(name, ty)| {
                let changes = self.assigned.contains(&name);
                (name, if changes { Ty::unknown(at) } else { ty })
            })
            .collect();
        std::mem::swap(&mut self.names, &mut parameters);
        let before = std::mem::take(&mut self.returned);
        let ty = self.block(&definition.1, at);
        let returned = std::mem::replace(&mut self.returned, before);
        std::mem::swap(&mut self.names, &mut parameters);
        if returned { Ty::unknown(at) } else { ty }
    }

    /// A closure over the elements of a list: what it gives for one of them.
    pub(super) fn lambda(&mut self, name: &str, captured: usize, item: Ty, at: Position) -> Ty {
        let Some(definition) = self.definition(name, captured + 1) else {
            return Ty::unknown(at);
        };
        let known = self.names.len();
        if let Some(parameter) = definition.0.last() {
            self.names.push((parameter.clone(), item));
        }
        let before = std::mem::take(&mut self.returned);
        let ty = self.block(&definition.1, at);
        let returned = std::mem::replace(&mut self.returned, before);
        self.names.truncate(known);
        if returned { Ty::unknown(at) } else { ty }
    }

    fn definition(&mut self, name: &str, parameters: usize) -> Option<Definition> {
        let key = (name.to_owned(), parameters);
        if let Some(known) = self.functions.get(&key) {
            return known.clone();
        }
        let found = function_of(&self.script.ast, name, parameters).map(Rc::new);
        self.functions.insert(key, found.clone());
        found
    }

    /// An element of a list.
    pub(super) fn element(list: &Ty, at: Position) -> Ty {
        if let Some(item) = &list.item {
            return (**item).clone();
        }
        match list.path.as_ref().and_then(Path::item) {
            Some(path) => Ty::source(path, at),
            None => Ty::unknown(at),
        }
    }

    pub(super) fn args(&mut self, call: &FnCallExpr) -> Vec<Ty> {
        call.args.iter().map(|arg| self.expr(arg)).collect()
    }
}

/// Where an expression begins; rhai takes an operator for the beginning of its call.
fn start(expr: &Expr) -> Position {
    match expr {
        Expr::FnCall(call, at) if call.is_operator_call() => match &call.args[..] {
            [first, _] => start(first),
            _ => *at,
        },
        other => other.start_position(),
    }
}
