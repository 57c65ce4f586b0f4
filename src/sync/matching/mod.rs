//! The same person on two platforms is one employee: who owns the employee, and who is linked to it.
//!
//! The tenant names one field that tells and an order of authority. Records of different connections with the same value
//! there form a [`group::Group`]; the first connection in the order that has a member owns the employee and writes its row.
//! The others are *linked*: they write no row, and what refers to them is written as referring to the owner. The owner's
//! fields count; a linked record fills none of them, also none that the owner leaves missing.
//!
//! | what happens | what becomes of it |
//! |---|---|
//! | no value, or a blank one | no match: an employee of its own |
//! | a second record of one connection with the value | parked: two people cannot be told apart |
//! | a value changes while others are linked | parked until all of them have the new value; then the group moves as one |
//! | the owner's person ends | the employee ends, whatever the others still list: the authority's word counts |
//! | a value is used again by a new person of a connection | parked while a record of another connection hangs on the old one |
//! | a connection is taken out of the order | its records count no more; the next in the order takes over |
//!
//! Links live in the state of the tenant, and are changed by compare-and-set, so runs of several connections may happen at
//! once. A change of the owner leaves a [`notes::Note`] for every connection it touches; their next runs map what they
//! keep once more. So any order of runs, and any kill, leads to the same employees in the end. Not for: departments, which stay
//! apart by platform. The invariant: two records of one connection are never one employee.

mod books;
mod group;
mod notes;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value};

use self::books::Books;
use self::group::{Claim, Group};
use self::notes::Note;
use crate::config::Matching;
use crate::model::draft::Draft;
use crate::model::entity::Entity;
use crate::model::hash::ContentHash;
use crate::model::ids::{ConnectionId, ExternalId, TenantId};
use crate::port::mapper::Reject;
use crate::port::store::{Store, StoreError};

/// The codes of parked records that a person must decide about begin so.
pub(super) const CLASH: &str = "matching::";

/// Matches the people of one connection during one run.
pub(super) struct Matcher {
    rules: Matching,
    connection: ConnectionId,
    books: Books,
    notes: Mutex<Notes>,
}

/// What is to be mapped once more, and the stored note that says so.
#[derive(Default)]
struct Notes {
    todo: Note,
    stored: Option<Vec<u8>>,
}

/// What a record is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// An employee.
    Own,
    /// Another connection's employee.
    Linked(ExternalId),
    /// Nobody can tell.
    Clash(Reject),
}

impl Matcher {
    /// `None` when the connection takes no part.
    pub(super) fn open(
        rules: Option<&Matching>,
        (tenant, connection): (&TenantId, &ConnectionId),
        store: &Arc<dyn Store>,
        dry: bool,
    ) -> Result<Option<Self>, StoreError> {
        let Some(rules) = rules.filter(|rules| rules.authority.contains(connection)) else {
            return Ok(None);
        };
        let books = Books {
            tenant: tenant.clone(),
            connection: connection.clone(),
            store: store.clone(),
            dry: dry.then(Mutex::default),
        };
        let stored = books.read(&books.note_key(connection))?;
        let todo = stored.as_deref().map(Note::decode).unwrap_or_default();
        let notes = Mutex::new(Notes { todo, stored });
        Ok(Some(Self { rules: rules.clone(), connection: connection.clone(), books, notes }))
    }

    /// What the results of mapping depend on besides the mapping.
    pub(super) fn digest(&self) -> ContentHash {
        let names = self.rules.authority.iter().map(|id| id.as_str().as_bytes());
        ContentHash::of_parts(std::iter::once(self.rules.key.as_bytes()).chain(names))
    }

    /// The employee of another connection that an employee is linked to.
    pub(super) fn owner_of(&self, id: &ExternalId) -> Result<Option<ExternalId>, StoreError> {
        let mut value = Value::from(id.as_str());
        let linked = self.follow(&mut value)?;
        Ok(value.as_str().filter(|_| linked).and_then(ExternalId::parse))
    }

