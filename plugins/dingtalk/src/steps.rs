//! What of a listing is still to be done: a stack of steps, which is its cursor; and the records of an answer.
//!
//! What this is not: a particular listing. The one invariant: a cursor is bounded, and one that cannot be read is
//! stale, never an error of its own.

use rollcall_sdk::codes::Class;
use rollcall_sdk::{Advice, Content, Fault, Item, Response, Slice};

use crate::cursor::{self, Writer};
use crate::failure::{Failure, wrong};

/// How many steps may be open at once.
pub(crate) const MOST_STEPS: usize = 20_000;

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A department on its own, then those below it.
    Department { id: String, depth: u8 },
    /// The departments directly below one.
    Below { of: String, depth: u8 },
    /// People directly in a department, from this place of the listing on.
    Members { of: String, from: i64 },
    /// People by id, one after the other.
    People { ids: Vec<String> },
}

impl Step {
    fn write(&self, cursor: &mut Writer) {
        match self {
            Self::Department { id, depth } => {
                cursor.step("department", &[id.clone(), depth.to_string()]);
            }
            Self::Below { of, depth } => cursor.step("below", &[of.clone(), depth.to_string()]),
            Self::Members { of, from } => cursor.step("members", &[of.clone(), from.to_string()]),
            Self::People { ids } => cursor.step("people", ids),
        }
    }

    fn read(name: &str, fields: Vec<String>) -> Option<Self> {
        match (name, fields.as_slice()) {
            ("department", [id, depth]) => {
                Some(Self::Department { id: id.clone(), depth: depth.parse().ok()? })
            }
            ("below", [of, depth]) => {
                Some(Self::Below { of: of.clone(), depth: depth.parse().ok()? })
            }
            ("members", [of, from]) => {
                Some(Self::Members { of: of.clone(), from: from.parse().ok()? })
            }
            ("people", [_, ..]) => Some(Self::People { ids: fields }),
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

/// How the records of a kind are found in an answer.
pub(crate) struct Shape {
    /// Pointer to the array, or to the one object.
    pub(crate) items: &'static str,
    /// Name of the field that is the id.
    pub(crate) id: &'static str,
}

/// The listed records, left where they are. `items` must be there: an answer without it is none.
pub(crate) fn listed<R: Response>(response: R, shape: &Shape) -> Result<Content<R>, Failure> {
    let Some(count) = response.count(shape.items) else {
        return Err(wrong(shape.items, "an array"));
    };
    if count == 0 {
        return Ok(Content::Empty);
    }
    require(&response, &format!("{}/0/{}", shape.items, shape.id))?;
    Ok(sliced(response, shape))
}

/// The one record of an answer, left where it is.
pub(crate) fn single<R: Response>(response: R, shape: &Shape) -> Result<Content<R>, Failure> {
    require(&response, &format!("{}/{}", shape.items, shape.id))?;
    Ok(sliced(response, shape))
}

/// Records that were put together here.
pub(crate) fn built<R>(items: Vec<Item>) -> Content<R> {
    if items.is_empty() { Content::Empty } else { Content::Built(items) }
}

fn sliced<R>(response: R, shape: &Shape) -> Content<R> {
    let id = vec![format!("/{}", shape.id)];
    Content::Sliced(Slice { response, items: shape.items.to_owned(), id })
}

fn require(response: &impl Response, path: &str) -> Result<(), Failure> {
    let there = response.pointer(path).is_some_and(|raw| raw != "null" && raw != "\"\"");
    if there { Ok(()) } else { Err(wrong(path, "there")) }
}

/// A listing that does not move on.
pub(crate) fn stuck(problem: &'static str) -> Failure {
    let remedy = "list again later; if it lasts, ask the platform's support";
    let advice = Advice::new("paging", problem, remedy);
    Failure::of(Class::Unavailable, advice)
}
