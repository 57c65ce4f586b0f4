//! What a plugin's manifest says of its platform's rate limits, in the section `rates`.
//!
//! ```json
//! "rates": {
//!   "app": ["app_id"],
//!   "classes": [
//!     { "name": "people", "paths": ["/contact/v3/users/find_by_department"], "limits": ["50/second", "1000/minute"] },
//!     { "name": "any", "paths": ["/topapi/**"], "each": true, "limits": ["20/second"] },
//!     { "name": "metered", "paths": ["/attendance/*"], "limits": ["5000/month"] }
//!   ],
//!   "throttled": [
//!     { "at": "/code", "is": ["99991400"], "wait_header": "x-ratelimit-reset", "limit_header": "x-ratelimit-limit" },
//!     { "at": "/errcode", "is": ["45009"], "wait_seconds": 60 },
//!     { "at": "/sub_code", "is": ["90020"], "month": true }
//!   ]
//! }
//! ```
//! A path is matched from its end, so that a platform behind a prefix is met too; `*` stands for one segment, `**` at the end
//! for the rest. A request counts in every class that has a path for it. HTTP 429 means throttled without being declared.
//! The invariant: what was parsed can be matched and counted; nobody checks again.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The most entries of each list.
const LIMIT_ENTRIES: usize = 100;

/// The section as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RatesAsk {
    /// The settings by whose values the platform tells apps from each other; connections that share them share the limits.
    pub app: Vec<String>,
    /// Classes of endpoints.
    pub classes: Vec<ClassAsk>,
    /// Answers that mean "slow down".
    pub throttled: Vec<ThrottledAsk>,
    /// The platform's months begin in this zone, minutes east of UTC.
    pub utc_offset_minutes: i16,
}

/// A class of endpoints that share their limits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassAsk {
    /// Its name.
    pub name: String,
    /// The paths that belong to it.
    pub paths: Vec<PathPattern>,
    /// Whether the limits hold for each of the paths on its own.
    #[serde(default)]
    pub each: bool,
    /// The documented limits.
    #[serde(default)]
    pub limits: Vec<Rate>,
}

/// An answer that means "slow down".
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ThrottledAsk {
    /// Only with this HTTP status, if set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The JSON pointer of the value that tells; the body does not matter when it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// The values that tell, as text.
    pub is: Vec<String>,
    /// The header that names the seconds to wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait_header: Option<String>,
    /// The header that names the limit that was met.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_header: Option<String>,
    /// The seconds to wait where no header says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait_seconds: Option<u32>,
    /// The allowance of the calendar month is used up.
    pub month: bool,
}

/// So many requests in a span of time: `50/second`, `1000/minute`, `150000/hour`, `5000/month`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rate {
    /// How many.
    pub requests: u32,
    /// In which span.
    pub per: Per,
}

/// A span that a limit is stated for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Per {
    /// A second.
    Second,
    /// A minute.
    Minute,
    /// An hour.
    Hour,
    /// A day.
    Day,
    /// A calendar month: counted and shown, never waited for.
    Month,
}

const PERS: [(Per, &str, u64); 5] = [
    (Per::Second, "second", 1),
    (Per::Minute, "minute", 60),
    (Per::Hour, "hour", 3_600),
    (Per::Day, "day", 86_400),
    (Per::Month, "month", 0),
];

impl Per {
    /// The span's length; `None` for a month, whose length differs.
    pub(super) fn length(self) -> Option<Duration> {
        let (_, _, seconds) = PERS.iter().find(|(per, _, _)| *per == self)?;
        (*seconds > 0).then(|| Duration::from_secs(*seconds))
    }
}

/// Why a section is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RatesError {
    /// Not a number, a stroke and a span.
    #[error(
        "`{0}` is no limit; write a number from 1 on and a span, as in `50/second`, `1000/minute` or `5000/month`"
    )]
    Rate(String),
    /// Not a path.
    #[error("`{0}` is no path; begin it with `/`, use `*` for one segment, `**` only as the last")]
    Path(String),
    /// Not a JSON pointer.
    #[error("`{0}` is no JSON pointer; begin it with `/`")]
    Pointer(String),
    /// Two classes of one name.
    #[error("there are two classes `{0}`; rename one")]
    Twice(String),
    /// A list that is too long.
    #[error("{found} {list} are listed, {LIMIT_ENTRIES} are allowed; shorten the list")]
    TooMany {
        /// Which list.
        list: &'static str,
        /// Entries found.
        found: usize,
    },
    /// A sign that every answer would give.
    #[error(
        "a `throttled` entry names neither a status nor values at a place in the body; add `status`, or `at` and `is`"
    )]
    Always,
}

impl TryFrom<String> for Rate {
    type Error = RatesError;

    fn try_from(text: String) -> Result<Self, RatesError> {
        let parsed = text.split_once('/').and_then(|(count, per)| {
            let requests = count.trim().parse().ok().filter(|&count: &u32| count > 0)?;
            let (per, _, _) = PERS.iter().find(|(_, name, _)| *name == per.trim())?;
            Some(Self { requests, per: *per })
        });
        parsed.ok_or(RatesError::Rate(text))
    }
}

impl From<Rate> for String {
    fn from(rate: Rate) -> Self {
        let name = PERS.iter().find(|(per, _, _)| *per == rate.per).map_or("", |(_, name, _)| name);
        format!("{}/{name}", rate.requests)
    }
}

