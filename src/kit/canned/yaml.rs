//! The only place of the kit that knows YAML.

use super::script::Script;

/// Reads a description.
pub(super) fn script(text: &str) -> Result<Script, String> {
    serde_yaml::from_str(text).map_err(|error| match error.location() {
        Some(at) => format!("line {}, column {}: {error}", at.line(), at.column()),
        None => error.to_string(),
    })
}
