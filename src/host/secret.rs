//! Long-lived secrets: held by the host, filled into requests on their way out, never handed to a guest.
//!
//! Not for short-lived tokens: those a guest fetches and may keep through the cache. The invariant: the text of a secret
//! leaves this type only through [`Secret::reveal`], and nothing here prints it.

use std::borrow::Cow;
use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// A secret's text. Printing it prints nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a text that shall not be seen.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text, for the one use it is meant for.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Where the secrets of one connection come from. Asked anew at each use, so that a rotated secret is picked up.
pub trait SecretSource: Send + Sync {
    /// The secret of that name, if the tenant has configured one.
    fn secret(&self, name: &str) -> Option<Secret>;
}

/// How a secret is written where it is filled in, so that it cannot break out of its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In a URL or a form body: percent-encoded.
    Percent,
    /// Inside a string of a JSON body: escaped.
    Json,
    /// In a header or any other body: as it is.
    Plain,
}

/// Why a text cannot be filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FillError {
    /// No such secret is configured, or the manifest does not ask for it.
    NoSecret(String),
    /// A placeholder that never ends or has no valid name.
    Malformed,
}

const OPEN: &[u8] = b"{secret:";
const NAME_LIMIT: usize = 63;
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Whether a text holds a placeholder, or the beginning of one.
pub(super) fn mentions(text: &[u8]) -> bool {
    memchr::memmem::find(text, OPEN).is_some()
}

/// Fills in the secrets of one request and remembers which, so that an echo of them can be covered again.
pub(super) struct Filler<'s> {
    source: &'s dyn Fn(&str) -> Option<Secret>,
    used: Vec<(String, Secret)>,
}

impl<'s> Filler<'s> {
    pub(super) fn new(source: &'s dyn Fn(&str) -> Option<Secret>) -> Self {
        Self { source, used: Vec::new() }
    }

    /// Replaces every placeholder of `text`. What is filled in is not searched again.
    pub(super) fn fill<'t>(
        &mut self,
        text: &'t [u8],
        place: Place,
    ) -> Result<Cow<'t, [u8]>, FillError> {
        if !mentions(text) {
            return Ok(Cow::Borrowed(text));
        }
        let (mut out, mut rest) = (Vec::with_capacity(text.len() + 64), text);
        while let Some(at) = memchr::memmem::find(rest, OPEN) {
            out.extend_from_slice(&rest[..at]);
            let (name, after) = name(&rest[at + OPEN.len()..]).ok_or(FillError::Malformed)?;
            let secret = self.take(name)?;
            out.extend_from_slice(written(secret.reveal(), place).as_bytes());
            rest = after;
        }
        out.extend_from_slice(rest);
        Ok(Cow::Owned(out))
    }

    fn take(&mut self, name: &str) -> Result<Secret, FillError> {
        if let Some((_, secret)) = self.used.iter().find(|(used, _)| used == name) {
            return Ok(secret.clone());
        }
        let secret = (self.source)(name).ok_or_else(|| FillError::NoSecret(name.to_owned()))?;
        self.used.push((name.to_owned(), secret.clone()));
        Ok(secret)
    }

    /// What covers the secrets that were filled in.
    pub(super) fn cover(self) -> Cover {
        Cover::new(&self.used)
    }
}

fn name(rest: &[u8]) -> Option<(&str, &[u8])> {
    let end = rest.iter().take(NAME_LIMIT + 1).position(|&byte| byte == b'}')?;
    let name = std::str::from_utf8(&rest[..end]).ok()?;
    let valid = !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    valid.then_some((name, &rest[end + 1..]))
}

fn written(text: &str, place: Place) -> Cow<'_, str> {
    match place {
        Place::Plain => Cow::Borrowed(text),
        Place::Percent => utf8_percent_encode(text, UNRESERVED).to_string().into(),
        Place::Json => {
            let quoted = serde_json::Value::from(text).to_string();
            quoted[1..quoted.len() - 1].to_owned().into()
        }
    }
}

/// Covers secrets that a response repeats: as they are, percent-encoded or JSON-escaped. Secrets shorter than
/// [`Cover::SHORTEST`] bytes are not covered (they would blot out ordinary text), nor is any other encoding: a server that
/// is sent a secret is trusted with it.
pub(super) struct Cover {
    /// What to look for and what to put there, the longest first.
    forms: Vec<(Vec<u8>, String)>,
}

