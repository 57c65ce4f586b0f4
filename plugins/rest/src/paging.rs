//! Where a listing is, where it goes on, and where it ends.
//!
//! A listing ends where the API says so: no further cursor or link, `more` is false, the last of `pages`, all of `total`.
//! Where it says nothing, it ends at an empty page; a page that is shorter than asked for proves nothing, as servers give
//! smaller pages than they are asked for. The one invariant: a page that leads back to itself is a fault.

use rollcall_sdk::{Fault, Response, json};

use crate::answer::Failure;
use crate::spec::Paging;
use crate::template::{Value, Values};

/// A listing by number ends here at the latest.
const MOST_PAGES: u64 = 1_000_000;

/// How far a listing has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    /// Objects on the pages before.
    pub(crate) seen: u64,
    at: At,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum At {
    Start,
    Cursor(String),
    Page(u64),
    Link(String),
}

impl Position {
    pub(crate) const START: Self = Self { seen: 0, at: At::Start };

    /// Reads a cursor of ours.
    pub(crate) fn decode(cursor: &str) -> Result<Self, Fault> {
        let read = || {
            let (seen, at) = cursor.split_once(' ')?;
            let (tag, rest) = at.split_at_checked(1)?;
            let at = match tag {
                "o" => At::Start,
                "c" => At::Cursor(rest.to_owned()),
                "p" => At::Page(rest.parse().ok()?),
                "l" => At::Link(rest.to_owned()),
                _ => return None,
            };
            Some(Self { seen: seen.parse().ok()?, at })
        };
        read().ok_or(Fault::StaleCursor)
    }

    pub(crate) fn encode(&self) -> String {
        let seen = self.seen;
        match &self.at {
            At::Start => format!("{seen} o"),
            At::Cursor(cursor) => format!("{seen} c{cursor}"),
            At::Page(page) => format!("{seen} p{page}"),
            At::Link(link) => format!("{seen} l{link}"),
        }
    }

    /// What `{cursor}`, `{page}` and `{offset}` are here.
    pub(crate) fn fill(&self, paging: &Paging, values: &mut Values) {
        let number = |number: u64| Value::Number(i64::try_from(number).unwrap_or(i64::MAX));
        match paging {
            Paging::None | Paging::Link { .. } => {}
            Paging::Cursor { .. } => {
                let cursor = match &self.at {
                    At::Cursor(cursor) => Value::Text(cursor.clone()),
                    At::Start | At::Page(_) | At::Link(_) => Value::Absent,
                };
                values.insert("cursor", cursor);
            }
            Paging::Page { first, .. } => {
                let page = match self.at {
                    At::Page(page) => page,
                    At::Start | At::Cursor(_) | At::Link(_) => u64::from(*first),
                };
                values.insert("page", number(page));
            }
            Paging::Offset { .. } => {
                values.insert("offset", number(self.seen));
            }
        }
    }

    pub(crate) fn link(&self) -> Option<&str> {
        match &self.at {
            At::Link(link) => Some(link),
            At::Start | At::Cursor(_) | At::Page(_) => None,
        }
    }

    /// The position after a page of `count` objects; none after the last.
    pub(crate) fn next(
        &self,
        paging: &Paging,
        response: &impl Response,
        count: u64,
        total: Option<u64>,
    ) -> Result<Option<Self>, Failure> {
        let seen = self.seen + count;
        let at = match paging {
            Paging::None => None,
            Paging::Cursor { next, more } => self.cursor(response, next, more.as_deref())?,
            Paging::Page { first, pages, more } => {
                let page = match self.at {
                    At::Page(page) => page,
                    At::Start | At::Cursor(_) | At::Link(_) => u64::from(*first),
                };
                let last = match pages {
                    Some(at) => {
                        natural(response, at)?.map(|pages| page + 1 >= u64::from(*first) + pages)
                    }
                    None => None,
                };
                let ends = ends(response, more.as_deref(), last, (seen, count), total)?;
                (!ends).then_some(At::Page(page + 1)).filter(|_| page < MOST_PAGES)
            }
            Paging::Offset { more } => {
                let ends = ends(response, more.as_deref(), None, (seen, count), total)?;
                if !ends && count == 0 {
                    return Err(stuck("there is more, but the page is empty, so the offset stays"));
                }
                (!ends).then_some(At::Start)
            }
            Paging::Link { next } => {
                let link = match next {
                    Some(at) => json::text(response, at)?.filter(|link| !link.is_empty()),
                    None => response.header("link").as_deref().and_then(next_link),
                };
                if link.is_some() && link.as_deref() == self.link() {
                    return Err(stuck("the next page is the page itself"));
                }
                link.map(At::Link)
            }
        };
        Ok(at.map(|at| Self { seen, at }))
    }

