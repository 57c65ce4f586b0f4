//! Spans of time that were read to their end. Pure.
//!
//! The invariant: spans are in order, do not touch each other, and are never more than [`MOST`].

use serde::{Deserialize, Serialize};

use crate::model::record::Window;

/// With more spans than this the shortest are forgotten: what is forgotten is read again.
const MOST: usize = 64;

/// A set of moments, in Unix seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Spans(Vec<(i64, i64)>);

impl Spans {
    /// Adds a span; those that overlap or touch become one.
    pub fn add(&mut self, window: Window) {
        let (mut start, mut end) = (window.start, window.end);
        if start >= end {
            return;
        }
        self.0.retain(|&(from, until)| {
            let apart = until < start || from > end;
            if !apart {
                (start, end) = (start.min(from), end.max(until));
            }
            apart
        });
        let at = self.0.partition_point(|&(from, _)| from < start);
        self.0.insert(at, (start, end));
        while self.0.len() > MOST {
            let shortest = (0..self.0.len()).min_by_key(|&at| self.0[at].1 - self.0[at].0);
            self.0.remove(shortest.unwrap_or_default());
        }
    }

    /// Takes a span away.
    pub fn remove(&mut self, window: Window) {
        let mut kept = Self::default();
        for &(from, until) in &self.0 {
            kept.add(Window { start: from, end: until.min(window.start) });
            kept.add(Window { start: from.max(window.end), end: until });
        }
        *self = kept;
    }

    /// What of a window is missing.
    pub fn holes(&self, within: Window) -> Vec<Window> {
        let mut holes = Vec::new();
        let mut start = within.start;
        for &(from, until) in &self.0 {
            if until <= start {
                continue;
            }
            if from >= within.end {
                break;
            }
            if from > start {
                holes.push(Window { start, end: from });
            }
            start = until;
        }
        if start < within.end {
            holes.push(Window { start, end: within.end });
        }
        holes
    }

    /// The moments that both have.
    #[must_use]
    pub fn meet(&self, other: &Self) -> Self {
        let mut both = self.clone();
        if let (Some(&(start, _)), Some(&(_, end))) = (self.0.first(), self.0.last()) {
            for hole in other.holes(Window { start, end }) {
                both.remove(hole);
            }
        }
        both
    }

    /// The end of the last span.
    pub fn end(&self) -> Option<i64> {
        self.0.last().map(|&(_, end)| end)
    }

    /// In order.
    pub fn iter(&self) -> impl Iterator<Item = Window> + '_ {
        self.0.iter().map(|&(start, end)| Window { start, end })
    }
}

impl FromIterator<Window> for Spans {
    fn from_iter<T: IntoIterator<Item = Window>>(windows: T) -> Self {
        let mut spans = Self::default();
        for window in windows {
            spans.add(window);
        }
        spans
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(parts: &[(i64, i64)]) -> Spans {
        parts.iter().map(|&(start, end)| Window { start, end }).collect()
    }

    #[test]
    fn spans_that_touch_become_one() {
        assert_eq!(spans(&[(5, 7), (1, 3), (3, 5), (9, 9)]), spans(&[(1, 7)]));
        assert_eq!(spans(&[(1, 3), (4, 6), (2, 5)]), spans(&[(1, 6)]));
    }

    #[test]
    fn holes_and_spans_make_up_the_whole() {
        let read = spans(&[(2, 4), (6, 8)]);
        let holes = read.holes(Window { start: 0, end: 10 });
        assert_eq!(holes.iter().copied().collect::<Spans>(), spans(&[(0, 2), (4, 6), (8, 10)]));
        assert_eq!(read.holes(Window { start: 2, end: 4 }), []);
        let whole: Spans = holes.into_iter().chain(read.iter()).collect();
        assert_eq!(whole, spans(&[(0, 10)]));
    }

    #[test]
    fn what_is_taken_away_is_a_hole() {
        let mut read = spans(&[(0, 10)]);
        read.remove(Window { start: 3, end: 5 });
        assert_eq!(read, spans(&[(0, 3), (5, 10)]));
        assert_eq!(read.meet(&spans(&[(1, 4), (8, 20)])), spans(&[(1, 3), (8, 10)]));
    }

    #[test]
    fn too_many_spans_forget_the_shortest_and_claim_nothing_more() {
        let many: Spans =
            (0..200).map(|n| Window { start: n * 10, end: n * 10 + 1 + n % 5 }).collect();
        assert_eq!(many.iter().count(), MOST);
        assert!(many.iter().all(|span| (span.end - span.start) > 1 && span.start % 10 == 0));
    }
}
