//! What a connection has to map once more because links have changed. Pure.

/// The parts to map once more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Note {
    /// Departments and people.
    pub(super) directory: bool,
    /// Punches, days and leave.
    pub(super) attendance: bool,
}

impl Note {
    pub(super) const ALL: Self = Self { directory: true, attendance: true };

    pub(super) fn and(self, other: Self) -> Self {
        Self {
            directory: self.directory || other.directory,
            attendance: self.attendance || other.attendance,
        }
    }

    pub(super) fn holds(self, other: Self) -> bool {
        self.and(other) == self
    }

    /// One byte of parts, then a count of changes: a note that says the same again is a different one all the same.
    pub(super) fn after(stored: Option<&[u8]>, note: Self) -> Vec<u8> {
        let before = stored.map(Self::decode).unwrap_or_default();
        let count =
            stored.and_then(|bytes| bytes.get(1..)?.try_into().ok()).map_or(0, u32::from_le_bytes);
        let all = before.and(note);
        let parts = u8::from(all.directory) | u8::from(all.attendance) << 1;
        [&[parts][..], &count.wrapping_add(1).to_le_bytes()].concat()
    }

    pub(super) fn decode(bytes: &[u8]) -> Self {
        let parts = bytes.first().copied().unwrap_or_default();
        Self { directory: parts & 1 != 0, attendance: parts & 2 != 0 }
    }
}
