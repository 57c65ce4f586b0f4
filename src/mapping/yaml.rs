//! The only place that knows YAML: value tables, cases and exceptions.
//!
//! `serde_yaml` is feature-complete and no longer developed; nothing of it leaves this file.

use serde::Deserialize;
use serde_yaml::Value;

use super::tables::{Cell, Table, Tables};

/// Why a YAML file cannot be used: a sentence, and the byte where it went wrong, if known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct YamlFault {
    pub(crate) message: String,
    pub(crate) at: Option<usize>,
}

/// A case as its file has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawCase {
    /// What the case shows, for people.
    #[serde(default, rename = "about")]
    _about: Option<String>,
    /// The source object.
    pub(crate) record: serde_json::Value,
    /// The connection's zone, if the case needs another than the usual one.
    #[serde(default)]
    pub(crate) zone: Option<String>,
    /// The draft.
    #[serde(default)]
    pub(crate) draft: Option<serde_json::Map<String, serde_json::Value>>,
    /// Or the rejection.
    #[serde(default)]
    pub(crate) rejected: Option<RawRejection>,
    /// Or that the record is left out.
    #[serde(default)]
    pub(crate) skipped: bool,
}

/// What a case says about a rejection.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawRejection {
    /// The stable code.
    pub(crate) code: String,
    /// The target field.
    #[serde(default)]
    pub(crate) field: Option<String>,
}

/// An exception as its file has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawException {
    /// The kind of record.
    pub(crate) entity: String,
    /// Whom it is about.
    #[serde(rename = "match")]
    pub(crate) matching: RawMatch,
    /// Fields and their values.
    pub(crate) set: serde_json::Map<String, serde_json::Value>,
    /// The first day.
    #[serde(default)]
    pub(crate) from: Option<String>,
    /// The last day.
    pub(crate) until: String,
    /// Why it is made.
    pub(crate) reason: String,
}

/// Whom an exception is about, one of the two.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawMatch {
    #[serde(default)]
    pub(crate) external_id: Option<Ids>,
    #[serde(default)]
    pub(crate) department: Option<Ids>,
}

/// One id or several.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Ids {
    One(String),
    Many(Vec<String>),
}

impl Ids {
    /// All of them.
    pub(crate) fn all(&self) -> Vec<String> {
        match self {
            Self::One(id) => vec![id.clone()],
            Self::Many(ids) => ids.clone(),
        }
    }
}

/// Reads `exceptions.yaml`, a list. An empty file has none.
pub(crate) fn exceptions(text: &str) -> Result<Vec<RawException>, YamlFault> {
    let list: Option<Vec<RawException>> =
        serde_yaml::from_str(text).map_err(|error| fault(&error))?;
    Ok(list.unwrap_or_default())
}

/// Reads a case.
pub(crate) fn case(text: &str) -> Result<RawCase, YamlFault> {
    serde_yaml::from_str(text).map_err(|error| fault(&error))
}

/// What a case expects.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expected {
    Draft(serde_json::Map<String, serde_json::Value>),
    /// A code, and the field it is about.
    Rejected(String, Option<String>),
    Skipped,
}

/// Writes a case as [`case`] reads it.
pub(crate) fn write_case(
    about: &str,
    record: &serde_json::Value,
    zone: Option<&str>,
    expected: &Expected,
) -> Option<String> {
    let mut entries = vec![("about", serde_json::json!(about)), ("record", record.clone())];
    entries.extend(zone.map(|zone| ("zone", serde_json::json!(zone))));
    entries.push(match expected {
        Expected::Draft(draft) => ("draft", serde_json::json!(draft)),
        Expected::Rejected(code, None) => ("rejected", serde_json::json!({ "code": code })),
        Expected::Rejected(code, Some(field)) => {
            ("rejected", serde_json::json!({ "code": code, "field": field }))
        }
        Expected::Skipped => ("skipped", serde_json::json!(true)),
    });
    let mut root = serde_yaml::Mapping::new();
    for (name, value) in entries {
        root.insert(name.into(), serde_yaml::to_value(value).ok()?);
    }
    serde_yaml::to_string(&root).ok()
}

