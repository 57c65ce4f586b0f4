//! Which layer sets each field of a kind of record: the effective mapping, for people.
//!
//! Not here: what a record's draft becomes (`mapper`). The invariant: what is told of a field is the text of the property
//! that counts, with the line on which it stands.

use rhai::Position;
use serde::Serialize;

use super::generation::Generation;
use super::mapper::Mapping;
use super::script::Script;
use super::tokens::{Kind, tokens};
use crate::model::entity::Entity;
use crate::model::schema;
use crate::model::sources::LayerKind;
use crate::port::mapper::Place;

/// Where a field is set, and to what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// The field.
    pub field: String,
    /// The layer that counts.
    pub layer: LayerKind,
    /// Where it stands.
    pub place: Place,
    /// The expression, as it is written.
    pub expression: String,
    /// Lower layers that set the field too, the next one first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub over: Vec<Over>,
}

/// A setting that another one lies over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Over {
    /// The layer.
    pub layer: LayerKind,
    /// Where it stands.
    pub place: Place,
}

impl Generation {
    /// Where each field of a kind of record is set, in the order of the schema; `None` when the kind is not mapped. Exceptions
    /// are told apart, by [`Generation::exceptions`]: they set fields of some records only.
    pub fn settings(&self, entity: Entity) -> Option<Vec<Setting>> {
        let mapping = self.mappings.get(&entity)?;
        let fields = schema::fields(entity).iter().map(|field| field.name);
        Some(fields.filter_map(|field| setting(mapping, field)).collect())
    }

    /// The layers of a kind of record whose fields cannot be told apart because their value is no map literal.
    pub fn opaque(&self, entity: Entity) -> Vec<LayerKind> {
        let Some(mapping) = self.mappings.get(&entity) else { return Vec::new() };
        let scripts = mapping.scripts.iter().zip(&mapping.layers);
        scripts.filter(|(script, _)| script.properties.is_none()).map(|(_, layer)| *layer).collect()
    }
}

fn setting(mapping: &Mapping, field: &str) -> Option<Setting> {
    let layers = mapping.scripts.iter().zip(&mapping.layers).rev();
    let mut set = layers.filter_map(|(script, layer)| {
        let properties = script.properties.as_deref()?;
        let at = properties.iter().find(|property| property.name == field)?.at;
        Some((script, *layer, at))
    });
    let (script, layer, at) = set.next()?;
    Some(Setting {
        field: field.to_owned(),
        layer,
        place: script.place(at)?,
        expression: expression(script, at),
        over: set
            .filter_map(|(script, layer, at)| Some(Over { layer, place: script.place(at)? }))
            .collect(),
    })
}

/// The text of the property whose name stands at a position.
fn expression(script: &Script, at: Position) -> String {
    let text = &script.source.text;
    let start = script.source.offset(at.line().unwrap_or(1), at.position().unwrap_or(1));
    let (mut depth, mut from, mut end) = (0_usize, None, text.len());
    for token in tokens(text).iter().filter(|token| token.start >= start) {
        match (token.kind, token.text(text)) {
            (_, ":") if from.is_none() => from = Some(token.end),
            (Kind::Open, _) | (_, "[" | "{") => depth += 1,
            (_, ")" | "]" | "}") if depth > 0 => depth -= 1,
            (_, "}" | ",") if depth == 0 && from.is_some() => {
                end = token.start;
                break;
            }
            _ => {}
        }
    }
    text.get(from.unwrap_or(start)..end).unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use crate::mapping::{Files, Layers, Shared};
    use crate::model::entity::Entity;
    use crate::model::sources::LayerKind;

    use super::*;

    fn files(label: &str, script: &str) -> Files {
        Files::from_memory(label, [("department.rhai", script)])
    }

    #[test]
    fn each_field_is_told_with_its_layer_line_and_text() {
        let layers = Layers {
            builtin: Some(files(
                "built-in/feishu",
                "#{\n    name: record.name,\n    status: \"active\", code: `x}${ [1, 2].map(|x| x) }`, sort_order: 1 }",
            )),
            connector: files(
                "feishu",
                "// mine\n#{\n    code: if record.a == 1 { \"a,b\" } else { clear() }, // why\n}",
            ),
            tenant: Some(files("acme/feishu", "#{ sort_order: () }")),
            shared: Shared::default(),
            day: None,
        };
        let generation = Generation::of_layers(layers).unwrap();
        let told: Vec<String> = generation
            .settings(Entity::Department)
            .unwrap()
            .iter()
            .map(|set| {
                let over: Vec<&str> = set.over.iter().map(|over| over.layer.name()).collect();
                format!(
                    "{} {} {}:{} {} {over:?}",
                    set.field,
                    set.layer.name(),
                    set.place.script,
                    set.place.line,
                    set.expression
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                "name built-in built-in/feishu/department.rhai:2 record.name []",
                r#"code connector feishu/department.rhai:3 if record.a == 1 { "a,b" } else { clear() } ["built-in"]"#,
                r#"sort_order tenant acme/feishu/department.rhai:1 () ["built-in"]"#,
                r#"status built-in built-in/feishu/department.rhai:3 "active" []"#,
            ]
        );
        assert_eq!(generation.opaque(Entity::Department), [] as [LayerKind; 0]);
        assert!(generation.settings(Entity::Employee).is_none());
    }
}
