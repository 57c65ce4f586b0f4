//! Which way a tree goes: conditions, `switch`, `??`.
//!
//! Not here: the expressions on the way (`eval`). The invariant: only what the interpreter would evaluate is evaluated, in
//! its order.

use super::eval::{Halt, Run, constant};
use super::node::{Literal, Node, Operator, Switch};
use super::operators::equal;
use crate::mapping::value::Value;

impl<'a> Run<'a> {
    /// Whether an expression is true.
    pub(super) fn truth(&mut self, node: &'a Node) -> Result<bool, Halt> {
        self.step(1)?;
        self.truth_of(node)
    }

    /// The same, when the step to the expression itself is counted.
    pub(super) fn truth_of(&mut self, node: &'a Node) -> Result<bool, Halt> {
        match node {
            Node::Literal(Literal::Bool(flag)) => Ok(*flag),
            Node::Not(value) => self.truth(value).map(|flag| !flag),
            Node::And(parts) => self.each_true(parts),
            Node::Or(parts) => self.any_true(parts),
            Node::Binary(operator @ (Operator::Equal | Operator::NotEqual), sides) => {
                let mut a = Value::Unit;
                self.eval_into(&sides.0, &mut a)?;
                let equal = match &sides.1 {
                    Node::Literal(literal) => {
                        self.step(1)?;
                        equal(&a, &constant(literal))
                    }
                    other => equal(&a, &self.eval(other)?),
                };
                equal.map(|equal| equal == (*operator == Operator::Equal)).ok_or(Halt::Fail)
            }
            other => {
                let mut value = Value::Unit;
                self.make(other, &mut value)?;
                match value {
                    Value::Bool(flag) => Ok(flag),
                    _ => Err(Halt::Fail),
                }
            }
        }
    }

    fn each_true(&mut self, parts: &'a [Node]) -> Result<bool, Halt> {
        for part in parts {
            if !self.truth(part)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn any_true(&mut self, parts: &'a [Node]) -> Result<bool, Halt> {
        for part in parts {
            if self.truth(part)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    pub(super) fn coalesce(&mut self, parts: &'a [Node], out: &mut Value<'a>) -> Result<(), Halt> {
        *out = Value::Unit;
        for part in parts {
            self.eval_into(part, out)?;
            if !out.is_unit() {
                break;
            }
        }
        Ok(())
    }

    pub(super) fn switch(&mut self, switch: &'a Switch, out: &mut Value<'a>) -> Result<(), Halt> {
        let mut value = Value::Unit;
        self.eval_into(&switch.value, &mut value)?;
        let scalar = matches!(value, Value::Unit | Value::Bool(_) | Value::Int(_) | Value::Text(_));
        if !scalar {
            return Err(Halt::Fail);
        }
        let label = switch.labels.iter().find(|(label, _)| constant(label).same(&value));
        let labelled = label.iter().flat_map(|(_, cases)| cases.iter().copied());
        let ranged = switch.ranges.iter().filter_map(|(first, last, case)| match value {
            Value::Int(number) => (first..=last).contains(&&number).then_some(*case),
            _ => None,
        });
        for case in labelled.chain(ranged) {
            let Some((condition, result)) = switch.cases.get(case) else {
                return Err(Halt::Fail);
            };
            if self.truth(condition)? {
                return self.eval_into(result, out);
            }
        }
        if let Some((_, result)) = switch.default.and_then(|case| switch.cases.get(case)) {
            return self.eval_into(result, out);
        }
        *out = Value::Unit;
        Ok(())
    }
}
