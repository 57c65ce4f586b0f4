//! Short lists and texts that a guest returns, cut to what people and state can hold.
//!
//! Records are not cut; [`super::page`] bounds them. The invariant: no text from here is longer than its bound, and none
//! holds a control character.

use crate::model::fault::{Advice, Fault};
use crate::model::record::Finding;
use crate::port::callback::Refused;
use crate::port::inbox::Answer;

use super::failure::PageError;

const CODE_CHARS: usize = 64;
const TEXT_CHARS: usize = 1000;
/// The most entries of a list that is not a page: findings, walks, batches.
const ENTRIES: usize = 200;
/// The most bytes of a cursor or of the fingerprint of a scope.
const OPAQUE_BYTES: usize = 16 << 10;
/// The most bytes of the body that answers a callback.
const ANSWER_BYTES: usize = 64 << 10;
/// The most bytes of an event.
const EVENT_BYTES: usize = 1 << 20;
/// The most bytes of an event's id.
const EVENT_ID_BYTES: usize = 256;
/// The most hints of one event: a platform that moves a department names its people.
const HINTS: usize = 10_000;

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

/// What answers a callback: with an HTTP status and a content type that can be sent.
pub(super) fn answer(answer: Answer) -> Result<Answer, PageError> {
    size("answer", answer.body.len(), ANSWER_BYTES)?;
    if !(200..=599).contains(&answer.status) {
        return Err(PageError::Status(answer.status));
    }
    let printable = answer.content_type.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if answer.content_type.is_empty() || answer.content_type.len() > TEXT_CHARS || !printable {
        return Err(PageError::ContentType);
    }
    Ok(answer)
}

/// An event and its id. An id that is empty or too long is none.
pub(super) fn event(
    event: Vec<u8>,
    id: Option<String>,
) -> Result<(Vec<u8>, Option<String>), PageError> {
    size("event", event.len(), EVENT_BYTES)?;
    Ok((event, id.filter(|id| (1..=EVENT_ID_BYTES).contains(&id.len()))))
}

/// The hints of one event.
pub(super) fn hints<T>(hints: Vec<T>) -> Result<Vec<T>, PageError> {
    let found = hints.len();
    if found > HINTS {
        return Err(PageError::List { what: "hints", found, limit: HINTS });
    }
    Ok(hints)
}

/// A refusal with its advice cut.
pub(super) fn refused(refused: Refused) -> Refused {
    match refused {
        Refused::Forged(it) => Refused::Forged(advice(&it)),
        Refused::Stale(it) => Refused::Stale(advice(&it)),
        Refused::Broken(it) => Refused::Broken(advice(&it)),
        Refused::Unready(it) => Refused::Unready(advice(&it)),
    }
}

fn size(what: &'static str, found: usize, limit: usize) -> Result<(), PageError> {
    if found > limit { Err(PageError::Opaque { what, found, limit }) } else { Ok(()) }
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

    #[test]
    fn an_answer_can_be_sent_and_an_event_can_be_kept() {
        let with = |status, content_type: &str, bytes| {
            let content_type = content_type.to_owned();
            answer(Answer { status, content_type, body: vec![b'a'; bytes] }).map(|_| ())
        };
        assert_eq!(with(200, "text/plain", ANSWER_BYTES), Ok(()));
        assert!(with(200, "text/plain", ANSWER_BYTES + 1).is_err());
        assert_eq!(with(101, "text/plain", 0), Err(PageError::Status(101)));
        assert_eq!(with(600, "text/plain", 0), Err(PageError::Status(600)));
        assert_eq!(with(200, "a\r\nx-b: c", 0), Err(PageError::ContentType));
        assert_eq!(with(200, "", 0), Err(PageError::ContentType));
        let kept = |bytes, id: &str| event(vec![b'e'; bytes], Some(id.to_owned()));
        assert_eq!(kept(1, "id").unwrap().1.as_deref(), Some("id"));
        assert_eq!(kept(1, "").unwrap().1, None);
        assert_eq!(kept(1, &"i".repeat(EVENT_ID_BYTES + 1)).unwrap().1, None);
        assert!(kept(EVENT_BYTES + 1, "id").is_err());
        assert!(hints(vec![0; HINTS]).is_ok() && hints(vec![0; HINTS + 1]).is_err());
    }
}
