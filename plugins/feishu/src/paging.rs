//! What the listings have in common: the cursor, the page token, the records of an answer.
//!
//! What this is not: a particular listing. The one invariant: a cursor is bounded, and one that cannot be read is
//! stale, never an error of its own.

use rollcall_sdk::codes::Class;
use rollcall_sdk::json;
use rollcall_sdk::{Advice, Content, Fault, Response, Slice};

use crate::cursor::{self, Writer};
use crate::failure::Failure;
use crate::range::Fingerprint;

/// The most the platform gives at a time.
pub(crate) const PAGE_SIZE: &str = "50";
/// The most ids the platform takes at a time.
pub(crate) const MOST_IDS: usize = 50;
/// How many steps may be open: 50 children a level, on some 32 levels, and the page tokens between.
pub(crate) const MOST_STEPS: usize = 2_000;

/// What of a listing is still to be done. A listing is a stack of steps; its cursor is the stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Departments below one, with everything below them in turn.
    Below { of: String, depth: u8, token: Option<String> },
    /// Departments directly below one.
    Children { of: String, depth: u8, token: Option<String> },
    /// Departments or people by id.
    Named { ids: Vec<String> },
    /// People directly in a department.
    Members { of: String, token: Option<String> },
    /// What the app's contact range grants by name, from this page on.
    Granted { token: Option<String>, so_far: Fingerprint },
}

impl Step {
    fn write(&self, cursor: &mut Writer) {
        let token = |token: &Option<String>| token.clone().unwrap_or_default();
        match self {
            Self::Below { of, depth, token: at } => {
                cursor.step("below", &[of.clone(), depth.to_string(), token(at)]);
            }
            Self::Children { of, depth, token: at } => {
                cursor.step("children", &[of.clone(), depth.to_string(), token(at)]);
            }
            Self::Named { ids } => cursor.step("named", ids),
            Self::Members { of, token: at } => cursor.step("members", &[of.clone(), token(at)]),
            Self::Granted { token: at, so_far } => {
                cursor
                    .step("granted", &[token(at), so_far.ids.to_string(), so_far.sum.to_string()]);
            }
        }
    }

    fn read(name: &str, fields: Vec<String>) -> Option<Self> {
        let token = |text: &String| Some(text.clone()).filter(|t| !t.is_empty());
        match (name, fields.as_slice()) {
            ("below", [of, depth, at]) => {
                Some(Self::Below { of: of.clone(), depth: depth.parse().ok()?, token: token(at) })
            }
            ("children", [of, depth, at]) => Some(Self::Children {
                of: of.clone(),
                depth: depth.parse().ok()?,
                token: token(at),
            }),
            ("named", [_, ..]) => Some(Self::Named { ids: fields }),
            ("members", [of, at]) => Some(Self::Members { of: of.clone(), token: token(at) }),
            ("granted", [at, ids, sum]) => {
                let so_far = Fingerprint { ids: ids.parse().ok()?, sum: sum.parse().ok()? };
                Some(Self::Granted { token: token(at), so_far })
            }
            _ => None,
        }
    }
}

/// The steps of a cursor; the last is the next to take.
pub(crate) fn decode(cursor: &str) -> Result<Vec<Step>, Fault> {
    let steps = cursor::read(cursor).and_then(|steps| {
        steps.into_iter().map(|(name, fields)| Step::read(name, fields)).collect::<Option<Vec<_>>>()
    });
    steps.ok_or(Fault::StaleCursor)
}

/// The cursor for what is left; none when nothing is.
pub(crate) fn encode(steps: &[Step]) -> Result<Option<String>, Fault> {
    if steps.len() > MOST_STEPS {
        let message = format!("the department tree leaves more than {MOST_STEPS} steps open");
        return Err(Fault::Invalid(Advice::new(
            "tree",
            message,
            "look for a loop in the departments",
        )));
    }
    let mut writer = Writer::default();
    for step in steps {
        step.write(&mut writer);
    }
    Ok(writer.finish())
}

/// The token of the page after the one that was asked for with `sent`; none after the last.
pub(crate) fn next_token(
    response: &impl Response,
    sent: Option<&str>,
) -> Result<Option<String>, Failure> {
    let more = json::flag(response, "/data/has_more")?;
    if more == Some(false) {
        return Ok(None);
    }
    let token = json::text(response, "/data/page_token")?.filter(|token| !token.is_empty());
    let problem = match (more, token) {
        (None, None) => return Ok(None),
        (Some(_), None) => "the platform says there is more, but not where",
        (_, Some(token)) if Some(token.as_str()) == sent => {
            "the platform hands back the page token that it was given"
        }
        (_, Some(token)) => return Ok(Some(token)),
    };
    let remedy = "list again later; if it lasts, ask the platform's support";
    let advice = Advice::new("paging", problem, remedy);
    Err(Failure::of(Class::Unavailable, advice))
}

/// How the records of a kind are found in an answer.
pub(crate) struct Shape {
    /// Pointer to the array.
    pub(crate) items: &'static str,
    /// Name of the field that is the id.
    pub(crate) id: &'static str,
    /// The permission without which that field is left out.
    pub(crate) scope: &'static str,
}

/// The records of an answer, left where they are. A record without its id is told by the permission that is missing.
pub(crate) fn records<R: Response>(response: R, shape: &Shape) -> Result<Content<R>, Failure> {
    let first = format!("{}/0/{}", shape.items, shape.id);
    if json::text(&response, &first)?.is_none_or(|id| id.is_empty()) {
        if json::length(&response, shape.items)? == 0 {
            return Ok(Content::Empty);
        }
        let message = format!("the platform leaves out `{}`, by which records are known", shape.id);
        let remedy = format!(
            "request the permission {} in the developer console, publish a version of the app and let an \
             administrator approve it; or choose another id type in the settings",
            shape.scope
        );
        let advice = Advice::new("field", message, remedy);
        return Err(Failure::of(Class::Scope, advice));
    }
    let id = vec![format!("/{}", shape.id)];
    Ok(Content::Sliced(Slice { response, items: shape.items.to_owned(), id }))
}
