//! Which objects a run has met: one bit each.

/// A growing set of slots.
#[derive(Clone, Default)]
pub(super) struct Seen {
    words: Vec<u64>,
    count: u64,
}

impl Seen {
    /// Adds a slot; tells whether it is new.
    pub(super) fn insert(&mut self, slot: u32) -> bool {
        let (word, bit) = (slot as usize / 64, 1u64 << (slot % 64));
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        let new = self.words[word] & bit == 0;
        self.words[word] |= bit;
        self.count += u64::from(new);
        new
    }

    pub(super) fn contains(&self, slot: u32) -> bool {
        self.words.get(slot as usize / 64).is_some_and(|word| word & (1 << (slot % 64)) != 0)
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }
}
