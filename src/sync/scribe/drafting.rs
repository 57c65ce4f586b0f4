//! Gives records their entries: what is known of each, what the target holds, and what is to become of it.

use std::collections::HashMap;

use crate::model::entity::Entity;
use crate::model::ids::ExternalId;
use crate::model::plan::Verb;
use crate::port::mapper::Mapped;
use crate::sync::SyncError;
use crate::sync::intake::{Item, Origin};
use crate::sync::ledger::{Entry, FrameId, Standing};
use crate::sync::matching::Verdict;

use super::Scribe;

/// A record in the group at hand.
pub(super) struct Draftee {
    pub(super) item: Item,
    pub(super) origin: Origin,
    pub(super) entry: Entry,
    /// The entry before this group.
    pub(super) prior: Option<Entry>,
    pub(super) reframe: bool,
    pub(super) verb: Option<Verb>,
    /// The employee that the record is linked to.
    pub(super) link: Option<ExternalId>,
    /// What was known before, when this is the first time that the run meets it.
    pub(super) replaced: Option<Entry>,
}

impl Scribe {
    /// Gives every waiting record its entry; drops what the same run has already dealt with.
    pub(super) fn draft(&mut self) -> Result<Vec<Draftee>, SyncError> {
        let known = self.known()?;
        let mut group = std::mem::take(&mut self.group);
        let (batches, records) = std::mem::take(&mut self.waiting);
        let mut at: HashMap<String, usize> = HashMap::with_capacity(records);
        let items = batches
            .into_iter()
            .flat_map(|(origin, items)| items.into_iter().map(move |item| (origin, item)));
        for (origin, mut item) in items {
            let twin = at.get(item.id.as_str()).copied();
            // A twin in the same group replaces the first, whose change is not planned yet: it starts from where that one did.
            let (prior, met) = if let Some(index) = twin {
                (group[index].prior, Some(group[index].entry))
            } else {
                let prior = self.prior(item.id.as_str())?;
                (prior, prior)
            };
            let again = match origin {
                Origin::Stored | Origin::Replayed | Origin::Ended => {
                    self.out.remapped += 1;
                    false
                }
                Origin::Pulled => met.is_some_and(|met| !self.out.seen.insert(met.slot)),
            };
            if again && met.is_some_and(|met| met.raw == item.raw) {
                continue;
            }
            let link = self.matched(&mut item, met.is_some())?;
            let held = match known.get(item.id.as_str()) {
                Some(&held) => held,
                None => self.held(prior),
            };
            let slot = met.map(|met| met.slot);
            let (entry, verb, reframe) =
                self.decide(&item, origin, (prior, held), slot, link.is_some())?;
            let replaced = match twin {
                Some(index) => group[index].replaced,
                None => prior.filter(|_| origin == Origin::Pulled && !again),
            };
            if twin.is_none() {
                at.insert(item.id.as_str().to_owned(), group.len());
            }
            let draftee = Draftee { item, origin, entry, prior, reframe, verb, link, replaced };
            if let Some(index) = twin {
                group[index] = draftee;
            } else {
                group.push(draftee);
            }
        }
        Ok(group)
    }

    /// The entry of an object, if it has one.
    fn prior(&mut self, source: &str) -> Result<Option<Entry>, SyncError> {
        if self.newcomers.as_mut().is_some_and(|newcomers| newcomers.is_new(source)) {
            return Ok(None);
        }
        Ok(self.desk.ledger.entry(self.desk.entity, source)?)
    }

    /// What the target says of the records whose origin asks it.
    fn known(&self) -> Result<HashMap<String, Standing>, SyncError> {
        let asked = self.waiting.0.iter().filter(|(origin, _)| origin.asks_target());
        let ids: Vec<&str> =
            asked.flat_map(|(_, items)| items).map(|item| item.id.as_str()).collect();
        if ids.is_empty() || self.desk.vacant {
            return Ok(ids.into_iter().map(|id| (id.to_owned(), Standing::Unknown)).collect());
        }
        let keys: Vec<ExternalId> = ids.iter().map(|id| self.external_id_of(id)).collect();
        let held = self.desk.runtime.block_on(self.desk.target.load(self.desk.entity, &keys))?;
        let standings = held.iter().map(|held| Standing::of(held.as_ref()));
        Ok(ids.into_iter().map(str::to_owned).zip(standings).collect())
    }

    /// What the state says that the target holds.
    fn held(&self, prior: Option<Entry>) -> Standing {
        match prior {
            Some(_) if self.desk.rebuild => Standing::Unknown,
            Some(prior) => self.desk.ledger.in_force(&prior, self.desk.run),
            None => Standing::Unknown,
        }
    }