impl Cover {
    /// The fewest bytes of a secret that is covered.
    pub(super) const SHORTEST: usize = 6;

    fn new(used: &[(String, Secret)]) -> Self {
        let mut forms = Vec::new();
        for (name, secret) in used.iter().filter(|(_, it)| it.reveal().len() >= Self::SHORTEST) {
            for place in [Place::Plain, Place::Percent, Place::Json] {
                let form = written(secret.reveal(), place).into_owned().into_bytes();
                forms.push((form, format!("{{secret:{name}}}")));
            }
        }
        forms.sort_by_key(|(form, _)| std::cmp::Reverse(form.len()));
        forms.dedup();
        Self { forms }
    }

    /// Whether no secret was sent that could be repeated.
    pub(super) fn is_empty(&self) -> bool {
        self.forms.is_empty()
    }

    /// `None` when there is nothing to cover.
    pub(super) fn apply(&self, text: &[u8]) -> Option<Vec<u8>> {
        let mut covered: Option<Vec<u8>> = None;
        for (form, cover) in &self.forms {
            let current = covered.as_deref().unwrap_or(text);
            if let Some(next) = replaced(current, form, cover.as_bytes()) {
                covered = Some(next);
            }
        }
        covered
    }
}

fn replaced(text: &[u8], form: &[u8], cover: &[u8]) -> Option<Vec<u8>> {
    let mut hits = memchr::memmem::find_iter(text, form).peekable();
    hits.peek()?;
    let (mut out, mut from) = (Vec::with_capacity(text.len()), 0);
    for at in hits {
        out.extend_from_slice(&text[from..at]);
        out.extend_from_slice(cover);
        from = at + form.len();
    }
    out.extend_from_slice(&text[from..]);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "p\"a/ss wörd";

    fn source(name: &str) -> Option<Secret> {
        (name == "app_secret").then(|| Secret::new(TEXT.to_owned()))
    }

    fn filled(text: &str, place: Place) -> Result<String, FillError> {
        let mut filler = Filler::new(&source);
        filler.fill(text.as_bytes(), place).map(|out| String::from_utf8(out.into_owned()).unwrap())
    }

    #[test]
    fn a_secret_is_escaped_for_its_place() {
        let text = "<{secret:app_secret}>";
        assert_eq!(filled(text, Place::Plain).unwrap(), "<p\"a/ss wörd>");
        assert_eq!(filled(text, Place::Json).unwrap(), "<p\\\"a/ss wörd>");
        assert_eq!(filled(text, Place::Percent).unwrap(), "<p%22a%2Fss%20w%C3%B6rd>");
    }

    #[test]
    fn an_unknown_or_broken_placeholder_sends_nothing() {
        assert_eq!(
            filled("{secret:other}", Place::Plain),
            Err(FillError::NoSecret("other".into()))
        );
        assert_eq!(filled("{secret:app_secret", Place::Plain), Err(FillError::Malformed));
        assert_eq!(filled("{secret:}", Place::Plain), Err(FillError::Malformed));
        assert_eq!(filled("{secret:a b}", Place::Plain), Err(FillError::Malformed));
        assert_eq!(filled("{secret}", Place::Plain).unwrap(), "{secret}");
    }

    #[test]
    fn an_echoed_secret_is_covered_in_every_form_it_was_sent() {
        let mut filler = Filler::new(&source);
        filler.fill(b"{secret:app_secret}", Place::Plain).unwrap();
        let cover = filler.cover();
        for place in [Place::Plain, Place::Json, Place::Percent] {
            let echo = format!("[{0}{0}]", written(TEXT, place));
            let covered = cover.apply(echo.as_bytes()).unwrap();
            assert_eq!(
                String::from_utf8(covered).unwrap(),
                "[{secret:app_secret}{secret:app_secret}]"
            );
        }
        assert_eq!(cover.apply(b"nothing here"), None);
    }

    #[test]
    fn a_secret_never_prints() {
        assert_eq!(format!("{:?}", Some(source("app_secret"))), "Some(Some(Secret(..)))");
    }
}
