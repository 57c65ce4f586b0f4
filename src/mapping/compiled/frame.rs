//! The names in sight while a tree is built, and their places.
//!
//! The invariant: a name finds what was defined under it last, as in the interpreter.

use rhai::Position;

use super::build::{Built, unsupported};
use super::graft::Outer;

/// Most variables of a frame; far below what the interpreter allows.
const FRAME: usize = 40;

/// What a name in sight stands for.
#[derive(Clone, Copy)]
pub(super) enum Known {
    /// A variable, by its place in the frame.
    Local(usize),
    /// A property of the record under another name, by its part.
    Part(usize),
}

/// The names in sight.
#[derive(Default)]
pub(super) struct Frame {
    pub(super) names: Vec<(String, Known)>,
    pub(super) size: usize,
    /// Whether `record` and `tz` are in sight: not in a function of the script.
    pub(super) inner: bool,
    /// The variables around a tree within what the interpreter runs.
    pub(super) outer: Option<Vec<Outer>>,
}

impl Frame {
    /// A frame among the variables of what the interpreter runs.
    pub(super) fn within() -> Self {
        Self { outer: Some(Vec::new()), ..Self::default() }
    }

    /// The frame of a function of the script.
    pub(super) fn of_function() -> Self {
        Self { inner: true, ..Self::default() }
    }

    /// Defines a variable; its place.
    pub(super) fn variable(&mut self, name: &str, at: Position) -> Built<usize> {
        let place = self.place(at)?;
        self.names.push((name.to_owned(), Known::Local(place)));
        Ok(place)
    }

    /// What a name stands for.
    pub(super) fn known(&self, name: &str) -> Option<Known> {
        self.names.iter().rev().find(|(known, _)| known == name).map(|(_, known)| *known)
    }

    /// The place of a variable around the tree; `None` when there is nothing around it.
    pub(super) fn outer(&mut self, name: &str, at: Position) -> Built<Option<usize>> {
        let Some(outer) = &self.outer else { return Ok(None) };
        if let Some(known) = outer.iter().find(|known| *known.name == *name) {
            return Ok(Some(known.place));
        }
        let place = self.place(at)?;
        let outer = self.outer.get_or_insert_default();
        outer.push(Outer { name: name.into(), place });
        Ok(Some(place))
    }

    fn place(&mut self, at: Position) -> Built<usize> {
        if self.size >= FRAME {
            return unsupported("so many variables", at);
        }
        self.size += 1;
        Ok(self.size - 1)
    }
}