    /// Decides whether a person is an employee of another connection, or cannot be told from another person.
    fn matched(&self, item: &mut Item, known: bool) -> Result<Option<ExternalId>, SyncError> {
        let Some(matcher) = &self.desk.matcher else { return Ok(None) };
        let draft = match &item.mapped {
            Mapped::Draft(draft) => draft,
            Mapped::Skipped => {
                matcher.ended(item.id.as_str())?;
                return Ok(None);
            }
            Mapped::Rejected(_) => return Ok(None),
        };
        match matcher.judge(item.id.as_str(), draft, known)? {
            Verdict::Own => Ok(None),
            Verdict::Linked(owner) => Ok(Some(owner)),
            Verdict::Clash(reject) => {
                item.mapped = Mapped::Rejected(reject);
                Ok(None)
            }
        }
    }

    /// The entry of a record, what is to be done with its row, and whether its payload has to be framed.
    fn decide(
        &mut self,
        item: &Item,
        origin: Origin,
        (prior, held): (Option<Entry>, Standing),
        slot: Option<u32>,
        linked: bool,
    ) -> Result<(Entry, Option<Verb>, bool), SyncError> {
        let desk = &self.desk;
        let applied = match prior {
            Some(prior) if prior.run == desk.run => prior.applied,
            _ => held,
        };
        let (wanted, verb, parked) = match &item.mapped {
            // No row of its own; one that stands is merged into the owner's.
            Mapped::Draft(_) if linked => {
                let stands = matches!(held, Standing::Present(_));
                (Standing::Unknown, stands.then_some(Verb::Retire), false)
            }
            Mapped::Draft(draft) => {
                let wanted = Standing::Present(draft.hash());
                let verb = match held {
                    _ if held == wanted => None,
                    Standing::Unknown => Some(Verb::Create),
                    Standing::Present(_) | Standing::Retired => Some(Verb::Update),
                };
                (wanted, verb, false)
            }
            // Left out on purpose: whoever stands in the target from before is ended; what has happened stays.
            Mapped::Skipped => {
                let directory = matches!(desk.entity, Entity::Department | Entity::Employee);
                let ends = directory && matches!(held, Standing::Present(_));
                let ended = directory && origin == Origin::Ended;
                self.out.skipped += u64::from(origin != Origin::Ended);
                let wanted = if ends || ended { Standing::Retired } else { held };
                (wanted, ends.then_some(Verb::Retire), false)
            }
            Mapped::Rejected(_) => (held, None, true),
        };
        let slot = slot.unwrap_or_else(|| {
            let slot = self.out.meta.slots;
            self.out.meta.slots += 1;
            self.out.born.get_or_insert(slot);
            self.out.seen.insert(slot);
            slot
        });
        let reframe = match prior.filter(|prior| prior.raw == item.raw) {
            Some(_) if origin.asks_target() => false,
            Some(prior) => !self.desk.ledger.frame_stands(self.desk.entity, &prior)?,
            None => true,
        };
        let frame = prior.map_or(FrameId(0), |prior| prior.frame);
        let run = self.desk.run;
        // A replay says nothing about who is listed.
        let replayed = origin.asks_target();
        let absent = replayed && prior.is_some_and(|it| self.desk.ledger.is_gone(&it, run));
        let entry =
            Entry { slot, raw: item.raw, frame, wanted, applied, run, parked, absent, replayed };
        Ok((entry, verb, reframe))
    }

    /// Where nothing is known of a record, the target may still hold it: a receipt was lost, or the state is new.
    pub(super) fn ask_target(&mut self, group: &mut [Draftee]) -> Result<(), SyncError> {
        if self.desk.vacant {
            return Ok(());
        }
        let run = self.desk.run;
        // A linked one too, unless this run has decided about it: a run that was killed may have written a row of its own.
        let unsure = |draftee: &&mut Draftee| {
            if draftee.origin.asks_target() {
                return false;
            }
            let decided = draftee.prior.is_some_and(|prior| prior.run == run);
            let linked = draftee.link.is_some() && draftee.verb.is_none() && !decided;
            draftee.verb == Some(Verb::Create) || linked
        };
        let mut asked: Vec<&mut Draftee> = group.iter_mut().filter(unsure).collect();
        let keys: Vec<ExternalId> = asked.iter().map(|d| self.external_id(&d.item)).collect();
        if keys.is_empty() {
            return Ok(());
        }
        let held = self.desk.runtime.block_on(self.desk.target.load(self.desk.entity, &keys))?;
        for (draftee, held) in asked.iter_mut().zip(held) {
            let Some(held) = held else { continue };
            if draftee.link.is_some() {
                draftee.verb = (!held.retired).then_some(Verb::Retire);
                continue;
            }
            if Standing::Present(held.hash) == draftee.entry.wanted && !held.retired {
                draftee.verb = None;
                self.out.adopted += 1;
            } else {
                draftee.verb = Some(Verb::Update);
            }
        }
        Ok(())
    }
}
