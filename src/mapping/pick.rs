//! Choosing stored records as cases: few of them, that together reach the most branches, with nobody in them.
//!
//! Every record is masked before it is weighed: what counts is what the case will reach, not what the record did. Not here:
//! where records come from and where cases go. The invariant: memory is bounded, no value of a person is left in a case,
//! and a case expects what the mapping makes of the masked record.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use serde_json::Value;

use super::coverage::{Reached, Watcher};
use super::generation::{Generation, SettingError};
use super::yaml;
use crate::model::entity::Entity;
use crate::model::hash::ContentHash;
use crate::model::ids::{ConnectionId, SourceId};
use crate::model::record::Record;
use crate::model::redact::{Key, Redactor};
use crate::port::mapper::{Mapped, Mapper};

/// Most different ways through a mapping that are told apart.
const WAYS: usize = 20_000;
/// Most bytes of candidates.
const BYTES: usize = 64 << 20;

/// Chooses cases among the records of one kind.
pub struct Picker {
    entity: Entity,
    zone: String,
    mapper: Arc<dyn Mapper>,
    raw: Watcher,
    masked: Watcher,
    redactor: Redactor,
    ways: HashSet<Reached>,
    candidates: HashMap<Reached, String>,
    bytes: usize,
    reached: BTreeSet<usize>,
}

/// A case that was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PickedCase {
    /// The file's name below `cases/<entity>/`.
    pub file: String,
    /// The file's text.
    pub text: String,
    /// How many branches and states of fields only this case reaches, of those chosen so far.
    pub adds: usize,
}

impl Generation {
    /// Chooses cases of one kind of record. Stand-ins follow from `key`, which must be secret: the same key gives the same
    /// cases. `None` when there is no compiled mapping of that kind.
    ///
    /// # Errors
    /// [`SettingError`] when the zone does not exist.
    pub fn picker(
        &self,
        entity: Entity,
        connector: &ConnectionId,
        zone: &str,
        key: Key,
    ) -> Result<Option<Picker>, SettingError> {
        // The country of cases: see `cases`.
        let watcher = || self.watcher(entity, connector, zone, super::cases::REGION);
        let (Some(raw), Some(mut masked)) = (watcher()?, watcher()?) else { return Ok(None) };
        let mut reached = BTreeSet::new();
        for source in self.cases.get(&entity).into_iter().flatten() {
            if let Ok(case) = yaml::case(&source.text) {
                let way = masked.look(case.record.to_string().as_bytes());
                reached.extend(way.items().iter().copied());
            }
        }
        Ok(Some(Picker {
            entity,
            zone: zone.to_owned(),
            mapper: self.mapper(connector, zone, super::cases::REGION)?,
            raw,
            masked,
            redactor: Redactor::new(key),
            ways: HashSet::new(),
            candidates: HashMap::new(),
            bytes: 0,
            reached,
        }))
    }
}

impl Picker {
    /// Offers a stored record.
    pub fn offer(&mut self, payload: &[u8]) {
        let way = self.raw.look(payload);
        if self.ways.len() >= WAYS || !self.ways.insert(way) {
            return;
        }
        let Some(masked) = self.redactor.json(payload) else { return };
        let Ok(text) = String::from_utf8(masked) else { return };
        let way = self.masked.look(text.as_bytes());
        if self.bytes + text.len() > BYTES {
            return;
        }
        let shorter = self.candidates.get(&way).is_none_or(|known| text.len() < known.len());
        if shorter {
            self.bytes += text.len();
            if let Some(before) = self.candidates.insert(way, text) {
                self.bytes -= before.len();
            }
        }
    }

    /// The records that together reach the most that the cases there are do not reach, best first, at most so many.
    pub fn choose(mut self, most: usize) -> Vec<PickedCase> {
        let mut chosen = Vec::new();
        while chosen.len() < most {
            let gain = |way: &Reached| {
                way.items().iter().filter(|item| !self.reached.contains(item)).count()
            };
            let best = self.candidates.iter().max_by(|(a, x), (b, y)| {
                // Of equal gain the shorter record, and of equal length always the same one.
                gain(a).cmp(&gain(b)).then(y.len().cmp(&x.len())).then(y.cmp(x))
            });
            let Some((way, adds)) = best.map(|(way, _)| (way.clone(), gain(way))) else { break };
            if adds == 0 {
                break;
            }
            self.reached.extend(way.items().iter().copied());
            let Some(record) = self.candidates.remove(&way) else { break };
            chosen.extend(self.case(&record, adds));
        }
        chosen
    }