    /// Decides what a record is, and files it.
    pub(super) fn judge(
        &self,
        source: &str,
        draft: &Draft,
        known: bool,
    ) -> Result<Verdict, StoreError> {
        let key = self.key_of(draft);
        let claim = self.books.claim(source)?;
        if let Some(claim) = claim.filter(|claim| Some(claim.key) != key) {
            if !self.may_leave(claim.key, source, key)? {
                return Ok(Verdict::Clash(moved(&self.rules.key)));
            }
            self.leave_group(claim.key, source)?;
            self.books.set_claim(source, None)?;
        }
        match key {
            Some(key) => self.join(key, source, claim, known),
            None => Ok(Verdict::Own),
        }
    }

    /// The draft with references to people that are linked written as references to their employees.
    pub(super) fn relink(&self, entity: Entity, draft: Draft) -> Result<Draft, StoreError> {
        let fields: &[&str] = match entity {
            Entity::Department => &["head_external_ids"],
            Entity::Employee => &["manager_external_id"],
            Entity::CheckIn | Entity::AttendanceDay | Entity::Leave => &["employee_external_id"],
        };
        let Ok(mut object) = serde_json::from_slice::<Map<String, Value>>(draft.json()) else {
            return Ok(draft);
        };
        let mut changed = false;
        for field in fields {
            match object.get_mut(*field) {
                Some(Value::Array(ids)) => {
                    for id in ids {
                        changed |= self.follow(id)?;
                    }
                }
                Some(id) => changed |= self.follow(id)?,
                None => {}
            }
        }
        // What was a valid draft is one with another id in the same place.
        Ok(if changed { Draft::from_json(entity, &object).unwrap_or(draft) } else { draft })
    }

    /// The person has ended: the employee stays with its owner.
    pub(super) fn ended(&self, source: &str) -> Result<(), StoreError> {
        let Some(claim) = self.books.claim(source)? else { return Ok(()) };
        self.change(claim.key, |group| {
            if let Some(member) = group.own(&self.connection).filter(|m| m.source == source) {
                member.ended = true;
            }
            Note::default()
        })
    }

    /// A record that wrote no row is gone.
    pub(super) fn left(&self, source: &str) -> Result<(), StoreError> {
        let Some(claim) = self.books.claim(source)? else { return Ok(()) };
        self.leave_group(claim.key, source)?;
        self.books.set_claim(source, None)
    }

    /// What is to be mapped once more because links have changed: the directory, attendance.
    pub(super) fn todo(&self) -> (bool, bool) {
        let todo = lock(&self.notes).todo;
        (todo.directory, todo.attendance)
    }

    /// Everything noted so far has been mapped once more and written.
    pub(super) fn done(&self) -> Result<(), StoreError> {
        if let Some(stored) = lock(&self.notes).stored.take() {
            // A note that another run has changed meanwhile stays for the next run.
            self.books.set(&self.books.note_key(&self.connection), Some(&stored), None)?;
        }
        Ok(())
    }

    /// How many records of the connection are linked.
    pub(super) fn linked(&self) -> Result<u64, StoreError> {
        self.books.linked()
    }

    fn join(
        &self,
        key: ContentHash,
        source: &str,
        claim: Option<Claim>,
        known: bool,
    ) -> Result<Verdict, StoreError> {
        let mut clash = None;
        let mut owner = None;
        self.change(key, |group| {
            clash = group.clash(&self.connection, source, &self.rules.key);
            if clash.is_some() {
                return Note::default();
            }
            let before = group.owner(&self.rules.authority);
            group.join(&self.connection, source);
            owner = group.owner(&self.rules.authority);
            // Whoever was linked to another owner, or was one, has references to write anew.
            if before == owner { Note::default() } else { Note::ALL }
        })?;
        if let Some(clash) = clash {
            return Ok(Verdict::Clash(clash));
        }
        let owner = owner.filter(|(connection, _)| *connection != self.connection);
        let now = Claim { key, linked: owner.is_some() };
        if claim != Some(now) {
            if now.linked || claim.is_some_and(|claim| claim.linked) {
                // One that was never seen before has no attendance yet that refers to it.
                self.note(&self.connection, Note { directory: true, attendance: known })?;
            }
            self.books.set_claim(source, Some(now))?;
        }
        Ok(match owner {
            Some((connection, member)) => {
                Verdict::Linked(ExternalId::of(&connection, Entity::Employee, &member.source))
            }
            None => Verdict::Own,
        })
    }