/// Reads `tables.yaml`: table names over rows of `value: word`. An empty file has no tables.
pub(crate) fn tables(text: &str) -> Result<Tables, YamlFault> {
    let root = match serde_yaml::from_str(text).map_err(|error| fault(&error))? {
        Value::Mapping(root) => root,
        Value::Null => return Ok(Tables::default()),
        _ => return Err(plain("the file holds no tables; write `name:` and the rows below it")),
    };
    let mut tables = Tables::default();
    for (name, rows) in root {
        let Value::String(name) = name else {
            return Err(plain("a table's name is no text; put it in quotes"));
        };
        let Value::Mapping(rows) = rows else {
            return Err(plain(format!("table `{name}` has no rows; write `value: word` below it")));
        };
        let mut table = Table::default();
        for (value, word) in rows {
            table.insert(row_key(&name, &value)?, cell(&name, word)?);
        }
        tables.insert(name, table);
    }
    Ok(tables)
}

fn row_key(table: &str, value: &Value) -> Result<String, YamlFault> {
    match value {
        Value::String(text) => Ok(text.trim().to_owned()),
        Value::Bool(flag) => Ok(flag.to_string()),
        Value::Number(number) if !number.is_f64() => Ok(number.to_string()),
        _ => Err(plain(format!(
            "table `{table}` has a row whose value is no text, whole number or true/false; put it in quotes"
        ))),
    }
}

fn cell(table: &str, word: Value) -> Result<Cell, YamlFault> {
    match word {
        Value::Null => Ok(Cell::Null),
        Value::Bool(flag) => Ok(Cell::Bool(flag)),
        Value::String(text) => Ok(Cell::Text(text)),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => Ok(Cell::Int(number)),
            (None, Some(number)) => Ok(Cell::Float(number)),
            (None, None) => Err(plain(format!("table `{table}` has a number that is too large"))),
        },
        Value::Sequence(_) | Value::Mapping(_) | Value::Tagged(_) => Err(plain(format!(
            "table `{table}` has a row that leads to a list or an object; use a text, number, true/false or null"
        ))),
    }
}

fn fault(error: &serde_yaml::Error) -> YamlFault {
    YamlFault { message: error.to_string(), at: error.location().map(|place| place.index()) }
}

fn plain(message: impl Into<String>) -> YamlFault {
    YamlFault { message: message.into(), at: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::tables::Row;

    #[test]
    fn tables_take_words_numbers_and_null() {
        let tables = tables("gender:\n  1: male\n  true: 7\n  \"0\": null\n  _: other\n").unwrap();
        let table = tables.table("gender").unwrap();
        assert_eq!(table.row("1"), Row::Found(&Cell::Text("male".into())));
        assert_eq!(table.row("true"), Row::Found(&Cell::Int(7)));
        assert_eq!(table.row("0"), Row::Found(&Cell::Null));
        assert_eq!(table.row("9"), Row::Fallback(&Cell::Text("other".into())));
    }

    #[test]
    fn malformed_tables_say_what_is_wrong() {
        for (text, part) in [
            ("gender: [1", "line"),
            ("[1, 2]", "no tables"),
            ("gender: male", "no rows"),
            ("gender:\n  1: [a]", "list or an object"),
            ("gender:\n  1.5: a", "no text"),
            ("gender:\n  1: a\n  1: b", "duplicate"),
            ("1:\n  1: a", "no text"),
        ] {
            let fault = tables(text).unwrap_err();
            assert!(fault.message.contains(part), "{text}: {}", fault.message);
        }
        assert_eq!(tables("# only a comment\n"), Ok(Tables::default()));
    }

    #[test]
    fn a_case_with_an_unknown_key_is_refused() {
        let fault = case("record: {}\ndraught: {}\n").unwrap_err();
        assert!(fault.message.contains("draught"), "{}", fault.message);
    }
}
