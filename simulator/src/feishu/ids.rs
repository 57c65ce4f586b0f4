//! Feishu's identifiers of people, departments, punches and results.
//!
//! Not for the outside: a client must treat them as opaque. The invariant: an id that the simulator did not make
//! parses to `None` or to an index that does not exist.

use crate::ids::{DeptNo, Ids, PersonNo, PunchKind, parse_hex32, person_day, write_hex32};

/// Which id of a person a request speaks, `user_id_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UserIdType {
    Open,
    Union,
    User,
}

/// Which id of a department a request speaks, `department_id_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeptIdType {
    Open,
    Custom,
}

const PUNCH_BASE: u64 = 6_900_000_000_000_000_000;
const RESULT_BASE: u64 = 7_100_000_000_000_000_000;
impl Ids {
    pub(crate) fn write_user(self, out: &mut Vec<u8>, person: PersonNo, as_type: UserIdType) {
        match as_type {
            UserIdType::Open => self.write_long(out, "ou_", 1, person.0),
            UserIdType::Union => self.write_long(out, "on_", 2, person.0),
            UserIdType::User => write_hex32(out, self.scatter(person.0)),
        }
    }

    pub(crate) fn parse_user(self, id: &str, as_type: UserIdType) -> Option<PersonNo> {
        let index = match as_type {
            UserIdType::Open => self.parse_long(id, "ou_", 1)?,
            UserIdType::Union => self.parse_long(id, "on_", 2)?,
            UserIdType::User if id.len() == 8 => self.gather(parse_hex32(id)?),
            UserIdType::User => return None,
        };
        Some(PersonNo(index))
    }

    pub(crate) fn write_dept(self, out: &mut Vec<u8>, dept: DeptNo, as_type: DeptIdType) {
        match (dept, as_type) {
            (DeptNo::ROOT, _) => out.push(b'0'),
            (_, DeptIdType::Open) => self.write_long(out, "od-", 3, dept.0),
            (_, DeptIdType::Custom) => {
                out.extend_from_slice(format!("dept-{:05}", dept.0).as_bytes());
            }
        }
    }

    pub(crate) fn parse_dept(self, id: &str, as_type: DeptIdType) -> Option<DeptNo> {
        if id == "0" {
            return Some(DeptNo::ROOT);
        }
        let index = match as_type {
            DeptIdType::Open => self.parse_long(id, "od-", 3)?,
            DeptIdType::Custom => {
                let digits = id.strip_prefix("dept-").filter(|digits| digits.len() >= 5)?;
                digits.parse().ok().filter(|index: &u32| *index > 0)?
            }
        };
        Some(DeptNo(index))
    }
}

/// A punch's `record_id`.
pub(crate) fn punch_id(person: PersonNo, day: i64, kind: PunchKind) -> u64 {
    let seq = match kind {
        PunchKind::In => 0,
        PunchKind::Out => 1,
        PunchKind::Late => 2,
    };
    PUNCH_BASE + person_day(person, day) + seq
}

pub(crate) fn parse_punch_id(text: &str) -> Option<(PersonNo, i64, PunchKind)> {
    let packed = text.parse::<u64>().ok()?.checked_sub(PUNCH_BASE)?;
    let kind = match packed & 0xf {
        0 => PunchKind::In,
        1 => PunchKind::Out,
        2 => PunchKind::Late,
        _ => return None,
    };
    let person = u32::try_from(packed >> 20).ok()?;
    Some((PersonNo(person), ((packed >> 4) & 0xffff).cast_signed(), kind))
}

/// A day result's `result_id`.
pub(crate) fn result_id(person: PersonNo, day: i64) -> u64 {
    RESULT_BASE + person_day(person, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    const IDS: Ids = Ids::new(1);

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    fn user(ids: Ids, person: PersonNo, as_type: UserIdType) -> String {
        text(|out| ids.write_user(out, person, as_type))
    }

    fn dept(ids: Ids, dept: DeptNo, as_type: DeptIdType) -> String {
        text(|out| ids.write_dept(out, dept, as_type))
    }

    #[test]
    fn every_user_id_leads_back_to_its_person() {
        for kind in [UserIdType::Open, UserIdType::Union, UserIdType::User] {
            let ids: HashSet<String> = (0..2_000).map(|n| user(IDS, PersonNo(n), kind)).collect();
            assert_eq!(ids.len(), 2_000, "{kind:?}");
            for n in [0, 1, 65_535, 65_536, 4_000_000] {
                let id = user(IDS, PersonNo(n), kind);
                assert_eq!(IDS.parse_user(&id, kind), Some(PersonNo(n)), "{id}");
            }
        }
    }

    #[test]
    fn an_id_of_another_kind_or_world_is_refused() {
        let open = user(IDS, PersonNo(7), UserIdType::Open);
        assert_eq!(IDS.parse_user(&open, UserIdType::Union), None);
        assert_eq!(IDS.parse_user(&open.to_uppercase(), UserIdType::Open), None);
        assert_eq!(Ids::new(2).parse_user(&open, UserIdType::Open), None);
        assert_eq!(IDS.parse_user("", UserIdType::User), None);
        assert_eq!(IDS.parse_user("é234567", UserIdType::User), None);
    }

    #[test]
    fn departments_speak_both_ids_and_the_root_is_zero() {
        for kind in [DeptIdType::Open, DeptIdType::Custom] {
            assert_eq!(dept(IDS, DeptNo::ROOT, kind), "0");
            let id = dept(IDS, DeptNo(17), kind);
            assert_eq!(IDS.parse_dept(&id, kind), Some(DeptNo(17)), "{id}");
        }
        assert_eq!(dept(IDS, DeptNo(17), DeptIdType::Custom), "dept-00017");
    }

    #[test]
    fn punches_lead_back() {
        let id = punch_id(PersonNo(99), 20_543, PunchKind::Late).to_string();
        assert_eq!(parse_punch_id(&id), Some((PersonNo(99), 20_543, PunchKind::Late)));
        assert_eq!(parse_punch_id("7001"), None);
    }
}
