//! Short lists and texts that a guest returns, cut to what people and state can hold.
//!
//! Records are not cut; [`super::page`] bounds them. The invariant: no text from here is longer than its bound, and none
//! holds a control character.

use crate::model::fault::{Advice, Fault};
use crate::model::record::Finding;

use super::failure::PageError;

const CODE_CHARS: usize = 64;
const TEXT_CHARS: usize = 1000;
/// The most entries of a list that is not a page: findings, walks, batches.
const ENTRIES: usize = 200;
/// The most bytes of a cursor or of the fingerprint of a scope.
const OPAQUE_BYTES: usize = 16 << 10;

/// A fault with its advice cut.
pub(super) fn fault(fault: Fault) -> Fault {
    match fault {
        Fault::Unauthorized(it) => Fault::Unauthorized(advice(&it)),
        Fault::Forbidden(it) => Fault::Forbidden(advice(&it)),
        Fault::Invalid(it) => Fault::Invalid(advice(&it)),
        Fault::Unavailable(it) => Fault::Unavailable(advice(&it)),
        Fault::Plugin(it) => Fault::Plugin(advice(&it)),
        Fault::RateLimited(_) | Fault::NotFound | Fault::StaleCursor | Fault::Unsupported => fault,
    }
}

fn advice(advice: &Advice) -> Advice {
    Advice {
        code: cut(&advice.code, CODE_CHARS),
        message: cut(&advice.message, TEXT_CHARS),
        remedy: cut(&advice.remedy, TEXT_CHARS),
    }
}

/// A finding with its texts cut.
pub(super) fn finding(finding: &Finding) -> Finding {
    Finding {
        check: cut(&finding.check, TEXT_CHARS),
        passed: finding.passed,
        remedy: finding.remedy.as_ref().map(|it| cut(it, TEXT_CHARS)),
    }
}

/// A list that is not a page.
pub(super) fn list<T>(what: &'static str, list: Vec<T>) -> Result<Vec<T>, PageError> {
    let found = list.len();
    if found > ENTRIES { Err(PageError::List { what, found, limit: ENTRIES }) } else { Ok(list) }
}

/// A text that is stored and handed back as it is.
pub(super) fn opaque(
    what: &'static str,
    text: Option<String>,
) -> Result<Option<String>, PageError> {
    match text.as_ref().map(String::len) {
        Some(found) if found > OPAQUE_BYTES => {
            Err(PageError::Opaque { what, found, limit: OPAQUE_BYTES })
        }
        _ => Ok(text),
    }
}

fn cut(text: &str, limit: usize) -> String {
    text.chars().take(limit).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_is_cut_and_stays_on_one_line() {
        let long = Advice {
            code: "9".repeat(100),
            message: "a\nb\u{1b}[31m".into(),
            remedy: "r".repeat(2000),
        };
        match fault(Fault::Forbidden(long)) {
            Fault::Forbidden(it) => {
                assert_eq!(it.code.len(), CODE_CHARS);
                assert_eq!(it.message, "a b [31m");
                assert_eq!(it.remedy.len(), TEXT_CHARS);
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn lists_and_cursors_are_bounded() {
        assert!(list("walks", vec![0; ENTRIES]).is_ok());
        let told = list("walks", vec![0; ENTRIES + 1]).unwrap_err();
        assert_eq!(told.to_string(), "it lists 201 walks, 200 are allowed");
        let cursor = |bytes| opaque("cursor", Some("c".repeat(bytes)));
        assert!(cursor(OPAQUE_BYTES).is_ok());
        assert!(
            cursor(OPAQUE_BYTES + 1).unwrap_err().to_string().contains("cursor has 16385 bytes")
        );
        assert_eq!(opaque("cursor", None), Ok(None));
    }
}
