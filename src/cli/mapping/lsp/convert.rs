//! Between places of the protocol, which count UTF-16 units, and places in a text.

use tower_lsp_server::ls_types::{Position, Range};

use crate::mapping::Fault;

/// The byte of a place; beyond a line's end that end.
pub(super) fn offset(text: &str, at: Position) -> usize {
    let mut start = 0;
    let mut lines = text.split_inclusive('\n');
    for _ in 0..at.line {
        start += lines.next().map_or(0, str::len);
    }
    let line = text.get(start..).unwrap_or_default().lines().next().unwrap_or_default();
    let mut units = 0;
    for (byte, letter) in line.char_indices() {
        if units >= at.character {
            return start + byte;
        }
        units += unit_count(letter);
    }
    start + line.len()
}

/// What a fault marks.
pub(super) fn range(fault: &Fault) -> Range {
    let place = fault.place();
    let line = number(place.line.saturating_sub(1));
    let column = |column: usize| {
        let units = place.text.chars().take(column).map(unit_count).sum();
        Position { line, character: units }
    };
    let start = place.column.saturating_sub(1);
    Range { start: column(start), end: column(start + fault.width().max(1)) }
}

fn unit_count(letter: char) -> u32 {
    number(letter.len_utf16())
}

fn number(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_utf_16_units() {
        let text = "a\n李🙂b\r\nc";
        let at = |line, character| offset(text, Position { line, character });
        assert_eq!(at(0, 0), 0);
        assert_eq!(&text[at(1, 1)..], "🙂b\r\nc");
        assert_eq!(&text[at(1, 3)..], "b\r\nc");
        assert_eq!(&text[at(1, 99)..], "\r\nc");
        assert_eq!(&text[at(2, 0)..], "c");
        assert_eq!(at(9, 9), text.len());
    }
}
