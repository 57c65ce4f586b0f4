//! The serial half of a run: gives every record its entry, keeps raw payloads in frames, collects the plan.
//!
//! Works in groups: one blob write and one index write for about [`GROUP`] records. Frames go first, so an entry never
//! names what is not there. The plan goes by itself, in larger sets; that of a run that ends before is not looked at.

mod drafting;
mod newcomers;

use tokio::runtime::Handle;

use crate::model::entity::Entity;
use crate::model::hash::ContentHash;
use crate::model::ids::{ConnectionId, ExternalId, RunId};
use crate::model::plan::{Change, Tally, Verb};
use crate::port::mapper::{Mapped, Reject};
use crate::port::store::{Op, StoreError};
use crate::port::target::Target;

use super::SyncError;
use super::intake::{Item, Judged, Origin};
use super::keeper::{Close, Keeper};
use super::ledger::{Entry, FrameId, Framed, KindMeta, Ledger, OpenSet, Parked, Phase};
use super::matching::Matcher;
use super::order::{self, Line};
use super::seen::Seen;
use drafting::Draftee;
use newcomers::Newcomers;

/// Records in a group.
pub(super) const GROUP: usize = 512;
/// The most changes in a plan set: a target writes a set as one, and the larger it is the less each change takes.
const SET: usize = 4096;
/// The most records in a raw frame.
const FRAME: usize = 256;
/// A plan set or a raw frame ends here however few there are in it: both are unpacked as a whole.
const BYTES: usize = 2 << 20;
/// Sets of ends that a scribe plans are numbered from here, beyond those of the absent.
const ENDS: u32 = 1 << 31;

/// What a scribe works with, fixed for a phase.
pub(super) struct Desk {
    pub(super) entity: Entity,
    pub(super) run: RunId,
    /// When the run began, in Unix milliseconds.
    pub(super) began_ms: i64,
    pub(super) connection: ConnectionId,
    pub(super) ledger: Ledger,
    pub(super) target: std::sync::Arc<dyn Target>,
    pub(super) runtime: Handle,
    pub(super) rebuild: bool,
    /// The target holds nothing of this kind: no need to ask it.
    pub(super) vacant: bool,
    /// People only: who is the same person elsewhere, if the tenant says how to tell.
    pub(super) matcher: Option<std::sync::Arc<Matcher>>,
    /// Sees to it that what is replaced goes to the archive.
    pub(super) keeper: Keeper,
}

/// What a phase came to; carried from phase to phase of the same kind.
#[derive(Default)]
pub(super) struct Tallied {
    pub(super) meta: KindMeta,
    pub(super) seen: Seen,
    pub(super) remapped: u64,
    pub(super) skipped: u64,
    pub(super) archived: u64,
    pub(super) adopted: u64,
    pub(super) tally: Tally,
    pub(super) digest: u128,
    /// The first slot that this run handed out.
    pub(super) born: Option<u32>,
    /// Departments whose parent was not listed.
    pub(super) orphans: u64,
    /// The next plan set's number.
    pub(super) sets: u32,
    /// The next raw frame's number.
    pub(super) frames: u32,
    /// The next number of a set of ends.
    pub(super) ends: u32,
}

/// See the module.
pub(super) struct Scribe {
    desk: Desk,
    out: Tallied,
    /// Of a kind that had no entry when the phase began.
    newcomers: Option<Newcomers>,
    /// What of batches is no group yet, and how many records that are.
    waiting: (Vec<(Origin, Vec<Item>)>, usize),
    /// The group at hand. It is kept for its room, as the sets are: what takes much memory is not taken anew each time.
    group: Vec<Draftee>,
    /// Changes that are no set yet.
    changes: OpenSet,
    /// Departments only: changes whose parents have not come yet.
    departments: Line,
    /// Rows that end although their records are there: left out by the mapping, or somebody else's now.
    ends: OpenSet,
}

impl Scribe {
    pub(super) fn new(desk: Desk, out: Tallied) -> Self {
        Self {
            desk,
            newcomers: out.meta.is_unknown().then(Newcomers::none_yet),
            out,
            waiting: Default::default(),
            group: Vec::with_capacity(GROUP),
            changes: OpenSet::default(),
            departments: Line::default(),
            ends: OpenSet::default(),
        }
    }

    /// Takes one judged batch.
    pub(super) fn take(&mut self, judged: Judged) -> Result<(), SyncError> {
        let Judged { origin, unchanged, items } = judged;
        for slot in unchanged {
            self.out.seen.insert(slot);
        }
        let (batches, records) = &mut self.waiting;
        if !items.is_empty() {
            *records += items.len();
            batches.push((origin, items));
        }
        if *records >= GROUP { self.commit() } else { Ok(()) }
    }

