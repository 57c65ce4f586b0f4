//! Whether an edited mapping is held. Pure.

use crate::config::MappingChanges;

use super::{FieldGroup, KindImpact};

/// Why a mapping with this impact is held; none when it is not.
pub fn reasons(impact: &[KindImpact], rules: &MappingChanges) -> Vec<String> {
    let mut reasons = Vec::new();
    for kind in impact {
        let (entity, of) = (kind.entity, kind.records);
        for FieldGroup { field, before, after, records, .. } in &kind.fields {
            if rules.bounds(field).hold(*records, of) {
                reasons.push(format!(
                    "{records} of {of} {entity} records: `{field}` {before} -> {after}"
                ));
            }
        }
        let turned: u64 = kind.turns.iter().map(|group| group.records).sum();
        if rules.hold_above.hold(turned + kind.beyond, of) {
            reasons.push(format!(
                "{turned} of {of} {entity} records would be parked, left out or come back"
            ));
        }
    }
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Bounds;
    use crate::model::entity::Entity;
    use crate::sync::impact::{Shade, Turn, TurnGroup};

    fn impact(status: u64, alias: u64, parked: u64) -> Vec<KindImpact> {
        let group = |field: &str, records| FieldGroup {
            field: field.to_owned(),
            before: Shade::Word("active".to_owned()),
            after: Shade::Word("terminated".to_owned()),
            records,
            place: None,
            first: Vec::new(),
        };
        let first = Vec::new();
        let turn = TurnGroup { turn: Turn::Parked, why: None, place: None, records: parked, first };
        let fields = vec![group("status", status), group("alias", alias)];
        let entity = Entity::Employee;
        vec![KindImpact {
            entity,
            records: 1_000,
            changed: 0,
            fields,
            turns: vec![turn],
            beyond: 0,
        }]
    }

    fn rules() -> MappingChanges {
        let strict = Bounds { count: 0, share: "0%".parse().unwrap() };
        MappingChanges {
            fields: [("status".to_owned(), strict)].into(),
            ..MappingChanges::default()
        }
    }

    #[test]
    fn what_stays_within_its_bounds_is_not_held() {
        assert_eq!(reasons(&impact(0, 50, 50), &rules()), [""; 0]);
    }

    #[test]
    fn every_group_beyond_its_bounds_is_a_reason() {
        assert_eq!(
            reasons(&impact(1, 51, 51), &rules()),
            [
                "1 of 1000 employee records: `status` active -> terminated",
                "51 of 1000 employee records: `alias` active -> terminated",
                "51 of 1000 employee records would be parked, left out or come back",
            ]
        );
    }
}
