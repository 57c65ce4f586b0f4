//! What an editor asks of a mapping while it is written: what may stand here, and what stands here.
//!
//! Works on text that need not be a script yet. Not here: findings (`analysis`), and the protocol (`cli`). The invariant:
//! sample values are masked before they are kept.

use std::fmt::Write as _;

use super::analysis::{Known, Path, Shown};
use super::library::{self, Function};
use crate::model::entity::Entity;
use crate::model::schema::{self, Field, FieldType, Need};

/// Names that lead to other names are followed so many times.
const HOPS: usize = 6;

/// What kind of thing is suggested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suggested {
    /// A part of the record.
    Path,
    /// A field of the schema.
    Field,
    /// A function of the library.
    Function,
    /// A variable that every script has.
    Variable,
}

/// Something that may stand at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// What is written.
    pub label: String,
    /// What it is.
    pub kind: Suggested,
    /// One line about it.
    pub detail: String,
    /// More, as Markdown.
    pub about: String,
}

/// A script that is being written.
#[derive(Clone, Copy)]
pub struct Draft<'a> {
    /// The kind of record that it maps.
    pub entity: Entity,
    /// Its text as it is now.
    pub text: &'a str,
    /// What the records are known to hold.
    pub known: Option<&'a Known>,
}

impl Draft<'_> {
    /// What may stand at a byte of the text.
    pub fn complete(&self, offset: usize) -> Vec<Suggestion> {
        let before = self.text.get(..offset).unwrap_or(self.text);
        if in_text_or_comment(before) {
            return Vec::new();
        }
        let chain = chain_before(before);
        if let Some((of, _)) = chain.rsplit_once('.') {
            let parts = resolve(of.trim_end_matches('?'), before, HOPS);
            let below = parts.and_then(|path| self.known.map(|known| known.below(&path)));
            let mut found: Vec<Suggestion> =
                below.unwrap_or_default().into_iter().map(part).collect();
            found.extend(library::functions().filter(|it| it.most > 0).map(function));
            return found;
        }
        if is_key(before) {
            let set = keys(self.text);
            let fields = schema::fields(self.entity).iter();
            return fields.filter(|field| !set.contains(&field.name)).map(field).collect();
        }
        let variables = [("record", "the source object"), ("tz", "the tenant's time zone")];
        let variables = variables.map(|(name, about)| Suggestion {
            label: name.to_owned(),
            kind: Suggested::Variable,
            detail: about.to_owned(),
            about: String::new(),
        });
        variables.into_iter().chain(library::functions().map(function)).collect()
    }

    /// What stands at a byte of the text, as Markdown.
    pub fn hover(&self, offset: usize) -> Option<String> {
        let rest = self.text.get(offset..)?;
        let tail = rest.find(|letter: char| !is_word(letter)).unwrap_or(rest.len());
        let end = offset + tail;
        let before = self.text.get(..end)?;
        if in_text_or_comment(self.text.get(..offset)?) {
            return None;
        }
        let chain = chain_before(before);
        let word = chain.rsplit(['.', '?']).next().unwrap_or_default();
        if word.is_empty() {
            return None;
        }
        let after = self.text.get(end..)?.trim_start();
        if after.starts_with('(') {
            return library::function(word).map(page);
        }
        if !chain.contains('.') {
            let start = self.text.get(..end - word.len())?;
            if after.starts_with(':') && is_key(start) {
                return schema::field(self.entity, word)
                    .map(|it| format!("**`{}`**: {}\n\n{}", it.name, type_words(it), it.about));
            }
        }
        let path = resolve(&chain, before, HOPS)?;
        let shown = self.known?.at(&path)?;
        let mut text = format!("**`record.{path}`**: {}", shown.what);
        let told = if shown.documented {
            "documented by the platform"
        } else {
            "not documented by the platform"
        };
        write!(text, "\n\n{told}; {} stored records looked at show it", shown.seen).ok();
        if !shown.samples.is_empty() {
            let samples: Vec<String> = shown.samples.iter().map(|it| format!("`{it}`")).collect();
            write!(text, "\n\nfor example {} (masked)", samples.join(", ")).ok();
        }
        Some(text)
    }
}

