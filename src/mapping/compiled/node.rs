//! The expression tree that a script is compiled to.
//!
//! Only shapes; `build` makes them, `eval` runs them. The invariant: a tree means what the interpreter would do, or
//! [`Node::Fail`], which leaves the record to the interpreter.

use crate::mapping::library::{Closure, Plain};

/// An expression.
#[derive(Debug)]
pub(super) enum Node {
    Literal(Literal),
    /// The variable `tz`.
    Zone,
    /// The record as a whole.
    Record,
    /// A property of the record.
    Slot(Slot),
    /// A variable of the frame.
    Local(usize),
    Chain(Box<Chain>),
    Call(Plain, Box<[Node]>),
    /// A function of the script, by its number.
    Own(usize, Box<[Node]>),
    Over(Box<(Node, Over)>),
    Not(Box<Node>),
    Negate(Box<Node>),
    Binary(Operator, Box<(Node, Node)>),
    And(Box<[Node]>),
    Or(Box<[Node]>),
    Coalesce(Box<[Node]>),
    Block(Box<[Statement]>),
    If(Box<(Node, Node, Node)>),
    Switch(Box<Switch>),
    List(Box<[Node]>),
    Object(Box<[(Box<str>, Node)]>),
    /// The parts of an interpolated text.
    Text(Box<[Node]>),
    /// What only the interpreter can say, such as why a script throws.
    Fail,
    /// A branch that a watched evaluation tells of, by its number; not in other trees.
    Mark(usize, Box<Node>),
    /// A look into a table that a watched evaluation tells of, by its number; not in other trees.
    Lookup(usize, Plain, Box<[Node]>),
}

/// A constant.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::mapping) enum Literal {
    Unit,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Box<str>),
}

/// A property whose place in the projection is known.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) part: usize,
    pub(super) name: Box<str>,
}

/// `base.a?.b[c].d(e)`: the arguments that may fail are evaluated first, as the interpreter does.
#[derive(Debug)]
pub(super) struct Chain {
    pub(super) base: Node,
    pub(super) early: Box<[Node]>,
    pub(super) steps: Box<[Step]>,
}

/// One step of a chain; an optional one ends the whole chain with `()` when there is nothing to step on.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) optional: bool,
    pub(super) kind: Kind,
}

/// What a step does.
#[derive(Debug)]
pub(super) enum Kind {
    Slot(Slot),
    Property(Box<str>),
    /// The same as `Slot`, the record's `null` as `clear()`.
    ToldSlot(Slot),
    /// The same as `Property`, the record's `null` as `clear()`.
    Told(Box<str>),
    Index(Arg),
    Call(Plain, Box<[Arg]>),
    Over(Over),
}

/// An argument within a chain.
#[derive(Debug)]
pub(super) enum Arg {
    /// Cannot fail: evaluated when it is needed.
    Inert(Node),
    /// Evaluated before the chain, by its number.
    Early(usize),
}

/// A function of the script over a list; its parameter is a variable of the frame around it.
#[derive(Debug)]
pub(super) struct Over {
    pub(super) closure: Closure,
    pub(super) parameter: usize,
    pub(super) body: Node,
}

/// `switch`.
#[derive(Debug)]
pub(super) struct Switch {
    pub(super) value: Node,
    /// Which cases a value leads to.
    pub(super) labels: Box<[(Literal, Box<[usize]>)]>,
    /// First and last number of a range, and its case.
    pub(super) ranges: Box<[(i64, i64, usize)]>,
    /// Condition and value of each case.
    pub(super) cases: Box<[(Node, Node)]>,
    pub(super) default: Option<usize>,
}

/// A statement of a block.
#[derive(Debug)]
pub(super) enum Statement {
    Value(Node),
    /// Sets a variable of the frame.
    Set(usize, Node),
}

/// A function of the script.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) frame: usize,
    pub(super) value: Node,
}

/// The operators that a tree knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Operator {
    pub(super) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "+" | "+=" => Self::Add,
            "-" | "-=" => Self::Subtract,
            "*" | "*=" => Self::Multiply,
            "/" | "/=" => Self::Divide,
            "%" | "%=" => Self::Modulo,
            "==" => Self::Equal,
            "!=" => Self::NotEqual,
            "<" => Self::Less,
            "<=" => Self::LessOrEqual,
            ">" => Self::Greater,
            ">=" => Self::GreaterOrEqual,
            _ => return None,
        })
    }
}
