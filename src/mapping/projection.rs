//! Which parts of a record are read.
//!
//! Not here: how it is known (`paths` for the interpreter, `compiled` for trees). The invariant: parts are only added,
//! so that the number of a part never changes.

use std::sync::atomic::{AtomicU64, Ordering};

/// Which parts of a record are read: a tree of property names below `record`.
#[derive(Debug)]
pub(crate) struct Projection {
    /// Tells projections apart.
    id: u64,
    pub(super) parts: Vec<Part>,
}

/// One node of a projection.
#[derive(Clone, Debug, Default)]
pub(super) struct Part {
    pub(super) whole: bool,
    pub(super) children: Vec<(Box<str>, usize)>,
}

/// The part that stands for the record itself.
pub(crate) const ROOT: usize = 0;

impl Projection {
    /// Reads nothing yet.
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self { id: NEXT.fetch_add(1, Ordering::Relaxed), parts: vec![Part::default()] }
    }

    /// The part of a property below a part, added if need be.
    pub(crate) fn below(&mut self, part: usize, name: &str) -> usize {
        if let Some(found) = self.child(part, name) {
            return found;
        }
        let at = self.parts.len();
        self.parts.push(Part::default());
        self.parts[part].children.push((name.into(), at));
        at
    }

    /// Marks a part as read as a whole.
    pub(crate) fn whole(&mut self, part: usize) {
        self.parts[part].whole = true;
    }

    /// The part of a property, if it is read.
    #[inline]
    pub(super) fn child(&self, part: usize, name: &str) -> Option<usize> {
        self.parts[part].children.iter().find(|(key, _)| **key == *name).map(|(_, at)| *at)
    }

    /// The name of a part: its property.
    pub(super) fn name(&self, part: usize) -> &str {
        let mut children = self.parts.iter().flat_map(|part| &part.children);
        children.find(|(_, child)| *child == part).map_or("", |(name, _)| name)
    }

    /// What no other projection has, and no other state of this one.
    pub(super) fn state(&self) -> (u64, usize) {
        (self.id, self.parts.len())
    }

    /// How many parts there are.
    pub(super) fn len(&self) -> usize {
        self.parts.len()
    }
}
