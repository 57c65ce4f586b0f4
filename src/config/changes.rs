//! The section `mapping_changes` of a tenant: whether an edited mapping is looked at before it is in force.
//!
//! ```yaml
//! mapping_changes:
//!   impact: auto                    # off: an edit is in force as soon as it passes its checks
//!   hold_above: { share: 5%, count: 50 }
//!   fields: { status: { share: 0%, count: 0 } }
//! ```

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::source::Source;
use super::units::Percent;
use crate::model::entity::Entity;
use crate::model::schema::{self, nearest};

/// When an edited mapping is held. The rule, for each kind of record and each group on its own, with *records* those that
/// were compared and *changing* those whose field changes: the mapping is held when *changing* is greater than `count` **and**
/// greater than `share` of *records*; of the field's own bounds, where it has any, else of `hold_above`. Records that can no
/// longer be mapped, are left out or return count against `hold_above`, all of a kind together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MappingChanges {
    /// Whether the impact of an edit is computed before it is in force.
    pub impact: Impact,
    /// How much may change without a verdict.
    pub hold_above: Bounds,
    /// Fields with bounds of their own.
    pub fields: BTreeMap<String, Bounds>,
}

/// Whether the impact of an edit is computed before it is in force.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Impact {
    /// On every reload.
    Auto,
    /// Only when somebody asks for it.
    #[default]
    Off,
}

/// How many records may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Bounds {
    /// Of the records compared.
    pub share: Percent,
    /// Whatever their share.
    pub count: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { share: Percent::whole(5), count: 50 }
    }
}

impl Bounds {
    /// Whether so many changing records out of `records` are too many.
    pub fn hold(&self, changing: u64, records: u64) -> bool {
        let share = u128::from(self.share.hundredths());
        changing > self.count && u128::from(changing) * 10_000 > share * u128::from(records)
    }
}

impl MappingChanges {
    /// Notes names of fields that no kind of record has.
    pub(super) fn check(&self, source: &mut Source) {
        let names = || Entity::ALL.into_iter().flat_map(schema::fields).map(|field| field.name);
        for name in self.fields.keys().filter(|name| !names().any(|known| known == *name)) {
            let advice = match nearest(name, names()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "`rollcall schema` lists them".to_owned(),
            };
            let message = format!("no kind of record has a field `{name}`; {advice}");
            source.fault(&["mapping_changes", "fields", name], "config::value", message);
        }
    }

    /// The bounds of a field.
    pub fn bounds(&self, field: &str) -> Bounds {
        self.fields.get(field).copied().unwrap_or(self.hold_above)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_held_above_both_share_and_count() {
        let bounds = Bounds::default();
        assert!(bounds.hold(51, 1_019));
        assert!(!bounds.hold(51, 1_020), "exactly the share passes");
        assert!(!bounds.hold(50, 60), "exactly the count passes");
    }

    #[test]
    fn a_field_with_bounds_of_its_own_keeps_to_them() {
        let strict = Bounds { share: Percent::whole(0), count: 0 };
        let fields = [("status".to_owned(), strict)].into();
        let changes = MappingChanges { fields, ..MappingChanges::default() };
        assert!(changes.bounds("status").hold(1, 100_000));
        assert!(!changes.bounds("status").hold(0, 100_000));
        assert!(!changes.bounds("alias").hold(1, 100_000));
    }
}