/// A path with placeholders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PathPattern {
    segments: Vec<String>,
    rest: bool,
}

impl TryFrom<String> for PathPattern {
    type Error = RatesError;

    fn try_from(text: String) -> Result<Self, RatesError> {
        let Some(inner) = text.strip_prefix('/') else { return Err(RatesError::Path(text)) };
        let mut segments: Vec<String> = inner.split('/').map(str::to_owned).collect();
        let rest = segments.last().is_some_and(|last| last == "**");
        if rest {
            segments.pop();
        }
        let bad = |segment: &String| segment.is_empty() || segment.contains("**");
        if segments.iter().any(bad) || segments.is_empty() && !rest {
            return Err(RatesError::Path(text));
        }
        Ok(Self { segments, rest })
    }
}

impl From<PathPattern> for String {
    fn from(pattern: PathPattern) -> Self {
        let rest = if pattern.rest { "/**" } else { "" };
        let segments: String = pattern.segments.iter().flat_map(|one| ["/", one]).collect();
        format!("{segments}{rest}")
    }
}

impl PathPattern {
    /// Whether a URL's path ends as the pattern says.
    pub(super) fn matches(&self, path: &str) -> bool {
        let path: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let count = self.segments.len();
        let ends = |from: &[&str]| {
            from.iter().zip(&self.segments).all(|(have, want)| want == "*" || have == want)
        };
        let mut places = path.windows(count.max(1));
        match self.rest {
            true if count == 0 => true,
            true => places.any(ends),
            false => places.next_back().is_some_and(ends),
        }
    }
}

impl RatesAsk {
    /// Checks what the types alone do not.
    pub(in crate::host) fn check(&self) -> Result<(), RatesError> {
        let mut names = std::collections::BTreeSet::new();
        few("apps", self.app.len())?;
        few("classes", self.classes.len())?;
        few("throttled answers", self.throttled.len())?;
        for class in &self.classes {
            few("paths of a class", class.paths.len())?;
            few("limits of a class", class.limits.len())?;
            if !names.insert(&class.name) {
                return Err(RatesError::Twice(class.name.clone()));
            }
        }
        for sign in &self.throttled {
            few("values of a throttled answer", sign.is.len())?;
            match &sign.at {
                Some(at) if !at.starts_with('/') => return Err(RatesError::Pointer(at.clone())),
                Some(_) if sign.is.is_empty() => return Err(RatesError::Always),
                None if sign.status.is_none() => return Err(RatesError::Always),
                Some(_) | None => {}
            }
        }
        Ok(())
    }
}

fn few(list: &'static str, found: usize) -> Result<(), RatesError> {
    if found > LIMIT_ENTRIES { Err(RatesError::TooMany { list, found }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> PathPattern {
        PathPattern::try_from(text.to_owned()).unwrap()
    }

    fn refused(json: &str) -> String {
        match serde_json::from_str::<RatesAsk>(json) {
            Ok(ask) => ask.check().unwrap_err().to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn paths_are_met_from_their_end_by_whole_segments() {
        let users = pattern("/v3/users/find");
        assert!(users.matches("/open-apis/v3/users/find") && users.matches("/v3/users/find"));
        assert!(!users.matches("/xv3/users/find") && !users.matches("/v3/users/find/x"));
        assert!(pattern("/v3/*/find").matches("/a/v3/users/find"));
        assert!(pattern("/topapi/**").matches("/x/topapi/v2/user/list"));
        assert!(!pattern("/topapi/**").matches("/gettoken"));
        assert!(pattern("/**").matches("/gettoken"));
        for text in ["/v3/*/find", "/topapi/**", "/**"] {
            assert_eq!(String::from(pattern(text)), text);
        }
    }

    #[test]
    fn limits_are_written_as_they_are_read() {
        for text in ["50/second", "1000/minute", "150000/hour", "9/day", "5000/month"] {
            assert_eq!(String::from(Rate::try_from(text.to_owned()).unwrap()), text);
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_what_would_be_right() {
        let class = |rest: &str| format!(r#"{{"classes":[{{"name":"a",{rest}}}]}}"#);
        let cases = [
            (class(r#""paths":["/a"],"limits":["50 a second"]"#), "as in `50/second`"),
            (class(r#""paths":["/a"],"limits":["0/second"]"#), "a number from 1 on"),
            (class(r#""paths":["a"]"#), "begin it with `/`"),
            (class(r#""paths":["/a/**/b"]"#), "only as the last"),
            (
                r#"{"classes":[{"name":"a","paths":[]},{"name":"a","paths":[]}]}"#.to_owned(),
                "two classes `a`",
            ),
            (r#"{"throttled":[{"at":"code","is":["1"]}]}"#.to_owned(), "no JSON pointer"),
            (r#"{"throttled":[{"wait_seconds":1}]}"#.to_owned(), "names neither"),
            (r#"{"throttled":[{"at":"/code"}]}"#.to_owned(), "names neither"),
        ];
        for (json, told) in cases {
            assert!(refused(&json).contains(told), "{json}: {}", refused(&json));
        }
        let many = vec![r#""x""#; 101].join(",");
        assert!(refused(&format!(r#"{{"app":[{many}]}}"#)).contains("101 apps are listed"));
    }
}
