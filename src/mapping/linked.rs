//! A script's text as it is compiled, and where each place of it was written.
//!
//! The text may be put together: modules stand behind the script that imports them (`modules`), the fields of an exception
//! are a script of their own (`exceptions`). Not here: putting it together. The invariant: every line and column of the
//! text leads to a place in a file that somebody wrote.

use std::sync::Arc;

use super::fault::Source;

/// What stands between the name of a module and of its function.
pub(crate) const JOINT: &str = "__";

/// A script with the modules that it imports.
#[derive(Clone, Debug)]
pub(crate) struct Linked {
    /// The script, every line and column where it was.
    pub(crate) script: String,
    /// The functions of the modules, on the lines after the script's; empty without imports.
    pub(crate) functions: String,
    pub(super) parts: Vec<Part>,
}

/// Lines that come from one file.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// The first line, from 1.
    pub(super) first: usize,
    pub(super) source: Arc<Source>,
    /// Line of the part, column in the linked text and length of what was put in, all in characters, in order.
    pub(super) inserts: Vec<(usize, usize, usize)>,
    /// Where the file's own text was taken apart: what stands where, in order.
    pub(super) pieces: Vec<Piece>,
}

/// From a place of a text on: where it was written. Lines and columns from 1, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Line and column in the text that is compiled.
    pub(crate) here: (usize, usize),
    /// Line and column in the file.
    pub(crate) there: (usize, usize),
    /// Whether the rest of the line is the file's own, letter by letter.
    pub(crate) verbatim: bool,
}

impl Part {
    /// A script as its file has it.
    pub(super) fn own(source: &Arc<Source>) -> Self {
        Self { first: 1, source: Arc::clone(source), inserts: Vec::new(), pieces: Vec::new() }
    }

    fn resolve(&self, line: usize, column: usize) -> (usize, usize) {
        let line = line.saturating_sub(self.first) + 1;
        let known = self.pieces.partition_point(|piece| piece.here <= (line, column));
        match self.pieces.get(known.saturating_sub(1)) {
            Some(Piece { here, there, verbatim: true }) if here.0 == line => {
                (there.0, there.1 + column.saturating_sub(here.1))
            }
            Some(piece) => piece.there,
            None => {
                let before =
                    self.inserts.iter().filter(|(at, from, _)| *at == line && *from < column);
                let shift: usize =
                    before.map(|(_, from, length)| (*length).min(column - from)).sum();
                (line, column.saturating_sub(shift).max(1))
            }
        }
    }
}

impl Linked {
    /// A script as it is.
    #[cfg(test)]
    pub(crate) fn plain(source: &Arc<Source>) -> Self {
        Self {
            script: source.text.clone(),
            functions: String::new(),
            parts: vec![Part::own(source)],
        }
    }

    /// A script that was made of parts of a file; `pieces` in the order of the script.
    pub(crate) fn made(source: &Arc<Source>, script: String, pieces: Vec<Piece>) -> Self {
        let part = Part { pieces, ..Part::own(source) };
        Self { script, functions: String::new(), parts: vec![part] }
    }

    /// The file, line and column (from 1) that stand at a line and a column of the linked text.
    pub(crate) fn resolve(&self, line: usize, column: usize) -> (&Arc<Source>, usize, usize) {
        let mut parts = self.parts.iter().rev();
        let part = parts.find(|part| part.first <= line).or(self.parts.first());
        let part = part.expect("a linked text has the script as its first part");
        let (line, column) = part.resolve(line, column);
        (&part.source, line, column)
    }

    /// A name as its author wrote it.
    pub(crate) fn shown(&self, name: &str) -> String {
        if self.functions.is_empty() { name.to_owned() } else { name.replace(JOINT, "::") }
    }

    /// Everything that was linked, for digests; the same as the script's text without imports.
    pub(crate) fn text(&self) -> String {
        format!("{}{}", self.script, self.functions)
    }
}
