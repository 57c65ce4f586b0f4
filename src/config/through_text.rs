//! How a value that is text in a file meets serde: parsed with its own error, shown as it is written.

/// Converts from and to `String` by `FromStr` and `Display`.
macro_rules! through_text {
    ($error:ty: $($name:ident),*) => {$(
        impl TryFrom<String> for $name {
            type Error = $error;
            fn try_from(text: String) -> Result<Self, $error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.to_string()
            }
        }
    )*};
}

pub(in crate::config) use through_text;
