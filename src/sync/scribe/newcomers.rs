//! The first read of a kind: which of its objects have an entry already, without asking the store about each.
//!
//! Not for kinds that are known: their entries are looked up. The invariant: an object is called new only if it is; an
//! answer that is not sure costs a lookup and nothing else.

use fastbloom::BloomFilter;

/// Objects that are told apart well, in a mebibyte; beyond them ever more are looked up, as if there were no filter.
const OBJECTS: usize = 1 << 20;
/// How many of the new ones are looked up all the same.
const UNSURE: f64 = 0.02;
/// Whoever makes ids that collide gains lookups.
const SEED: u128 = 0;

/// The objects that were given an entry since the kind had none.
pub(super) struct Newcomers(BloomFilter);

impl Newcomers {
    pub(super) fn none_yet() -> Self {
        Self(BloomFilter::with_false_pos(UNSURE).seed(&SEED).expected_items(OBJECTS))
    }

    /// Notes an object; whether it is certain that it was not noted before.
    pub(super) fn is_new(&mut self, source: &str) -> bool {
        !self.0.insert(source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_new_twice() {
        let mut newcomers = Newcomers::none_yet();
        let ids = || (0..20_000).map(|n| format!("ou_{n}"));
        let new = ids().filter(|id| newcomers.is_new(id)).count();
        assert!(new > 19_000, "{new} of 20,000 need no lookup");
        assert!(!ids().any(|id| newcomers.is_new(&id)));
    }
}
