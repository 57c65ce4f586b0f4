//! Counts what changes, group by group. Pure.

use std::collections::BTreeMap;

use crate::model::entity::Entity;
use crate::port::mapper::{Mapped, Place, Reject};

use super::compare::{self, Shade};
use super::{FieldGroup, GROUPS, KindImpact, NAMED, Sides, Turn, TurnGroup};

/// One group's records.
#[derive(Default)]
struct Group {
    records: u64,
    /// The smallest ids, so that the order of work makes no difference.
    first: Vec<String>,
}

type FieldKey = (String, Shade, Shade);
/// The turn; where parked: the code, script, line and column.
type TurnKey = (Turn, Option<(String, Option<(String, usize, usize)>)>);

/// See the module.
#[derive(Default)]
pub(super) struct Tally {
    records: u64,
    changed: u64,
    fields: BTreeMap<FieldKey, Group>,
    turns: BTreeMap<TurnKey, (Group, Option<Reject>)>,
    beyond: u64,
}

impl Group {
    fn add(&mut self, id: &str) {
        self.records += 1;
        self.name(id.to_owned());
    }

    fn name(&mut self, id: String) {
        if let Err(at) = self.first.binary_search(&id)
            && at < NAMED
        {
            self.first.insert(at, id);
            self.first.truncate(NAMED);
        }
    }

    fn merge(&mut self, other: Self) {
        self.records += other.records;
        other.first.into_iter().for_each(|id| self.name(id));
    }
}

impl Tally {
    /// Compares one record.
    pub(super) fn add(&mut self, id: &str, old: &Mapped, new: &Mapped) {
        self.records += 1;
        let turn = match (old, new) {
            (Mapped::Draft(old), Mapped::Draft(new)) => {
                let entity =
                    Entity::parse(old.external_id().as_str().split(':').nth(1).unwrap_or(""));
                let mut changed = false;
                compare::fields(old, new, |field, old, new| {
                    changed = true;
                    let Some(entity) = entity else { return };
                    let shade = |text| compare::shade(entity, field, text);
                    self.field((field.to_owned(), shade(old), shade(new)), id);
                });
                self.changed += u64::from(changed);
                return;
            }
            (Mapped::Skipped, Mapped::Skipped) | (Mapped::Rejected(_), Mapped::Rejected(_)) => {
                return;
            }
            (_, Mapped::Draft(_)) => Turn::Returning,
            (_, Mapped::Skipped) => Turn::LeftOut,
            (_, Mapped::Rejected(_)) => Turn::Parked,
        };
        self.changed += 1;
        let reject = match new {
            Mapped::Rejected(reject) => Some(reject),
            Mapped::Draft(_) | Mapped::Skipped => None,
        };
        let place = |place: &Place| (place.script.clone(), place.line, place.column);
        let why = reject.map(|it| (it.code.clone(), it.place.as_ref().map(place)));
        let key = (turn, why);
        if self.turns.len() >= GROUPS && !self.turns.contains_key(&key) {
            self.beyond += 1;
            return;
        }
        let (group, told) = self.turns.entry(key).or_default();
        group.add(id);
        if told.is_none() {
            *told = reject.cloned();
        }
    }

    fn field(&mut self, key: FieldKey, id: &str) {
        if self.fields.len() >= GROUPS && !self.fields.contains_key(&key) {
            self.beyond += 1;
            return;
        }
        self.fields.entry(key).or_default().add(id);
    }

    /// Adds what another worker counted.
    pub(super) fn merge(&mut self, other: Self) {
        self.records += other.records;
        self.changed += other.changed;
        self.beyond += other.beyond;
        for (key, group) in other.fields {
            self.fields.entry(key).or_default().merge(group);
        }
        for (key, (group, reject)) in other.turns {
            let (mine, told) = self.turns.entry(key).or_default();
            mine.merge(group);
            *told = told.take().or(reject);
        }
    }

    /// The groups for people, the largest first.
    pub(super) fn finish(self, entity: Entity, sides: Sides<'_>) -> KindImpact {
        let place =
            |field: &str| sides.new.place(entity, field).or_else(|| sides.old.place(entity, field));
        let field = |((field, before, after), group): (FieldKey, Group)| {
            let place = place(&field);
            FieldGroup { field, before, after, records: group.records, place, first: group.first }
        };
        let turn = |((turn, _), (group, reject)): (TurnKey, (Group, Option<Reject>))| {
            let (why, place) = match reject {
                Some(Reject { code, message, place, .. }) => (Some((code, message)), place),
                None => (None, None),
            };
            TurnGroup { turn, why, place, records: group.records, first: group.first }
        };
        let mut fields: Vec<FieldGroup> = self.fields.into_iter().map(field).collect();
        let mut turns: Vec<TurnGroup> = self.turns.into_iter().map(turn).collect();
        fields.sort_by_key(|group| std::cmp::Reverse(group.records));
        turns.sort_by_key(|group| std::cmp::Reverse(group.records));
        let (records, changed, beyond) = (self.records, self.changed, self.beyond);
        KindImpact { entity, records, changed, fields, turns, beyond }
    }
}