    fn cursor(
        &self,
        response: &impl Response,
        next: &str,
        more: Option<&str>,
    ) -> Result<Option<At>, Failure> {
        let more = more.map(|at| json::flag(response, at)).transpose()?.flatten();
        let next = token(response, next)?;
        match (more, next) {
            (Some(false), _) | (None, None) => Ok(None),
            (Some(true), None) => Err(stuck("there is more, but the answer does not say where")),
            (_, Some(next)) => {
                let next = At::Cursor(next);
                if next == self.at {
                    return Err(stuck("the next cursor is the one that was sent"));
                }
                Ok(Some(next))
            }
        }
    }
}

/// A cursor is a text or a number.
fn token(response: &impl Response, at: &str) -> Result<Option<String>, Failure> {
    let number = response.pointer(at).filter(|raw| raw.bytes().all(|b| b.is_ascii_digit()));
    let text = match number {
        Some(number) => Some(number),
        None => json::text(response, at)?,
    };
    Ok(text.filter(|text| !text.is_empty()))
}

/// Whether a page was the last, by whatever the API tells.
fn ends(
    response: &impl Response,
    more: Option<&str>,
    last: Option<bool>,
    (seen, count): (u64, u64),
    total: Option<u64>,
) -> Result<bool, Failure> {
    let more = more.map(|at| json::flag(response, at)).transpose()?.flatten();
    Ok(match (more, last, total) {
        (Some(more), _, _) => !more,
        (None, Some(last), _) => last,
        // An empty page before the total is the end as well; that it is too early is told by the total.
        (None, None, Some(total)) => seen >= total || count == 0,
        (None, None, None) => count == 0,
    })
}

/// A number that is not negative.
pub(crate) fn natural(response: &impl Response, at: &str) -> Result<Option<u64>, Failure> {
    let number = json::integer(response, at)?;
    Ok(number.and_then(|number| u64::try_from(number).ok()))
}

fn stuck(what: &str) -> Failure {
    let remedy = "list again later; if it lasts, compare `page` in the description with the API's documentation";
    Failure::unavailable("paging", what, remedy)
}

/// The address with `rel="next"` of a header `Link`.
fn next_link(header: &str) -> Option<String> {
    let mut rest = header;
    while let Some((_, after)) = rest.split_once('<') {
        let (address, after) = after.split_once('>')?;
        let (parameters, others) = after.split_once('<').map_or((after, ""), |_| {
            let at = after.find('<').unwrap_or(after.len());
            after.split_at(at)
        });
        let relation = parameters.split([';', ',']).map(str::trim);
        let names_next = |parameter: &str| {
            let value = parameter.strip_prefix("rel=").map(|value| value.trim_matches('"'));
            value.is_some_and(|value| value.split(' ').any(|one| one.eq_ignore_ascii_case("next")))
        };
        if relation.into_iter().any(names_next) {
            return Some(address.to_owned());
        }
        rest = others;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_link_is_found_among_others() {
        let header =
            r#"<https://a.test/p?page=1>; rel="prev", <https://a.test/p?page=3>; rel="next""#;
        assert_eq!(next_link(header).as_deref(), Some("https://a.test/p?page=3"));
        assert_eq!(next_link("</p?page=2>; rel=next").as_deref(), Some("/p?page=2"));
        assert_eq!(next_link(r#"<https://a.test/p>; rel="last""#), None);
        assert_eq!(next_link("no link"), None);
        assert_eq!(next_link("<unclosed"), None);
    }

    #[test]
    fn a_cursor_comes_back_as_it_was() {
        for at in [At::Start, At::Cursor("a b c".into()), At::Page(7), At::Link("?x=é".into())] {
            let position = Position { seen: 12, at };
            assert_eq!(Position::decode(&position.encode()), Ok(position));
        }
        for bad in ["", "x", "1", "1 ", "1 z", "1 px", "-1 o", "1 é"] {
            assert_eq!(Position::decode(bad), Err(Fault::StaleCursor), "{bad}");
        }
    }
}
