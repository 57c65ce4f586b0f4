//! Secrets: references in the file, values in memory. Neither a report nor a log ever shows a value.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::source::read_bounded;

/// The largest secret file that is read.
const LIMIT_BYTES: u64 = 64 << 10;

/// Where a secret stands: `env:NAME` or `file:PATH`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Reference {
    /// An environment variable.
    Env(String),
    /// A file, relative to the folder of the main configuration file.
    File(PathBuf),
}

/// Why a text is no reference. Never holds the text: it may be the secret itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// Neither form.
    #[error(
        "a secret is never written here; put it in a variable or a file and write `env:NAME` or `file:PATH`"
    )]
    Inline,
    /// No name of a variable.
    #[error(
        "`env:` is not followed by a variable's name; write letters, digits and `_`, as in `env:FEISHU_APP_SECRET`"
    )]
    Variable,
    /// No path.
    #[error("`file:` is not followed by a path; write one, as in `file:secrets/feishu`")]
    Path,
}

impl Reference {
    /// Parses a reference.
    ///
    /// # Errors
    /// [`ReferenceError`] saying which form is broken.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        let text = text.trim();
        if let Some(name) = text.strip_prefix("env:") {
            let good = !name.is_empty()
                && !name.starts_with(|c: char| c.is_ascii_digit())
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            return if good {
                Ok(Self::Env(name.to_owned()))
            } else {
                Err(ReferenceError::Variable)
            };
        }
        match text.strip_prefix("file:").map(str::trim) {
            Some("") => Err(ReferenceError::Path),
            Some(path) => Ok(Self::File(PathBuf::from(path))),
            None => Err(ReferenceError::Inline),
        }
    }

    pub(super) fn looks_like(text: &str) -> bool {
        let text = text.trim_start_matches(['"', '\'', ' ']);
        text.starts_with("env:") || text.starts_with("file:")
    }

    /// Reads what the reference points at. The error says what was found and what to do.
    pub(super) fn resolve(&self, folder: &Path, env: &Environment<'_>) -> Result<Secret, String> {
        let text = match self {
            Self::Env(name) => {
                env(name).ok_or_else(|| format!("`{self}` resolves to nothing: no variable `{name}` is set; set it where rollcall is started"))?
            }
            Self::File(path) => read(&folder.join(path)).map_err(|(found, remedy)| {
                format!("`{self}` resolves to nothing: {found}; {remedy}")
            })?,
        };
        let text = text.trim_end_matches(['\r', '\n']);
        if text.trim().is_empty() {
            return Err(format!("`{self}` resolves to nothing: it is empty; put the secret there"));
        }
        Ok(Secret { reference: self.clone(), text: text.to_owned() })
    }
}

/// How variables are read; tests and embedders hand in their own.
pub type Environment<'a> = dyn Fn(&str) -> Option<String> + 'a;

fn read(path: &Path) -> Result<String, (String, &'static str)> {
    let bytes = match read_bounded(path, LIMIT_BYTES) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => {
            let found = format!("the file has more than {LIMIT_BYTES} bytes");
            return Err((found, "name a file that holds the secret alone"));
        }
        Err(error) => return Err((error.to_string(), "create the file, or mend its permissions")),
    };
    String::from_utf8(bytes)
        .map_err(|_| ("the file is not UTF-8 text".to_owned(), "save the secret as text"))
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
        }
    }
}

impl TryFrom<String> for Reference {
    type Error = ReferenceError;
    fn try_from(text: String) -> Result<Self, ReferenceError> {
        Self::parse(&text)
    }
}

impl From<Reference> for String {
    fn from(reference: Reference) -> Self {
        reference.to_string()
    }
}

/// A secret's value. Prints as its reference; the value is had by [`Secret::expose`] alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    reference: Reference,
    text: String,
}

impl Secret {
    /// A secret from elsewhere than a file of the configuration.
    pub fn new(reference: Reference, text: String) -> Self {
        Self { reference, text }
    }

    /// The value itself.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// Where it came from.
    pub fn reference(&self) -> &Reference {
        &self.reference
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({}, hidden)", self.reference)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_never_prints() {
        let secret = Secret::new(Reference::Env("A".to_owned()), "hunter2".to_owned());
        assert_eq!(format!("{secret:?}"), "Secret(env:A, hidden)");
        assert_eq!(secret.expose(), "hunter2");
    }

    #[test]
    fn only_two_forms_are_references() {
        assert_eq!(Reference::parse("env:A_1"), Ok(Reference::Env("A_1".to_owned())));
        assert_eq!(Reference::parse("file: a/b"), Ok(Reference::File("a/b".into())));
        assert_eq!(Reference::parse("hunter2"), Err(ReferenceError::Inline));
        assert_eq!(Reference::parse("env:a b"), Err(ReferenceError::Variable));
        assert_eq!(Reference::parse("env:1A"), Err(ReferenceError::Variable));
        assert_eq!(Reference::parse("file:"), Err(ReferenceError::Path));
    }

    #[test]
    fn a_file_loses_its_line_end_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("s"), " a b \r\n").unwrap();
        let secret = Reference::parse("file:s").unwrap().resolve(folder.path(), &|_| None).unwrap();
        assert_eq!(secret.expose(), " a b ");
    }

    #[test]
    fn a_reference_that_resolves_to_nothing_says_why() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("empty"), "\n").unwrap();
        std::fs::write(folder.path().join("big"), vec![b'x'; 70_000]).unwrap();
        let check = |text: &str, part: &str| {
            let error =
                Reference::parse(text).unwrap().resolve(folder.path(), &|_| None).unwrap_err();
            assert!(
                error.starts_with(&format!("`{text}` resolves to nothing: "))
                    && error.contains(part),
                "{error}"
            );
        };
        check("env:NOT_SET", "no variable `NOT_SET` is set; set it");
        check("file:none", "create the file");
        check("file:empty", "it is empty; put the secret there");
        check("file:big", "the file has more than 65536 bytes; name a file");
    }
}
