//! Following a chain step by step.

use super::eval::{Evaluated, Halt, Run};
use super::node::{Arg, Chain, Kind, Node, Slot, Step};
use crate::mapping::library::{MOST_ARGUMENTS, Plain};
use crate::mapping::projection::ROOT;
use crate::mapping::tape::Node as Taped;
use crate::mapping::value::{Object, Value};

impl<'a> Run<'a> {
    pub(super) fn chain(&mut self, chain: &'a Chain, out: &mut Value<'a>) -> Result<(), Halt> {
        let mut early = Vec::new();
        for arg in &chain.early {
            early.push(self.eval(arg)?);
        }
        let mut steps = &chain.steps[..];
        if matches!(chain.base, Node::Record) {
            self.step(1)?;
            match self.walk(&mut steps)? {
                Some(at) => out.become_taped(self.doc, at),
                None => *out = Value::Unit,
            }
        } else {
            self.eval_into(&chain.base, out)?;
        }
        for step in steps {
            self.step(1)?;
            if step.optional && out.is_unit() {
                return Ok(());
            }
            self.follow(step, out, &mut early)?;
        }
        Ok(())
    }

    /// Takes the steps from property to property of the record; where they end, and those that are left.
    #[inline]
    fn walk(&mut self, steps: &mut &'a [Step]) -> Result<Option<u32>, Halt> {
        let mut place = Some(u32::try_from(ROOT).unwrap_or(0));
        while let [Step { optional, kind: Kind::Slot(slot) }, rest @ ..] = *steps {
            self.step(1)?;
            let node = place.map(|at| self.doc.node(at));
            place = match (place, node) {
                (Some(_), Some(Taped::Partial(_))) => self.doc.slot(slot.part),
                (Some(at), Some(Taped::Object(..))) => self.doc.property(at, &slot.name),
                (None, _) | (_, Some(Taped::Null)) if *optional => {
                    *steps = &[];
                    return Ok(None);
                }
                _ => return Err(Halt::Fail),
            };
            *steps = rest;
        }
        Ok(place)
    }

    #[inline]
    fn follow(
        &mut self,
        step: &'a Step,
        out: &mut Value<'a>,
        early: &mut [Value<'a>],
    ) -> Result<(), Halt> {
        match &step.kind {
            Kind::Slot(slot) => *out = self.slot(out, slot)?,
            Kind::Property(name) => *out = out.property(name).ok_or(Halt::Fail)?,
            Kind::ToldSlot(slot) => *out = self.told(out, slot)?,
            Kind::Told(name) => *out = told(out, name)?,
            Kind::Index(index) => {
                let index = self.arg(index, early)?;
                *out = indexed(out, &index)?;
            }
            Kind::Call(body, args) => return self.method(*body, args, out, early),
            Kind::Over(over) => *out = self.over(over, std::mem::take(out))?,
        }
        Ok(())
    }

    #[inline]
    fn method(
        &mut self,
        body: Plain,
        args: &'a [Arg],
        out: &mut Value<'a>,
        early: &mut [Value<'a>],
    ) -> Result<(), Halt> {
        let mut values = [const { Value::Unit }; MOST_ARGUMENTS];
        let Some(values) = values.get_mut(..=args.len()) else { return Err(Halt::Fail) };
        values[0] = std::mem::take(out);
        for (value, arg) in values[1..].iter_mut().zip(args) {
            match arg {
                Arg::Inert(node) => self.eval_into(node, value)?,
                Arg::Early(number) => {
                    *value = early.get_mut(*number).map(std::mem::take).ok_or(Halt::Fail)?;
                }
            }
        }
        self.plain(body, values, out)
    }

    #[inline]
    fn arg(&mut self, arg: &'a Arg, early: &mut [Value<'a>]) -> Evaluated<'a> {
        match arg {
            Arg::Inert(node) => self.eval(node),
            Arg::Early(number) => early.get_mut(*number).map(std::mem::take).ok_or(Halt::Fail),
        }
    }

    /// Where a property of the record lies, by its place in the projection.
    #[inline]
    pub(super) fn own_slot(&self, slot: &'a Slot) -> Option<u32> {
        let root = u32::try_from(ROOT).unwrap_or(0);
        match self.doc.node(root) {
            Taped::Partial(_) => self.doc.slot(slot.part),
            _ => self.doc.property(root, &slot.name),
        }
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

/// A property, the record's `null` as `clear()`.
fn told<'a>(value: &Value<'a>, name: &str) -> Evaluated<'a> {
    match value {
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
    }
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
