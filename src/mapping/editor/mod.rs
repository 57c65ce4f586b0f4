//! What an editor asks of a mapping while it is written: what may stand here, and what stands here.
//!
//! Works on text that need not be a script yet (`before` reads it). Not here: findings (`analysis`), and the protocol
//! (`cli`). The invariant: sample values are masked before they are kept.

mod before;

use std::fmt::Write as _;

use self::before::{HOPS, chain_before, in_text_or_comment, is_key, is_word, keys, resolve};
use super::analysis::{Known, Shown};
use super::library::{self, Function};
use crate::model::entity::Entity;
use crate::model::schema::{self, Field, FieldType, Need};

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
