//! What a plugin implements: [`Plugin`] always, the others as far as the platform goes.
//!
//! What this is not: the remaining interfaces of the contract (login, messaging), which join when the first plugin has
//! them. The one invariant: a plugin keeps no state between calls; what must last is in a cursor or
//! remembered by the host.

use crate::{
    Answer, Batch, Change, Content, Delivery, Fault, Finding, Hint, Host, Kind, Page, Receipt,
    Refused, Walk, Window,
};

/// What every plugin exports.
pub trait Plugin<H: Host> {
    /// Checks credentials, permissions and ranges with the fewest possible calls.
    ///
    /// # Errors
    /// [`Fault`] when the platform cannot be asked at all; what an administrator can mend is a failed [`Finding`].
    fn probe(host: &H) -> Result<Vec<Finding>, Fault>;
}

/// People and departments.
pub trait Directory<H: Host> {
    /// How the host walks each kind.
    fn walks() -> Vec<Walk>;
    /// The same for one connection, where its settings decide; called before anything else, so it sends nothing.
    fn walks_for(_host: &H) -> Vec<Walk> {
        Self::walks()
    }
    /// One page. `within` is a department's id for a kind walked per department.
    ///
    /// # Errors
    /// [`Fault::StaleCursor`] when the listing has to start again; any other [`Fault`] for this page alone.
    fn enumerate(
        host: &H,
        kind: Kind,
        within: Option<&str>,
        cursor: Option<&str>,
    ) -> Result<Page<H::Response>, Fault>;
    /// Reads single objects; those that do not exist are left out.
    ///
    /// # Errors
    /// [`Fault`] when the platform does not answer for all of them.
    fn fetch(host: &H, kind: Kind, ids: &[String]) -> Result<Content<H::Response>, Fault>;
}

/// What people did, by person and time.
pub trait Attendance<H: Host> {
    /// Each kind, and the most a call may ask for.
    fn batches() -> Vec<Batch>;
    /// The same for one connection, where its settings decide; called before anything else, so it sends nothing.
    fn batches_for(_host: &H) -> Vec<Batch> {
        Self::batches()
    }
    /// One page of what `people` did in `window`.
    ///
    /// # Errors
    /// [`Fault`], as for [`Directory::enumerate`].
    fn enumerate(
        host: &H,
        kind: Kind,
        people: &[String],
        window: Window,
        cursor: Option<&str>,
    ) -> Result<Page<H::Response>, Fault>;
}

/// Events that the platform pushes. A hint says where to look, never what is true.
pub trait Callback<H: Host> {
    /// Verifies and decrypts a delivery; does not work. The host stores the event before it sends the answer. An authentic
    /// event that is not understood is handed over all the same, and [`Callback::hints`] then fails.
    ///
    /// # Errors
    /// [`Refused`]; the host counts it, answers with an error status and changes nothing.
    fn receive(host: &H, delivery: &Delivery) -> Result<Answer, Refused>;
    /// What a stored event points at; nothing for an event that is of no interest.
    ///
    /// # Errors
    /// Any [`Fault`] when the event cannot be used: the host then reads everything.
    fn hints(host: &H, event: &[u8]) -> Result<Vec<Hint>, Fault>;
}

/// A system that is written.
pub trait Target<H: Host> {
    /// A JSON Schema for each kind that the target takes; what it does not name is not sent.
    ///
    /// # Errors
    /// [`Fault`] when the target has to be asked and does not answer.
    fn describe(host: &H) -> Result<Vec<(Kind, String)>, Fault>;
    /// One page of what the target holds, with the external id as the record's id.
    ///
    /// # Errors
    /// [`Fault`], as for [`Directory::enumerate`]; [`Fault::Unsupported`] when the target cannot be listed.
    fn enumerate(host: &H, kind: Kind, cursor: Option<&str>) -> Result<Page<H::Response>, Fault>;
    /// Writes changes. One result for each, in order; the same change twice has the effect of one, and one that is refused
    /// leaves the others in force.
    fn apply(host: &H, changes: &[Change]) -> Vec<Result<Receipt, Fault>>;
}
