//! What an expression may give, as far as it can be told without a record.
//!
//! Only the shapes and their sums; `infer` finds them. The invariant: a [`Ty`] allows at least what the expression really
//! gives, so that a finding drawn from it is never a false alarm.

use std::rc::Rc;

use rhai::Position;

use super::path::Path;
use crate::model::draft::Content;
use crate::model::entity::Entity;

/// A set of kinds of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kinds(u16);

impl Kinds {
    pub(super) const NONE: Self = Self(0);
    pub(super) const UNIT: Self = Self(1);
    pub(super) const CLEAR: Self = Self(1 << 1);
    pub(super) const BOOL: Self = Self(1 << 2);
    pub(super) const INT: Self = Self(1 << 3);
    pub(super) const FLOAT: Self = Self(1 << 4);
    pub(super) const TEXT: Self = Self(1 << 5);
    pub(super) const LIST: Self = Self(1 << 6);
    pub(super) const OBJECT: Self = Self(1 << 7);
    /// A function, or a letter of a text.
    pub(super) const OTHER: Self = Self(1 << 8);
    pub(super) const NUMBER: Self = Self(1 << 3 | 1 << 4);
    pub(super) const ANY: Self = Self((1 << 9) - 1);

    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(super) const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(super) const fn within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    pub(super) fn is_none(self) -> bool {
        self == Self::NONE
    }

    /// In words that fit "gives ..".
    pub(super) fn words(self) -> String {
        let names = [
            (Self::UNIT, "nothing"),
            (Self::CLEAR, "`clear()`"),
            (Self::BOOL, "true or false"),
            (Self::INT, "a whole number"),
            (Self::FLOAT, "a number"),
            (Self::TEXT, "text"),
            (Self::LIST, "a list"),
            (Self::OBJECT, "an object"),
            (Self::OTHER, "a function or a letter"),
        ];
        let found: Vec<&str> =
            names.iter().filter(|(kind, _)| self.meets(*kind)).map(|(_, name)| *name).collect();
        found.join(" or ")
    }
}

/// What is known of a text beyond that it is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Any,
    Date,
    Instant,
    Mobile,
    /// An external id, of this kind of record if that is known.
    Id(Option<Entity>),
}

/// One of the values that an expression may give, and the place that it comes from.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) kinds: Kinds,
    pub(super) shape: Shape,
    pub(super) at: Position,
    /// The value itself, when it stands in the script or in a table.
    pub(super) literal: Option<Content<'static>>,
}

/// What an expression may give: nothing at all when it never ends with a value.
#[derive(Clone, Debug, Default)]
pub(super) struct Ty {
    pub(super) parts: Vec<Part>,
    /// What a list holds, if that is known.
    pub(super) item: Option<Rc<Ty>>,
    /// The part of the record that it is.
    pub(super) path: Option<Path>,
}

/// Most values that are told apart; beyond them an expression may give anything.
const PARTS: usize = 48;

impl Ty {
    /// Any value.
    pub(super) fn unknown(at: Position) -> Self {
        Self::of(Kinds::ANY, at)
    }

    pub(super) fn of(kinds: Kinds, at: Position) -> Self {
        Self::shaped(kinds, Shape::Any, at)
    }

    pub(super) fn shaped(kinds: Kinds, shape: Shape, at: Position) -> Self {
        Self { parts: vec![Part { kinds, shape, at, literal: None }], item: None, path: None }
    }

    /// No value: the record is left out or refused.
    pub(super) fn never() -> Self {
        Self::default()
    }

    pub(super) fn literal(value: Content<'static>, at: Position) -> Self {
        let kinds = match &value {
            Content::Null => Kinds::CLEAR,
            Content::Bool(_) => Kinds::BOOL,
            Content::Int(_) => Kinds::INT,
            Content::Float(_) => Kinds::FLOAT,
            Content::Text(_) => Kinds::TEXT,
            Content::List(_) => Kinds::LIST,
            Content::Map(_) => Kinds::OBJECT,
        };
        let part = Part { kinds, shape: Shape::Any, at, literal: Some(value) };
        Self { parts: vec![part], item: None, path: None }
    }

    /// The part of the record at a path: anything that JSON holds.
    pub(super) fn source(path: Path, at: Position) -> Self {
        let kinds = Kinds::ANY.without(Kinds::CLEAR).without(Kinds::OTHER);
        Self { path: Some(path), ..Self::of(kinds, at) }
    }

    pub(super) fn list(item: Self, at: Position) -> Self {
        Self { item: Some(Rc::new(item)), ..Self::of(Kinds::LIST, at) }
    }