    /// Records met so far.
    pub(super) fn met(&self) -> u64 {
        self.out.seen.count().max(self.out.remapped)
    }

    /// Writes what is left.
    pub(super) fn finish(mut self) -> Result<Tallied, SyncError> {
        self.commit()?;
        let departments = std::mem::take(&mut self.departments);
        self.out.orphans = self.orphans(departments.left())?;
        self.want(departments.finish())?;
        self.plan()?;
        let meta = self.desk.ledger.put_meta(self.desk.entity, &self.out.meta);
        self.desk.ledger.write_index(vec![meta])?;
        Ok(self.out)
    }

    /// Changed departments whose parent this run has not met.
    fn orphans<'c>(&self, left: impl Iterator<Item = &'c Change>) -> Result<u64, SyncError> {
        let mut orphans = 0;
        for parent in left.filter_map(|change| order::parent_of(&change.json)) {
            let entry = self.department(&parent)?;
            orphans += u64::from(!entry.is_some_and(|entry| self.out.seen.contains(entry.slot)));
        }
        Ok(orphans)
    }

    /// The entry of a department, by its external id.
    fn department(&self, external_id: &str) -> Result<Option<Entry>, StoreError> {
        match ExternalId::parse(external_id) {
            Some(key) => self.desk.ledger.entry(Entity::Department, key.source()),
            None => Ok(None),
        }
    }

    /// Lets departments go on whose parents are in the plan or need no change. Their entries are filed by now.
    fn line_up(&mut self, changes: Vec<Change>, listed: bool) -> Result<(), SyncError> {
        let (mut line, mut ready) = (std::mem::take(&mut self.departments), Vec::new());
        let met = |parent: &str| {
            let entry = self.department(parent)?;
            Ok::<_, SyncError>(entry.is_some_and(|entry| {
                self.out.seen.contains(entry.slot) || (!listed && entry.run == self.desk.run)
            }))
        };
        line.take(changes, met, &mut ready)?;
        self.departments = line;
        self.want(ready)
    }

    fn commit(&mut self) -> Result<(), SyncError> {
        let mut group = self.draft()?;
        self.ask_target(&mut group)?;
        let mut index = Vec::with_capacity(group.len() + 1);
        self.archive(&group, &mut index)?;
        let mut blobs = self.frame(&mut group)?;
        let listed = group.iter().any(|draftee| draftee.origin == Origin::Pulled);
        let mut changes = Vec::new();
        for draftee in group.drain(..) {
            self.file(draftee, &mut index, &mut changes)?;
        }
        self.group = group;
        blobs.extend(self.end_set()?);
        let (entity, ledger) = (self.desk.entity, &self.desk.ledger);
        index.extend(self.out.born.map(|slot| ledger.put_birth(entity, slot, self.desk.began_ms)));
        index.push(ledger.put_meta(entity, &self.out.meta));
        self.desk.ledger.write_blobs(blobs)?;
        self.desk.ledger.write_index(index)?;
        self.line_up(changes, listed)
    }

    /// Hands over what the group replaces, before it does.
    fn archive(&mut self, group: &[Draftee], index: &mut Vec<Op>) -> Result<(), SyncError> {
        let replaced = group.iter().filter_map(|draftee| {
            let prior = draftee.replaced.as_ref()?;
            let gone = self.desk.ledger.is_gone(prior, self.desk.run);
            let why = if gone { Close::Returned } else { Close::Replaced };
            (prior.raw != draftee.item.raw || gone).then_some((
                draftee.item.id.as_str(),
                prior,
                why,
            ))
        });
        let kept = self.desk.keeper.keep(&self.desk.ledger, replaced, index)?;
        self.out.archived += kept;
        Ok(())
    }

    fn external_id(&self, item: &Item) -> ExternalId {
        self.external_id_of(item.id.as_str())
    }

    fn external_id_of(&self, source: &str) -> ExternalId {
        ExternalId::of(&self.desk.connection, self.desk.entity, source)
    }

    fn frame(&mut self, group: &mut [Draftee]) -> Result<Vec<Op>, SyncError> {
        let mut ops = Vec::new();
        let mut fresh: Vec<&mut Draftee> = group.iter_mut().filter(|d| d.reframe).collect();
        let mut rest = fresh.as_mut_slice();
        while !rest.is_empty() {
            let sizes = rest.iter().map(|draftee| draftee.item.payload.len());
            let part = rest.split_off_mut(..fitting(sizes)).unwrap_or_default();
            let id = FrameId::new(self.desk.run, self.out.frames);
            self.out.frames += 1;
            self.out.meta.framed += part.len() as u64;
            let items: Vec<Borrowed<'_>> = part.iter().map(|d| Borrowed(&d.item)).collect();
            ops.push(self.desk.ledger.put_frame(self.desk.entity, id, &items)?);
            for draftee in part {
                draftee.entry.frame = id;
            }
        }
        Ok(ops)
    }

    fn file(
        &mut self,
        draftee: Draftee,
        index: &mut Vec<Op>,
        departments: &mut Vec<Change>,
    ) -> Result<(), SyncError> {
        let Draftee { item, entry, prior, verb, link, .. } = draftee;
        let (entity, ledger) = (self.desk.entity, &self.desk.ledger);
        index.push(ledger.put_entry(entity, item.id.as_str(), &entry));
        if let Mapped::Rejected(reject) = item.mapped {
            let parked = parked(reject, entry.run);
            index.push(ledger.put_parked(entity, item.id.as_str(), &parked));
            return Ok(());
        }
        if prior.is_some_and(|prior| prior.parked) {
            index.push(ledger.delete_parked(entity, item.id.as_str()));
        }
        if verb == Some(Verb::Retire) {
            let external_id = self.external_id_of(item.id.as_str());
            let end = match link {
                Some(owner) => Change::merge(external_id, &owner),
                None => Change::end(external_id),
            };
            self.count(&end);
            return Ok(self.ends.push(&end)?);
        }
        if let (Some(verb), Mapped::Draft(draft)) = (verb, item.mapped) {
            let change = draft.into_change(verb);
            self.count(&change);
            if entity == Entity::Department {
                departments.push(change);
            } else {
                self.want([change])?;
            }
        }
        Ok(())
    }

    fn count(&mut self, change: &Change) {
        self.out.tally.count(change.verb);
        self.out.digest = self.out.digest.wrapping_add(weigh(change));
    }

    /// These come with the ends of those who are absent, after everything that is written anew.
    fn end_set(&mut self) -> Result<Option<Op>, SyncError> {
        if self.ends.is_empty() {
            return Ok(None);
        }
        let phase = Phase::Retire(self.desk.entity);
        let seq = ENDS + self.out.ends;
        let op = self.desk.ledger.put_set(self.desk.run, phase, seq, &mut self.ends)?;
        self.out.ends += 1;
        Ok(Some(op))
    }

    /// Puts changes into the plan.
    fn want(&mut self, changes: impl IntoIterator<Item = Change>) -> Result<(), SyncError> {
        for change in changes {
            self.changes.push(&change)?;
            if self.changes.len() >= SET || self.changes.bytes() >= BYTES {
                self.plan()?;
            }
        }
        Ok(())
    }

    /// Plans the changes at hand as a set.
    fn plan(&mut self) -> Result<(), SyncError> {
        if !self.changes.is_empty() {
            let phase = Phase::Upsert(self.desk.entity);
            let (run, seq) = (self.desk.run, self.out.sets);
            let op = self.desk.ledger.put_set(run, phase, seq, &mut self.changes)?;
            self.out.sets += 1;
            self.desk.ledger.write_blobs(vec![op])?;
        }
        Ok(())
    }
}

/// How many of the records of these sizes go into one frame.
fn fitting(sizes: impl Iterator<Item = usize>) -> usize {
    let mut bytes = 0;
    let fit = sizes.take(FRAME).take_while(|size| {
        bytes += size;
        bytes <= BYTES
    });
    fit.count().max(1)
}

/// A change as a number; a plan's digest is their sum, whatever their order.
pub(super) fn weigh(change: &Change) -> u128 {
    let verb: &[u8] = match change.verb {
        Verb::Create => b"c",
        Verb::Update => b"u",
        Verb::Retire => b"r",
    };
    let parts = [verb, change.external_id.as_str().as_bytes(), &change.hash.0];
    u128::from_le_bytes(ContentHash::of_parts(parts).0)
}

fn parked(reject: Reject, run: RunId) -> Parked {
    let Reject { code, field, message, place } = reject;
    Parked { code, field, message, place, run }
}

struct Borrowed<'a>(&'a Item);

impl Framed for Borrowed<'_> {
    fn id(&self) -> &str {
        self.0.id.as_str()
    }
    fn payload(&self) -> &[u8] {
        &self.0.payload
    }
}
