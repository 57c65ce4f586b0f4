//! What a watched evaluation tells: which branches it reached, and which values it looked up in tables.
//!
//! A watched tree is compiled apart, so that the trees that map records pay nothing. Not here: what becomes of it
//! (`coverage`). The invariant: a watched tree gives the value that the other one gives.

use rhai::Position;

use crate::mapping::tables::{Row, Tables};
use crate::mapping::value::Value;

/// A place that is told of.
#[derive(Clone, Copy, Debug)]
pub(in crate::mapping) struct Mark {
    pub(in crate::mapping) what: Branch,
    pub(in crate::mapping) at: Position,
}

/// What kind of place it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::mapping) enum Branch {
    Then,
    Else,
    Arm,
    /// What stands after `??`.
    Default,
    /// A look into a table.
    Lookup,
}

/// What covers a value that is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::mapping) enum Cover {
    /// Its own row.
    Row,
    /// The row `_`, or the call's default.
    Default,
    /// Nothing: the record is parked.
    None,
}

/// A look into a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::mapping) struct Look {
    pub(in crate::mapping) mark: usize,
    pub(in crate::mapping) table: String,
    pub(in crate::mapping) value: String,
    pub(in crate::mapping) cover: Cover,
}

/// Most looks of one record that are told.
const LOOKS: usize = 64;

/// What one evaluation told.
#[derive(Clone, Debug, Default)]
pub(in crate::mapping) struct Watch {
    /// The numbers of the branches that were reached, each once, in no order.
    pub(in crate::mapping) reached: Vec<usize>,
    pub(in crate::mapping) looks: Vec<Look>,
}

impl Watch {
    pub(super) fn reach(&mut self, mark: usize) {
        if !self.reached.contains(&mark) {
            self.reached.push(mark);
        }
    }

    pub(super) fn look_up(&mut self, mark: usize, tables: &Tables, args: &[Value<'_>]) {
        self.reach(mark);
        let (Some(Value::Text(name)), Some(value)) = (args.first(), args.get(1)) else { return };
        let Some(table) = tables.table(name).filter(|_| self.looks.len() < LOOKS) else { return };
        let value = match value {
            Value::Text(text) => text.trim().to_owned(),
            Value::Int(number) => number.to_string(),
            Value::Bool(flag) => flag.to_string(),
            _ => return,
        };
        let cover = match table.row(&value) {
            Row::Found(_) => Cover::Row,
            Row::Fallback(_) => Cover::Default,
            Row::None if args.len() > 2 => Cover::Default,
            Row::None => Cover::None,
        };
        self.looks.push(Look { mark, table: name.to_string(), value, cover });
    }
}
