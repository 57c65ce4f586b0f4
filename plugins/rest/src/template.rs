//! Texts with placeholders, and how a value is written where it stands.
//!
//! `{cursor}` is a value; `{start:date}` a value in a form; `{secret:token}` is the host's to fill in and stays as it is. The
//! one invariant: a value can neither leave its place nor become a placeholder of the host's.

use std::collections::BTreeMap;

use rollcall_sdk::json::quote;
use serde_yaml::Value as Yaml;

use crate::moment::{self, Form};

/// A value that a placeholder stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Text(String),
    Number(i64),
    /// Unix seconds.
    Instant(i64),
    List(Vec<String>),
    /// None yet, as the cursor of a first page: its parameter or member is left out.
    Absent,
}

pub(crate) type Values = BTreeMap<&'static str, Value>;

/// How a value is to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Plain,
    /// A query parameter once for each.
    Repeat,
    Instant(Form),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Text(String),
    Secret(String),
    Value { name: String, format: Format },
}

/// A text taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template {
    pub(crate) parts: Vec<Part>,
}

/// Why a template cannot be written out. Holds no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unwritable(pub(crate) &'static str);

const PLACEHOLDER: Unwritable =
    Unwritable("a value from the platform looks like a placeholder for a secret");

impl Template {
    /// Takes a text apart; says what is wrong with it otherwise.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some((before, after)) = rest.split_once('{') {
            if before.contains('}') {
                return Err("has a `}` without its `{`".to_owned());
            }
            let (inside, after) = after.split_once('}').ok_or("has a `{` without its `}`")?;
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(part(inside)?);
            rest = after;
        }
        if rest.contains('}') {
            return Err("has a `}` without its `{`".to_owned());
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self { parts })
    }

    /// Whether a value that it needs is not there yet.
    fn lacks(&self, values: &Values) -> bool {
        self.parts.iter().any(|part| match part {
            Part::Value { name, .. } => {
                matches!(values.get(name.as_str()), None | Some(Value::Absent))
            }
            Part::Text(_) | Part::Secret(_) => false,
        })
    }

    /// Everything as one text; `write` makes a value's text fit its place.
    fn expand(&self, values: &Values, zone: i64, write: impl Fn(&str) -> String) -> String {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Secret(name) => {
                    out.push_str("{secret:");
                    out.push_str(name);
                    out.push('}');
                }
                Part::Value { name, format } => {
                    if let Some(value) = values.get(name.as_str()) {
                        out.push_str(&write(&plain(value, *format, zone)));
                    }
                }
            }
        }
        out
    }
}

fn part(inside: &str) -> Result<Part, String> {
    if let Some(name) = inside.strip_prefix("secret:") {
        return Ok(Part::Secret(name.to_owned()));
    }
    let (name, format) = match inside.split_once(':') {
        None => (inside, Format::Plain),
        Some((name, "repeat")) => (name, Format::Repeat),
        Some((name, form)) => {
            let form = Form::parse(form).ok_or_else(|| {
                format!("`{{{inside}}}` asks for a form that there is not; write unix, unix_ms, date, datetime, rfc3339 or repeat")
            })?;
            (name, Format::Instant(form))
        }
    };
    let good = !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    if good {
        Ok(Part::Value { name: name.to_owned(), format })
    } else {
        Err(format!("`{{{inside}}}` is no placeholder; a brace always begins one"))
    }
}

fn plain(value: &Value, format: Format, zone: i64) -> String {
    match (value, format) {
        (Value::Text(text), _) => text.clone(),
        (Value::Number(number), _) => number.to_string(),
        (Value::Instant(at), Format::Instant(form)) => moment::written(*at, form, zone),
        (Value::Instant(at), Format::Plain | Format::Repeat) => at.to_string(),
        (Value::List(list), _) => list.join(","),
        (Value::Absent, _) => String::new(),
    }
}

/// A path, or any part of an address.
pub(crate) fn path(text: &str, values: &Values, zone: i64) -> String {
    Template::parse(text).map(|it| it.expand(values, zone, encode)).unwrap_or_default()
}

/// The pairs of a query, encoded; those that lack their value are left out.
pub(crate) fn query(name: &str, text: &str, values: &Values, zone: i64) -> Vec<String> {
    let Ok(template) = Template::parse(text) else { return Vec::new() };
    if template.lacks(values) {
        return Vec::new();
    }
    if let [Part::Value { name: which, format: Format::Repeat }] = template.parts.as_slice()
        && let Some(Value::List(list)) = values.get(which.as_str())
    {
        return list.iter().map(|one| format!("{}={}", encode(name), encode(one))).collect();
    }
    vec![format!("{}={}", encode(name), template_in_query(&template, values, zone))]
}

