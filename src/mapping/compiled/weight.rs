//! How large a value is.
//!
//! The invariant: nothing is counted lower than the interpreter counts it.

use crate::mapping::engine::LIMITS;
use crate::mapping::value::{List, Object, Value};

/// What a value holds, counted no lower than the interpreter counts it.
#[derive(Default)]
pub(super) struct Weight {
    pub(super) values: usize,
    bytes: usize,
}

impl Weight {
    pub(super) fn fits(&self) -> bool {
        self.values <= LIMITS.elements.min(LIMITS.entries) && self.bytes <= LIMITS.text_bytes
    }

    pub(super) fn add(&mut self, value: &Value<'_>) {
        self.values += 1;
        match value {
            Value::Text(text) => self.bytes += text.len(),
            Value::List(List::Tape(doc, at)) | Value::Object(Object::Tape(doc, at)) => {
                let (values, bytes) = doc.weigh(*at);
                self.values += values;
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
            Value::List(List::Script(_)) | Value::Object(Object::Script(_)) => {
                self.values = usize::MAX / 2;
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
