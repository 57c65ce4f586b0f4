//! Value tables: the source's words on the left, the schema's on the right.
//!
//! Not here: how the file is read (`yaml`) or asked (`library::lookup`). The invariant: a value without a row is never
//! guessed; a table says with its row `_` what becomes of all others.

use std::collections::BTreeMap;

use serde::Serialize;

/// The row that stands for every value without a row of its own.
const FALLBACK: &str = "_";

/// Every table of a connector, tenant's layer included.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub(crate) struct Tables(BTreeMap<String, Table>);

/// One table: values as text, so that `1` and `"1"` meet the same row.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub(crate) struct Table(BTreeMap<String, Cell>);

/// What stands on the right of a row.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub(crate) enum Cell {
    /// `null`: erase the field.
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
}

/// What a table says about a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Row<'a> {
    Found(&'a Cell),
    /// Only the row `_` matches.
    Fallback(&'a Cell),
    None,
}

impl Tables {
    /// The table of a name.
    pub(crate) fn table(&self, name: &str) -> Option<&Table> {
        self.0.get(name)
    }

    /// The names of all tables.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Adds a table.
    pub(crate) fn insert(&mut self, name: String, table: Table) {
        self.0.insert(name, table);
    }

    /// Adds the tables that are not there, each as a whole.
    pub(crate) fn complete(&mut self, below: Self) {
        for (name, table) in below.0 {
            self.0.entry(name).or_insert(table);
        }
    }

    /// Puts a layer on top: its rows win, other rows stay.
    pub(crate) fn overlay(&mut self, layer: Self) {
        for (name, table) in layer.0 {
            self.0.entry(name).or_default().0.extend(table.0);
        }
    }
}

impl Table {
    /// Every row, the row `_` included.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (&str, &Cell)> {
        self.0.iter().map(|(value, cell)| (value.as_str(), cell))
    }

    /// Adds a row.
    pub(crate) fn insert(&mut self, value: String, cell: Cell) {
        self.0.insert(value, cell);
    }

    /// What the table says about a whole number.
    pub(crate) fn row_of_number(&self, number: i64) -> Row<'_> {
        // Most are a single digit: no text has to be made for them.
        const DIGITS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
        match usize::try_from(number).ok().and_then(|digit| DIGITS.get(digit)) {
            Some(digit) => self.row(digit),
            None => self.row(&number.to_string()),
        }
    }

    /// What the table says about a value.
    pub(crate) fn row(&self, value: &str) -> Row<'_> {
        match (self.0.get(value), self.0.get(FALLBACK)) {
            (Some(cell), _) if value != FALLBACK => Row::Found(cell),
            (_, Some(cell)) => Row::Fallback(cell),
            _ => Row::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[(&str, &str)]) -> Table {
        let mut table = Table::default();
        for (value, word) in rows {
            table.insert((*value).to_owned(), Cell::Text((*word).to_owned()));
        }
        table
    }

    #[test]
    fn a_layer_overrides_single_rows() {
        let mut tables = Tables::default();
        tables.insert("gender".into(), table(&[("1", "male"), ("2", "female")]));
        let mut layer = Tables::default();
        layer.insert("gender".into(), table(&[("2", "other"), ("9", "unspecified")]));
        tables.overlay(layer);
        let merged = table(&[("1", "male"), ("2", "other"), ("9", "unspecified")]);
        assert_eq!(tables.table("gender"), Some(&merged));
    }

    #[test]
    fn the_fallback_row_is_no_value() {
        let table = table(&[("_", "other")]);
        assert!(matches!(table.row("_"), Row::Fallback(_)));
        assert!(matches!(table.row("7"), Row::Fallback(_)));
        assert_eq!(Table::default().row("7"), Row::None);
    }
}