    /// All kinds together.
    pub(super) fn kinds(&self) -> Kinds {
        self.parts.iter().fold(Kinds::NONE, |sum, part| sum.and(part.kinds))
    }

    pub(super) fn may_be(&self, kinds: Kinds) -> bool {
        self.kinds().meets(kinds)
    }

    /// The condition's value, if it always has the same one.
    pub(super) fn truth(&self) -> Option<bool> {
        let mut parts = self.parts.iter().map(|part| match part.literal {
            Some(Content::Bool(flag)) => Some(flag),
            _ => None,
        });
        let first = parts.next()??;
        parts.all(|other| other == Some(first)).then_some(first)
    }

    /// The one literal that it is.
    pub(super) fn constant(&self) -> Option<&Content<'static>> {
        match &self.parts[..] {
            [part] => part.literal.as_ref(),
            _ => None,
        }
    }

    /// The text that it is.
    pub(super) fn text(&self) -> Option<&str> {
        match self.constant() {
            Some(Content::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Either of the two.
    pub(super) fn or(mut self, other: Self) -> Self {
        if other.parts.is_empty() {
            return self;
        }
        if self.parts.is_empty() {
            return other;
        }
        let bare = (self.is_bare(), other.is_bare());
        self.item = match (self.item.take(), other.item) {
            (Some(a), Some(b)) => Some(Rc::new(Rc::unwrap_or_clone(a).or(Rc::unwrap_or_clone(b)))),
            (Some(item), None) if !Kinds::LIST.within(merged(&other.parts)) => Some(item),
            (None, Some(item)) if !Kinds::LIST.within(merged(&self.parts)) => Some(item),
            _ => None,
        };
        self.path = match (self.path.take(), other.path) {
            (Some(a), Some(b)) if a == b => Some(a),
            (Some(path), None) if bare.1 => Some(path),
            (None, Some(path)) if bare.0 => Some(path),
            _ => None,
        };
        self.parts.extend(other.parts);
        if self.parts.len() > PARTS {
            let at = self.parts.first().map_or(Position::NONE, |part| part.at);
            return Self { path: self.path, ..Self::unknown(at) };
        }
        self
    }

    /// Whether nothing can be read from it: `()`, a literal or an empty list, as they stand after `??`.
    fn is_bare(&self) -> bool {
        let empty = self.item.as_ref().is_some_and(|item| item.parts.is_empty());
        self.parts.iter().all(|part| {
            part.literal.is_some()
                || part.kinds.within(Kinds::UNIT)
                || (empty && part.kinds.within(Kinds::LIST))
        })
    }

    /// Also `()`, without a value of its own in the script.
    pub(super) fn or_unit(self, at: Position) -> Self {
        self.or_kinds(Kinds::UNIT, at)
    }

    pub(super) fn or_kinds(mut self, kinds: Kinds, at: Position) -> Self {
        if !kinds.is_none() && !kinds.within(self.kinds()) {
            self.parts.push(Part { kinds, shape: Shape::Any, at, literal: None });
        }
        self
    }

    /// What is left when it is not one of these kinds.
    pub(super) fn without(mut self, kinds: Kinds) -> Self {
        for part in &mut self.parts {
            part.kinds = part.kinds.without(kinds);
        }
        self.parts.retain(|part| !part.kinds.is_none());
        self
    }
}

fn merged(parts: &[Part]) -> Kinds {
    parts.iter().fold(Kinds::NONE, |sum, part| sum.and(part.kinds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_a_bound_of_alternatives_anything_is_possible() {
        let one = |n| Ty::literal(Content::Int(n), Position::NONE);
        let few = (0..40).map(one).fold(Ty::never(), Ty::or);
        assert_eq!(few.kinds(), Kinds::INT);
        let many = (0..60).map(one).fold(Ty::never(), Ty::or);
        assert_eq!(many.kinds(), Kinds::ANY);
        assert!(many.parts.len() <= PARTS);
    }

    #[test]
    fn a_list_that_may_be_another_one_holds_the_elements_of_both() {
        let list = |kinds| Ty::list(Ty::of(kinds, Position::NONE), Position::NONE);
        let both = list(Kinds::INT).or(list(Kinds::TEXT));
        assert_eq!(both.item.unwrap().kinds(), Kinds::INT.and(Kinds::TEXT));
        let unsure = list(Kinds::INT).or(Ty::unknown(Position::NONE));
        assert!(unsure.item.is_none());
        let missing = list(Kinds::INT).or_unit(Position::NONE);
        assert_eq!(missing.item.unwrap().kinds(), Kinds::INT);
    }
}
