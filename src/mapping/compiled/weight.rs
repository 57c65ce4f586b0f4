//! How large a value is.
//!
//! The invariant: nothing is counted lower than the interpreter counts it.

use rhai::Dynamic;

use crate::mapping::engine::LIMITS;
use crate::mapping::value::{Clear, List, Object, Value};

/// More than any limit: for what trees do not know, such as single letters.
const FOREIGN: usize = usize::MAX / 4;

/// What a value holds, counted no lower than the interpreter counts it.
#[derive(Default)]
pub(super) struct Weight {
    pub(super) values: usize,
    bytes: usize,
}

impl Weight {
    #[inline]
    pub(super) fn fits(&self) -> bool {
        self.values <= LIMITS.elements.min(LIMITS.entries) && self.bytes <= LIMITS.text_bytes
    }

    /// What a value of the interpreter holds; `None` when there is something in it that trees do not know.
    pub(super) fn of(value: &Dynamic) -> Option<Self> {
        let mut weight = Self::default();
        weight.add_script(value);
        (weight.values < FOREIGN).then_some(weight)
    }

    fn add_script(&mut self, value: &Dynamic) {
        self.values = self.values.saturating_add(1);
        if value.is_shared() {
            self.values = self.values.saturating_add(FOREIGN);
        } else if let Ok(text) = value.as_immutable_string_ref() {
            self.bytes += text.len();
        } else if let Ok(items) = value.as_array_ref() {
            items.iter().for_each(|item| self.add_script(item));
        } else if let Ok(map) = value.as_map_ref() {
            map.values().for_each(|value| self.add_script(value));
        } else if !is_scalar(value) {
            self.values = self.values.saturating_add(FOREIGN);
        }
    }

    #[inline]
    pub(super) fn add(&mut self, value: &Value<'_>) {
        self.values = self.values.saturating_add(1);
        match value {
            Value::Text(text) => self.bytes += text.len(),
            Value::List(List::Tape(doc, at)) | Value::Object(Object::Tape(doc, at)) => {
                let (values, bytes) = doc.weigh(*at);
                self.values = self.values.saturating_add(values);
                self.bytes += bytes;
            }
            Value::List(List::Owned(items)) => {
                for item in items {
                    self.add(item);
                }
            }
            Value::Object(Object::Owned(entries)) => {
                for (_, value) in entries {
                    self.add(value);
                }
            }
            Value::List(List::Script(held)) | Value::Object(Object::Script(held)) => {
                // The value itself is counted.
                self.values -= 1;
                self.add_script(held);
            }
            Value::Unit
            | Value::Clear
            | Value::Bool(_)
            | Value::Int(_)
            | Value::Float(_)
            | Value::Other => {}
        }
    }
}

fn is_scalar(value: &Dynamic) -> bool {
    value.is_unit() || value.is_bool() || value.is_int() || value.is_float() || value.is::<Clear>()
}