/// Texts are encoded too, but a secret's placeholder stays for the host.
fn template_in_query(template: &Template, values: &Values, zone: i64) -> String {
    let encoded = template.parts.iter().map(|part| match part {
        Part::Text(text) => Part::Text(encode(text)),
        other => other.clone(),
    });
    Template { parts: encoded.collect() }.expand(values, zone, encode)
}

/// A header's value.
///
/// # Errors
/// [`Unwritable`] when a value could be taken for more than a value.
pub(crate) fn header(text: &str, values: &Values, zone: i64) -> Result<Option<String>, Unwritable> {
    let Ok(template) = Template::parse(text) else { return Ok(None) };
    if template.lacks(values) {
        return Ok(None);
    }
    checked(values)?;
    let out = template.expand(values, zone, str::to_owned);
    if out.chars().any(char::is_control) {
        return Err(Unwritable("a value from the platform does not fit into a header"));
    }
    Ok(Some(out))
}

/// A body as JSON text; members that lack their value are left out.
///
/// # Errors
/// [`Unwritable`] when a value could be taken for more than a value.
pub(crate) fn body(yaml: &Yaml, values: &Values, zone: i64) -> Result<String, Unwritable> {
    checked(values)?;
    let mut out = String::new();
    write(yaml, values, zone, &mut out);
    Ok(out)
}

/// Inside JSON and headers a value is not encoded: it must not look like a secret's placeholder.
fn checked(values: &Values) -> Result<(), Unwritable> {
    let bad = |text: &str| text.contains("{secret:");
    let found = values.values().any(|value| match value {
        Value::Text(text) => bad(text),
        Value::List(list) => list.iter().any(|text| bad(text)),
        Value::Number(_) | Value::Instant(_) | Value::Absent => false,
    });
    if found { Err(PLACEHOLDER) } else { Ok(()) }
}

fn write(yaml: &Yaml, values: &Values, zone: i64, out: &mut String) {
    match yaml {
        Yaml::Null | Yaml::Tagged(_) => out.push_str("null"),
        Yaml::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Yaml::Number(number) => out.push_str(&number.to_string()),
        Yaml::String(text) => write_text(text, values, zone, out),
        Yaml::Sequence(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(item, values, zone, out);
            }
            out.push(']');
        }
        Yaml::Mapping(members) => {
            out.push('{');
            let mut first = true;
            for (name, value) in members {
                if lacking(value, values) {
                    continue;
                }
                if !std::mem::take(&mut first) {
                    out.push(',');
                }
                out.push_str(&quote(name.as_str().unwrap_or_default()));
                out.push(':');
                write(value, values, zone, out);
            }
            out.push('}');
        }
    }
}

fn lacking(yaml: &Yaml, values: &Values) -> bool {
    let template = yaml.as_str().map(Template::parse);
    template.is_some_and(|template| template.is_ok_and(|it| it.lacks(values)))
}

/// A text that is one placeholder and nothing else becomes what it stands for: a number, a list.
fn write_text(text: &str, values: &Values, zone: i64, out: &mut String) {
    let Ok(template) = Template::parse(text) else { return out.push_str("null") };
    if let [Part::Value { name, format }] = template.parts.as_slice() {
        match (values.get(name.as_str()), format) {
            (Some(Value::List(list)), _) => {
                let quoted: Vec<String> = list.iter().map(|one| quote(one)).collect();
                out.push('[');
                out.push_str(&quoted.join(","));
                return out.push(']');
            }
            (Some(Value::Number(number)), _) => return out.push_str(&number.to_string()),
            (Some(Value::Instant(at)), Format::Plain) => return out.push_str(&at.to_string()),
            (Some(Value::Instant(at)), Format::Instant(form @ (Form::Unix | Form::UnixMs))) => {
                return out.push_str(&moment::written(*at, *form, zone));
            }
            _ => {}
        }
    }
    out.push_str(&quote(&template.expand(values, zone, str::to_owned)));
}

/// Percent-encodes all but unreserved characters.
pub(crate) fn encode(text: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push(char::from(HEX[usize::from(byte >> 4)]));
            encoded.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
    encoded
}