    /// Whether a record may go from its group to one of another key: when it is alone, or leads and all others follow.
    fn may_leave(
        &self,
        from: ContentHash,
        source: &str,
        to: Option<ContentHash>,
    ) -> Result<bool, StoreError> {
        let mut may = true;
        self.change(from, |group| {
            let leads = group
                .owner(&self.rules.authority)
                .is_none_or(|(connection, _)| connection == self.connection);
            let follow = group.others_want(&self.connection, to);
            let alone = group.is_alone(&self.connection);
            let Some(own) = group.own(&self.connection).filter(|own| own.source == source) else {
                return Note::default();
            };
            own.wants = to;
            may = alone || leads && to.is_some() && follow;
            Note::default()
        })?;
        Ok(may)
    }

    fn leave_group(&self, key: ContentHash, source: &str) -> Result<(), StoreError> {
        self.change(key, |group| {
            let before = group.owner(&self.rules.authority);
            group.leave(&self.connection, source);
            let after = group.owner(&self.rules.authority);
            if before == after { Note::default() } else { Note::ALL }
        })
    }

    /// Changes a group until no other run was faster. The note goes to the group's other members, before the change.
    fn change(
        &self,
        key: ContentHash,
        mut change: impl FnMut(&mut Group) -> Note,
    ) -> Result<(), StoreError> {
        let at = self.books.group_key(key);
        loop {
            let (before, stored) = self.books.group(&at)?;
            let mut group = before.clone();
            let note = change(&mut group);
            if group == before {
                return Ok(());
            }
            for (connection, _) in before.others(&self.connection) {
                self.note(connection, note)?;
            }
            let new = (!group.is_empty()).then(|| group.encode());
            if self.books.set(&at, stored.as_deref(), new)? {
                return Ok(());
            }
        }
    }

    /// Leaves a note for a connection; one for this run's own is also taken up by it.
    fn note(&self, connection: &ConnectionId, note: Note) -> Result<(), StoreError> {
        if note == Note::default() {
            return Ok(());
        }
        let key = self.books.note_key(connection);
        let own = *connection == self.connection;
        let mut notes = lock(&self.notes);
        if own {
            notes.todo = notes.todo.and(note);
        }
        loop {
            let stored = self.books.read(&key)?;
            if own && stored.as_deref().is_some_and(|stored| Note::decode(stored).holds(note)) {
                return Ok(());
            }
            let new = Note::after(stored.as_deref(), note);
            if self.books.set(&key, stored.as_deref(), Some(new.clone()))? {
                if own && notes.stored == stored {
                    notes.stored = Some(new);
                }
                return Ok(());
            }
        }
    }

    fn follow(&self, id: &mut Value) -> Result<bool, StoreError> {
        let Some(key) = id.as_str().and_then(ExternalId::parse) else { return Ok(false) };
        if key != ExternalId::of(&self.connection, Entity::Employee, key.source()) {
            return Ok(false);
        }
        let Some(claim) = self.books.claim(key.source())?.filter(|claim| claim.linked) else {
            return Ok(false);
        };
        let (group, _) = self.books.group(&self.books.group_key(claim.key))?;
        let Some((connection, member)) = group.owner(&self.rules.authority) else {
            return Ok(false);
        };
        let owner = ExternalId::of(&connection, Entity::Employee, &member.source);
        let changed = owner != key;
        *id = Value::String(owner.to_string());
        Ok(changed)
    }

    /// The value that tells, as a digest: the state holds no number and no address.
    fn key_of(&self, draft: &Draft) -> Option<ContentHash> {
        let object: Map<String, Value> = serde_json::from_slice(draft.json()).ok()?;
        let value = match self.rules.key.strip_prefix("custom.") {
            Some(name) => object.get("custom")?.get(name)?,
            None => object.get(&self.rules.key)?,
        };
        let text = match value {
            Value::String(text) => text.trim().to_lowercase(),
            Value::Number(number) => number.to_string(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
        };
        let parts = [self.rules.key.as_bytes(), text.as_bytes()];
        (!text.is_empty()).then(|| ContentHash::of_parts(parts))
    }
}

fn moved(key: &str) -> Reject {
    reject(
        "moved",
        format!(
            "its `{key}` has changed, but records of other platforms are matched to it by the value before; give all of them the new value, or take this one back"
        ),
    )
}

fn reject(code: &str, message: String) -> Reject {
    Reject { code: format!("{CLASH}{code}"), field: None, message, place: None }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
