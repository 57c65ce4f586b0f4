//! The values of the contract (`plugins/wit`) in plain Rust, generic over the response so that they exist natively too.
//!
//! What this is not: the wire form; `component` converts to and from that. The one invariant: names, cases and meaning
//! are those of the WIT, whose comments are the reference.

/// What a record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A department.
    Department,
    /// A person.
    Employee,
    /// One punch.
    CheckIn,
    /// One person's result of one day.
    AttendanceDay,
    /// One absence.
    Leave,
}

/// One object that the plugin built itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The record's id on the platform.
    pub id: String,
    /// A JSON object.
    pub payload: String,
}

/// Where records stand in a response that stays in the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slice<R> {
    /// The response that holds them.
    pub response: R,
    /// Pointer to an array of objects, or to one object. An absent array is an empty one.
    pub items: String,
    /// Pointers inside an item; their texts, joined by `:`, are the record's id.
    pub id: Vec<String>,
}

/// The records of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content<R> {
    /// They stay in the response.
    Sliced(Slice<R>),
    /// The plugin built them.
    Built(Vec<Item>),
    /// There are none.
    Empty,
}

/// What the platform itself says about a whole listing of a kind, not only of this page or part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Fingerprint of what the app may see.
    pub scope: Option<String>,
    /// How many distinct objects of the kind the platform counts.
    pub total: Option<u64>,
}

/// One page of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<R> {
    /// Its records.
    pub content: Content<R>,
    /// Handed back to ask for the next page; `None` at the end.
    pub next: Option<String>,
    /// What the platform says about the whole, where this page tells it.
    pub evidence: Option<Evidence>,
}

/// A span of Unix seconds, `start` inclusive, `end` exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first second inside.
    pub start: i64,
    /// The first second no longer inside.
    pub end: i64,
}

/// What went wrong, in the platform's terms, and what an administrator does about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    /// The platform's own code, or the plugin's word where the platform gave none.
    pub code: String,
    /// What happened, to what.
    pub message: String,
    /// What an administrator does.
    pub remedy: String,
}

impl Advice {
    /// Advice in an administrator's words.
    pub fn new(
        code: impl Into<String>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { code: code.into(), message: message.into(), remedy: remedy.into() }
    }
}

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The credentials are wrong, expired or revoked.
    Unauthorized(Advice),
    /// A permission, a range or an allow-list entry is missing.
    Forbidden(Advice),
    /// Try again after so many milliseconds (0: the platform does not say).
    RateLimited(u32),
    /// The object does not exist.
    NotFound,
    /// The platform refuses the request itself; repeating it does not help.
    Invalid(Advice),
    /// The cursor no longer holds: list again from the start.
    StaleCursor,
    /// The platform is failing or unreachable; repeating may help.
    Unavailable(Advice),
    /// The plugin does not do this.
    Unsupported,
}

/// One result of a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was checked, such as `permission contact:user.base:readonly`.
    pub check: String,
    /// Whether all is well.
    pub passed: bool,
    /// What an administrator does about a failed check.
    pub remedy: Option<String>,
}

/// How the host walks a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Walk {
    /// One listing.
    Whole(Kind),
    /// One listing within each department, and one with no department for what hangs off none.
    PerDepartment(Kind),
}

/// A kind of attendance record, and the most a call may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The kind.
    pub kind: Kind,
    /// People a call.
    pub people: u32,
    /// Days a call.
    pub days: u32,
}