/// The part of the record that a chain such as `o.department_id` leads to: `let` and the parameters of closures are
/// followed back to the record.
fn resolve(chain: &str, before: &str, hops: usize) -> Option<Path> {
    let plain = chain.replace('?', "");
    let (root, rest) = plain.split_once('.').map_or((plain.as_str(), ""), |(a, b)| (a, b));
    let (root, index) = root.split_once('[').map_or((root, false), |(root, _)| (root, true));
    let mut path = if root == "record" {
        Path::default()
    } else {
        let (of, item) = definition(root, before)?;
        let path = resolve(&of, before, hops.checked_sub(1)?)?;
        if item { path.item()? } else { path }
    };
    if index {
        path = path.item()?;
    }
    for part in rest.split('.').filter(|part| !part.is_empty()) {
        let (name, index) = part.split_once('[').map_or((part, false), |(name, _)| (name, true));
        path = path.key(name)?;
        if index {
            path = path.item()?;
        }
    }
    Some(path)
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// The chain of names that ends where the text ends: `record.status?.is_`.
fn chain_before(before: &str) -> String {
    let mut begin = before.len();
    let mut depth = 0_usize;
    for (at, letter) in before.char_indices().rev() {
        match letter {
            ']' => depth += 1,
            '[' if depth > 0 => depth -= 1,
            _ if depth > 0 => {}
            '.' | '?' => {}
            letter if is_word(letter) => {}
            _ => break,
        }
        begin = at;
    }
    let chain = &before[begin..];
    // `a ?? b` is no chain.
    chain.rsplit("??").next().unwrap_or(chain).trim_start_matches(['.', '?']).to_owned()
}

/// What a name stands for: `let name = CHAIN` or `CHAIN.map(|name|`, the last before the place; whether it is an element.
fn definition(name: &str, before: &str) -> Option<(String, bool)> {
    let bar = format!("|{name}|");
    if let Some(at) = before.rfind(&bar) {
        let call = before[..at].trim_end().strip_suffix('(')?;
        let (list, method) = call.rsplit_once('.')?;
        if library::function(method.trim()).is_some() {
            return Some((chain_before(over(list.trim_end())), true));
        }
    }
    let words = format!("let {name} =");
    let at = before.rfind(&words)?;
    let value = before[at + words.len()..].trim_start();
    let end = value.find(|letter: char| !is_word(letter) && !".?[]".contains(letter));
    Some((value[..end.unwrap_or(value.len())].to_owned(), false))
}

/// The list that a chain of `filter` and the like runs over: `(record.orders ?? []).filter(..)` is `record.orders`.
fn over(list: &str) -> &str {
    let mut list = list;
    while let Some(inner) = list.strip_suffix(')') {
        let mut depth = 1_usize;
        let open = inner.char_indices().rev().find(|(_, letter)| {
            match letter {
                ')' => depth += 1,
                '(' => depth -= 1,
                _ => {}
            }
            depth == 0
        });
        let Some((open, _)) = open else { return list };
        let name = inner[..open].trim_end();
        match name.rsplit_once('.') {
            Some((of, method)) if matches!(method.trim(), "filter" | "put_first") => {
                list = of.trim_end();
            }
            _ if name.ends_with(is_word) => return list,
            _ => {
                let content = &inner[open + 1..];
                list = content.split("??").next().unwrap_or(content).trim();
            }
        }
    }
    list
}

/// The brackets that are open at the end of a text, and whether it ends inside a text or a comment.
fn scan(before: &str) -> (Vec<&'static str>, Option<usize>, bool) {
    let bytes = before.as_bytes();
    let (mut open, mut last, mut at) = (Vec::new(), None, 0);
    while let Some(byte) = bytes.get(at) {
        let next = bytes.get(at + 1);
        match (byte, next) {
            (b'/', Some(b'/')) => match before[at..].find('\n') {
                Some(end) => at += end,
                None => return (open, last, true),
            },
            (b'"', _) => {
                let mut end = at + 1;
                while bytes.get(end).is_some_and(|byte| *byte != b'"') {
                    end += if bytes.get(end) == Some(&b'\\') { 2 } else { 1 };
                }
                if end >= bytes.len() {
                    return (open, last, true);
                }
                at = end;
            }
            (b'#', Some(b'{')) => {
                open.push("#{");
                (last, at) = (Some(at + 1), at + 1);
            }
            (b'{', _) => open.push("{"),
            (b'(', _) => open.push("("),
            (b'[', _) => open.push("["),
            (b'}' | b')' | b']', _) => {
                open.pop();
            }
            (b',', _) if open == ["#{"] => last = Some(at),
            _ => {}
        }
        at += 1;
    }
    (open, last, false)
}

fn in_text_or_comment(before: &str) -> bool {
    scan(before).2
}

/// Whether the name of a field is expected at the end of a text.
fn is_key(before: &str) -> bool {
    let (open, last, _) = scan(before);
    let Some(last) = last.filter(|_| open == ["#{"]) else { return false };
    let lines = before.get(last + 1..).unwrap_or_default().lines();
    let plain: String = lines.map(|line| line.split("//").next().unwrap_or_default()).collect();
    plain.chars().all(|letter| is_word(letter) || letter.is_whitespace())
}

/// The fields that a text sets already.
fn keys(text: &str) -> Vec<&str> {
    text.match_indices(':')
        .filter_map(|(at, _)| {
            let before = text[..at].trim_end();
            let begin = before.rfind(|letter: char| !is_word(letter)).map_or(0, |at| at + 1);
            before.get(begin..).filter(|name| !name.is_empty())
        })
        .collect()
}

fn part(shown: Shown) -> Suggestion {
    let seen = if shown.documented { "documented" } else { "seen in records" };
    let samples = if shown.samples.is_empty() {
        String::new()
    } else {
        format!("for example {} (masked)", shown.samples.join(", "))
    };
    Suggestion {
        label: shown.name,
        kind: Suggested::Path,
        detail: format!("{}, {seen}", shown.what),
        about: samples,
    }
}

fn field(field: &Field) -> Suggestion {
    Suggestion {
        label: field.name.to_owned(),
        kind: Suggested::Field,
        detail: type_words(field),
        about: field.about.to_owned(),
    }
}

fn function(function: &Function) -> Suggestion {
    Suggestion {
        label: function.name.to_owned(),
        kind: Suggested::Function,
        detail: function.usage.to_owned(),
        about: page(function),
    }
}

/// A function's page.
fn page(function: &Function) -> String {
    let mut text = format!("```rhai\n{}\n```\n\n{}", function.usage, function.about);
    for (call, value) in function.examples {
        write!(text, "\n\n`{call}` gives `{value}`").ok();
    }
    text
}

fn type_words(field: &Field) -> String {
    let ty = match field.ty {
        FieldType::Id => "external id".to_owned(),
        FieldType::Ids => "list of external ids".to_owned(),
        FieldType::Text(limit) => format!("text, at most {limit} characters"),
        FieldType::Integer => "whole number".to_owned(),
        FieldType::Minutes => "minutes, a whole number".to_owned(),
        FieldType::Decimal => "number".to_owned(),
        FieldType::Bool => "true or false".to_owned(),
        FieldType::Date => "day, YYYY-MM-DD".to_owned(),
        FieldType::Instant => "instant with offset".to_owned(),
        FieldType::Zone => "IANA time zone".to_owned(),
        FieldType::Mobile => "E.164 number".to_owned(),
        FieldType::Email => "mail address".to_owned(),
        FieldType::Enum(words) => format!("one of {}", words.join(", ")),
        FieldType::Custom => "object of the tenant's own fields".to_owned(),
    };
    match field.need {
        Need::Required => format!("{ty}; required"),
        Need::Optional => ty,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::documented;

    /// The suggestions at `|` in a script.
    fn at(script: &str) -> Vec<String> {
        let offset = script.find('^').unwrap();
        let text = script.replace('^', "");
        let pictures = documented("feishu", None);
        let draft =
            Draft { entity: Entity::Employee, text: &text, known: pictures.get(&Entity::Employee) };
        draft.complete(offset).into_iter().map(|it| it.label).collect()
    }

    fn hover(script: &str) -> Option<String> {
        let offset = script.find('^').unwrap();
        let text = script.replace('^', "");
        let mut pictures = documented("feishu", None);
        let known = pictures.get_mut(&Entity::Employee).unwrap();
        known.observe(
            "{\"name\":\"王小明\",\"gender\":1,\"orders\":[{\"department_id\":\"od-77\"}]}"
                .as_bytes(),
        );
        Draft { entity: Entity::Employee, text: &text, known: Some(known) }.hover(offset)
    }

    #[test]
    fn after_a_dot_the_parts_of_the_record_are_suggested() {
        for (script, part) in [
            ("#{ alias: record.^", "nickname"),
            ("#{ alias: record.nick^ }", "nickname"),
            ("#{ status: record.status?.^", "is_resigned"),
            ("#{ alias: record.orders[0].^", "department_id"),
            ("let s = record.status;\n#{ status: if s.^", "is_frozen"),
            ("#{ department_external_ids: record.orders.map(|o| o.^", "department_id"),
            ("#{ x: (record.orders ?? []).filter(|p| p.a).map(|o| o.^", "department_id"),
        ] {
            let found = at(script);
            assert!(found.contains(&part.to_owned()), "{script}: {found:?}");
            assert!(found.contains(&"trimmed".to_owned()), "functions can be written after a dot");
        }
        assert!(!at("#{ alias: unknown.^").contains(&"nickname".to_owned()));
    }

    #[test]
    fn inside_the_fields_those_that_are_not_set_are_suggested() {
        for script in [
            "#{ display_name: record.name,\n ^",
            "#{ display_name: record.name, // x\n mob^ }",
            "let a = 1;\n#{ display_name: a, ^ }",
        ] {
            let found = at(script);
            assert!(found.contains(&"mobile".to_owned()), "{script}: {found:?}");
            assert!(!found.contains(&"display_name".to_owned()), "{script}");
            assert!(!found.contains(&"record".to_owned()), "{script}");
        }
    }

    #[test]
    fn where_a_value_stands_functions_and_variables_are_suggested() {
        let found = at("#{ mobile: ^");
        for name in ["phone", "record", "tz"] {
            assert!(found.contains(&name.to_owned()), "{found:?}");
        }
        assert_eq!(at("#{ mobile: \"rec^"), Vec::<String>::new());
        assert_eq!(at("// record.^"), Vec::<String>::new());
    }

    #[test]
    fn hovering_tells_of_functions_fields_and_parts_and_shows_nobody() {
        assert!(hover("#{ mobile: ph^one(record.mobile) }").unwrap().contains("E.164"));
        assert!(hover("#{ mob^ile: 1 }").unwrap().contains("E.164 number"));
        let name = hover("#{ alias: record.na^me }").unwrap();
        assert!(name.contains("documented by the platform; 1 stored records"), "{name}");
        assert!(!name.contains("小明"), "{name}");
        assert!(hover("#{ alias: record.gend^er }").unwrap().contains("`1`"));
        let id = hover("#{ a: record.orders.map(|o| o.depart^ment_id) }").unwrap();
        assert!(id.contains("record.orders[].department_id") && !id.contains("od-77"), "{id}");
        assert_eq!(hover("#{ alias: \"na^me\" }"), None);
    }
}
