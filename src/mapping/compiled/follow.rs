//! Following a chain step by step.

use super::eval::{Evaluated, Halt, Run};
use super::node::{Arg, Chain, Kind, Slot, Step};
use crate::mapping::projection::ROOT;
use crate::mapping::tape::Node as Taped;
use crate::mapping::value::{Object, Value};

impl<'a> Run<'a> {
    pub(super) fn chain(&mut self, chain: &'a Chain) -> Evaluated<'a> {
        let mut early = Vec::new();
        for arg in &chain.early {
            early.push(self.eval(arg)?);
        }
        let mut value = self.eval(&chain.base)?;
        for step in &chain.steps {
            self.step(1)?;
            if step.optional && value.is_unit() {
                return Ok(Value::Unit);
            }
            value = self.follow(step, value, &mut early)?;
        }
        Ok(value)
    }

    #[inline]
    fn follow(
        &mut self,
        step: &'a Step,
        value: Value<'a>,
        early: &mut [Value<'a>],
    ) -> Evaluated<'a> {
        match &step.kind {
            Kind::Slot(slot) => self.slot(&value, slot),
            Kind::Property(name) => value.property(name).ok_or(Halt::Fail),
            Kind::ToldSlot(slot) => self.told(&value, slot),
            Kind::Told(name) => match &value {
                Value::Object(Object::Tape(doc, at)) => match doc.property(*at, name) {
                    Some(found) if matches!(doc.node(found), Taped::Null) => Ok(Value::Clear),
                    _ => Ok(value.property(name).unwrap_or_default()),
                },
                // Whether it stood in the record as `null` is no longer known.
                Value::Object(Object::Owned(_)) => match value.property(name) {
                    Some(Value::Unit) | None => Err(Halt::Fail),
                    Some(found) => Ok(found),
                },
                _ => Err(Halt::Fail),
            },
            Kind::Index(index) => {
                let index = self.arg(index, early)?;
                indexed(&value, &index)
            }
            Kind::Call(body, args) => match &args[..] {
                [] => self.plain(*body, &mut [value]),
                [a] => {
                    let a = self.arg(a, early)?;
                    self.plain(*body, &mut [value, a])
                }
                more => {
                    let mut values = Vec::with_capacity(more.len() + 1);
                    values.push(value);
                    for arg in more {
                        values.push(self.arg(arg, early)?);
                    }
                    self.plain(*body, &mut values)
                }
            },
            Kind::Over(over) => self.over(over, value),
        }
    }

    #[inline]
    fn arg(&mut self, arg: &'a Arg, early: &mut [Value<'a>]) -> Evaluated<'a> {
        match arg {
            Arg::Inert(node) => self.eval(node),
            Arg::Early(number) => early.get_mut(*number).map(std::mem::take).ok_or(Halt::Fail),
        }
    }

    /// A property of the record, by its place in the projection.
    #[inline]
    pub(super) fn own_slot(&self, slot: &'a Slot) -> Value<'a> {
        let root = u32::try_from(ROOT).unwrap_or(0);
        let found = match self.doc.node(root) {
            Taped::Partial(_) => self.doc.slot(slot.part),
            _ => self.doc.property(root, &slot.name),
        };
        found.map_or(Value::Unit, |at| Value::on_tape(self.doc, at))
    }

    /// A property of the record, or of an object in it, by its place in the projection.
    #[inline]
    pub(super) fn slot(&self, value: &Value<'a>, slot: &'a Slot) -> Evaluated<'a> {
        let found = place(value, slot)?;
        Ok(found.map_or(Value::Unit, |at| Value::on_tape(self.doc, at)))
    }

    /// The same, `null` as `clear()`.
    #[inline]
    fn told(&self, value: &Value<'a>, slot: &'a Slot) -> Evaluated<'a> {
        Ok(match place(value, slot)? {
            Some(at) if matches!(self.doc.node(at), Taped::Null) => Value::Clear,
            found => found.map_or(Value::Unit, |at| Value::on_tape(self.doc, at)),
        })
    }
}

/// Where a property of an object in the record lies.
#[inline]
fn place(value: &Value<'_>, slot: &Slot) -> Result<Option<u32>, Halt> {
    let Value::Object(Object::Tape(doc, at)) = value else {
        return Err(Halt::Fail);
    };
    Ok(match doc.node(*at) {
        Taped::Partial(_) => doc.slot(slot.part),
        _ => doc.property(*at, &slot.name),
    })
}

/// `list[number]`, from the end if negative, or `object["name"]`.
fn indexed<'a>(value: &Value<'a>, index: &Value<'a>) -> Evaluated<'a> {
    match (value, index) {
        (Value::List(list), Value::Int(number)) => {
            let nth = match usize::try_from(*number) {
                Ok(nth) => Some(nth),
                Err(_) => usize::try_from(number.unsigned_abs())
                    .ok()
                    .and_then(|back| list.len().checked_sub(back)),
            };
            nth.and_then(|nth| list.at(nth)).ok_or(Halt::Fail)
        }
        (Value::Object(object), Value::Text(name)) => Ok(object.property(name)),
        _ => Err(Halt::Fail),
    }
}
