//! Operators on values, as rhai's built-in ones.
//!
//! The invariant: where rhai would refuse or has rules of its own, the answer is `None`, and the interpreter decides.

use std::cmp::Ordering;

use super::node::Operator;
use crate::mapping::value::{Text, Value};

/// `a operator b`; `None` leaves it to the interpreter.
pub(super) fn binary<'a>(
    operator: Operator,
    a: Value<'a>,
    b: Value<'a>,
    limit_bytes: usize,
) -> Option<Value<'a>> {
    match operator {
        Operator::Equal => equal(&a, &b).map(Value::Bool),
        Operator::NotEqual => equal(&a, &b).map(|equal| Value::Bool(!equal)),
        Operator::Less => compare(&a, &b, |order| order == Ordering::Less),
        Operator::LessOrEqual => compare(&a, &b, |order| order != Ordering::Greater),
        Operator::Greater => compare(&a, &b, |order| order == Ordering::Greater),
        Operator::GreaterOrEqual => compare(&a, &b, |order| order != Ordering::Less),
        Operator::Add => add(a, b, limit_bytes),
        Operator::Subtract | Operator::Multiply | Operator::Divide | Operator::Modulo => {
            arithmetic(operator, &a, &b)
        }
    }
}

/// Whether two values are equal; `None` leaves it to the interpreter.
#[inline]
pub(super) fn equal(a: &Value<'_>, b: &Value<'_>) -> Option<bool> {
    Some(match (a, b) {
        (Value::Text(a), Value::Text(b)) => **a == **b,
        (Value::Int(a), Value::Int(b)) => a == b,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Unit, Value::Unit) => true,
        (Value::Float(_), Value::Float(_) | Value::Int(_)) | (Value::Int(_), Value::Float(_)) => {
            close(float(a)?, float(b)?)
        }
        (Value::Clear, Value::Clear)
        | (Value::List(_), Value::List(_))
        | (Value::Object(_), Value::Object(_))
        | (Value::Other, _)
        | (_, Value::Other) => return None,
        // Values of different types are never equal.
        _ => false,
    })
}

/// rhai compares floats with a tolerance of one unit in the last place.
fn close(a: f64, b: f64) -> bool {
    let max = if a * b == 0.0 { 1.0 } else { a.abs().max(b.abs()) };
    (a - b).abs() / max <= f64::EPSILON
}

fn compare<'a>(
    a: &Value<'_>,
    b: &Value<'_>,
    holds: impl Fn(Ordering) -> bool,
) -> Option<Value<'a>> {
    let order = match (a, b) {
        (Value::Int(a), Value::Int(b)) => a.cmp(b),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Text(a), Value::Text(b)) => (**a).cmp(&**b),
        (Value::Float(_) | Value::Int(_), Value::Float(_) | Value::Int(_))
        | (Value::Clear, Value::Clear)
        | (Value::List(_), Value::List(_))
        | (Value::Object(_), Value::Object(_))
        | (Value::Other, _)
        | (_, Value::Other) => return None,
        // Values of different types have no order, and nothing has none with itself: every comparison is false.
        _ => return Some(Value::Bool(false)),
    };
    Some(Value::Bool(holds(order)))
}

fn add<'a>(a: Value<'a>, b: Value<'a>, limit_bytes: usize) -> Option<Value<'a>> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => a.checked_add(b).map(Value::Int),
        (Value::Text(a), Value::Text(b)) => {
            if a.len() + b.len() > limit_bytes {
                return None;
            }
            let mut text = String::with_capacity(a.len() + b.len());
            text.push_str(&a);
            text.push_str(&b);
            Some(Value::Text(Text::Owned(text)))
        }
        (Value::Text(text), Value::Unit) | (Value::Unit, Value::Text(text)) => {
            Some(Value::Text(text))
        }
        (a @ (Value::Float(_) | Value::Int(_)), b @ (Value::Float(_) | Value::Int(_))) => {
            Some(Value::Float(float(&a)? + float(&b)?))
        }
        _ => None,
    }
}

fn arithmetic<'a>(operator: Operator, a: &Value<'_>, b: &Value<'_>) -> Option<Value<'a>> {
    if let (Value::Int(a), Value::Int(b)) = (a, b) {
        let number = match operator {
            Operator::Subtract => a.checked_sub(*b),
            Operator::Multiply => a.checked_mul(*b),
            Operator::Divide => a.checked_div(*b),
            Operator::Modulo => a.checked_rem(*b),
            _ => None,
        };
        return number.map(Value::Int);
    }
    let (a, b) = (float(a)?, float(b)?);
    Some(Value::Float(match operator {
        Operator::Subtract => a - b,
        Operator::Multiply => a * b,
        Operator::Divide => a / b,
        Operator::Modulo => a % b,
        _ => return None,
    }))
}

fn float(value: &Value<'_>) -> Option<f64> {
    match value {
        Value::Float(number) => Some(*number),
        #[expect(clippy::cast_precision_loss, reason = "rhai mixes the two in the same way")]
        Value::Int(number) => Some(*number as f64),
        _ => None,
    }
}