    fn case(&self, record: &str, adds: usize) -> Option<PickedCase> {
        let id = SourceId::parse("case").ok()?;
        let stored = Record { id, payload: record.to_owned().into() };
        let found = self.mapper.map(self.entity, &[stored]).pop()?;
        let record: Value = serde_json::from_str(record).ok()?;
        let zone = (self.zone != super::cases::ZONE).then_some(self.zone.as_str());
        let expected = match &found {
            Mapped::Draft(draft) => {
                yaml::Expected::Draft(serde_json::from_slice(draft.json()).ok()?)
            }
            Mapped::Skipped => yaml::Expected::Skipped,
            Mapped::Rejected(reject) => {
                yaml::Expected::Rejected(reject.code.clone(), reject.field.clone())
            }
        };
        let about = format!(
            "Chosen from stored records and masked; reaches {adds} branches or states of fields that no case before does."
        );
        let text = yaml::write_case(&about, &record, zone, &expected)?;
        let hash = ContentHash::of(text.as_bytes()).to_string();
        let short: String = hash.chars().take(8).collect();
        Some(PickedCase { file: format!("generated_{short}.yaml"), text, adds })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::Files;

    const SCRIPT: &str = r#"#{
external_id: id("employee", record.user_id),
display_name: trimmed(record.name),
department_external_ids: [],
mobile: phone(record.mobile),
status: if record.gone == true { "terminated" } else { "active" },
gender: switch record.gender { 1 => "male", 2 => "female", _ => () },
}"#;

    fn record(n: usize) -> String {
        format!(
            r#"{{"user_id":"u{n:04}","name":"王小明{n}","mobile":"+8613800{n:06}","gone":{},"gender":{}}}"#,
            n % 50 == 7,
            n % 3
        )
    }

    fn generation(cases: &[(String, String)]) -> Generation {
        let files = [("employee.rhai", SCRIPT)].into_iter();
        let cases = cases.iter().map(|(name, text)| (name.as_str(), text.as_str()));
        Generation::load(&Files::from_memory("feishu", files.chain(cases)), None).unwrap()
    }

    fn picked(generation: &Generation, most: usize) -> Vec<PickedCase> {
        let connector = ConnectionId::parse("feishu").unwrap();
        let picker = generation.picker(Entity::Employee, &connector, "Asia/Shanghai", [5; 32]);
        let mut picker = picker.unwrap().unwrap();
        (0..300).for_each(|n| picker.offer(record(n).as_bytes()));
        picker.choose(most)
    }

    #[test]
    fn few_records_reach_every_branch_and_pass_as_cases() {
        let chosen = picked(&generation(&[]), 20);
        assert!((2..=4).contains(&chosen.len()), "{chosen:#?}");
        let cases: Vec<(String, String)> = chosen
            .iter()
            .map(|case| (format!("cases/employee/{}", case.file), case.text.clone()))
            .collect();
        let with = generation(&cases);
        let connector = ConnectionId::parse("feishu").unwrap();
        let report = with.run_cases(&connector);
        assert!(report.passed(), "{report:#?}");
        assert_eq!(report.results.len(), chosen.len());
        let coverage = with.coverage(&connector);
        assert_eq!(coverage[0].reached, coverage[0].branches, "{coverage:#?}");
        assert_eq!(picked(&with, 20), Vec::new(), "what the cases there are reach needs no more");
    }

    #[test]
    fn nobody_is_in_a_case() {
        for case in picked(&generation(&[]), 20) {
            for gone in ["王小明", "u00", "u01", "u02", "13800000", "138000001"] {
                assert!(!case.text.contains(gone), "{gone}: {}", case.text);
            }
            assert!(case.text.contains("gender:"), "{}", case.text);
        }
    }

    #[test]
    fn the_same_key_gives_the_same_cases_and_most_is_most() {
        let generation = generation(&[]);
        assert_eq!(picked(&generation, 20), picked(&generation, 20));
        assert_eq!(picked(&generation, 1).len(), 1);
    }
}
